// The serving core: schedules worked by hand, conservation, and decisions that are not allowed.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include <catch2/catch.hpp>

#include "scheduler/policy_error.h"
#include "sim/core/invariant.h"
#include "sim/drive/child_process.h"
#include "sim/drive/engine.h"
#include "sim/measure/recorder.h"
#include "sim/run/serving.h"
#include "sim/scenario/workload.h"
#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using scheduler::Decision;
using scheduler::Request;
using workloads::Rate;

namespace {

/// A request as a test lists it.
struct Sample {
  double date_s = 0;
  std::uint32_t device = 0;
  int exit = 0;
};

class Listed final : public workloads::RequestStream {
 public:
  explicit Listed(std::vector<Sample> samples) : samples_(std::move(samples)) {}

  double next_event_s() const override {
    if (next_ == samples_.size()) return kNever;
    return samples_[next_].date_s;
  }
  std::size_t read(std::span<workloads::Arrival> block) override {
    std::size_t filled = 0;
    for (; filled < block.size() && next_ < samples_.size(); ++filled) {
      const Sample& sample = samples_[next_++];
      block[filled] = workloads::Arrival::at(sample.date_s);
      block[filled].device = sample.device;
      block[filled].exit = sample.exit;
    }
    return filled;
  }
  std::unique_ptr<workloads::RequestStream> clone() const override { return std::make_unique<Listed>(*this); }
  void split(std::uint64_t /*branch*/) override {}

 private:
  std::vector<Sample> samples_;
  std::size_t next_ = 0;
};

/// Two segments of one mover each, on a channel of 1 word a cycle at 1 Hz: segment 0 takes 2 s a sample and
/// segment 1 takes 3 s a sample, whatever the batch; so all dates are whole numbers.
npu::BatchPolicyTable two_segments() {
  npu::Npu npu = test::small_npu();
  npu.clock_hz = 1;
  npu.word_bytes = 1;
  npu.input_bandwidth_bytes_per_s = npu.output_bandwidth_bytes_per_s = 1;
  npu::Layer first;
  first.kind = npu::LayerKind::pool;
  first.mover_input_words = 2;
  npu::Layer second = first;
  second.mover_input_words = 3;
  second.segment = 1;
  return {{first, second}, npu, npu::Mode::r, 4};
}

struct Run {
  std::vector<Request> requests;
  std::vector<sim::Step> steps;
  int merges = 0;
  sim::Conservation conservation;
};

class Keeper final : public sim::Observer {
 public:
  explicit Keeper(Run& run) : run_(run) {}
  void merged(double) override { ++run_.merges; }
  void stepped(const sim::Step& step) override { run_.steps.push_back(step); }
  void completed(scheduler::RequestId id, const Request& request) override {
    CHECK(id == run_.requests.size());
    run_.requests.push_back(request);
  }

 private:
  Run& run_;
};

constexpr scheduler::PolicyTraits kTraits{.max_batch = 4};

Run serve(scheduler::Policy& policy, const std::vector<Sample>& arrivals,
          const sim::ServerOptions& options = {.policy = "scripted", .traits = kTraits, .slo = {100}}) {
  const npu::BatchPolicyTable table = two_segments();
  Listed stream(arrivals);
  Run run;
  Keeper keeper(run);
  sim::Recorder recorder = test::recorder_for(table);
  const auto made = sim::make_server({table, options, policy, stream, recorder, &keeper});
  sim::SingleServer& server = *made;
  sim::drive(server, sim::Driver::bare);
  run.conservation = server.conservation();
  return run;
}

/// Decides as a function says.
class Scripted final : public scheduler::Policy {
 public:
  using Script = std::function<Decision(const scheduler::ServerView&)>;
  explicit Scripted(Script script) : script_(std::move(script)) {}
  Decision decide(const scheduler::ServerView& view) override { return script_(view); }
  std::unique_ptr<scheduler::Policy> clone() const override { return std::make_unique<Scripted>(*this); }

 private:
  Script script_;
};

Decision greedy(const scheduler::ServerView& view) {
  return Decision::start(std::min<std::size_t>(view.queue.size(), 4));
}

}  // namespace

