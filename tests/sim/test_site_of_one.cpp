// A site of one service and one NPU is the system that is run without a site, to the bit.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/drive/message.h"
#include "sim/run/running_site.h"
#include "sim/run/running_system.h"
#include "tests/support/all_kinds.h"
#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;

namespace {

struct End {
  std::string rows;
  sim::RunStatistics statistics;
};

/// `Running`: RunningSystem or RunningSite.
template <typename Running>
End run_as(const sim::Scenario& scenario, const sim::System& system) {
  test::CsvText text(scenario.service().slo, true);
  Running run(scenario, system, {.observer = &text});
  run.core().advance_through(std::numeric_limits<double>::infinity());
  return {text.text(), run.finish()};
}

/// Equal but for the last digits.
bool nearly_equal(const sim::RunStatistics& a, const sim::RunStatistics& b) {
  return std::ranges::equal(a.values, b.values, [](double x, double y) {
    return (std::isnan(x) && std::isnan(y)) || x == Approx(y).epsilon(1e-12).margin(1e-12);
  });
}

struct Look {
  bool confidences = false;  ///< exits come from them, so that they can be decided at run time
  bool end_to_end = false;   ///< the SLO, which some policies refuse
  bool audit = false;
  /// Of a closed loop over links it depends on answers when the samples that are under way arrive, so that
  /// the links are followed event by event. The system stops at boundaries of layers after such events, too,
  /// and where it drops hopeless requests, it looks for them at each of these: sums of its steps differ in
  /// their last digits, and requests are dropped at other dates.
  bool link_by_link = false;
};

/// All systems on `builder`'s workload; how many requests they served.
std::size_t check_both(const sim::ScenarioBuilder& builder, const Look& look) {
  std::vector<sim::SystemSpec> systems = test::all_systems();
  for (sim::SystemSpec system : test::all_systems()) {
    system.label = (system.label.empty() ? system.policy : system.label) + "-dropping";
    system.drop_hopeless = true;
    system.preemption_cost_s = 0.0007;
    systems.push_back(system);
  }
  if (look.confidences) std::ranges::copy(test::with_exit_control(), std::back_inserter(systems));
  sim::ScenarioBuilder with_systems(builder);
  for (const sim::SystemSpec& system : systems) {
    if (look.end_to_end && scheduler::find_policy(system.policy)->needs_deadlines_in_order) continue;
    with_systems.system(system);
  }
  sim::Scenario scenario = with_systems.build();
  scenario.audit = look.audit;
  std::size_t rows = 0;
  for (const sim::System& system : scenario.systems) {
    if (look.link_by_link && system.drop_hopeless) continue;
    INFO(system.label);
    const End alone = run_as<sim::RunningSystem>(scenario, system);
    const End site = run_as<sim::RunningSite>(scenario, system);
    CHECK(site.rows == alone.rows);
    if (look.link_by_link) {
      CHECK(nearly_equal(site.statistics, alone.statistics));
    } else {
      CHECK(sim::to_message(site.statistics) == sim::to_message(alone.statistics));
    }
    rows += static_cast<std::size_t>(std::ranges::count(alone.rows, '\n')) - 1;
  }
  return rows;
}

constexpr std::size_t kClosedLoop = 5;  // among all_arrivals

sim::ScenarioBuilder base() {
  return test::scenario_of("ee_resnet18").requests(150).warmup_requests(17).slo_unloaded_multiple(3);
}

}  // namespace

TEST_CASE("a site of one is the same system, with all kinds of arrivals, exits, policies and links",
          "[site]") {
  std::size_t requests = 0;
  const std::vector<sim::ArrivalProcess> processes = test::all_arrivals();
  for (std::size_t kind = 0; kind < processes.size(); ++kind) {
    INFO("arrival process " << kind);
    const bool listens = kind == kClosedLoop;
    const auto models = test::with_all_exits(sim::ScenarioBuilder(base()).arrivals(processes[kind]));
    for (std::size_t model = 0; model < models.size(); ++model) {
      INFO("model of exits " << model);
      const bool confidences = model + 1 == models.size();
      const sim::ScenarioBuilder& direct = models[model];
      CHECK(sim::ScenarioBuilder(direct).system("serial").build().devices.listen() == listens);
      requests += check_both(direct, {.confidences = confidences, .audit = model % 2 == 1});
      const sim::ScenarioBuilder linked = test::through_uplink(direct);
      requests += check_both(linked, {.confidences = confidences, .link_by_link = listens});
      requests += check_both(sim::ScenarioBuilder(linked).slo_end_to_end(),
                             {.confidences = confidences, .end_to_end = true, .link_by_link = listens});
    }
  }
  CHECK(requests > 200'000);
}

TEST_CASE("a site of one is the same system where dates are ties", "[site]") {
  // Latencies and dates are multiples of a 128th: arrivals, ends of steps, timers and deadlines coincide, and
  // sums of them are exact.
  constexpr double kTick_s = 1.0 / 128;
  std::vector<double> dates_s;
  std::vector<int> exits;
  for (int i = 0; i < 200; ++i) {
    const int ticks = (i * 7 + i * i % 5 * 3) / 3;
    dates_s.push_back(kTick_s * ticks);
    exits.push_back(i * i % 4);
  }
  std::ranges::sort(dates_s);
  std::vector<std::vector<double>> latencies_s{{1, 1, 2, 2, 2, 2, 2, 2},
                                               {1, 2, 2, 3, 3, 3, 4, 4},
                                               {2, 2, 3, 3, 3, 4, 4, 4},
                                               {1, 1, 1, 2, 2, 2, 2, 2},
                                               {1, 2, 3, 4, 4, 4, 5, 5}};
  for (std::vector<double>& layer : latencies_s) {
    for (double& latency_s : layer) latency_s *= kTick_s;
  }
  const sim::ScenarioBuilder ties = sim::ScenarioBuilder().latencies_s(latencies_s, {0, 1, 1, 2, 3});
  for (const double slo_s : {0.0, 8 * kTick_s, 16 * kTick_s, std::numeric_limits<double>::infinity()}) {
    INFO("SLO " << slo_s);
    check_both(sim::ScenarioBuilder(ties).slo_s(slo_s).dates_s(dates_s).exit_list(exits), {.audit = true});
    check_both(sim::ScenarioBuilder(ties).slo_s(slo_s).dates_s(dates_s), {});
    check_both(sim::ScenarioBuilder(ties)
                   .slo_s(slo_s)
                   .requests(300)
                   .exit_rates(test::kExampleRates)
                   .arrivals(sim::closed_loop({.clients = 6, .think_time_s = kTick_s, .exponential = false})),
               {.audit = true});
  }
}
