// Preemption, suspension and merging: schedules worked by hand, reductions to simpler policies, and many
// random runs.
#include <algorithm>
#include <cmath>
#include <random>

#include <catch2/catch.hpp>

#include "sim/drive/engine.h"
#include "sim/measure/recorder.h"
#include "sim/output/requests_csv.h"
#include "sim/run/serving.h"
#include "sim/run/simulation.h"
#include "tests/support/run_helpers.h"
#include "workloads/traffic/sent_requests.h"

using namespace fluidbatch;
using Id = sim::StatisticId;

namespace {

/// Layers a, b | c | d of 1, 2, 4 and 8 s at batch 1, and 1 + (b - 1) / 4 of that at batch b.
class HandWorked {
 public:
  HandWorked() {
    folder_.write(
        "n.yaml",
        "input: [4, 1, 1]\nlayers:\n  - {name: a, kind: dense, out_channels: 4}\n"
        "  - {name: b0, kind: view, shape: [4, 1, 1]}\n"
        "  - {name: c, kind: dense, out_channels: 4}\n  - {name: d0, kind: view, shape: [4, 1, 1]}\n"
        "  - {name: d, kind: dense, out_channels: 4}\n"
        "exits:\n  - {name: e0, after: b0, head: [{name: b, kind: dense, out_channels: 2}]}\n"
        "  - {name: e1, after: c, head: [{name: h, kind: dense, out_channels: 2}]}\n");
    std::string csv = "layer,batch,latency_s\n";
    const std::vector<std::pair<const char*, double>> layers{
        {"a", 1}, {"b", 2}, {"c", 4}, {"h", 0}, {"d", 8}};
    for (const auto& [name, seconds] : layers) {
      for (int b = 1; b <= 4; ++b) {
        csv += std::string(name) + "," + std::to_string(b) + "," +
               std::to_string(seconds * (1 + (b - 1) / 4.0)) + "\n";
      }
    }
    folder_.write("t.csv", csv);
  }

  test::RunOutcome run(const std::string& policy, const std::string& trace,
                       const std::string& slo_ms = ".inf") const {
    folder_.write("trace.csv", "arrival_s,exit\n" + trace);
    const std::string at = folder_.path().string() + "/";
    return test::run_bare(test::config_of("network: " + at + "n.yaml\nreference: {npu: {table: " + at +
                                          "t.csv}}\nslo: {latency_ms: " + slo_ms +
                                          "}\n"
                                          "workload: {arrivals: {kind: trace, path: " +
                                          at +
                                          "trace.csv}, exits: {kind: trace}}\n"
                                          "systems: [{policy: " +
                                          policy + "}]\n"));
  }

 private:
  test::TemporaryFolder folder_;
};

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
      HandWorked().run("{name: lazy_batching, max_batch: 4}", "0,2\n0.5,2\n5,0\n");
  check_schedule(outcome, {{0, 22.5, 1 + 3}, {1, 22.5, 3}, {9.5, 12.5, 0}});
  CHECK(outcome.statistics[Id::preemptions] == 2);
  CHECK(outcome.statistics[Id::merges] == 1);
  CHECK(outcome.statistics[Id::busy_fraction] == 1);
}

TEST_CASE("lazy batching by hand: three levels deep", "[preemption]") {
  // 1 preempts 0 after a (1); 2 preempts 1 after a, where 1 has just merged with 0 (2); it runs a to 3 and
  // merges with both before b: three samples, 3 s to 6; c 6 s to 12; d 12 s to 24.
  const test::RunOutcome outcome =
      HandWorked().run("{name: lazy_batching, max_batch: 4}", "0,2\n0.5,2\n1.5,2\n");
  check_schedule(outcome, {{0, 24, 2}, {1, 24, 1}, {2, 24, 0}});
  CHECK(outcome.statistics[Id::merges] == 2);
}

