// Splitting: without branches it is a run, and with any branches its weighted sums have the mean of runs.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/drive/message.h"
#include "sim/run/running_system.h"
#include "sim/run/simulation.h"
#include "sim/tail/feasibility.h"
#include "sim/tail/splitting.h"
#include "tests/support/all_kinds.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using workloads::Rate;

namespace {

/// Those who leave, in their order, and when the system is empty after that.
class Departures final : public sim::Observer {
 public:
  struct Departure {
    scheduler::Request request;
    bool last = false;
  };

  void admitted(scheduler::RequestId /*id*/, const scheduler::Request& /*request*/) override { ++in_system_; }
  void departed(const scheduler::Request& request) override {
    departures_.push_back({.request = request, .last = --in_system_ == 0});
  }
  [[nodiscard]] const std::vector<Departure>& all() const { return departures_; }

  /// How many have left when the cycle ends that begins with the departure number `begin`.
  [[nodiscard]] std::size_t end_of_cycle(std::size_t begin, const sim::Cycles& cycles) const {
    std::size_t i = begin;
    if (cycles.requests == 0) {
      while (!departures_.at(i).last) ++i;
    } else {
      // Those who leave at one date do so by one event.
      i += cycles.requests - 1;
      while (departures_.at(i).request.completion_s == departures_.at(i + 1).request.completion_s) ++i;
    }
    return i + 1;
  }

