// Policies alone, on hand-made views.
#include <limits>

#include <catch2/catch.hpp>

#include "scheduler/registry.h"
#include "tests/support/examples.h"

using namespace fluidbatch;
using scheduler::Decision;

namespace {

/// A server with requests that arrived at the given dates, all still queued.
struct HandMade {
  explicit HandMade(const std::vector<double>& arrivals)
      : table({test::gemm_layer("l", {.groups = 1, .r = 4, .p = 4, .c = 4})}, test::small_npu(), npu::Mode::r,
              8) {
    for (const double date : arrivals) queue.push_back(window.push({.arrival_s = date}));
  }

  [[nodiscard]] scheduler::ServerView at(double now_s) const {
    return {.now_s = now_s,
            .slo = {.latency_s = 1},
            .table = table,
            .requests = scheduler::KnownRequests(window),
            .queue = queue};
  }

  npu::BatchPolicyTable table;
  scheduler::RequestWindow window;
  std::vector<scheduler::RequestId> queue;
};

scheduler::PolicyTraits traits_of(const char* name, std::vector<double> values) {
  const scheduler::PolicyInfo* info = scheduler::find_policy(name);
  REQUIRE(info != nullptr);
  return info->traits(scheduler::ParameterValues(info->parameters, std::move(values)));
}

std::unique_ptr<scheduler::Policy> make(const char* name, std::vector<double> values,
                                        const std::vector<double>& exit_rates = {}) {
  const scheduler::PolicyInfo* info = scheduler::find_policy(name);
  REQUIRE(info != nullptr);
  return info->make(scheduler::ParameterValues(info->parameters, std::move(values)),
                    {.exit_rates = exit_rates});
}

}  // namespace

TEST_CASE("serial starts one request at a time", "[scheduler]") {
  const auto policy = make("serial", {});
  CHECK(traits_of("serial", {}).max_batch == 1);
  const HandMade server({1, 2, 3});
  const Decision decision = policy->decide(server.at(3));
  CHECK(decision.action == Decision::Action::start);
  CHECK(decision.samples == 1);
}

TEST_CASE("dynamic batching", "[scheduler]") {
  const auto policy = make("dynamic_batching", {4, 500});  // max_batch, max_queue_delay_ms
  CHECK(traits_of("dynamic_batching", {4, 500}).max_batch == 4);

  SECTION("waits until the oldest request's delay is over") {
    const Decision decision = policy->decide(HandMade({1, 1.2}).at(1.2));
    CHECK(decision.action == Decision::Action::wait_until);
    CHECK(decision.date_s == 1.5);
  }
  SECTION("starts what there is at that very date") {
    const Decision decision = policy->decide(HandMade({1, 1.2}).at(1.5));
    CHECK(decision.action == Decision::Action::start);
    CHECK(decision.samples == 2);
  }
  SECTION("starts a full batch at once") {
    const Decision decision = policy->decide(HandMade({1, 1.1, 1.2, 1.3, 1.3}).at(1.3));
    CHECK(decision.action == Decision::Action::start);
    CHECK(decision.samples == 4);
  }
  SECTION("greedy with no delay") {
    const Decision decision = make("dynamic_batching", {4, 0})->decide(HandMade({1}).at(1));
    CHECK(decision.action == Decision::Action::start);
    CHECK(decision.samples == 1);
  }
}

namespace {

/// A measured table of three segments, the first of two layers, for batches 1 to 4; and requests in flight.
///
///     layer   a    b  | c  | d        seconds at batch b: 1 + (b - 1) / 4 of what it takes at batch 1
///     b = 1   1    2  | 4  | 8
struct InFlight {
  InFlight() : table(layers(), latencies()) {}

  static std::vector<npu::Layer> layers() {
    std::vector<npu::Layer> all;
    all.reserve(4);
    const std::vector<std::pair<const char*, int>> names{{"a", 0}, {"b", 0}, {"c", 1}, {"d", 2}};
    for (const auto& [name, segment] : names) {
      all.push_back(test::gemm_layer(name, {.groups = 1, .r = 1, .p = 1, .c = 1}, segment));
    }
    return all;
  }
  static Eigen::ArrayXXd latencies() {
    Eigen::ArrayXXd seconds(4, 4);
    for (int l = 0; l < 4; ++l) {
      for (int b = 0; b < 4; ++b) seconds(l, b) = (1 << l) * (1 + b / 4.0);
    }
    return seconds;
  }

