// Preemption, suspension and merging: schedules worked by hand, reductions to simpler policies, and many
// random runs.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include <catch2/catch.hpp>

#include "sim/drive/engine.h"
#include "sim/measure/recorder.h"
#include "sim/run/serving.h"
#include "sim/run/simulation.h"
#include "sim/scenario/workload.h"
#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"
#include "workloads/models/network_file.h"

using namespace fluidbatch;
using Id = sim::StatisticId;
using workloads::Rate;

namespace {

/// Layers a, b | c, and a head of no time | d of 1, 2, 4 and 8 s at batch 1, and 1 + (b - 1) / 4 of that at
/// batch b.
sim::ScenarioBuilder hand_worked() {
  std::vector<std::vector<double>> latencies_s;
  for (const double seconds : {1, 2, 4, 0, 8}) {
    latencies_s.emplace_back();
    for (int b = 1; b <= 4; ++b) latencies_s.back().push_back(seconds * (1 + (b - 1) / 4.0));
  }
  return sim::ScenarioBuilder().latencies_s(latencies_s, {0, 0, 1, 1, 2});
}

constexpr double kNoBound = std::numeric_limits<double>::infinity();

test::RunOutcome run(const sim::SystemSpec& system, const std::vector<sim::Sample>& samples,
                     double slo_s = kNoBound) {
  return test::run_bare(hand_worked().recorded(samples).slo_s(slo_s).system(system).build());
}

struct Expected {
  double start_s;
  double completion_s;
  double suspended_s;
};

void check_schedule(const test::RunOutcome& outcome, const std::vector<Expected>& expected) {
  REQUIRE(outcome.requests.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO("request " << i);
    CHECK(outcome.requests[i].start_s == expected[i].start_s);
    CHECK(outcome.requests[i].completion_s == expected[i].completion_s);
    CHECK(outcome.requests[i].suspended_s == expected[i].suspended_s);
  }
}

}  // namespace

TEST_CASE("lazy batching by hand: catch up and merge, then let a short one pass", "[preemption]") {
  // 0 runs a to 1; 1 preempts, runs a to 2, and they merge before b: 2.5 s to 4.5, c takes 5 s to 9.5. There
  // 2, which came at 5, preempts: a to 10.5, b to 12.5, where it leaves. Then d takes 10 s for the two,
  // to 22.5.
  const test::RunOutcome outcome =
      run({.policy = "lazy_batching", .parameters = {{"max_batch", 4}}}, {{0, 2}, {0.5, 2}, {5, 0}});
  check_schedule(outcome, {{0, 22.5, 1 + 3}, {1, 22.5, 3}, {9.5, 12.5, 0}});
  CHECK(outcome.statistics[Id::preemptions] == 2);
  CHECK(outcome.statistics[Id::merges] == 1);
  CHECK(outcome.statistics[Id::busy_fraction] == 1);
}

TEST_CASE("lazy batching by hand: three levels deep", "[preemption]") {
  // 1 preempts 0 after a (1); 2 preempts 1 after a, where 1 has just merged with 0 (2); it runs a to 3 and
  // merges with both before b: three samples, 3 s to 6; c 6 s to 12; d 12 s to 24.
  const test::RunOutcome outcome =
      run({.policy = "lazy_batching", .parameters = {{"max_batch", 4}}}, {{0, 2}, {0.5, 2}, {1.5, 2}});
  check_schedule(outcome, {{0, 24, 2}, {1, 24, 1}, {2, 24, 0}});
  CHECK(outcome.statistics[Id::merges] == 2);
}