 private:
  std::vector<Departure> departures_;
  int in_system_ = 0;
};

/// What `count` cycles of a run have, worked out from its requests.
struct Expected {
  std::size_t left_out = 0;
  std::size_t end = 0;
  std::uint64_t late = 0;
  std::uint64_t dropped = 0;
  sim::LatencyHistogram latencies;
};

Expected expected(const sim::Scenario& scenario, const Departures& departures, const sim::Cycles& cycles,
                  std::uint64_t count) {
  Expected result;
  while (result.left_out < cycles.warmup_requests)
    result.left_out = departures.end_of_cycle(result.left_out, cycles);
  result.end = result.left_out;
  for (std::uint64_t i = 0; i < count; ++i) result.end = departures.end_of_cycle(result.end, cycles);
  for (std::size_t i = result.left_out; i < result.end; ++i) {
    const scheduler::Request& request = departures.all()[i].request;
    const double begin_s = scenario.service().slo.end_to_end
                               ? request.sent_s - scenario.service().slo.answer_latency_s
                               : request.arrival_s;
    const bool late = request.completion_s - begin_s > scenario.service().slo.latency_s + 1e-9;
    result.late += request.dropped || late ? 1 : 0;
    result.dropped += request.dropped ? 1 : 0;
    if (!request.dropped) result.latencies.add(request.completion_s - request.arrival_s, 1);
  }
  return result;
}

/// Events of the core until `served` have left.
std::uint64_t events_until(const sim::Scenario& scenario, const sim::System& system, std::size_t served) {
  sim::RunningSystem run(scenario, system, {});
  std::uint64_t events = 0;
  const sim::Conservation& conservation = run.core().conservation();
  for (; conservation.completed + conservation.dropped < served; ++events)
    run.core().advance(run.core().next_event_s());
  return events;
}

sim::TailSums sums_of(const sim::Scenario& scenario, const sim::System& system, const sim::Levels& levels,
                      const sim::Cycles& cycles, std::uint64_t count, std::uint64_t seed) {
  sim::Splitting splitting(scenario, system, levels);
  return splitting.run(seed, cycles, [count](const sim::TailSums& sums) { return sums.cycles >= count; });
}

/// Thresholds up to beyond the SLO, and their factors.
sim::Levels levels_of(const sim::Scenario& scenario, const std::vector<double>& times_slo, int factor) {
  sim::Levels levels;
  for (const double times : times_slo)
    levels.thresholds_s.push_back(times * scenario.service().slo.latency_s);
  levels.factors.assign(times_slo.size(), factor);
  return levels;
}

const std::vector<double> kThresholds{0, 0.2, 0.5, 0.6, 0.95, 1.3};

/// Every kind of arrivals that can be split, at loads that the slowest policy carries.
std::vector<sim::ScenarioBuilder> with_steady_arrivals(const sim::ScenarioBuilder& base) {
  std::vector<sim::ScenarioBuilder> result;
  for (const auto& arrivals :
       {sim::poisson(Rate::rho(0.6)), sim::gamma_gaps(Rate::rho(0.5), 2), sim::periodic(Rate::rho(0.6), 0.01),
        sim::mmpp({{Rate::rho(0.2), 0.4}, {Rate::rho(1.2), 0.2}}),
        sim::spike({{Rate::rho(0.2), 0.3}, {Rate::rho(0.9), 0.3}})}) {
    result.push_back(sim::ScenarioBuilder(base).arrivals(arrivals));
  }
  result.push_back(
      sim::ScenarioBuilder(base).devices({{.arrivals = sim::poisson(Rate::rho(0.1)), .count = 3},
                                          {.arrivals = sim::periodic(Rate::rho(0.1), 0.002), .count = 2}}));
  result.push_back(
      sim::ScenarioBuilder(base).devices({{.arrivals = sim::poisson(Rate::rho(0.15)), .count = 4}}));
  return result;
}

/// One system: no level, and levels where nothing splits, are the run; with branches the main one still is.
/// Returns the events of these.
std::uint64_t check_reduction(const sim::Scenario& scenario, const sim::System& system,
                              const sim::Cycles& cycles, std::uint64_t count) {
  INFO(system.label << ", cycles of " << cycles.requests << ", warm-up " << cycles.warmup_requests);
  REQUIRE(!sim::objection_to_tail(scenario));
  Departures departures;
  sim::simulate(scenario, system, {.observers = {&departures}});
  const Expected run = expected(scenario, departures, cycles, count);
  const auto measured = static_cast<double>(run.end - run.left_out);
  const sim::TailSums crude = sums_of(scenario, system, {}, cycles, count, scenario.seed);
  CHECK(crude.requests == measured);
  CHECK(crude.late == static_cast<double>(run.late));
  CHECK(crude.dropped == static_cast<double>(run.dropped));
  CHECK((sim::to_message(crude.latencies) == sim::to_message(run.latencies)));
  CHECK(crude.main_requests == run.end - run.left_out);
  CHECK(crude.main_events == events_until(scenario, system, run.end));
  CHECK(crude.cycles == count);
  const sim::TailSums single =
      sums_of(scenario, system, levels_of(scenario, kThresholds, 1), cycles, count, scenario.seed);
  CHECK((sim::to_message(single) == sim::to_message(crude)));
  const sim::TailSums split =
      sums_of(scenario, system, levels_of(scenario, {0.5, 1}, 3), cycles, count, scenario.seed);
  CHECK(split.main_requests == crude.main_requests);
  CHECK(split.main_events == crude.main_events);
  CHECK(split.cycles == count);
  return split.events - crude.events;
}

}  // namespace