TEST_CASE("a batch shrinks at an exit and is not refilled", "[sim]") {
  // 0 starts alone and runs to 5. 1, 2, 3 then form a batch: segment 0 of three takes 6 s, to 11, where 2
  // leaves; segment 1 of two takes 6 s, to 17. 4 arrives at 11 with the batch's exit, and waits.
  Scripted policy(greedy);
  const Run run = serve(policy, {{0, 0, 1}, {1, 7, 1}, {1, 0, 0}, {4, 0, 1}, {11, 0, 0}});
  REQUIRE(run.requests.size() == 5);
  const std::vector<std::vector<double>> expected{// arrival, start, completion
                                                  {0, 0, 5},
                                                  {1, 5, 17},
                                                  {1, 5, 11},
                                                  {4, 5, 17},
                                                  {11, 17, 19}};
  for (std::size_t i = 0; i < 5; ++i) {
    INFO("request " << i);
    CHECK(run.requests[i].arrival_s == expected[i][0]);
    CHECK(run.requests[i].start_s == expected[i][1]);
    CHECK(run.requests[i].completion_s == expected[i][2]);
    CHECK(run.requests[i].suspended_s == 0);
  }
  CHECK(run.requests[1].device == 7);
  // One step to each date at which somebody leaves: the first goes through both segments.
  REQUIRE(run.steps.size() == 4);
  CHECK(run.steps[0].first_layer == 0);
  CHECK(run.steps[0].end_layer == 2);
  CHECK(run.steps[1].batch == 3);
  CHECK(run.steps[1].end_layer == 1);
  CHECK(run.steps[2].batch == 2);
  CHECK(run.steps[2].first_layer == 1);

  CHECK(run.conservation.admitted == 5);
  CHECK(run.conservation.completed == 5);
  CHECK(run.conservation.sum_of_latencies_s == 5 + 16 + 10 + 13 + 8);
  CHECK(run.conservation.time_in_system_s == 52);
  CHECK(run.conservation.end_s == 19);
}

TEST_CASE("at one date: step end, then arrivals, then the timer, then one decision", "[sim]") {
  std::vector<std::pair<double, std::size_t>> asked;
  Scripted policy([&](const scheduler::ServerView& view) {
    asked.emplace_back(view.now_s, view.queue.size());
    // The first request waits for 3 s on its own; everybody else starts at once.
    return view.now_s < 3 ? Decision::wait_until(3) : greedy(view);
  });
  // Two arrivals at the timer's date are seen by its decision; one at the step's end (13) by that one's.
  const Run run = serve(policy, {{0, 0, 1}, {3, 0, 0}, {3, 0, 0}, {12, 0, 0}});
  CHECK(asked == std::vector<std::pair<double, std::size_t>>{{0, 1}, {3, 3}, {12, 1}});
  CHECK(run.requests[0].completion_s == 12);  // 3 s waiting, 6 s for three, 3 s for one
  CHECK(run.requests[3].start_s == 12);
}

TEST_CASE("an arrival replaces what a policy waits for", "[sim]") {
  Scripted policy([](const scheduler::ServerView& view) {
    return view.queue.size() < 2 ? Decision::wait_until(50) : greedy(view);
  });
  const Run run = serve(policy, {{0, 0, 0}, {2, 0, 0}});
  CHECK(run.requests[0].start_s == 2);
  CHECK(run.requests[0].completion_s == 6);
}

TEST_CASE("steps that take no time", "[sim]") {
  npu::Npu npu = test::small_npu();
  npu.input_bandwidth_bytes_per_s = npu.output_bandwidth_bytes_per_s =
      std::numeric_limits<double>::infinity();
  npu::Layer mover;
  mover.kind = npu::LayerKind::pool;
  mover.mover_input_words = 5;
  const npu::BatchPolicyTable table({mover}, npu, npu::Mode::r, 4);
  Listed stream({{1, 0, 0}, {1, 0, 0}, {2, 0, 0}});
  Scripted policy([](const scheduler::ServerView&) { return Decision::start(1); });
  Run run;
  Keeper keeper(run);
  sim::Recorder recorder = test::recorder_for(table);
  const auto made =
      sim::make_server({table, {.traits = kTraits, .slo = {100}}, policy, stream, recorder, &keeper});
  sim::SingleServer& server = *made;
  sim::drive(server, sim::Driver::bare);
  for (const Request& request : run.requests) CHECK(request.completion_s == request.arrival_s);
}

