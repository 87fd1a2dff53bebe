#include "tests/support/random_sites.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "scheduler/registry.h"
#include "sim/output/requests_csv.h"
#include "sim/scenario/latency_source.h"
#include "tests/support/all_kinds.h"
#include "tests/support/scenarios.h"

namespace fluidbatch::test {
namespace {

constexpr double kTick_s = 1.0 / 128;
constexpr int kMostBatch = 8;

class Draw {
 public:
  Draw(std::mt19937_64& random, Links links) : random_(random) {
    linked_ = links == Links::always || (links == Links::some && below(4) == 0);
    ticks_ = !linked_ && below(2) == 0;
    services_ = 1 + below(3);
    npus_ = 1 + below(3);
    systems_ = all_systems();
    std::erase_if(systems_, [](const sim::SystemSpec& system) { return system.policy == "optimal"; });
    system_ = pick(systems_);
    four_segments_ = system_.policy == "table";
    end_to_end_ =
        linked_ && below(2) == 0 && !scheduler::find_policy(system_.policy)->needs_deadlines_in_order;
    closed_ = below(5) == 0;
  }

  sim::ScenarioBuilder site() {
    sim::ScenarioBuilder builder;
    builder.seed(random_() % 100'000).requests(60 + static_cast<std::uint64_t>(below(101)));
    builder.warmup_requests(static_cast<std::uint64_t>(below(20)));
    std::vector<sim::GroupSpec> groups;
    for (int s = 0; s < services_; ++s) {
      builder.service(service(s));
      for (int group = 1 + below(2); group > 0; --group) {
        groups.push_back(devices_of(static_cast<std::size_t>(s)));
      }
    }
    // A service's devices need not have neighbouring numbers.
    std::shuffle(groups.begin(), groups.end(), random_);
    builder.devices(groups);
    builder.system(system());
    if (end_to_end_) builder.slo_end_to_end();
    return linked_ ? through_uplink(builder) : builder;
  }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  double between(double low, double high) { return low + (high - low) * below(1 << 20) / (1 << 20); }
  template <typename T>
  const T& pick(const std::vector<T>& values) {
    return values[random_() % values.size()];
  }

  /// By layer and batch size.
  std::vector<std::vector<double>> latencies_s(std::size_t layers) {
    std::vector<std::vector<double>> result;
    for (std::size_t layer = 0; layer < layers; ++layer) {
      const double fixed = ticks_ ? below(3) : between(0, 2);
      const double each = ticks_ ? pick(std::vector{0.5, 1.0}) : between(0.2, 1.2);
      std::vector<double>& row = result.emplace_back();
      for (int batch = 1; batch <= kMostBatch; ++batch) {
        const double ticks = fixed + each * batch;
        row.push_back(kTick_s * (ticks_ ? std::ceil(ticks) : ticks));
      }
    }
    return result;
  }

  sim::ServiceSpec service(int number) {
    sim::ServiceSpec spec{.name = std::string("s") + std::to_string(number)};
    const int segments = four_segments_ ? 4 : 1 + below(4);
    for (int segment = 0; segment < segments; ++segment)
      for (int layer = 1 + below(2); layer > 0; --layer) spec.segments.push_back(segment);
    spec.latencies_s = latencies_s(spec.segments.size());
    segments_.push_back(spec.segments);
    double alone_s = 0;
    for (const std::vector<double>& layer : spec.latencies_s) alone_s += layer.front();
    spec.slo_s = pick(std::vector{1.0, 2.0, 3.0, 6.0, std::numeric_limits<double>::infinity()}) * alone_s;
    spec.priority = below(3);
    spec.weight = pick(std::vector{1.0, 1.0, 0.5, 3.0});
    if (segments > 1) spec.exits = exits(segments, spec);
    return spec;
  }

  sim::ExitModel exits(int segments, sim::ServiceSpec& spec) {
    const auto early = static_cast<std::size_t>(segments - 1);
    const std::vector<double> rates(early, between(0.1, 0.8));
    switch (below(4)) {
      case 0:
        return sim::no_exits();
      case 1:
        return sim::exit_rates(rates);
      case 2:
        return sim::correlated_exits(rates, 0.7);
      default:
        break;
    }
    std::vector<workloads::JudgedSample> judged(16);
    for (workloads::JudgedSample& sample : judged) {
      for (int exit = 0; exit < segments; ++exit) {
        sample.confidences.push_back(exit + 1 == segments ? 1 : between(0, 1));
        sample.correct.push_back(static_cast<std::int8_t>(below(2)));
      }
    }
    if (below(2) == 0) {
      spec.exit_control = "adaptive";
      spec.exit_control_parameters = {{"queue_gain", 0.1}, {"step", 2}, {"window", 3}, {"floor", 0.1}};
    }
    return sim::confidences(judged, std::vector<double>(early, 0.6));
  }

  sim::GroupSpec devices_of(std::size_t service) {
    sim::GroupSpec group;
    group.service = service;
    if (ticks_ && below(2) == 0) {
      std::vector<sim::Sample> samples(60);
      double date_s = 0;
      for (sim::Sample& sample : samples) sample.date_s = date_s += kTick_s * std::max(0, below(14) - 4);
      group.arrivals = sim::recorded(samples);
      return group;
    }
    group.count = 1 + static_cast<std::uint32_t>(below(2));
    group.arrivals = arrivals();
    return group;
  }

  sim::ArrivalProcess arrivals() {
    if (closed_ && below(2) == 0) {
      return sim::closed_loop({.clients = 1 + static_cast<std::uint32_t>(below(3)),
                               .think_time_s = kTick_s * (1 + below(8)),
                               .exponential = !ticks_});
    }
    if (ticks_) return sim::periodic(Rate::hz(1 / (kTick_s * (2 + below(12)))), 0, kTick_s * below(2));
    const double load = between(0.2, 1.2) * npus_ / services_ / 3;
    switch (below(4)) {
      case 0:
        return sim::poisson(Rate::rho(load));
      case 1:
        return sim::gamma_gaps(Rate::rho(load), 2.5);
      case 2:
        return sim::mmpp({{Rate::rho(load / 3), 0.4}, {Rate::rho(3 * load), 0.2}});
      default:
        return sim::periodic(Rate::rho(load), 0.002);
    }
  }

  sim::SystemSpec system() {
    const scheduler::PolicyInfo& policy = *scheduler::find_policy(system_.policy);
    const auto is_max_batch = [](const scheduler::Parameter& p) { return p.name == "max_batch"; };
    if (below(2) == 0 && std::ranges::any_of(policy.parameters, is_max_batch))
      system_.parameters["max_batch"] = 1 + below(4);
    if (below(3) == 0) system_.drop_hopeless = true;
    if (below(3) == 0) system_.preemption_cost_s = kTick_s * (1 + below(2));
    std::vector<const scheduler::ArbiterInfo*> arbiters;
    for (const scheduler::ArbiterInfo& info : scheduler::all_arbiters()) arbiters.push_back(&info);
    const scheduler::ArbiterInfo& arbiter = *pick(arbiters);
    system_.arbiter = arbiter.name;
    system_.preemptive = arbiter.may_preempt && below(4) > 0;
    std::vector<std::string> routers;
    for (const scheduler::RouterInfo& info : scheduler::all_routers()) routers.push_back(info.name);
    system_.router = pick(routers);
    const bool own_latencies = below(2) == 0;
    for (int npu = 0; npu < npus_; ++npu) {
      sim::NpuSpec& spec = system_.npus.emplace_back();
      for (std::size_t s = 0; own_latencies && s < segments_.size(); ++s)
        spec.tables.push_back(sim::latency_table(latencies_s(segments_[s].size()), segments_[s]));
    }
    return system_;
  }

  std::mt19937_64& random_;
  bool linked_ = false;
  bool ticks_ = false;
  bool four_segments_ = false;
  bool end_to_end_ = false;
  bool closed_ = false;
  int services_ = 1;
  int npus_ = 1;
  std::vector<sim::SystemSpec> systems_;
  sim::SystemSpec system_;
  std::vector<std::vector<int>> segments_;  // of each layer, by service
};

}  // namespace

sim::ScenarioBuilder random_site(std::mt19937_64& random, Links links) { return Draw(random, links).site(); }

void SiteRows::completed(scheduler::RequestId id, const scheduler::Request& request) {
  const std::size_t service = service_of_device_[request.device];
  sim::append_requests_csv_row(text_, id, request, scenario_.services[service].slo, true);
  text_.back() = ',';  // in place of the line end
  text_ += std::to_string(service) + ',' + std::to_string(request.npu) + '\n';
}

}  // namespace fluidbatch::test