TEST_CASE("exit-aware by hand: preempt at an exit, merge before the next segment", "[preemption]") {
  // 0 and 1 run segment 0 in 3.75 s, where 1 leaves. Without knowledge of exits, going on costs 12 + (12 +
  // 15) = 39 and letting 2 catch up (3 + 15) + 3 + 15 = 36. So 2 runs to 6.75, they merge, c takes 5 s and d
  // 10 s, to 21.75.
  const std::string policy = "{name: exit_aware, max_batch: 4, exit_knowledge: none}";
  const std::string trace = "0,2\n0,0\n1,2\n";
  const test::RunOutcome outcome = HandWorked().run(policy, trace);
  check_schedule(outcome, {{0, 21.75, 3}, {0, 3.75, 0}, {3.75, 21.75, 0}});
  CHECK(outcome.statistics[Id::preemptions] == 1);
  CHECK(outcome.statistics[Id::merges] == 1);
  CHECK(outcome.statistics[Id::refused_slo] == 0);

  // With an SLO of 20 s request 0 would be late for it (21.75) and is not without (15.75): it goes on. Before
  // d the gain is gone: 8 + (8 + 15) = 31 against (7 + 10) + 7 + 10 = 34. Request 2 runs alone, 15 s.
  const test::RunOutcome refused = HandWorked().run(policy, trace, "20000");
  check_schedule(refused, {{0, 15.75, 0}, {0, 3.75, 0}, {15.75, 30.75, 0}});
  CHECK(refused.statistics[Id::refused_slo] == 1);
  CHECK(refused.statistics[Id::refused_no_gain] == 1);
}

TEST_CASE("exit-aware by hand: newcomers that all leave on the way, and what a preemption costs",
          "[preemption]") {
  // The oracle knows that 2 leaves at exit 0: it costs request 0 three seconds and spares 2 twelve.
  const test::RunOutcome outcome = HandWorked().run(
      "{name: exit_aware, max_batch: 4, exit_knowledge: oracle, preemption_cost_s: 0.25}", "0,2\n0,0\n1,0\n");
  check_schedule(outcome, {{0, 3.75 + 0.25 + 3 + 12, 3.25}, {0, 3.75, 0}, {3.75, 7, 0}});
  CHECK(outcome.statistics[Id::preemptions] == 1);
  CHECK(outcome.statistics[Id::merges] == 0);
}

TEST_CASE("dropping the hopeless: late ones are given up, counted and kept in the rows", "[preemption]") {
  const HandWorked hand;
  const std::string trace = "0,2\n1,2\n2,2\n";
  const test::RunOutcome served = hand.run("{name: serial}", trace, "20000");
  CHECK(served.statistics[Id::slo_violation_rate] == Approx(2.0 / 3));
  // At 15 both others have waited too long for 15 s more.
  const test::RunOutcome dropped = hand.run("{name: serial}, drop: hopeless", trace, "20000");
  CHECK(dropped.statistics[Id::slo_violation_rate] == Approx(2.0 / 3));
  CHECK(dropped.statistics[Id::drop_rate] == Approx(2.0 / 3));
  CHECK(dropped.statistics[Id::requests] == 3);
  CHECK(dropped.statistics[Id::mean_latency] == 15);
  CHECK(std::isnan(dropped.statistics[Id::distance_to_bound]));
  CHECK(dropped.statistics.absence(Id::distance_to_bound) == sim::Absence::dropped);
  CHECK(served.statistics[Id::distance_to_bound] >= 1);
  CHECK(dropped.requests[1].dropped);
  CHECK(dropped.requests[2].completion_s == 15);
  const test::RunOutcome clockwork = hand.run("{name: clockwork, max_batch: 4}", trace, "20000");
  CHECK(clockwork.statistics[Id::drop_rate] == Approx(2.0 / 3));
}

namespace {

std::string poisson_run(const std::string& rates, const std::string& systems, double rho = 1.3) {
  return "requests: 4000\nnetwork: ee_resnet18\nslo: {unloaded_multiple: 3}\nworkload:\n  arrivals: {kind: "
         "poisson, rho: " +
         std::to_string(rho) + "}\n  exits: {kind: rates, rates: " + rates + "}\nsystems:\n" + systems;
}

}  // namespace