TEST_CASE("the batch stack holds its samples to their layers and exits", "[sim]") {
  scheduler::RequestWindow requests;
  const auto stack_of_two = [&](sim::BatchStack& stack) {
    for (int exit : {1, 2}) {
      Request request;
      request.exit = exit;
      requests.push(request);
    }
    stack.push(requests, std::vector{requests.end() - 2, requests.end() - 1}, 0);
    stack.ran(0, 5);
  };
  const auto nobody = [](const Request&) {};
  sim::BatchStack stack(2);
  SECTION("layers in order, each once") {
    stack_of_two(stack);
    CHECK_THROWS_WITH(stack.ran(4, 6), Catch::Contains("every layer once"));
    CHECK_THROWS_WITH(stack.ran(6, 7), Catch::Contains("every layer once"));
    CHECK_THROWS_WITH(stack.ran(5, 5), Catch::Contains("every layer once"));
  }
  SECTION("who takes the next exit leaves, and no other") {
    stack_of_two(stack);
    CHECK(stack.next_exit() == 1);
    CHECK_FALSE(stack.leave(requests, 1, nobody));
    CHECK(stack.active().samples == std::vector<scheduler::RequestId>{1});
    CHECK(stack.next_exit() == 2);
  }
  SECTION("an exit that was missed") {
    stack_of_two(stack);
    requests[0].exit = 0;
    CHECK_THROWS_WITH(stack.leave(requests, 1, nobody), Catch::Contains("carried past"));
  }
}

TEST_CASE("an audit holds a policy to what it has said", "[sim]") {
  const sim::ServerOptions options{.policy = "scripted",
                                   .traits = {.max_batch = 4, .boundary = scheduler::Boundary::layer},
                                   .slo = {100},
                                   .audit = true};
  // 0 runs alone from 0 to 5, over the boundary before layer 1 at 2; 1 arrives at 1.
  const std::vector<Sample> samples{{0, 0, 1}, {1, 0, 1}, {1, 0, 1}};
  const auto starts = [](const scheduler::ServerView& view) {
    return view.idle() ? Decision::start(1) : Decision::go_on();
  };
  SECTION("a policy that is what it says") {
    Scripted policy(starts);
    CHECK(serve(policy, samples, options).requests.size() == 3);
  }
  SECTION("another answer to the same question") {
    int asked = 0;
    Scripted policy([&](const scheduler::ServerView& view) {
      return Decision::start(++asked % 2 == 0 ? 1 : std::min<std::size_t>(2, view.queue.size()));
    });
    CHECK_THROWS_WITH(
        serve(policy, {{0, 0, 1}, {0, 0, 1}}, options),
        "policy 'scripted' at t = 0: a clone of it answered otherwise to the same question (--audit)");
  }
  SECTION("a promise that does not hold") {
    // Three layers: the policy is asked before layer 1, promises to go on until layer 3, and would preempt
    // before layer 2.
    Scripted policy([](const scheduler::ServerView& view) {
      if (view.idle()) return Decision::start(1);
      if (view.active().next_layer == 1) return Decision::go_on(Decision::Refusal::slo, 3);
      return Decision::preempt(1);
    });
    const npu::BatchPolicyTable table({test::gemm_layer("a", {.groups = 1, .r = 1, .p = 1, .c = 1}),
                                       test::gemm_layer("b", {.groups = 1, .r = 1, .p = 1, .c = 1}),
                                       test::gemm_layer("c", {.groups = 1, .r = 1, .p = 1, .c = 1})},
                                      Eigen::ArrayXXd::Constant(3, 4, 2));
    const auto run = [&](bool audit) {
      Listed stream({{0, 0, 0}, {1, 0, 0}});
      sim::Recorder recorder = test::recorder_for(table);
      sim::ServerOptions audited = options;
      audited.audit = audit;
      const auto server = sim::make_server({table, audited, policy, stream, recorder});
      sim::drive(*server, sim::Driver::bare);
    };
    run(false);
    CHECK_THROWS_WITH(
        run(true),
        "policy 'scripted' at t = 4 asked to preempt with 1 of 1 queued, 1 in flight, max_batch 4 "
        "before layer 2, but had said that it would go on until layer 3 (--audit)");
  }
}

