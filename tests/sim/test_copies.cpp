// A run is a value: copied at any event it goes on to the same end, and split it has another lawful future.
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler/optimum/fbe_table.h"
#include "sim/drive/message.h"
#include "sim/run/running_system.h"
#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"
#include "workloads/exits/exits.h"

using namespace fluidbatch;
using sim::RunningSystem;
using workloads::Rate;

namespace {

constexpr std::uint64_t kRequests = 40;

/// Exits that are decided at run time, by thresholds that move with every few requests.
std::vector<sim::SystemSpec> with_exit_control() {
  const sim::PolicyArguments steered{
      {"queue_gain", 0.1}, {"accuracy_target", 0.7}, {"step", 2}, {"window", 3}, {"floor", 0.1}};
  return {
      {.policy = "exit_aware",
       .label = "steered",
       .exit_control = "adaptive",
       .exit_control_parameters = steered},
      {.policy = "lazy_batching", .label = "adaptive", .drop_hopeless = true, .exit_control = "adaptive"}};
}

/// For four segments: an idle NPU waits for two, and one that is alone lets another one catch up.
std::shared_ptr<const scheduler::FbeTable> of_pairs() {
  scheduler::FbeTable table(4, 4, 3);
  for (int queue = 2; queue <= 3; ++queue) table.set_newcomers({.queue = queue}, 2);
  for (int segment = 1; segment < 4; ++segment) {
    for (int queue = 1; queue <= 3; ++queue) {
      table.set_newcomers({.queue = queue, .active = 1, .segment = segment}, 1);
    }
  }
  return std::make_shared<const scheduler::FbeTable>(table);
}

/// All policies, those with parameters that matter in several ways.
std::vector<sim::SystemSpec> all_systems() {
  std::vector<sim::SystemSpec> systems;
  for (const scheduler::PolicyInfo& info : scheduler::all_policies()) {
    sim::SystemSpec system{.policy = info.name};
    // Loads of all kinds come, also such as have no mean rate.
    if (info.name == "optimal") system.parameters = {{"rate_hz", 40}, {"deadline_guard", true}};
    if (info.name == "table") system.parameters = {{"path", of_pairs()}};
    systems.push_back(system);
  }
  systems.push_back({.policy = "dynamic_batching",
                     .parameters = {{"max_batch", 4}, {"max_queue_delay_ms", 30}},
                     .label = "delayed",
                     .drop_hopeless = true});
  systems.push_back(
      {.policy = "exit_aware",
       .parameters = {{"exit_knowledge", "oracle"}, {"preemption_depth", 3}, {"decide_at", "layer"}},
       .label = "deep",
       .preemption_cost_s = 0.001});
  systems.push_back({.policy = "lazy_batching", .parameters = {{"slack_factor", 4}}, .label = "eager"});
  return systems;
}

std::vector<sim::ArrivalProcess> all_arrivals() {
  std::vector<sim::Sample> samples;
  samples.reserve(60);
  for (int i = 0; i < 60; ++i) {
    samples.push_back({.date_s = 0.02 * i, .exit = i % 4, .device = static_cast<std::uint32_t>(i % 3)});
  }
  return {sim::poisson(Rate::rho(1.5)),
          sim::gamma_gaps(Rate::rho(1), 3),
          sim::periodic(Rate::rho(1.2), 0.01),
          sim::mmpp({{Rate::rho(0.4), 0.4}, {Rate::rho(4), 0.2}}),
          sim::spike({{Rate::rho(0.4), 0.3}, {Rate::rho(3), 0.3}}),
          sim::closed_loop({.clients = 5, .think_time_s = 0.03}),
          sim::recorded(samples)};
}

/// Models of exits: none, independent, alike, and of recorded confidences.
std::vector<sim::ScenarioBuilder> with_all_exits(const sim::ScenarioBuilder& base) {
  std::vector<workloads::JudgedSample> judged;
  judged.reserve(16);
  for (int i = 0; i < 16; ++i) {
    const double first = i / 16.0;
    judged.push_back({.confidences = {first, std::fmod(first * 7, 1.0), std::fmod(first * 3, 1.0), 1},
                      .correct = {1, 0, 1, i % 2}});
  }
  const auto confidences = [judged](const workloads::ExitContext& /*context*/) {
    return workloads::make_confidences(judged, {0.6, 0.6, 0.6});
  };
  return {base, sim::ScenarioBuilder(base).exit_rates(test::kExampleRates),
          sim::ScenarioBuilder(base).correlated_exits(test::kExampleRates, 0.7),
          sim::ScenarioBuilder(base).exits(confidences)};
}

sim::ScenarioBuilder through_uplink(const sim::ScenarioBuilder& base) {
  workloads::UplinkSpec uplink;
  uplink.model = workloads::UplinkSpec::Model::analytic;
  uplink.access_point_bandwidth_bytes_per_s = 4e6;
  uplink.latency_s = 0.002;
  uplink.answer_latency_s = 0.001;
  return sim::ScenarioBuilder(base).uplink(uplink, {.sample_bytes = 20'000, .bandwidth_bytes_per_s = 3e6});
}

/// Rows without the header.
std::string rows_of(const test::CsvText& text) { return text.text().substr(text.text().find('\n') + 1); }

struct End {
  std::string rows;
  std::string statistics;
  bool operator==(const End&) const = default;
};

/// Runs to the end; `before`: the rows that had been written when the run was copied.
End run_on(RunningSystem& run, const std::string& before, const test::CsvText& text) {
  run.core().advance_through(std::numeric_limits<double>::infinity());
  return {before + rows_of(text), sim::to_message(run.finish())};
}

/// Copies at every event, and runs each copy to its end at once. How many there were.
int check_copies(const sim::Scenario& scenario, std::size_t index) {
  const sim::System& system = scenario.systems[index];
  test::CsvText text(scenario.slo, true);
  RunningSystem run(scenario, system, {.observer = &text});
  std::vector<End> ends;
  while (run.core().next_event_s() < std::numeric_limits<double>::infinity()) {
    test::CsvText of_copy(scenario.slo, true);
    RunningSystem copy(run, &of_copy);
    ends.push_back(run_on(copy, rows_of(text), of_copy));
    run.core().advance(run.core().next_event_s());
  }
  const End end{rows_of(text), sim::to_message(run.finish())};
  int others = 0;
  for (const End& of_copy : ends) others += of_copy == end ? 0 : 1;
  CHECK(others == 0);
  // Nobody has disturbed the original: it ends as one that has never been copied.
  test::CsvText alone(scenario.slo, true);
  RunningSystem whole(scenario, system, {.observer = &alone});
  CHECK(run_on(whole, "", alone) == end);
  return static_cast<int>(ends.size());
}

}  // namespace

TEST_CASE("a run that is copied at any event goes on to the same end", "[copies]") {
  int copies = 0;
  const auto check = [&](const sim::ScenarioBuilder& builder, bool confidences = false) {
    sim::ScenarioBuilder with_systems(builder);
    for (const sim::SystemSpec& system : all_systems()) with_systems.system(system);
    if (confidences)
      for (const sim::SystemSpec& system : with_exit_control()) with_systems.system(system);
    const sim::Scenario scenario = with_systems.build();
    for (std::size_t i = 0; i < scenario.systems.size(); ++i) {
      INFO(scenario.systems[i].label);
      copies += check_copies(scenario, i);
    }
  };
  const sim::ScenarioBuilder base =
      test::scenario_of("ee_resnet18").requests(kRequests).warmup_requests(5).slo_unloaded_multiple(3);
  std::size_t kind = 0;
  for (const sim::ArrivalProcess& arrivals : all_arrivals()) {
    INFO("arrival process " << kind);
    sim::ScenarioBuilder direct(base);
    direct.arrivals(arrivals);
    const auto models = with_all_exits(direct);
    // Each kind of arrivals meets two models of exits, without and with an uplink; all models come about.
    const std::size_t last = models.size() - 1;  // that of confidences
    const std::size_t one = kind % models.size();
    const std::size_t other = (kind + 1) % models.size();
    check(models[one], one == last);
    check(through_uplink(models[other]), other == last);
    ++kind;
  }
  check(sim::ScenarioBuilder(base).arrivals(all_arrivals().back()));  // with the exits that are recorded
  std::vector<int> exits;
  exits.reserve(50);
  for (int i = 0; i < 50; ++i) exits.push_back(i * i % 4);
  check(sim::ScenarioBuilder(base).poisson(Rate::rho(2)).exit_list(exits));
  check(sim::ScenarioBuilder(base).devices({{.arrivals = sim::poisson(Rate::rho(0.6)), .count = 3},
                                            {.arrivals = sim::periodic(Rate::rho(0.4)), .count = 2}}));
  CHECK(copies > 5'000);
}

TEST_CASE("a copy whose streams are split has a future of its own", "[copies]") {
  constexpr double kDate_s = 1;
  const sim::Scenario scenario = test::scenario_of("ee_resnet18")
                                     .duration_s(3)
                                     .poisson(Rate::hz(40))
                                     .exit_rates(test::kExampleRates)
                                     .system("exit_aware")
                                     .build();
  RunningSystem run(scenario, scenario.systems[0], {.read_ahead = 1});
  while (run.core().next_event_s() < kDate_s) run.core().advance(run.core().next_event_s());
  const auto future = [&](std::optional<std::uint64_t> branch) {
    std::vector<scheduler::Request> requests;
    test::RequestKeeper keeper(requests);
    RunningSystem copy(run, &keeper);
    if (branch) copy.split(*branch);
    copy.core().advance_through(std::numeric_limits<double>::infinity());
    copy.finish();  // nothing is lost
    std::vector<double> arrivals_s;
    for (const scheduler::Request& request : requests) {
      if (request.arrival_s >= kDate_s) arrivals_s.push_back(request.arrival_s);
    }
    return arrivals_s;
  };
  CHECK(future(std::nullopt) == future(std::nullopt));
  CHECK(future(1) == future(1));
  CHECK(future(1) != future(std::nullopt));
  CHECK(future(1) != future(2));
  // Lawful: 80 requests are expected in the 2 s that are left, of which one or two had been drawn already.
  constexpr int kBranches = 400;
  double sum = 0;
  for (std::uint64_t branch = 0; branch < kBranches; ++branch) {
    sum += static_cast<double>(future(branch).size());
  }
  const double sigma = std::sqrt(80.0 / kBranches);
  CHECK(sum / kBranches == Approx(80).margin(4 * sigma + 2));
}