TEST_CASE("exit-aware by hand: preempt at an exit, merge before the next segment", "[preemption]") {
  // 0 and 1 run segment 0 in 3.75 s, where 1 leaves. Without knowledge of exits, going on costs 12 + (12 +
  // 15) = 39 and letting 2 catch up (3 + 15) + 3 + 15 = 36. So 2 runs to 6.75, they merge, c takes 5 s and d
  // 10 s, to 21.75.
  const sim::SystemSpec system{.policy = "exit_aware",
                               .parameters = {{"max_batch", 4}, {"exit_knowledge", "none"}}};
  const std::vector<sim::Sample> samples{{0, 2}, {0, 0}, {1, 2}};
  const test::RunOutcome outcome = run(system, samples);
  check_schedule(outcome, {{0, 21.75, 3}, {0, 3.75, 0}, {3.75, 21.75, 0}});
  CHECK(outcome.statistics[Id::preemptions] == 1);
  CHECK(outcome.statistics[Id::merges] == 1);
  CHECK(outcome.statistics[Id::refused_slo] == 0);

  // With an SLO of 20 s request 0 would be late for it (21.75) and is not without (15.75): it goes on. Before
  // d the gain is gone: 8 + (8 + 15) = 31 against (7 + 10) + 7 + 10 = 34. Request 2 runs alone, 15 s.
  const test::RunOutcome refused = run(system, samples, 20);
  check_schedule(refused, {{0, 15.75, 0}, {0, 3.75, 0}, {15.75, 30.75, 0}});
  CHECK(refused.statistics[Id::refused_slo] == 1);
  CHECK(refused.statistics[Id::refused_no_gain] == 1);
}

TEST_CASE("exit-aware by hand: newcomers that all leave on the way, and what a preemption costs",
          "[preemption]") {
  // The oracle knows that 2 leaves at exit 0: it costs request 0 three seconds and spares 2 twelve.
  const test::RunOutcome outcome = run({.policy = "exit_aware",
                                        .parameters = {{"max_batch", 4}, {"exit_knowledge", "oracle"}},
                                        .preemption_cost_s = 0.25},
                                       {{0, 2}, {0, 0}, {1, 0}});
  check_schedule(outcome, {{0, 3.75 + 0.25 + 3 + 12, 3.25}, {0, 3.75, 0}, {3.75, 7, 0}});
  CHECK(outcome.statistics[Id::preemptions] == 1);
  CHECK(outcome.statistics[Id::merges] == 0);
}

TEST_CASE("dropping the hopeless: late ones are given up, counted and kept in the rows", "[preemption]") {
  const std::vector<sim::Sample> samples{{0, 2}, {1, 2}, {2, 2}};
  const test::RunOutcome served = run({.policy = "serial"}, samples, 20);
  CHECK(served.statistics[Id::slo_violation_rate] == Approx(2.0 / 3));
  // At 15 both others have waited too long for 15 s more.
  const test::RunOutcome dropped = run({.policy = "serial", .drop_hopeless = true}, samples, 20);
  CHECK(dropped.statistics[Id::slo_violation_rate] == Approx(2.0 / 3));
  CHECK(dropped.statistics[Id::drop_rate] == Approx(2.0 / 3));
  CHECK(dropped.statistics[Id::requests] == 3);
  CHECK(dropped.statistics[Id::mean_latency] == 15);
  CHECK(std::isnan(dropped.statistics[Id::distance_to_bound]));
  CHECK(dropped.statistics.absence(Id::distance_to_bound) == sim::Absence::dropped);
  CHECK(served.statistics[Id::distance_to_bound] >= 1);
  CHECK(dropped.requests[1].dropped);
  CHECK(dropped.requests[2].completion_s == 15);
  const test::RunOutcome clockwork =
      run({.policy = "clockwork", .parameters = {{"max_batch", 4}}}, samples, 20);
  CHECK(clockwork.statistics[Id::drop_rate] == Approx(2.0 / 3));
}

namespace {

sim::ScenarioBuilder poisson_run(const std::vector<double>& exit_rates) {
  return test::scenario_of("ee_resnet18")
      .requests(4000)
      .slo_unloaded_multiple(3)
      .poisson(Rate::rho(1.3))
      .exit_rates(exit_rates);
}

}  // namespace