TEST_CASE("splitting without branches counts what a run does, request by request", "[tail]") {
  const sim::ScenarioBuilder base =
      test::scenario_of("ee_resnet18").requests(1500).slo_unloaded_multiple(2).seed(7).bounds(false);
  std::size_t kind = 0;
  std::uint64_t of_branches = 0;
  for (const sim::ScenarioBuilder& arrivals : with_steady_arrivals(base)) {
    INFO("arrivals " << kind);
    const auto models = test::with_all_exits(arrivals);
    for (const bool uplink : {false, true}) {
      const std::size_t model = (kind + (uplink ? 1 : 0)) % models.size();
      sim::ScenarioBuilder builder = uplink ? test::through_uplink(models[model]) : models[model];
      const bool end_to_end = uplink && kind % 2 == 0;
      if (end_to_end) builder.slo_end_to_end();
      for (const sim::SystemSpec& system : test::all_systems())
        if (!end_to_end || !scheduler::find_policy(system.policy)->needs_deadlines_in_order)
          builder.system(system);
      if (model == 3)
        for (const sim::SystemSpec& system : test::with_exit_control()) builder.system(system);
      const sim::Scenario scenario = builder.build();
      for (const sim::System& system : scenario.systems) {
        of_branches += check_reduction(scenario, system, {}, 40);
        of_branches += check_reduction(scenario, system, {.warmup_requests = 30}, 20);
        of_branches += check_reduction(scenario, system, {.warmup_requests = 50, .requests = 7}, 30);
      }
    }
    ++kind;
  }
  CHECK(of_branches > 100'000);
}

namespace {

/// Sums over runs of the same number of cycles each, which are independent.
struct Runs {
  double mean = 0;   ///< of the ratio of two sums
  double error = 0;  ///< its standard error, by linearisation
};

/// Of `part` to `whole`.
Runs ratio_of(const std::vector<double>& part, const std::vector<double>& whole) {
  double parts = 0;
  double wholes = 0;
  for (std::size_t i = 0; i < part.size(); ++i) {
    parts += part[i];
    wholes += whole[i];
  }
  const double ratio = parts / wholes;
  double squares = 0;
  for (std::size_t i = 0; i < part.size(); ++i) squares += std::pow(part[i] - ratio * whole[i], 2);
  return {.mean = ratio, .error = std::sqrt(squares) / wholes};
}

/// All that is estimated, of many short runs.
struct Sample {
  std::vector<double> runs;  ///< 1 each
  std::vector<double> requests;
  std::vector<double> late;
  std::vector<double> dropped;
  std::vector<double> later;  ///< by a tenth of the SLO
  std::uint64_t events = 0;
};

Sample sample_of(const sim::Scenario& scenario, const sim::Levels& levels, int runs,
                 std::uint64_t first_seed) {
  constexpr std::uint64_t kCycles = 100;
  Sample sample;
  for (int i = 0; i < runs; ++i) {
    const sim::TailSums sums = sums_of(scenario, scenario.systems[0], levels, {}, kCycles,
                                       first_seed + static_cast<std::uint64_t>(i));
    sample.runs.push_back(1);
    sample.requests.push_back(sums.requests);
    sample.late.push_back(sums.late);
    sample.dropped.push_back(sums.dropped);
    sample.later.push_back(sums.latencies.above(1.1 * scenario.service().slo.latency_s));
    sample.events += sums.events;
  }
  return sample;
}

/// One to six levels anywhere up to beyond the SLO. A run without them takes `crude_events`; where there
/// would be too many branches, some split less.
sim::Levels random_levels(const sim::Scenario& scenario, std::mt19937_64& random) {
  constexpr std::uint64_t kMostEvents = 200'000;
  const auto below = [&](std::uint64_t bound) { return random() % bound; };
  sim::Levels levels;
  const std::uint64_t count = 1 + below(6);
  for (std::uint64_t i = 0; i < count; ++i) {
    levels.thresholds_s.push_back(scenario.service().slo.latency_s * 1.2 * static_cast<double>(below(1000)) /
                                  1000);
    levels.factors.push_back(2 + static_cast<int>(below(4)));
  }
  std::ranges::sort(levels.thresholds_s);
  while (sample_of(scenario, levels, 1, 5).events > kMostEvents) {
    int& factor = levels.factors[below(count)];
    factor = std::max(1, factor - 1);
  }
  return levels;
}

void check_same(const char* what, const Runs& split, const Runs& crude) {
  INFO(what << ": " << split.mean << " +- " << split.error << ", crude " << crude.mean << " +- "
            << crude.error);
  CHECK(std::abs(split.mean - crude.mean) <= 4 * std::hypot(split.error, crude.error));
}

/// Such that about one request in a hundred is late.
sim::Scenario with_late_requests(const sim::ScenarioBuilder& builder) {
  const sim::Scenario scenario =
      sim::ScenarioBuilder(builder).slo_unloaded_multiple(2).requests(20'000).build();
  const sim::RunStatistics statistics = sim::simulate(scenario, scenario.systems[0]);
  return sim::ScenarioBuilder(builder)
      .slo_s(statistics[scenario.service().slo.end_to_end ? sim::StatisticId::p99_end_to_end
                                                          : sim::StatisticId::p99_latency])
      .build();
}

void check_unbiased(const char* name, const sim::ScenarioBuilder& builder, int sets, int runs) {
  INFO(name);
  const sim::Scenario scenario = with_late_requests(builder);
  const Sample crude = sample_of(scenario, {}, 10 * runs, 1'000'000);
  const Runs late = ratio_of(crude.late, crude.requests);
  CHECK(late.mean > 1e-3);
  CHECK(late.mean < 5e-2);
  CHECK(late.error < 0.15 * late.mean);
  std::mt19937_64 random(17);
  for (int set = 0; set < sets; ++set) {
    const sim::Levels levels = random_levels(scenario, random);
    INFO("levels " << Catch::rangeToString(levels.thresholds_s) << ", factors "
                   << Catch::rangeToString(levels.factors));
    const Sample split =
        sample_of(scenario, levels, runs, 1'000 + 1'000'000 * static_cast<std::uint64_t>(set));
    check_same("requests of a run", ratio_of(split.requests, split.runs),
               ratio_of(crude.requests, crude.runs));
    check_same("late", ratio_of(split.late, split.requests), late);
    check_same("late of a run", ratio_of(split.late, split.runs), ratio_of(crude.late, crude.runs));
    check_same("later", ratio_of(split.later, split.requests), ratio_of(crude.later, crude.requests));
    check_same("dropped", ratio_of(split.dropped, split.requests), ratio_of(crude.dropped, crude.requests));
  }
}

/// Systems and sources of all kinds.
void check_all_unbiased(int sets, int runs) {
  const sim::ScenarioBuilder base = test::scenario_of("ee_resnet18").bounds(false).seed(3);
  const sim::ScenarioBuilder exits = sim::ScenarioBuilder(base).exit_rates(test::kExampleRates);
  const auto check = [&](const char* name, const sim::ScenarioBuilder& builder,
                         const sim::ArrivalProcess& arrivals, const sim::SystemSpec& system) {
    check_unbiased(name, sim::ScenarioBuilder(builder).arrivals(arrivals).system(system), sets, runs);
  };
  const auto fluid = [](const char* policy) {
    return sim::SystemSpec{
        .policy = policy, .parameters = {{"max_batch", 8}}, .npu_mode = npu::Mode::fluid_stacked};
  };
  const sim::ArrivalProcess poisson = sim::poisson(Rate::rho(1));
  check("greedy", exits, poisson, fluid("dynamic_batching"));
  check("exit_aware", exits, poisson, fluid("exit_aware"));
  check("lazy_batching", exits, poisson, fluid("lazy_batching"));
  sim::SystemSpec costly = fluid("exit_aware");
  costly.preemption_cost_s = 0.001;
  costly.drop_hopeless = true;
  check("dropping", exits, poisson, costly);
  const sim::SystemSpec serial{.policy = "serial"};
  check("gamma", exits, sim::gamma_gaps(Rate::rho(0.5), 1.5), serial);
  check("mmpp", exits, sim::mmpp({{Rate::rho(0.5), 0.5}, {Rate::rho(1.5), 0.2}}), fluid("dynamic_batching"));
  check("alike exits", sim::ScenarioBuilder(base).correlated_exits(test::kExampleRates, 0.8),
        sim::poisson(Rate::rho(0.7)), serial);
  check("uplink", test::through_uplink(exits).slo_end_to_end(), sim::poisson(Rate::rho(0.6)),
        fluid("exit_aware"));
  check_unbiased("several devices",
                 sim::ScenarioBuilder(exits)
                     .devices({{.arrivals = sim::poisson(Rate::rho(0.15)), .count = 3},
                               {.arrivals = sim::poisson(Rate::rho(0.25)), .count = 2}})
                     .system(fluid("lazy_batching")),
                 sets, runs);
}

}  // namespace

TEST_CASE("weighted sums have the mean of runs, wherever branches split", "[tail]") {
  check_all_unbiased(2, 60);
}

TEST_CASE("weighted sums have the mean of many runs, wherever branches split", "[.release][tail]") {
  check_all_unbiased(4, 100);
}
