// What the serving core of a site works with, as a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "sim/core/server_options.h"
#include "sim/core/site.h"
#include "sim/scenario/scenario.h"
#include "workloads/traffic/exit_source.h"
#include "workloads/traffic/request_stream.h"

namespace fluidbatch::sim {

/// Policies, arbiters, router, exit controls and requests of one system in one run: of every service on every
/// NPU. A copy goes on from the same state.
class SiteParts {
 public:
  /// As SystemParts.
  SiteParts(const Scenario& scenario, const System& system, std::size_t read_ahead,
            std::unique_ptr<workloads::RequestStream> stream = nullptr);
  SiteParts(const SiteParts& other);
  SiteParts& operator=(const SiteParts&) = delete;
  ~SiteParts() = default;

  [[nodiscard]] std::size_t npus() const { return arbiters_.size(); }
  [[nodiscard]] std::size_t services() const { return scenario_.services.size(); }
  /// The latencies of a service on an NPU, both from 0.
  [[nodiscard]] const npu::BatchPolicyTable& table(std::size_t npu, std::size_t service) const {
    return *system_.npus[npu].tables[service];
  }
  /// Whether the exits of a service are decided at run time.
  [[nodiscard]] bool decides_exits(std::size_t service) const {
    return system_.exit_controls[service].decides();
  }
  /// The exits of a service.
  [[nodiscard]] const workloads::ExitSpec& exits_of(std::size_t service) const { return *exits_of_[service]; }
  [[nodiscard]] const workloads::ExitSpec& exits() const { return *exits_; }
  [[nodiscard]] workloads::RequestStream& stream() const { return *stream_; }

  /// The parts of a Site, each lane's sink being `sink(npu, service)`.
  template <typename Sink, typename SinkOf>
  [[nodiscard]] SiteCoreParts<Sink> core_parts(const SinkOf& sink, Observer* observer) const;

  /// As SystemParts.
  void split(std::uint64_t branch) { stream_->split(branch); }

 private:
  /// Of a service on an NPU.
  struct Lane {
    ServerOptions options;
    std::unique_ptr<scheduler::Policy> policy;
    std::unique_ptr<scheduler::ExitControl> exit_control;
  };

  const Scenario& scenario_;
  const System& system_;
  std::size_t read_ahead_;
  std::vector<std::vector<Lane>> lanes_;                       // by NPU and service
  std::vector<std::unique_ptr<scheduler::Arbiter>> arbiters_;  // by NPU; nullptr where there is one service
  std::unique_ptr<scheduler::Router> router_;                  // nullptr where there is one NPU
  std::vector<std::shared_ptr<const workloads::ExitSpec>> exits_of_;  // by service
  std::shared_ptr<const workloads::ExitSpec> exits_;
  std::unique_ptr<workloads::RequestStream> stream_;
};

template <typename Sink, typename SinkOf>
SiteCoreParts<Sink> SiteParts::core_parts(const SinkOf& sink, Observer* observer) const {
  SiteCoreParts<Sink> parts{.services = {},
                            .service_of_device = scenario_.devices.services(),
                            .servers = {},
                            .router = router_.get(),
                            .stream = *stream_,
                            .read_ahead = read_ahead_,
                            .seed = scenario_.seed,
                            .observer = observer};
  for (const Service& service : scenario_.services)
    parts.services.push_back({.priority = service.priority, .weight = service.weight});
  for (std::size_t npu = 0; npu < npus(); ++npu) {
    SiteServerParts<Sink>& server = parts.servers.emplace_back();
    server.arbiter = arbiters_[npu].get();
    server.preemptive = system_.arbiter.preemptive;
    for (std::size_t service = 0; service < services(); ++service) {
      const Lane& lane = lanes_[npu][service];
      server.lanes.push_back(
          {.table = table(npu, service),
           .options = lane.options,
           .policy = *lane.policy,
           .exits = {.control = lane.exit_control.get(), .confidences = exits_of_[service]->confidences()},
           .sink = sink(npu, service)});
    }
  }
  return parts;
}

}  // namespace fluidbatch::sim