TEST_CASE("reductions to simpler policies, byte for byte", "[preemption]") {
  SECTION("without exits exit_event never sees one: greedy dynamic batching") {
    const sim::Scenario scenario =
        poisson_run({0, 0, 0})
            .system({.policy = "exit_aware", .parameters = {{"trigger", "exit_event"}}})
            .system("dynamic_batching")
            .build();
    CHECK(test::requests_csv_of(scenario, sim::Driver::bare, 0) ==
          test::requests_csv_of(scenario, sim::Driver::bare, 1));
  }
  SECTION("with a batch of one all are serial") {
    sim::ScenarioBuilder builder = poisson_run({0.3, 0.3, 0.3}).system("serial").system("edf");
    for (const char* policy : {"lazy_batching", "exit_aware", "dynamic_batching"}) {
      builder.system({.policy = policy, .parameters = {{"max_batch", 1}}});
    }
    const sim::Scenario scenario = builder.build();
    const std::string serial = test::requests_csv_of(scenario, sim::Driver::bare, 0);
    for (const std::size_t i : {1U, 2U, 3U, 4U})
      CHECK(test::requests_csv_of(scenario, sim::Driver::bare, i) == serial);
  }
  SECTION("an infinite SLO refuses nothing for its sake") {
    const sim::Scenario scenario =
        poisson_run({0.3, 0.3, 0.3}).slo_s(kNoBound).system("exit_aware").system("lazy_batching").build();
    for (const std::size_t i : {0U, 1U}) {
      const sim::RunStatistics statistics = test::run_bare(scenario, i).statistics;
      CHECK(statistics[Id::refused_slo] == 0);
      CHECK(statistics[Id::preemptions] > 0);
    }
  }
}

// ---- many random runs -------------------------------------------------------------------------------------

namespace {

/// Holds what must be true of every run, whatever the policy.
class Watch final : public sim::Observer {
 public:
  Watch(int max_batch, int most_suspended, bool waits)
      : max_batch_(max_batch), most_suspended_(most_suspended), waits_(waits) {}

  void admitted(scheduler::RequestId id, const scheduler::Request& request) override {
    if (queued_ == 0) first_queued_s_ = request.arrival_s;
    ++queued_;
    CHECK(id == admitted_++);
  }
  void started(double date_s, int samples, bool) override {
    // Between the end of a step and the next start with somebody queued all the time, no second may be lost.
    if (!waits_) CHECK(date_s == std::max(last_end_s_, first_queued_s_));
    queued_ -= samples;
    first_queued_s_ = date_s;
  }
  void stepped(const sim::Step& step) override {
    CHECK(step.batch >= 1);
    CHECK(step.batch <= max_batch_);
    CHECK(step.begin_s >= last_end_s_);
    CHECK(step.end_layer > step.first_layer);
    last_end_s_ = step.end_s;
  }
  void suspended(double, const sim::FbeRegisters& registers) override {
    CHECK(++suspended_ <= most_suspended_);
    CHECK(registers.b_old > 0);
    CHECK(registers.b_act > 0);
    CHECK(registers.l == 0);
    CHECK(registers.l_old > 0);
  }
  void resumed(double) override { --suspended_; }
  void merged(double) override { --suspended_; }
  void completed(scheduler::RequestId, const scheduler::Request& request) override {
    ++completed_;
    if (request.dropped) return;
    CHECK(request.start_s >= last_start_s_);  // first in, first started
    last_start_s_ = request.start_s;
    CHECK(request.suspended_s >= 0);
    CHECK(request.completion_s - request.start_s >= request.suspended_s * (1 - 1e-12));
  }

  [[nodiscard]] std::uint64_t completed() const { return completed_; }

 private:
  int max_batch_;
  int most_suspended_;
  bool waits_;
  int suspended_ = 0;
  std::int64_t queued_ = 0;
  double first_queued_s_ = 0;
  double last_end_s_ = 0;
  double last_start_s_ = 0;
  std::uint64_t admitted_ = 0;
  std::uint64_t completed_ = 0;
};

/// A small network with two early exits.
workloads::Network small_network() {
  return workloads::read_network(io::parse_yaml(R"(
input: [8, 14, 14]
layers:
  - {name: a, kind: conv, out_channels: 32, kernel: 3, padding: 1}
  - {name: b, kind: conv, out_channels: 64, kernel: 3, stride: 2, padding: 1}
  - {name: c, kind: conv, out_channels: 64, kernel: 3, padding: 1}
  - {name: d, kind: dense, out_channels: 10}
exits:
  - {name: e0, after: a, head: [{name: h0, kind: dense, out_channels: 10}]}
  - {name: e1, after: c, head: [{name: h1, kind: dense, out_channels: 10}]}
)",
                                                "n.yaml"),
                                 "small");
}

/// Draws small scenarios. Their arrivals have bursts of equal dates.
class RandomScenarios {
 public:
  sim::Scenario next() {
    return sim::ScenarioBuilder()
        .network(network_)
        .npu(large_)
        .slo_unloaded_multiple(pick<double>({0, 1, 2.5, 20, kNoBound}))
        .recorded(samples())
        .system(system())
        .build();
  }