TEST_CASE("reductions to simpler policies, byte for byte", "[preemption]") {
  SECTION("without exits exit_event never sees one: greedy dynamic batching") {
    const sim::RunConfig config =
        test::config_of(poisson_run("[0, 0, 0]",
                                    "  - {label: a, policy: {name: exit_aware, trigger: exit_event}}\n"
                                    "  - {label: b, policy: {name: dynamic_batching}}\n"));
    CHECK(test::requests_csv_of(config, sim::Driver::bare, 0) ==
          test::requests_csv_of(config, sim::Driver::bare, 1));
  }
  SECTION("with a batch of one all are serial") {
    const sim::RunConfig config =
        test::config_of(poisson_run("[0.3, 0.3, 0.3]",
                                    "  - {label: a, policy: {name: serial}}\n  - {label: b, policy: {name: "
                                    "lazy_batching, max_batch: 1}}\n"
                                    "  - {label: c, policy: {name: exit_aware, max_batch: 1}}\n"
                                    "  - {label: d, policy: {name: dynamic_batching, max_batch: 1}}\n  - "
                                    "{label: e, policy: {name: edf}}\n"));
    const std::string serial = test::requests_csv_of(config, sim::Driver::bare, 0);
    for (const std::size_t i : {1U, 2U, 3U, 4U})
      CHECK(test::requests_csv_of(config, sim::Driver::bare, i) == serial);
  }
  SECTION("an infinite SLO refuses nothing for its sake") {
    sim::RunConfig config = test::config_of(poisson_run(
        "[0.3, 0.3, 0.3]",
        "  - {label: a, policy: {name: exit_aware}}\n  - {label: b, policy: {name: lazy_batching}}\n"));
    config.slo.latency_s = std::numeric_limits<double>::infinity();
    for (const std::size_t i : {0U, 1U}) {
      const sim::RunStatistics statistics = test::run_bare(config, i).statistics;
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

/// A random small configuration. Its trace has bursts of equal dates.
std::string random_configuration(std::mt19937_64& random, const test::TemporaryFolder& folder) {
  const auto pick = [&](const std::vector<std::string>& words) { return words[random() % words.size()]; };
  std::string trace = "arrival_s,exit\n";
  double now = 0;
  const double gap = std::vector<double>{0.0, 0.0005, 0.002, 0.02}[random() % 4];
  const std::size_t requests = 1 + random() % 60;
  for (std::size_t i = 0; i < requests; ++i) {
    if (random() % 3 != 0) now += gap * static_cast<double>(random() % 8);
    trace += std::to_string(now) + "," + std::to_string(random() % 3) + "\n";
  }
  folder.write("t.csv", trace);
  const std::string b = pick({"1", "2", "3", "8"});
  return "network: " + folder.path().string() +
         "/n.yaml\nslo: {unloaded_multiple: " + pick({"0", "1", "2.5", "20", ".inf"}) +
         "}\nworkload: {arrivals: {kind: trace, path: " + folder.path().string() +
         "/t.csv}, exits: {kind: trace}}\n"
         "systems: [{policy: " +
         pick({"{name: serial}",
               "{name: dynamic_batching, max_batch: " + b + ", max_queue_delay_ms: " + pick({"0", "3"}) + "}",
               "{name: lazy_batching, max_batch: " + b + "}", "{name: clockwork, max_batch: " + b + "}",
               "{name: deferred_batching, max_batch: " + b + "}",
               "{name: exit_aware, max_batch: " + b + ", trigger: " + pick({"exit_boundary", "exit_event"}) +
                   ", exit_knowledge: " + pick({"rates", "oracle", "none"}) + ", slack_estimate: " +
                   pick({"expected", "worst_case"}) + ", preemption_depth: " + pick({"1", "2", "5"}) + "}"}) +
         ", drop: " + pick({"none", "none", "hopeless"}) + ", npu: " + pick({"zu7ev_small", "zu7ev_large"}) +
         ", npu_mode: " + pick({"r", "fluid_stacked"}) + "}]\n";
}

void fuzz(int runs) {
  const test::TemporaryFolder folder;
  folder.write(
      "n.yaml",
      "input: [8, 14, 14]\nlayers:\n  - {name: a, kind: conv, out_channels: 32, kernel: 3, padding: 1}\n"
      "  - {name: b, kind: conv, out_channels: 64, kernel: 3, stride: 2, padding: 1}\n"
      "  - {name: c, kind: conv, out_channels: 64, kernel: 3, padding: 1}\n  - {name: d, kind: dense, "
      "out_channels: 10}\n"
      "exits:\n  - {name: e0, after: a, head: [{name: h0, kind: dense, out_channels: 10}]}\n"
      "  - {name: e1, after: c, head: [{name: h1, kind: dense, out_channels: 10}]}\n");
  std::mt19937_64 random(99);
  for (int i = 0; i < runs; ++i) {
    const std::string yaml = random_configuration(random, folder);
    INFO("run " << i << "\n" << yaml);
    const sim::RunConfig config = test::config_of(yaml);
    const sim::System& system = config.systems[0];
    const std::string& name = system.policy->name;
    {
      const auto policy = system.policy->make(system.parameters, config.policy_context());
      workloads::SentRequests stream(config.devices, *config.exits, config.seed, config.length);
      const bool waits = name == "dynamic_batching" || name == "deferred_batching" || name == "clockwork" ||
                         system.drop_hopeless;
      const int depth = name == "exit_aware"      ? system.parameters.integer("preemption_depth")
                        : name == "lazy_batching" ? policy->max_batch() - 1
                                                  : 0;
      Watch watch(policy->max_batch(), depth, waits);
      const sim::ServerOptions options{.slo_s = config.slo.latency_s, .drop_hopeless = system.drop_hopeless};
      sim::Recorder recorder = test::recorder_for(*system.table);
      const auto made = sim::make_server(*system.table, options, *policy, stream, recorder, &watch);
      sim::ServingCore& server = *made;
      sim::drive(server, sim::Driver::bare);
      REQUIRE(watch.completed() == *config.known_requests());
    }
    test::CsvText text(config.slo);
    sim::simulate(config, system, {.observers = {&text}});
    const std::string& bare = text.text();
    REQUIRE(bare == test::requests_csv_of(config, sim::Driver::simgrid));
    REQUIRE(bare == test::requests_csv_of(config, sim::Driver::simgrid_window));
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
  int max_batch() const override { return policy_.max_batch(); }
  scheduler::Boundary boundary() const override { return policy_.boundary(); }

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

Served serve(const sim::RunConfig& config, scheduler::Policy& policy) {
  const sim::System& system = config.systems.front();
  Served served;
  sim::Recorder recorder(*system.table, config.slo, config.warmup_requests);
  test::CsvText text(config.slo);
  workloads::SentRequests stream(config.devices, *config.exits, config.seed, config.length);
  const sim::ServerOptions options{.slo_s = config.slo.latency_s};
  const auto made = sim::make_server(*system.table, options, policy, stream, recorder, &text);
  sim::ServingCore& server = *made;
  sim::drive(server, sim::Driver::bare);
  served.csv = text.text();
  served.statistics =
      sim::compute_statistics(recorder.finish(), server.conservation(), *system.table, config.slo);
  return served;
}

}  // namespace

TEST_CASE("LazyBatching passes over the layers at which it would go on anyway", "[preemption]") {
  int passed_over = 0;
  for (const char* mode : {"r", "p", "fluid_stacked"}) {
    for (const char* rho : {"0.5", "1.2", "2.5"}) {
      for (const char* slo_ms : {"60", "150", "400"}) {
        INFO(mode << " " << rho << " " << slo_ms);
        const sim::RunConfig config = test::config_of(
            std::string("requests: 400\nwarmup_requests: 20\nnetwork: ee_resnet18\nslo: {latency_ms: ") +
            slo_ms + "}\nworkload: {arrivals: {kind: poisson, rho: " + rho +
            "}, exits: {kind: rates, rates: [0.2, 0.3, 0.4]}}\n"
            "systems: [{policy: {name: lazy_batching, max_batch: 6}, npu_mode: " +
            mode + "}]\n");
        const sim::System& system = config.systems.front();
        const auto policy = system.policy->make(system.parameters, config.policy_context());
        const Served searched = serve(config, *policy);
        AskedEverywhere everywhere(*policy);
        const Served asked = serve(config, everywhere);
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
              Approx(asked.statistics[Id::refused_slo]).margin(system.table->layers()));
        passed_over += everywhere.passed_over();
      }
    }
  }
  CHECK(passed_over > 10'000);
}
