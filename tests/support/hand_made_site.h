// A server of several services, made by hand for what orders them.
#pragma once

#include <cstddef>
#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler/arbitration.h"
#include "scheduler/registry.h"
#include "tests/support/measured_table.h"

namespace fluidbatch::test {

/// The arbiter called `name`, with these values of its parameters.
inline std::unique_ptr<scheduler::Arbiter> make_arbiter(const std::string& name,
                                                        std::vector<double> values = {}) {
  const scheduler::ArbiterInfo* info = scheduler::find_arbiter(name);
  REQUIRE(info != nullptr);
  return info->make(scheduler::ParameterValues(info->parameters, std::move(values)));
}

/// A server with a queue for each service. A service has segments of one layer each.
class HandMadeSite {
 public:
  /// `latencies_s`: of each segment, by batch size. What it returns is good until the next service.
  scheduler::ServiceView& service(const Eigen::ArrayXXd& latencies_s, const std::vector<double>& arrivals,
                                  double slo_s = std::numeric_limits<double>::infinity()) {
    const npu::BatchPolicyTable& table = tables_.emplace_back(measured_table(latencies_s));
    std::vector<scheduler::RequestId>& queue = queues_.emplace_back();
    for (const double date_s : arrivals) {
      queue.push_back(window_.push({.arrival_s = date_s, .sent_s = date_s}));
    }
    return services_.emplace_back(
        scheduler::ServiceView{.slo = {.latency_s = slo_s}, .table = &table, .queue = queue});
  }
  /// One whose requests take `alone_s` in a single segment.
  scheduler::ServiceView& service(double alone_s, const std::vector<double>& arrivals,
                                  double slo_s = std::numeric_limits<double>::infinity()) {
    return service(Eigen::ArrayXXd::Constant(1, 1, alone_s), arrivals, slo_s);
  }
  scheduler::Request& request(scheduler::RequestId id) { return window_[id]; }

  [[nodiscard]] scheduler::ArbiterView at(double now_s) const {
    return {.now_s = now_s,
            .services = services_,
            .last_served = last_served == kNone ? services_.size() : last_served,
            .requests = scheduler::KnownRequests(window_)};
  }
  [[nodiscard]] std::vector<scheduler::Contender> heads() const {
    std::vector<scheduler::Contender> heads;
    for (std::size_t i = 0; i < services_.size(); ++i) {
      if (services_[i].queue.empty()) continue;
      const double arrival_s = window_[services_[i].queue.front()].arrival_s;
      heads.push_back(
          {.service = i, .arrival_s = arrival_s, .deadline_s = arrival_s + services_[i].slo.latency_s});
    }
    return heads;
  }
  /// All services with a queue, in the order in which `arbiter` gives them the NPU.
  [[nodiscard]] std::vector<std::size_t> order(scheduler::Arbiter& arbiter, double now_s) const {
    const scheduler::ArbiterView view = at(now_s);
    std::vector<scheduler::Contender> left = heads();
    arbiter.consider(view, left);
    std::vector<std::size_t> order;
    while (!left.empty()) {
      const std::size_t first = scheduler::first_in_order(arbiter, view, left);
      order.push_back(left[first].service);
      left.erase(left.begin() + static_cast<std::ptrdiff_t>(first));
    }
    return order;
  }

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t last_served = kNone;

 private:
  scheduler::RequestWindow window_;
  std::deque<npu::BatchPolicyTable> tables_;
  std::deque<std::vector<scheduler::RequestId>> queues_;
  std::vector<scheduler::ServiceView> services_;
};

}  // namespace fluidbatch::test