  /// Adds a batch of requests that arrived at the given dates.
  void batch(int next_layer, const std::vector<double>& arrivals, int exit = 2) {
    scheduler::Batch added;
    added.next_layer = next_layer;
    for (const double date : arrivals) added.samples.push_back(request(date, exit));
    stack.push_back(added);
    queued.clear();
  }
  void queue(const std::vector<double>& arrivals, int exit = 2) {
    for (const double date : arrivals) queued.push_back(request(date, exit));
  }
  scheduler::RequestId request(double arrival_s, int exit) {
    scheduler::Request added;
    added.arrival_s = arrival_s;
    added.exit = exit;
    return window.push(added);
  }

  [[nodiscard]] scheduler::ServerView at(double now_s, double slo_s, bool someone_left = false) const {
    return {.now_s = now_s,
            .slo = {.latency_s = slo_s},
            .table = table,
            .requests = scheduler::KnownRequests(window),
            .queue = queued,
            .stack = stack,
            .someone_left = someone_left,
            .oracle = scheduler::ExitOracle(window)};
  }

  npu::BatchPolicyTable table;
  scheduler::RequestWindow window;
  std::vector<scheduler::RequestId> queued;
  std::vector<scheduler::Batch> stack;
};

using Refusal = Decision::Refusal;
constexpr double kNoSlo = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("lazy batching: the slack of all in flight", "[scheduler]") {
  const auto policy = make("lazy_batching", {4, 1});
  CHECK(traits_of("lazy_batching", {4, 1}).boundary == scheduler::Boundary::layer);
  InFlight server;
  SECTION("an idle NPU starts what there is, without a test") {
    server.queue({0, 0, 0, 0, 0});
    const Decision decision = policy->decide(server.at(100, 1));
    CHECK(decision.action == Decision::Action::start);
    CHECK(decision.samples == 4);
  }
  // One request, arrived at 0, before layer c at 3: 12 s of work left. Each newcomer brings 15 s.
  server.batch(2, {0});
  server.queue({1, 2});
  SECTION("as many as the oldest request's slack allows") {
    CHECK(policy->decide(server.at(3, 3 + 12 + 2 * 15)).samples == 2);
    CHECK(policy->decide(server.at(3, 3 + 12 + 2 * 15 - 0.001)).samples == 1);
    CHECK(policy->decide(server.at(3, 3 + 12 + 15)).samples == 1);  // an exact tie is in time
  }
  SECTION("none, for the SLO's sake") {
    const Decision decision = policy->decide(server.at(3, 3 + 12 + 15 - 0.001));
    CHECK(decision.action == Decision::Action::go_on);
    CHECK(decision.refusal == Refusal::slo);
  }
  SECTION("once somebody is late the test is skipped") {
    CHECK(policy->decide(server.at(3, 2.9)).samples == 2);
    CHECK(policy->decide(server.at(3, 0)).samples == 2);
  }
  SECTION("no more in flight than max_batch, over the whole stack") {
    server.stack.clear();
    server.batch(3, {0, 0});
    server.batch(1, {1});
    server.queue({5, 5, 5});
    CHECK(policy->decide(server.at(6, kNoSlo)).samples == 1);
    server.stack.back().samples.push_back(0);
    CHECK(policy->decide(server.at(6, kNoSlo)).action == Decision::Action::go_on);
  }
}

TEST_CASE("exit-aware: what a preemption gains, from the formulas", "[scheduler]") {
  enum { kMaxBatch, kTrigger, kSlack, kKnowledge, kDepth, kDecideAt, kObjective };
  std::vector<double> values{4, 0, 0, 0, 1, 0, 0};
  const std::vector<double> rates{0.5, 0.25};
  InFlight server;
  // Two samples wait before segment 1; one newcomer. Segment latencies at b: 3, 4, 8 times 1 + (b - 1) / 4.
  server.batch(2, {0, 0}, 2);
  server.queue({3});
  const double c_t = 4 * 1.25 + 8 * 1.125;  // T_C: 2 samples, then 1.5 (linear between 8 and 10)
  const double c_f = 4 * 1.25 + 0.75 * 8 * 1.125;
  const double n_f = 3 + 0.5 * (0.5 * 4) + 0.375 * (0.375 * 8);  // below one sample: b L(1)
  const double p_t = 3;
  const double m_t = 4 * 1.375 + 8 * (1 + 0.875 / 4);  // 2.5 samples, then 1.875
  const double m_f = 4 * 1.375 + 0.75 * 8 * (1 + 0.875 / 4);
  const double go_on = 2 * c_f + (c_t + n_f);
  const double preempt = 2 * (p_t + m_f) + p_t + 0.5 * m_f;
  CHECK(go_on == 42.625);      // 2 x 11.75 + 14 + 5.125
  CHECK(preempt == 41.03125);  // 2 (3 + 12.8125) + 3 + 0.5 x 12.8125

  SECTION("preempts where the expected sum of latencies gets smaller") {
    const Decision decision = make("exit_aware", values, rates)->decide(server.at(9, kNoSlo));
    CHECK(decision.action == Decision::Action::preempt);
    CHECK(decision.samples == 1);
  }
  SECTION("not where it does not") {
    // Nobody exits. Two samples take 4 x 1.25 + 8 x 1.25 = 15 s to the end, three 4 x 1.5 + 8 x 1.5 = 18 s,
    // the newcomer 3 s to the boundary and 15 s alone: J_c = 2 x 15 + (15 + 15) = 60 s, and
    // J_p = 2 (3 + 18) + 3 + 18 = 63 s.
    values[kKnowledge] = 2;
    const Decision decision = make("exit_aware", values, rates)->decide(server.at(9, kNoSlo));
    CHECK(decision.action == Decision::Action::go_on);
    CHECK(decision.refusal == Refusal::no_gain);
  }
  SECTION("an active request that would be in time must stay so, an exact tie included") {
    const auto policy = make("exit_aware", values, rates);
    CHECK(policy->decide(server.at(9, 9 + p_t + m_t)).action == Decision::Action::preempt);
    const Decision refused = policy->decide(server.at(9, 9 + p_t + m_t - 0.001));
    CHECK(refused.action == Decision::Action::go_on);
    CHECK(refused.refusal == Refusal::slo);
    // One that would be late either way does not count.
    CHECK(policy->decide(server.at(9, 9 + c_t - 0.001)).action == Decision::Action::preempt);
  }
  SECTION("worst case: the test of deadlines does not count on exits") {
    values[kSlack] = 1;
    const auto policy = make("exit_aware", values, rates);
    const double worst = 3 + 4 * 1.5 + 8 * 1.5;
    CHECK(policy->decide(server.at(9, 9 + worst)).action == Decision::Action::preempt);
    CHECK(policy->decide(server.at(9, 9 + worst - 0.001)).refusal == Refusal::slo);
  }
  SECTION("oracle: the exits of the samples at hand") {
    values[kKnowledge] = 1;
    const auto policy = make("exit_aware", values, rates);
    // The newcomer leaves at exit 0: it never catches up, and is out of the way in 3 s. The two take 15 s:
    // J_c = 2 x 15 + (15 + 3) = 48 s, J_p = 2 (3 + 15) + 3 = 39 s.
    InFlight short_one;
    short_one.batch(2, {0, 0}, 2);
    short_one.queue({3}, 0);
    CHECK(policy->decide(short_one.at(9, kNoSlo)).action == Decision::Action::preempt);
  }
  SECTION("one batch may be suspended, or as many as the depth") {
    server.batch(2, {3});
    server.queue({4});
    CHECK(make("exit_aware", values, rates)->decide(server.at(9, kNoSlo)).action == Decision::Action::go_on);
    values[kDepth] = 2;
    CHECK(make("exit_aware", values, rates)->decide(server.at(9, kNoSlo)).action ==
          Decision::Action::preempt);
  }
  SECTION("trigger exit_event: only where a sample has just left") {
    values[kTrigger] = 1;
    const auto policy = make("exit_aware", values, rates);
    CHECK(policy->decide(server.at(9, kNoSlo)).action == Decision::Action::go_on);
    CHECK(policy->decide(server.at(9, kNoSlo, true)).action == Decision::Action::preempt);
  }
  SECTION("no room, no preemption; an idle NPU starts at once") {
    server.stack.back().samples = {0, 0, 0, 0};
    CHECK(make("exit_aware", values, rates)->decide(server.at(9, kNoSlo)).action == Decision::Action::go_on);
    server.stack.clear();
    CHECK(make("exit_aware", values, rates)->decide(server.at(9, kNoSlo)).action == Decision::Action::start);
  }
}

TEST_CASE("clockwork: the largest power of two that is in time; drops what is late for it", "[scheduler]") {
  const auto policy = make("clockwork", {4});
  InFlight server;  // all layers: 15, 18.75, 22.5, 26.25 s
  server.queue({0, 1, 2, 3, 4});
  const auto decide = [&](double now_s, double slo_s) { return policy->decide(server.at(now_s, slo_s)); };
  CHECK(decide(4, kNoSlo).samples == 4);
  CHECK(decide(4, 30.25).samples == 4);  // the oldest: 4 + 26.25
  CHECK(decide(4, 30.25).action == Decision::Action::start);
  CHECK(decide(4, 29.5).action == Decision::Action::drop);  // four of five make it: the oldest goes
  CHECK(decide(4, 29.5).samples == 1);
  CHECK(decide(4, 23).samples == 2);  // pairs take 18.75
  CHECK(decide(4, 23).action == Decision::Action::start);
  CHECK(decide(4, 14).action == Decision::Action::drop);
  CHECK(decide(4, 14).samples == 5);
}

TEST_CASE("deferred batching: the latest moment at which one more would fit", "[scheduler]") {
  const auto policy = make("deferred_batching", {3});
  InFlight server;
  server.queue({1, 2});
  const Decision waits = policy->decide(server.at(2, 40));
  CHECK(waits.action == Decision::Action::wait_until);
  CHECK(waits.date_s == 1 + 40 - 22.5);  // three samples take 22.5 s
  CHECK(policy->decide(server.at(18.5, 40)).action == Decision::Action::start);
  CHECK(policy->decide(server.at(2, kNoSlo)).action == Decision::Action::start);
  server.queue({2});
  CHECK(policy->decide(server.at(2, 40)).samples == 3);  // full
}

TEST_CASE("policies are found by name", "[scheduler]") {
  CHECK(scheduler::find_policy("no_such_policy") == nullptr);
  std::string last;
  for (const scheduler::PolicyInfo& info : scheduler::all_policies()) {
    CHECK(info.name > last);
    CHECK_FALSE(info.summary.empty());
    for (const scheduler::Parameter& parameter : info.parameters) {
      if (!parameter.optional()) CHECK(parameter.min <= parameter.default_value);
      if (!parameter.optional()) CHECK(parameter.default_value <= parameter.max);
      CHECK_FALSE(parameter.meaning.empty());
    }
    last = info.name;
  }
  CHECK_THROWS_AS(scheduler::PolicyRegistration(
                      {.name = "serial", .summary = "", .parameters = {}, .traits = {}, .make = {}}),
                  std::logic_error);
  const scheduler::ParameterValues values({scheduler::max_batch_parameter()}, {8});
  CHECK(values.integer("max_batch") == 8);
  CHECK_THROWS_AS(values.number("max_bach"), std::logic_error);
}

TEST_CASE("the request window keeps its requests while it grows and turns", "[scheduler]") {
  scheduler::RequestWindow window;
  for (int i = 0; i < 1000; ++i) {
    CHECK(window.push({.arrival_s = static_cast<double>(i)}) == static_cast<scheduler::RequestId>(i));
    if (i % 3 == 0) window.pop_first();
  }
  for (scheduler::RequestId id = window.first(); id != window.end(); ++id) {
    REQUIRE(window[id].arrival_s == static_cast<double>(id));
  }
}
