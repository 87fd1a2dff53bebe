// The importance function of splitting: predictions worked by hand, and runs that turn out as it has said.
#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/core/server_state.h"
#include "sim/run/running_system.h"
#include "sim/tail/importance.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;

namespace {

/// Layer a | b, c of 1, 2 and 4 s for one sample, and half of that more for each further one.
sim::ScenarioBuilder two_segments() {
  return sim::ScenarioBuilder().latencies_s({{1, 1.5, 2}, {2, 3, 4}, {4, 6, 8}}, {0, 1, 1}).bounds(false);
}

class Nobody final : public workloads::RequestStream {
 public:
  double next_event_s() const override { return kNever; }
  std::size_t read(std::span<workloads::Arrival> /*block*/) override { return 0; }
  std::unique_ptr<workloads::RequestStream> clone() const override { return std::make_unique<Nobody>(); }
  void split(std::uint64_t /*branch*/) override {}
};

/// Where a core of that network and a policy of batches up to 3 stands, made by hand.
class ByHand {
 public:
  explicit ByHand(int max_batch = 3) : max_batch_(max_batch) {}

  /// One that has come, with the exit that it takes.
  scheduler::RequestId comes(double date_s, int exit, double sent_s) {
    return state.requests.push({.arrival_s = date_s, .sent_s = sent_s, .exit = exit});
  }
  scheduler::RequestId comes(double date_s, int exit) { return comes(date_s, exit, date_s); }
  void waits(double date_s, int exit) { state.queue.push(comes(date_s, exit)); }
  /// They are taken from the queue at `date_s`, by a preemption where there is an active batch.
  void start(double date_s, const std::vector<scheduler::RequestId>& ids, double preemption_cost_s = 0) {
    state.stack.push(state.requests, ids, date_s);
    state.step.begin_s = state.event_s = date_s;
    state.run_begin_s = date_s + preemption_cost_s;
    state.run_first_layer = 0;
  }
  /// The active batch has run up to `layer` at `date_s`, and goes on.
  void runs_from(int layer, double date_s) {
    state.stack.ran(state.stack.active().next_layer, layer);
    state.step.begin_s = state.event_s = date_s;
  }
  [[nodiscard]] double importance(const scheduler::ServerSlo& slo = {.latency_s = 10}) const {
    return sim::Importance(*table_, slo, max_batch_).of(state);
  }

 private:
  int max_batch_;
  std::shared_ptr<const npu::BatchPolicyTable> table_ =
      two_segments().dates_s({0}).system("serial").build().systems[0].table();
  Nobody nobody_;

 public:
  sim::ServerState state{nobody_, 1, 3};
};

}  // namespace

TEST_CASE("importance of an empty system, and of a queue before an idle NPU", "[tail]") {
  ByHand core;
  core.state.event_s = 5;
  CHECK(core.importance() == 0);
  core.waits(4, 1);
  CHECK(core.importance() == 8);  // runs from 5 to 12
  core.waits(4.5, 0);
  CHECK(core.importance() == 8.5);  // a up to 6.5, where it leaves; b and c up to 12.5
}

TEST_CASE("importance of a queue that waits for a timer, unless it is large enough", "[tail]") {
  ByHand core(2);
  core.state.event_s = 5;
  core.state.timer_s = 9;
  core.waits(4, 1);
  CHECK(core.importance() == 12);  // from 9 to 16
  core.waits(5, 1);
  CHECK(core.importance() == 11.5);  // both from 5 to 15.5
}

TEST_CASE("importance of a batch whose samples leave by their exits", "[tail]") {
  ByHand core;
  core.start(2, {core.comes(0, 0), core.comes(1, 1)});
  CHECK(core.importance() == 8.5);  // a up to 3.5, where the first one leaves; b and c up to 9.5
  // What comes during the step waits until then.
  core.state.event_s = 3;
  core.waits(3, 0);
  CHECK(core.importance() == 8.5);  // in a up to 10.5: 7.5
  core.waits(3, 1);
  CHECK(core.importance() == 14);  // both in a up to 11, and one of them in b and c up to 17
  // A newcomer's exit is behind it where thresholds have moved: it leaves by the next one.
  ByHand late;
  late.start(2, {late.comes(0, 0), late.comes(1, 1)});
  late.runs_from(1, 3.5);
  CHECK(late.importance() == 12.5);  // both in b and c up to 12.5
}

