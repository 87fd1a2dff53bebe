// The lower bounds of the mean latency: worked by hand, and below every policy.
#include <limits>
#include <map>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/core/invariant.h"
#include "sim/measure/bounds.h"
#include "sim/scenario/workload.h"
#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using Id = sim::StatisticId;

TEST_CASE("bounds by hand", "[bounds]") {
  // One layer: 4 s alone, 6 s for two: 3 s per sample at best. Jobs of 3 s at 0, 1 and 1: done at 3, 6 and 9.
  const sim::ScenarioBuilder base =
      sim::ScenarioBuilder().latencies_s({{4, 6}, {2, 4}}, {0, 1}).system("serial");
  const auto bounds = [&](const std::vector<sim::Sample>& samples, std::uint64_t warmup) {
    const sim::Scenario scenario = sim::ScenarioBuilder(base).recorded(samples).build();
    workloads::SentRequests stream = sim::sent_requests(scenario, *scenario.service().exits);
    return sim::latency_bounds(*scenario.systems[0].table(), stream, warmup);
  };
  CHECK(bounds({{0, 0}, {1, 0}, {1, 0}}, 0).mean_clairvoyant_s == Approx((3 + 5 + 8) / 3.0));
  CHECK(bounds({{0, 0}, {1, 0}, {1, 0}}, 0).mean_unloaded_s == 4);
  // The warm-up takes no time: done at 4 and 7.
  CHECK(bounds({{0, 0}, {1, 0}, {1, 0}}, 1).mean_clairvoyant_s == Approx((3 + 6) / 2.0));
  // One of 5 s at 0 (3 + 2); one of 3 s at 1 is shorter than the 4 s left and goes first: done at 4 and 8.
  CHECK(bounds({{0, 1}, {1, 0}}, 0).mean_clairvoyant_s == Approx((8 + 3) / 2.0));
  // At 3 there are 2 s left, less than 3: the first goes on. Done at 5 and 8.
  CHECK(bounds({{0, 1}, {3, 0}}, 0).mean_clairvoyant_s == Approx((5 + 5) / 2.0));
  CHECK(bounds({{0, 1}, {3, 0}}, 0).mean_unloaded_s == Approx((6 + 4) / 2.0));
}

namespace {

/// A request of a tiny instance.
struct Tiny {
  double arrival_s;
  int layers;  // that it runs before it leaves
};

/// The least sum of the latencies of the requests from number `warmup` on, over all schedules: at any time
/// any requests that are at the same layer may run it together, and those of the warm-up may run or not. By
/// dynamic programming over how many layers each request has run, with all pairs of (date, sum) that no other
/// one beats in both.
class BestSchedule {
 public:
  BestSchedule(const Eigen::ArrayXXd& seconds, std::vector<Tiny> requests, std::size_t warmup)
      : seconds_(seconds), requests_(std::move(requests)), warmup_(warmup) {}

  double sum_s() {
    by_progress_[std::vector<int>(requests_.size())] = {{0, 0}};
    double best = std::numeric_limits<double>::infinity();
    // Progress only grows in the order of vectors, so that each is complete when it is reached.
    for (const auto& [progress, labels] : by_progress_) {
      if (measured_done(progress)) {
        for (const Label& label : labels) best = std::min(best, label.sum_s);
      }
      for (std::uint32_t batch = 1; batch < 1U << requests_.size(); ++batch) extend(progress, labels, batch);
    }
    return best;
  }

 private:
  struct Label {
    double date_s;
    double sum_s;
  };

  [[nodiscard]] bool measured_done(const std::vector<int>& progress) const {
    for (std::size_t i = warmup_; i < requests_.size(); ++i) {
      if (progress[i] < requests_[i].layers) return false;
    }
    return true;
  }

  /// Runs the requests whose bits are set, where they can run together.
  void extend(std::vector<int> progress, const std::vector<Label>& labels, std::uint32_t batch) {
    int layer = -1;
    int samples = 0;
    int leaving = 0;
    double begin_s = 0;
    double arrivals_s = 0;  // of those that leave and are measured
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      if ((batch >> i & 1U) == 0) continue;
      if (progress[i] == requests_[i].layers || (layer >= 0 && progress[i] != layer)) return;
      layer = progress[i]++;
      if (++samples > seconds_.cols()) return;
      begin_s = std::max(begin_s, requests_[i].arrival_s);
      if (progress[i] < requests_[i].layers || i < warmup_) continue;
      ++leaving;
      arrivals_s += requests_[i].arrival_s;
    }
    std::vector<Label>& next = by_progress_[progress];
    for (const Label& label : labels) {
      const double date_s = std::max(label.date_s, begin_s) + seconds_(layer, samples - 1);
      keep(next, {.date_s = date_s, .sum_s = label.sum_s + leaving * date_s - arrivals_s});
    }
  }

  static void keep(std::vector<Label>& labels, const Label& label) {
    const auto beats = [](const Label& a, const Label& b) {
      return a.date_s <= b.date_s && a.sum_s <= b.sum_s;
    };
    for (const Label& other : labels) {
      if (beats(other, label)) return;
    }
    std::erase_if(labels, [&](const Label& other) { return beats(label, other); });
    labels.push_back(label);
  }

  const Eigen::ArrayXXd& seconds_;
  std::vector<Tiny> requests_;
  std::size_t warmup_;
  std::map<std::vector<int>, std::vector<Label>> by_progress_;
};

/// Requests at given dates.
class ListedRequests final : public workloads::RequestStream {
 public:
  explicit ListedRequests(const std::vector<Tiny>& requests) : requests_(requests) {}