 private:
  template <typename T>
  T pick(const std::vector<T>& values) {
    return values[random_() % values.size()];
  }

  std::vector<sim::Sample> samples() {
    std::vector<sim::Sample> samples;
    double now_s = 0;
    const auto gap_s = pick<double>({0.0, 0.0005, 0.002, 0.02});
    const std::size_t requests = 1 + random_() % 60;
    for (std::size_t i = 0; i < requests; ++i) {
      if (random_() % 3 != 0) now_s += gap_s * static_cast<double>(random_() % 8);
      samples.push_back({.date_s = now_s, .exit = static_cast<int>(random_() % 3)});
    }
    return samples;
  }

  sim::SystemSpec system() {
    sim::SystemSpec system{.policy =
                               pick<std::string>({"serial", "dynamic_batching", "lazy_batching", "clockwork",
                                                  "deferred_batching", "exit_aware", "optimal"})};
    if (system.policy != "serial") system.parameters["max_batch"] = pick<int>({1, 2, 3, 8});
    if (system.policy == "dynamic_batching") system.parameters["max_queue_delay_ms"] = pick<int>({0, 3});
    if (system.policy == "exit_aware") {
      system.parameters["trigger"] = pick<std::string>({"exit_boundary", "exit_event"});
      system.parameters["exit_knowledge"] = pick<std::string>({"rates", "oracle", "none"});
      system.parameters["slack_estimate"] = pick<std::string>({"expected", "worst_case"});
      system.parameters["preemption_depth"] = pick<int>({1, 2, 5});
    }
    if (system.policy == "optimal") {
      system.parameters["rate_hz"] = pick<int>({20, 100, 400});
      system.parameters["deadline_guard"] = random_() % 2 == 0;
    }
    system.drop_hopeless = random_() % 3 == 0;
    system.npu = random_() % 2 == 0 ? small_ : large_;
    system.npu_mode = random_() % 2 == 0 ? npu::Mode::r : npu::Mode::fluid_stacked;
    return system;
  }

  std::mt19937_64 random_{99};
  workloads::Network network_ = small_network();
  npu::Npu small_ = test::shipped_npu("zu7ev_small");
  npu::Npu large_ = test::shipped_npu("zu7ev_large");
};

void fuzz(int runs) {
  RandomScenarios random;
  for (int i = 0; i < runs; ++i) {
    const sim::Scenario scenario = random.next();
    const sim::System& system = scenario.systems[0];
    const std::string& name = system.policy->name;
    INFO("run " << i << ": " << name << ", " << *scenario.known_requests() << " requests");
    {
      const auto policy = system.policy->make(system.parameters, scenario.policy_context(system, 0, 0));
      const scheduler::PolicyTraits traits = system.policy->traits(system.parameters);
      workloads::SentRequests stream = sim::sent_requests(scenario, *scenario.service().exits);
      const bool waits = name == "dynamic_batching" || name == "deferred_batching" || name == "clockwork" ||
                         name == "optimal" || system.drop_hopeless;
      const int depth = name == "exit_aware"      ? system.parameters.integer("preemption_depth")
                        : name == "optimal"       ? 1
                        : name == "lazy_batching" ? traits.max_batch - 1
                                                  : 0;
      Watch watch(traits.max_batch, depth, waits);
      const sim::ServerOptions options{.policy = name,
                                       .traits = traits,
                                       .slo = scenario.service().slo.of_server(),
                                       .drop_hopeless = system.drop_hopeless,
                                       .audit = true};
      sim::Recorder recorder = test::recorder_for(*system.table());
      const auto made = sim::make_server({*system.table(), options, *policy, stream, recorder, &watch});
      sim::SingleServer& server = *made;
      sim::drive(server, sim::Driver::bare);
      REQUIRE(watch.completed() == *scenario.known_requests());
    }
    test::CsvText text(scenario.service().slo);
    sim::simulate(scenario, system, {.observers = {&text}});
    const std::string& bare = text.text();
    REQUIRE(bare == test::requests_csv_of(scenario, sim::Driver::simgrid));
    REQUIRE(bare == test::requests_csv_of(scenario, sim::Driver::simgrid_window));
  }
}

}  // namespace

