// Exits decided at run time, in whole runs.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler/policy_error.h"
#include "sim/measure/statistics.h"
#include "sim/run/simulation.h"
#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"
#include "workloads/random.h"

using namespace fluidbatch;
using Id = sim::StatisticId;
using workloads::Rate;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Samples whose exits are as sure as they are right, and the later the righter.
std::vector<workloads::JudgedSample> judged_samples(int count) {
  workloads::RandomStream random(5, "judged", 0);
  std::vector<workloads::JudgedSample> samples;
  for (int i = 0; i < count; ++i) {
    workloads::JudgedSample sample;
    for (int exit = 0; exit < 4; ++exit) {
      const double confidence = std::pow(random.uniform(), 1.0 / (1 + exit));
      sample.confidences.push_back(confidence);
      sample.correct.push_back(random.uniform() < 0.5 + 0.5 * confidence ? 1 : 0);
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

sim::ScenarioBuilder judged_run(int requests = 3000) {
  return test::scenario_of("ee_resnet18")
      .requests(static_cast<std::uint64_t>(requests))
      .poisson(Rate::rho(1.6))
      .slo_unloaded_multiple(3)
      .confidences(judged_samples(400), {0.7, 0.8, 0.75});
}

sim::SystemSpec system_of(const std::string& policy, const std::string& label,
                          const sim::PolicyArguments& control) {
  return {.policy = policy, .label = label, .exit_control = "adaptive", .exit_control_parameters = control};
}

/// Two layers, each a segment, 1 s for any batch.
sim::ScenarioBuilder two_seconds() {
  return sim::ScenarioBuilder().latencies_s({{1, 1, 1, 1}, {1, 1, 1, 1}}, {0, 1});
}

/// A control of a user's own: thresholds of 1, and exits before deadlines.
class OnlyDeadlines final : public scheduler::ExitControl {
 public:
  explicit OnlyDeadlines(double threshold) : threshold_(threshold) {}
  scheduler::ExitRule rule(const scheduler::ExitView& /*view*/) const override {
    return {.threshold = threshold_, .by_deadline = true};
  }
  std::unique_ptr<ExitControl> clone() const override { return std::make_unique<OnlyDeadlines>(*this); }

 private:
  double threshold_;
};

scheduler::ExitControlInfo only_deadlines(const std::string& name, double threshold) {
  return {.name = name,
          .summary = "of a test",
          .parameters = {},
          .traits = [](const scheduler::ParameterValues&) { return scheduler::ExitControlTraits{}; },
          .make =
              [=](const scheduler::ParameterValues&, const scheduler::ExitControlContext&) {
                return std::make_unique<OnlyDeadlines>(threshold);
              }};
}

}  // namespace

TEST_CASE("a control that moves nothing: the exits that were drawn, to the byte", "[exit_control]") {
  for (const char* policy : {"serial", "dynamic_batching", "exit_aware", "lazy_batching"}) {
    INFO(policy);
    const sim::Scenario scenario =
        judged_run()
            .system({.policy = policy, .label = "fixed"})
            .system(system_of(policy, "still", {{"queue_gain", 0}, {"deadline", false}}))
            .build();
    CHECK(scenario.systems[0].exit_control().info == nullptr);
    CHECK(test::requests_csv_of(scenario, sim::Driver::bare, 0) ==
          test::requests_csv_of(scenario, sim::Driver::bare, 1));
  }
}

TEST_CASE("a floor of 1: nobody leaves early but the perfectly sure", "[exit_control]") {
  std::vector<workloads::JudgedSample> samples = judged_samples(100);
  samples[7].confidences[1] = 1;
  const sim::Scenario scenario =
      judged_run()
          .confidences(samples, {0.7, 0.7, 0.7})
          .system(system_of("exit_aware", "x", {{"floor", 1}, {"deadline", false}}))
          .build();
  int sure = 0;
  for (const scheduler::Request& request : test::run_bare(scenario).requests) {
    if (request.sample == 7) {
      CHECK(request.exit == 1);
      ++sure;
    } else {
      CHECK(request.exit == 3);
    }
  }
  CHECK(sure > 5);
}

TEST_CASE("a huge gain: all leave by the first exit with a queue", "[exit_control]") {
  const sim::Scenario scenario =
      judged_run().system(system_of("serial", "x", {{"queue_gain", 1e9}, {"deadline", false}})).build();
  const npu::BatchPolicyTable& table = *scenario.systems[0].table();
  const auto requests = test::run_bare(scenario).requests;
  int at_once = 0;
  for (std::size_t i = 0; i + 1 < requests.size(); ++i) {
    const scheduler::Request& request = requests[i];
    const auto date_of = [&](int exit) {
      return request.start_s + table.latency_s(0, table.segment_begin(exit + 1), 1);
    };
    const auto somebody_waits_at = [&](int exit) { return requests[i + 1].arrival_s < date_of(exit); };
    for (int exit = 0; exit < request.exit; ++exit) CHECK_FALSE(somebody_waits_at(exit));
    if (request.exit == 3) continue;
    CHECK(request.threshold ==
          (somebody_waits_at(request.exit)
               ? 0
               : std::vector{0.7, 0.8, 0.75}.at(static_cast<std::size_t>(request.exit))));
    at_once += request.threshold == 0 ? 1 : 0;
  }
  CHECK(at_once > 500);
}

TEST_CASE("three requests by hand: queue, deadline and threshold at a step's end", "[exit_control]") {
  // One sample at a time. At 1 s one waits: 0.9 - 0.5 is above the 0.3 of all. Its deadline is at 2.5 s, so
  // it goes on to 2 s. The next ends its first segment at 3 s, after 2 s, with one behind it; one more second
  // would be too much. The third arrives on the very date that the first segment of the second ends at: it
  // does not count there.
  const workloads::JudgedSample sample{.confidences = {0.3, 1}, .correct = {0, 1}};
  const sim::Scenario scenario = two_seconds()
                                     .dates_s({0, 1, 3})
                                     .confidences({sample}, {0.9})
                                     .slo_s(2.5)
                                     .system(system_of("serial", "x", {{"queue_gain", 0.5}}))
                                     .build();
  const auto outcome = test::run_bare(scenario);
  REQUIRE(outcome.requests.size() == 3);
  CHECK(outcome.requests[0].completion_s == 2);
  CHECK(outcome.requests[0].exit == 1);
  CHECK(outcome.requests[0].threshold == 0.4);  // of the only early exit, by then
  CHECK(outcome.requests[0].correct == 1);
  CHECK_FALSE(outcome.requests[0].forced);
  CHECK(outcome.requests[1].completion_s == 3);
  CHECK(outcome.requests[1].exit == 0);
  CHECK(outcome.requests[1].threshold == 0.9);
  CHECK(outcome.requests[1].correct == 0);
  CHECK(outcome.requests[1].forced);
  CHECK(outcome.requests[2].completion_s == 5);
  CHECK(outcome.requests[2].exit == 1);
  const sim::RunStatistics& statistics = outcome.statistics;
  CHECK(statistics[Id::forced_exit_rate] == Approx(1.0 / 3));
  CHECK(statistics[Id::accuracy] == Approx(2.0 / 3));
  CHECK(statistics.exit_accuracies == std::vector<double>{0, 1});
  CHECK(statistics[Id::mean_threshold] == Approx((0.4 + 0.9 + 0.9) / 3));
  CHECK(statistics[Id::p5_threshold] == 0.4);
  CHECK(statistics[Id::p95_threshold] == 0.9);
  CHECK(std::isnan(statistics[Id::distance_to_bound]));
  CHECK(statistics.absence(Id::distance_to_bound) == sim::Absence::exits_decided);
}

TEST_CASE("EdgeServing's batches leave as a whole, at the deepest exit that is in time", "[exit_control]") {
  // Segments of 1 s, whatever the batch; all are sure of the first exit. 0 runs alone and is in time at the
  // end, at 2 s. 1 and 2 start together at 2 s: 1, of 0.2 s, would be late at 4 s and in time at 3 s, where
  // both leave. 3, of 2.5 s, runs alone from 3 s on and is in time at 5 s.
  const workloads::JudgedSample sure{.confidences = {1, 1}, .correct = {1, 1}};
  const sim::Scenario scenario = two_seconds()
                                     .dates_s({0, 0.2, 1.9, 2.5})
                                     .confidences({sure}, {0.5})
                                     .slo_s(3)
                                     .system({.policy = "dynamic_batching",
                                              .parameters = {{"max_batch", 4}},
                                              .label = "x",
                                              .exit_control = "edgeserving"})
                                     .build();
  const auto outcome = test::run_bare(scenario);
  REQUIRE(outcome.requests.size() == 4);
  const std::vector<double> completions_s{2, 3, 3, 5};
  const std::vector<int> exits{1, 0, 0, 1};
  const std::vector<bool> forced{false, true, true, false};
  for (std::size_t i = 0; i < 4; ++i) {
    INFO("request " << i);
    CHECK(outcome.requests[i].completion_s == completions_s[i]);
    CHECK(outcome.requests[i].exit == exits[i]);
    CHECK(outcome.requests[i].forced == forced[i]);
  }
  const sim::Scenario tight = sim::ScenarioBuilder(two_seconds())
                                  .dates_s({0, 0.2})
                                  .confidences({sure}, {0.5})
                                  .slo_s(0.5)
                                  .system({.policy = "serial", .label = "x", .exit_control = "edgeserving"})
                                  .build();
  for (const scheduler::Request& request : test::run_bare(tight).requests) CHECK(request.exit == 0);
}

TEST_CASE("deadlines from end to end: from sending, less the way of the answer", "[exit_control]") {
  // As above, half a second in the air: at the server at 0.5, 1.5 and 3.5 s.
  const workloads::JudgedSample sample{.confidences = {0.3, 1}, .correct = {0, 1}};
  const auto exits = [&](double answer_s, bool end_to_end) {
    workloads::UplinkSpec uplink;
    uplink.model = workloads::UplinkSpec::Model::analytic;
    uplink.latency_s = 0.5;
    uplink.answer_latency_s = answer_s;
    sim::ScenarioBuilder builder = two_seconds();
    builder.dates_s({0, 1, 3}).uplink(uplink, {}).confidences({sample}, {0.9}).slo_s(2.5);
    if (end_to_end) builder.slo_end_to_end();
    std::vector<int> taken;
    const sim::Scenario scenario = builder.system(system_of("serial", "x", {})).build();
    for (const scheduler::Request& request : test::run_bare(scenario).requests) taken.push_back(request.exit);
    return taken;
  };
  CHECK(exits(0, true) == std::vector{1, 0, 1});  // 1.5 s after sending there is just time for another second
  CHECK(exits(0.25, true) == std::vector{0, 0, 0});  // and now there is not, for nobody
  CHECK(exits(0.25, false) == std::vector{1, 0, 1});
}

TEST_CASE("thresholds that don't move have statistics too", "[exit_control]") {
  const sim::Scenario scenario = judged_run().system("serial").build();
  const auto outcome = test::run_bare(scenario);
  std::vector<double> thresholds;
  for (const scheduler::Request& request : outcome.requests) {
    thresholds.push_back(std::vector{0.7, 0.8, 0.75, 0.75}[static_cast<std::size_t>(request.exit)]);
  }
  std::sort(thresholds.begin(), thresholds.end());
  CHECK(outcome.statistics[Id::p5_threshold] == thresholds[149]);
  CHECK(outcome.statistics[Id::p95_threshold] == thresholds[2849]);
  double sum = 0;
  for (const double threshold : thresholds) sum += threshold;
  CHECK(outcome.statistics[Id::mean_threshold] == Approx(sum / 3000));
  CHECK(outcome.statistics[Id::forced_exit_rate] == 0);
  const auto none = test::run_bare(judged_run(50).exit_rates(test::kExampleRates).system("serial").build());
  CHECK(none.statistics.absence(Id::mean_threshold) == sim::Absence::no_thresholds);
}

TEST_CASE("with a target even rows calibrate and odd ones are served, without it all are", "[exit_control]") {
  const sim::Scenario scenario = judged_run()
                                     .system(system_of("serial", "steered", {{"accuracy_target", 0.8}}))
                                     .system(system_of("serial", "not", {}))
                                     .build();
  int even = 0;
  for (const scheduler::Request& request : test::run_bare(scenario, 0).requests)
    CHECK(request.sample % 2 == 1);
  for (const scheduler::Request& request : test::run_bare(scenario, 1).requests)
    even += 1 - request.sample % 2;
  CHECK(even > 1000);
  CHECK(even < 2000);
}

TEST_CASE("all drivers decide the same exits", "[exit_control]") {
  const sim::Scenario scenario =
      judged_run(1000)
          .system(system_of("exit_aware", "x", {{"accuracy_target", 0.8}, {"window", 7}, {"step", 3}}))
          .system(system_of("lazy_batching", "y", {}))
          .build();
  for (std::size_t i = 0; i < scenario.systems.size(); ++i) {
    const std::string bare = test::requests_csv_of(scenario, sim::Driver::bare, i);
    CHECK(bare == test::requests_csv_of(scenario, sim::Driver::simgrid, i));
    CHECK(bare == test::requests_csv_of(scenario, sim::Driver::simgrid_window, i));
  }
}

TEST_CASE("a user's own control works with exits that were drawn", "[exit_control]") {
  scheduler::add_exit_control(only_deadlines("only_deadlines", 1));
  scheduler::add_exit_control(only_deadlines("never_sure", 2));
  const auto build = [](const char* control, double slo_s) {
    return two_seconds()
        .dates_s({0, 1, 3})
        .exit_list({1, 1, 0})
        .slo_s(slo_s)
        .system({.policy = "serial", .exit_control = control})
        .build();
  };
  const auto free = test::run_bare(build("only_deadlines", kInfinity));
  const auto drawn = test::run_bare(build("fixed", kInfinity));
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(free.requests[i].completion_s == drawn.requests[i].completion_s);
    CHECK(free.requests[i].exit == drawn.requests[i].exit);
  }
  const auto forced = test::run_bare(build("only_deadlines", 2.5));
  CHECK(forced.requests[1].exit == 0);
  CHECK(forced.requests[1].completion_s == 3);
  CHECK(forced.requests[1].correct == -1);
  CHECK(forced.requests[2].exit == 0);
  CHECK_THROWS_WITH(test::run_bare(build("never_sure", 1)), Catch::Contains("not from 0 to 1"));
}

TEST_CASE("what does not go together with an exit control is refused", "[exit_control]") {
  const auto refuses = [](const sim::ScenarioBuilder& builder, const std::string& message) {
    CHECK_THROWS_WITH(builder.build(), Catch::Contains(message));
  };
  const sim::SystemSpec adaptive = system_of("serial", "x", {});
  refuses(two_seconds().poisson(Rate::hz(0.1)).exit_rates({0.5}).system(adaptive), "of kind confidences");
  refuses(two_seconds().poisson(Rate::hz(0.1)).system(adaptive), "of kind confidences");
  const workloads::JudgedSample sample{.confidences = {0.3, 1}, .correct = {0, 1}};
  refuses(two_seconds()
              .poisson(Rate::hz(0.1))
              .confidences({sample}, {0.9})
              .system(system_of("serial", "x", {{"accuracy_target", 0.9}})),
          "the file has one row");
  refuses(judged_run().system(system_of("serial", "x", {{"gain", 1}})), "did you mean 'queue_gain'");
  refuses(judged_run().system(system_of("serial", "x", {{"deadline", 1}})), "deadline must be true or false");
  refuses(judged_run().system(system_of("serial", "x", {{"window", 0}})), "window");
  refuses(judged_run().system({.policy = "serial", .exit_control = "adaptve"}), "did you mean 'adaptive'");
}