  [[nodiscard]] double next_event_s() const override {
    if (next_ >= requests_.size()) return kNever;
    return requests_[next_].arrival_s;
  }
  std::size_t read(std::span<workloads::Arrival> block) override {
    std::size_t filled = 0;
    for (; filled < block.size() && next_ < requests_.size(); ++filled) {
      block[filled] = {};
      block[filled].date_s = requests_[next_].arrival_s;
      block[filled].exit = requests_[next_++].layers - 1;
    }
    return filled;
  }
  [[nodiscard]] std::unique_ptr<RequestStream> clone() const override {
    return std::make_unique<ListedRequests>(*this);
  }
  void split(std::uint64_t /*branch*/) override {}

 private:
  const std::vector<Tiny>& requests_;
  std::size_t next_ = 0;
};

}  // namespace

TEST_CASE("the bounds are below the best of all schedules of tiny instances", "[bounds]") {
  std::mt19937 random(3);
  const auto draw = [&](double low, double high) {
    return std::uniform_real_distribution<>(low, high)(random);
  };
  const auto choose = [&](int from, int to) { return std::uniform_int_distribution<>(from, to)(random); };
  const npu::Gemm gemm{.groups = 1, .r = 1, .p = 1, .c = 1};
  double closest = 0;
  for (int instance = 0; instance < 300; ++instance) {
    // Latencies that rise and fall with the batch, an exit after each layer.
    const int layers = choose(1, 3);
    Eigen::ArrayXXd seconds(layers, 3);
    std::vector<npu::Layer> network;
    for (int l = 0; l < layers; ++l) {
      network.push_back(test::gemm_layer(std::to_string(l), gemm, l));
      for (int b = 0; b < 3; ++b) seconds(l, b) = draw(0.2, 3);
    }
    const npu::BatchPolicyTable table(network, seconds);
    const auto warmup = static_cast<std::size_t>(choose(0, 3));
    std::vector<Tiny> requests(warmup + static_cast<std::size_t>(choose(1, 3)));
    double date_s = 0;
    for (Tiny& request : requests) {
      if (choose(0, 1) == 1) date_s += draw(0, 3);
      request = {.arrival_s = date_s, .layers = choose(1, layers)};
    }
    const double best_s = BestSchedule(seconds, requests, warmup).sum_s();

    ListedRequests stream(requests);
    const sim::LatencyBounds bounds = sim::latency_bounds(table, stream, warmup);
    const auto measured = static_cast<double>(requests.size() - warmup);
    INFO("instance " << instance);
    CHECK(bounds.mean_clairvoyant_s * measured <= best_s * (1 + 1e-9));
    CHECK(bounds.mean_unloaded_s * measured <= best_s * (1 + 1e-9));
    closest = std::max(closest, bounds.mean_clairvoyant_s * measured / best_s);
  }
  CHECK(closest > 0.9);  // and not below them by far
}

TEST_CASE("a newcomer that overtakes the warm-up does not beat the bound", "[bounds]") {
  // The first is warm-up, suspended by the second, which leaves at the first exit.
  for (const char* policy : {"lazy_batching", "exit_aware", "dynamic_batching"}) {
    const sim::Scenario scenario = test::scenario_of("ee_resnet50")
                                       .warmup_requests(1)
                                       .recorded({{0, 3}, {0.004, 0}})
                                       .system(policy)
                                       .build();
    CHECK(test::run_bare(scenario).statistics[Id::distance_to_bound] >= 1);
  }
}

TEST_CASE("a mean below its bounds is a broken invariant", "[bounds]") {
  sim::RunStatistics statistics;
  statistics.set(Id::mean_latency, 1);
  sim::add_bounds(statistics, {.mean_unloaded_s = 0.5, .mean_clairvoyant_s = 1 + 1e-8}, 0);
  CHECK(statistics[Id::distance_to_bound] == Approx(1));
  CHECK_THROWS_AS(sim::add_bounds(statistics, {.mean_unloaded_s = 1.01, .mean_clairvoyant_s = 0.5}, 0),
                  sim::InvariantViolation);
  CHECK_THROWS_AS(sim::add_bounds(statistics, {.mean_unloaded_s = 0.5, .mean_clairvoyant_s = 1.01}, 0),
                  sim::InvariantViolation);
}

TEST_CASE("no policy beats the bounds", "[bounds]") {
  for (const double rho : {0.3, 1.0, 2.0}) {
    const sim::Scenario scenario =
        test::scenario_of("ee_resnet50")
            .requests(3000)
            .warmup_requests(100)
            .poisson(workloads::Rate::rho(rho))
            .exit_rates(test::kExampleRates)
            .system("serial")
            .system("dynamic_batching")
            .system("lazy_batching")
            .system({.policy = "exit_aware",
                     .parameters = {{"exit_knowledge", "oracle"}},
                     .npu_mode = npu::Mode::fluid_stacked})
            .system({.policy = "deferred_batching", .npu_mode = npu::Mode::r_stacked})
            .build();
    for (std::size_t i = 0; i < scenario.systems.size(); ++i) {
      const sim::RunStatistics s = test::run_bare(scenario, i).statistics;
      INFO(scenario.systems[i].label << " at rho " << rho);
      CHECK(s[Id::mean_latency] >= s[Id::unloaded_bound]);
      CHECK(s[Id::mean_latency] >= s[Id::clairvoyant_bound]);
      CHECK(s[Id::distance_to_bound] >= 1);
      CHECK(s[Id::unloaded_bound] > 0);
    }
  }
}