TEST_CASE("the exits of requests are for declared oracles", "[sim]") {
  const auto looks = [](const scheduler::ServerView& view) {
    return Decision::start(static_cast<std::size_t>(view.oracle.exit_of(view.queue.front())) + 1);
  };
  Scripted policy(looks);
  CHECK_THROWS_WITH(
      serve(policy, {{0, 0, 1}, {0, 0, 1}}),
      "policy 'scripted' at t = 0: it asked for the exit of request 0, but has not declared itself "
      "an oracle (PolicyTraits::oracle)");
  const sim::ServerOptions oracle{
      .policy = "scripted", .traits = {.max_batch = 4, .oracle = true}, .slo = {100}};
  CHECK(serve(policy, {{0, 0, 1}, {0, 0, 1}}, oracle).requests[1].start_s == 0);
}

TEST_CASE("a decision that is not allowed ends the run", "[sim]") {
  const auto refuses = [](const Scripted::Script& script, const char* message) {
    Scripted policy(script);
    CHECK_THROWS_AS(serve(policy, {{0.5, 0, 1}, {0.5, 0, 1}}), scheduler::PolicyError);
    Scripted again(script);
    CHECK_THROWS_WITH(serve(again, {{0.5, 0, 1}, {0.5, 0, 1}}),
                      "policy 'scripted' at t = 0.5 asked to " + std::string(message));
  };
  refuses([](const auto&) { return Decision::start(0); }, "start 0 of 2 queued, max_batch 4");
  refuses([](const auto&) { return Decision::start(3); }, "start 3 of 2 queued, max_batch 4");
  refuses([](const auto& view) { return Decision::wait_until(view.now_s); },
          "wait until t = 0.5: that is not in the future");
  refuses([](const auto&) { return Decision::wait_until(std::numeric_limits<double>::infinity()); },
          "wait until t = inf: nobody comes any more, and requests are in the queue");
  refuses([](const auto&) { return Decision::wait_until(std::nan("")); },
          "wait until t = nan: that is not in the future");
  refuses([](const auto&) { return Decision::preempt(1); },
          "preempt with 1 of 2 queued, max_batch 4: only an active batch is preempted");
  refuses([](const auto&) { return Decision::drop(0); }, "drop 0 of 2 queued");
  refuses([](const auto&) { return Decision::drop(3); }, "drop 3 of 2 queued");
  refuses([](const auto&) { return Decision::go_on(); }, "go on: an idle NPU has nothing to go on with");

  Scripted policy(greedy);
  CHECK_THROWS_AS(serve(policy, {{2, 0, 1}, {1, 0, 1}}), sim::InvariantViolation);  // not in order of time
  CHECK_THROWS_AS(serve(policy, {{1, 0, 2}}), sim::InvariantViolation);  // an exit that is not there
}

TEST_CASE("who waits for an arrival that never comes starts at once", "[sim]") {
  // Two at a time, and whoever is left over alone when nobody comes any more.
  Scripted pairs([](const scheduler::ServerView& view) {
    if (!view.idle()) return Decision::go_on();
    return view.queue.size() < 2 ? Decision::wait_for_arrival(1) : Decision::start(2);
  });
  const auto requests = serve(pairs, {{0, 0, 1}, {1, 0, 1}, {100, 0, 1}}).requests;
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].start_s == 1);
  CHECK(requests[1].start_s == 1);
  CHECK(requests[2].start_s == 100);
  Scripted too_many([](const auto&) { return Decision::wait_for_arrival(2); });
  CHECK_THROWS_WITH(serve(too_many, {{0.5, 0, 1}}), Catch::Matchers::Contains("wait until t = inf"));
}

TEST_CASE("unloaded latency is the sum of the table's layers", "[sim]") {
  for (const int exit : {0, 1, 2, 3}) {
    const sim::Scenario scenario =
        test::scenario_of("ee_resnet50").recorded({{.date_s = 0, .exit = exit}}).system("serial").build();
    const npu::BatchPolicyTable& table = *scenario.systems[0].table();
    double sum = 0;
    for (int l = 0; l < table.layers(); ++l) {
      if (table.layer(l).segment <= exit) sum += table.latency_s(l, l + 1, 1);
    }
    const Request request = test::run_bare(scenario).requests.at(0);
    CHECK(request.completion_s == Approx(sum).epsilon(1e-12).margin(0));
    CHECK(request.start_s == 0);
  }
}