TEST_CASE("random runs of all policies: invariants hold, all drivers agree", "[preemption]") { fuzz(150); }

TEST_CASE("10,000 random runs of all policies: invariants hold, all drivers agree",
          "[.release][preemption]") {
  fuzz(10'000);
}

namespace {

/// The policy, asked at every boundary that it wants to see, whatever it says.
class AskedEverywhere final : public scheduler::Policy {
 public:
  explicit AskedEverywhere(scheduler::Policy& policy) : policy_(policy) {}

  scheduler::Decision decide(const scheduler::ServerView& view) override {
    ++asked_;
    scheduler::Decision decision = policy_.decide(view);
    passed_over_ += std::max(0, decision.until_layer - 1 - (view.idle() ? 0 : view.active().next_layer));
    decision.until_layer = 0;
    return decision;
  }
  std::unique_ptr<scheduler::Policy> clone() const override {
    throw std::logic_error("nobody asks for a clone");
  }

  [[nodiscard]] int asked() const { return asked_; }
  [[nodiscard]] int passed_over() const { return passed_over_; }

 private:
  scheduler::Policy& policy_;
  int asked_ = 0;
  int passed_over_ = 0;
};

struct Served {
  std::string csv;
  sim::RunStatistics statistics;
};

Served serve(const sim::Scenario& scenario, scheduler::Policy& policy) {
  const sim::System& system = scenario.systems.front();
  Served served;
  sim::Recorder recorder(*system.table(), scenario.service().slo, scenario.warmup_requests);
  test::CsvText text(scenario.service().slo);
  workloads::SentRequests stream = sim::sent_requests(scenario, *scenario.service().exits);
  const sim::ServerOptions options{.traits = system.policy->traits(system.parameters),
                                   .slo = scenario.service().slo.of_server()};
  const auto made = sim::make_server({*system.table(), options, policy, stream, recorder, &text});
  sim::SingleServer& server = *made;
  sim::drive(server, sim::Driver::bare);
  served.csv = text.text();
  served.statistics =
      sim::compute_statistics(recorder.finish(), server.conservation(), scenario.service().slo);
  return served;
}

}  // namespace

TEST_CASE("LazyBatching passes over the layers at which it would go on anyway", "[preemption]") {
  int passed_over = 0;
  const sim::ScenarioBuilder base =
      test::scenario_of("ee_resnet18").requests(400).warmup_requests(20).exit_rates({0.2, 0.3, 0.4});
  for (const npu::Mode mode : {npu::Mode::r, npu::Mode::p, npu::Mode::fluid_stacked}) {
    for (const double rho : {0.5, 1.2, 2.5}) {
      for (const double slo_s : {0.06, 0.15, 0.4}) {
        INFO(npu::name_of(mode) << " " << rho << " " << slo_s);
        const sim::Scenario scenario =
            sim::ScenarioBuilder(base)
                .slo_s(slo_s)
                .poisson(Rate::rho(rho))
                .system({.policy = "lazy_batching", .parameters = {{"max_batch", 6}}, .npu_mode = mode})
                .build();
        const sim::System& system = scenario.systems.front();
        const auto policy = system.policy->make(system.parameters, scenario.policy_context(system, 0, 0));
        const Served searched = serve(scenario, *policy);
        AskedEverywhere everywhere(*policy);
        const Served asked = serve(scenario, everywhere);
        CHECK(searched.csv == asked.csv);
        for (const Id id : {Id::mac_utilisation, Id::mean_batch, Id::busy_fraction, Id::mean_in_system}) {
          CHECK(searched.statistics[id] == Approx(asked.statistics[id]).epsilon(1e-10));
        }
        for (std::size_t s = 0; s < searched.statistics.segment_batches.size(); ++s) {
          CHECK(searched.statistics.segment_batches[s] ==
                Approx(asked.statistics.segment_batches[s]).epsilon(1e-10));
        }
        // But for the step in which the warm-up ends.
        CHECK(searched.statistics[Id::refused_slo] ==
              Approx(asked.statistics[Id::refused_slo]).margin(system.table()->layers()));
        passed_over += everywhere.passed_over();
      }
    }
  }
  CHECK(passed_over > 10'000);
}