TEST_CASE("importance of a queue of more than one batch", "[tail]") {
  ByHand core(2);
  core.start(0, {core.comes(0, 1)});
  core.waits(1, 1);
  core.waits(2, 1);
  core.waits(3, 0);
  CHECK(core.importance() == 16.5);  // one up to 7, two up to 17.5, the last one up to 18.5
  core.waits(3, 1);
  CHECK(core.importance() == 22);  // both in a up to 19, and one in b and c up to 25
}

TEST_CASE("importance of a suspended batch, with and without those who catch up with it", "[tail]") {
  ByHand core;
  core.start(0, {core.comes(0, 1)});
  core.runs_from(1, 1);
  core.start(1, {core.comes(0.5, 0)});
  CHECK(core.importance() == 8);  // a up to 2, where the newcomer leaves; b and c up to 8
  core.state.queue.push(core.comes(1, 1));
  CHECK(core.importance() == 14);  // and all layers up to 15
  ByHand merged;
  merged.start(0, {merged.comes(0, 1)});
  merged.runs_from(1, 1);
  merged.start(1, {merged.comes(0.5, 1), merged.comes(0.75, 0)});
  CHECK(merged.importance() == 11.5);  // a up to 2.5; two in b and c up to 11.5
}

TEST_CASE("importance of a preemption that takes time", "[tail]") {
  ByHand core;
  core.start(0, {core.comes(0, 1)});
  core.runs_from(1, 1);
  core.start(1, {core.comes(0.5, 1)}, 0.25);
  CHECK(core.importance() == 11.25);  // a from 1.25 up to 2.25; two in b and c up to 11.25
}

TEST_CASE("importance of latencies that count from sending", "[tail]") {
  ByHand core;
  core.start(3, {core.comes(3, 1, 0.5), core.comes(3, 0, 2)});
  CHECK(core.importance() == 7.5);  // from 3 to 10.5
  CHECK(core.importance({.latency_s = 10, .from_sending = true}) == 10);
}

TEST_CASE("under greedy batching the largest latency is as importance predicts, once nobody comes",
          "[tail]") {
  std::mt19937_64 random(5);
  const auto below = [&](std::uint64_t bound) { return static_cast<double>(random() % bound); };
  int states = 0;
  for (int run = 0; run < 200; ++run) {
    std::vector<std::vector<double>> latencies_s(6);
    for (std::vector<double>& layer : latencies_s) {
      for (int b = 0; b < 4; ++b) layer.push_back((b == 0 ? 0 : layer.back()) + below(1000) / 1000);
    }
    std::vector<sim::Sample> samples;
    double date_s = 0;
    for (int i = 0; i < 12; ++i) {
      samples.push_back({.date_s = date_s, .exit = static_cast<int>(random() % 3)});
      date_s += below(800) / 1000;
    }
    const sim::Scenario scenario = sim::ScenarioBuilder()
                                       .latencies_s(latencies_s, {0, 0, 1, 1, 1, 2})
                                       .recorded(samples)
                                       .bounds(false)
                                       .system({.policy = "dynamic_batching",
                                                .parameters = {{"max_batch", 4}, {"max_queue_delay_ms", 0}}})
                                       .build();
    const sim::System& system = scenario.systems[0];
    sim::Importance importance(*system.table(), scenario.service().slo.of_server(), 4);
    // From the end, the largest latency of those who are still there.
    struct State {
      double predicted_s = 0;
      std::uint64_t completed = 0;
    };
    class Left final : public sim::Observer {
     public:
      void departed(const scheduler::Request& request) override {
        latencies_s.push_back(request.completion_s - request.arrival_s);
      }
      std::vector<double> latencies_s;
    };
    Left left;
    std::vector<State> seen;
    sim::RunningSystem running(scenario, system, {.observer = &left});
    while (running.core().next_event_s() < sim::ServerState::kNever) {
      running.core().advance(running.core().next_event_s());
      const sim::ServerState& state = running.core().state();
      if (state.conservation.admitted == samples.size() && state.in_system > 0)
        seen.push_back({importance.of(state), state.conservation.completed});
    }
    for (const State& state : seen) {
      const auto begin = left.latencies_s.begin() + static_cast<std::ptrdiff_t>(state.completed);
      CHECK(state.predicted_s == Approx(*std::max_element(begin, left.latencies_s.end())).epsilon(1e-9));
      ++states;
    }
  }
  CHECK(states > 1'000);
}