TEST_CASE("dynamic batching with a batch of one is serial, byte for byte", "[sim]") {
  const sim::Scenario scenario = test::scenario_of("ee_resnet50")
                                     .requests(5000)
                                     .poisson(Rate::rho(1.3))
                                     .exit_rates(test::kExampleRates)
                                     .system("serial")
                                     .system({.policy = "dynamic_batching",
                                              .parameters = {{"max_batch", 1}, {"max_queue_delay_ms", 40}}})
                                     .build();
  CHECK(test::requests_csv_of(scenario, sim::Driver::bare, 0) ==
        test::requests_csv_of(scenario, sim::Driver::bare, 1));
}

TEST_CASE("SimGrid's driver and the bare loop give the same bytes", "[sim]") {
  std::mt19937_64 random(5);
  const auto pick = [&](const auto& values) { return values[random() % values.size()]; };
  const workloads::Network network = test::shipped_network("ee_resnet50");
  const std::vector<npu::Npu> npus{test::shipped_npu("zu7ev_large"), test::shipped_npu("zu7ev_small"),
                                   test::shipped_npu("z7045_middle")};
  const std::vector<sim::SystemSpec> systems{
      {.policy = "serial"},
      {.policy = "dynamic_batching"},
      {.policy = "dynamic_batching", .parameters = {{"max_batch", 3}, {"max_queue_delay_ms", 7}}},
      {.policy = "dynamic_batching", .parameters = {{"max_batch", 16}, {"max_queue_delay_ms", 200}}}};
  const std::vector<Rate> rates{Rate::rho(0.05), Rate::rho(0.9), Rate::rho(3), Rate::hz(1e6)};
  const std::vector<std::vector<double>> exit_rates{{0, 0, 0}, test::kExampleRates, {1, 0, 0}, {0.9, 0.1, 1}};
  const std::vector<double> slo_multiples{0, 1.5, std::numeric_limits<double>::infinity()};
  for (int i = 0; i < 200; ++i) {
    INFO("case " << i);
    sim::SystemSpec system = pick(systems);
    system.npu = pick(npus);
    const sim::Scenario scenario = sim::ScenarioBuilder()
                                       .network(network)
                                       .npu(npus.front())
                                       .seed(random() % 1000)
                                       .requests(1 + random() % 400)
                                       .slo_unloaded_multiple(pick(slo_multiples))
                                       .poisson(pick(rates))
                                       .exit_rates(pick(exit_rates))
                                       .system(system)
                                       .build();
    const std::string bare = test::requests_csv_of(scenario, sim::Driver::bare);
    REQUIRE(bare == test::requests_csv_of(scenario, sim::Driver::simgrid));
    REQUIRE(bare == test::requests_csv_of(scenario, sim::Driver::bare));
  }
}

TEST_CASE("SimGrid's driver can be used once in a process", "[sim]") {
  const sim::Scenario scenario =
      test::scenario_of("resnet50").requests(3).poisson(Rate::rho(0.5)).system("serial").build();
  const auto twice = [&] {
    test::requests_csv_of(scenario, sim::Driver::simgrid);  // in a process of its own: no harm
    const npu::BatchPolicyTable& table = *scenario.systems[0].table();
    const auto run = [&] {
      Scripted policy(greedy);
      const npu::BatchPolicyTable wide(scenario.service().network.layers, *table.npu(), npu::Mode::r, 4);
      workloads::SentRequests stream = sim::sent_requests(scenario, *scenario.service().exits);
      sim::Recorder recorder = test::recorder_for(wide);
      const auto made = sim::make_server({wide, {.traits = kTraits, .slo = {1}}, policy, stream, recorder});
      sim::SingleServer& server = *made;
      sim::drive(server, sim::Driver::simgrid);
    };
    run();
    run();
    return std::string();
  };
  const sim::ChildOutcome outcome = sim::run_in_children({twice}, 1, [] {}).front();
  CHECK(outcome.kind == sim::ChildOutcome::Kind::failed);
  CHECK_THAT(outcome.text, Catch::Contains("one simulation per process"));
}
