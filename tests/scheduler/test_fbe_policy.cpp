// The policy that acts by a table of decisions, on hand-made views.
#include <limits>
#include <memory>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler/optimum/fbe_policy.h"
#include "scheduler/registry.h"
#include "tests/support/measured_table.h"

using namespace fluidbatch;
using scheduler::Decision;
using scheduler::FbeTable;

namespace {

constexpr double kNoSlo = std::numeric_limits<double>::infinity();

/// Three segments, which take 2, 3 and 4 s for one, and half a second more for each further sample.
struct Server {
  Server() {
    Eigen::ArrayXXd latencies_s(3, 4);
    latencies_s << 2, 2.5, 3, 3.5, 3, 3.5, 4, 4.5, 4, 4.5, 5, 5.5;
    table = std::make_unique<npu::BatchPolicyTable>(test::measured_table(latencies_s));
    for (int i = 0; i < 20; ++i) ids.push_back(requests.push({.arrival_s = 0, .sent_s = 0}));
  }

  /// With `queued` in the queue; `stack`: samples and next layer of each batch.
  scheduler::ServerView view(std::size_t queued, const std::vector<std::pair<int, int>>& stack,
                             double slo_s = kNoSlo, double now_s = 10) {
    batches.clear();
    for (const auto& [samples, next_layer] : stack) {
      scheduler::Batch batch;
      batch.samples.assign(ids.end() - samples, ids.end());
      batch.next_layer = next_layer;
      batches.push_back(batch);
    }
    return {.now_s = now_s,
            .slo = {.latency_s = slo_s},
            .table = *table,
            .requests = scheduler::KnownRequests(requests),
            .queue = std::span(ids).first(queued),
            .stack = batches};
  }

  std::unique_ptr<npu::BatchPolicyTable> table;
  scheduler::RequestWindow requests;
  std::vector<scheduler::RequestId> ids;
  std::vector<scheduler::Batch> batches;
};

/// Starts from two on; lets one newcomer catch up with one before segment 1, and two with one before 2 where
/// three are queued.
std::shared_ptr<const FbeTable> some_table() {
  FbeTable table(3, 4, 3);
  table.set_newcomers({.queue = 2}, 2);
  table.set_newcomers({.queue = 3}, 3);
  for (int queue = 1; queue <= 3; ++queue)
    table.set_newcomers({.queue = queue, .active = 1, .segment = 1}, 1);
  table.set_newcomers({.queue = 3, .active = 1, .segment = 2}, 2);
  return std::make_shared<const FbeTable>(table);
}

}  // namespace

TEST_CASE("a table of decisions is acted by", "[scheduler]") {
  Server server;
  const auto policy = scheduler::make_fbe_policy(some_table());
  const auto copy = policy->clone();
  const auto decide = [&](const scheduler::ServerView& view) {
    const Decision decision = policy->decide(view);
    CHECK(copy->decide(view) == decision);
    return decision;
  };
  CHECK(decide(server.view(1, {})) == Decision::wait_for_arrival(1));
  CHECK(decide(server.view(2, {})) == Decision::start(2));
  CHECK(decide(server.view(9, {})) == Decision::start(3));  // as with the longest queue
  CHECK(decide(server.view(1, {{1, 1}})) == Decision::preempt(1));
  const Decision no_gain = Decision::go_on(Decision::Refusal::no_gain);
  CHECK(decide(server.view(2, {{1, 2}})) == no_gain);
  CHECK(decide(server.view(3, {{1, 2}})) == Decision::preempt(2));
  CHECK(decide(server.view(9, {{1, 2}})) == Decision::preempt(2));
  CHECK(decide(server.view(9, {{2, 2}})) == no_gain);
}

TEST_CASE("in states that a table doesn't have the active batch goes on", "[scheduler]") {
  Server server;
  const auto policy = scheduler::make_fbe_policy(some_table());
  CHECK(policy->decide(server.view(3, {{1, 2}, {1, 1}})) == Decision::go_on());  // somebody is suspended
  CHECK(policy->decide(server.view(3, {{1, 0}})) == Decision::go_on());          // at no boundary
  CHECK(policy->decide(server.view(3, {{4, 1}})) == Decision::go_on());          // no room
  CHECK(policy->decide(server.view(3, {{6, 1}})) == Decision::go_on());
  const auto small = scheduler::make_fbe_policy(std::make_shared<const FbeTable>(2, 4, 1));
  CHECK(small->decide(server.view(3, {{1, 2}})) == Decision::go_on());
}

TEST_CASE("the guard forbids preemptions that make somebody late", "[scheduler]") {
  Server server;
  const auto guarded = scheduler::make_guarded_fbe_policy(some_table(), {0, 0});
  const auto bold = scheduler::make_fbe_policy(some_table());
  // At 10 s one alone before segment 1 is ready at 17; after one newcomer's segment 0 (2 s) both are at 20.
  const auto view = [&](double slo_s) { return server.view(1, {{1, 1}}, slo_s); };
  CHECK(guarded->decide(view(20.5)) == Decision::preempt(1));
  CHECK(guarded->decide(view(19.5)) == Decision::go_on(Decision::Refusal::slo));
  CHECK(bold->decide(view(19.5)) == Decision::preempt(1));
  CHECK(guarded->decide(view(16.5)) == Decision::preempt(1));  // late anyway
  // Where half of them leave before segment 1, the merged batch is expected to take 3.25 + 4.25 s.
  const auto with_exits = scheduler::make_guarded_fbe_policy(some_table(), {0.5, 0});
  CHECK(with_exits->decide(view(19.6)) == Decision::preempt(1));
  CHECK(with_exits->decide(view(19.4)) == Decision::go_on(Decision::Refusal::slo));
}

TEST_CASE("what a policy acts by is made before the run, or refused with the reason", "[scheduler]") {
  const Server server;
  const scheduler::PolicyInfo& optimal = *scheduler::find_policy("optimal");
  const double none = std::numeric_limits<double>::quiet_NaN();
  const auto decisions = [&](double max_batch, double rate_hz, double of_workload_hz) {
    const scheduler::ParameterValues values(optimal.parameters, {max_batch, rate_hz, 0});
    CHECK(optimal.traits(values).max_batch == max_batch);
    CHECK(optimal.traits(values).boundary == scheduler::Boundary::segment);
    return optimal.decisions(values, {.exit_rates = {0.3, 0.3},
                                      .rate_hz = of_workload_hz,
                                      .latencies = server.table.get(),
                                      .decisions = nullptr});
  };
  CHECK(decisions(3, none, 0.1)->max_batch() == 3);
  CHECK(decisions(3, none, 0.1)->segments() == 3);
  CHECK(decisions(3, 0.1, none)->longest_queue() == decisions(3, none, 0.1)->longest_queue());
  CHECK_THROWS_WITH(decisions(3, none, none), "the workload has no mean rate of arrivals; give rate_hz");
  CHECK_THROWS_WITH(decisions(3, none, 9), Catch::Matchers::Contains("no policy carries 9"));
  CHECK_THROWS_WITH(decisions(3, 9, 0.1), Catch::Matchers::Contains("no policy carries 9"));

  const scheduler::PolicyInfo& table = *scheduler::find_policy("table");
  const scheduler::PolicyContext context{
      .exit_rates = {0, 0}, .rate_hz = none, .latencies = server.table.get(), .decisions = nullptr};
  const scheduler::ParameterValues fits(table.parameters, {0}, some_table());
  CHECK(table.traits(fits).max_batch == 4);
  CHECK(table.decisions(fits, context) == fits.table());
  const scheduler::ParameterValues short_one(table.parameters, {0},
                                             std::make_shared<const FbeTable>(2, 4, 1));
  CHECK_THROWS_WITH(table.decisions(short_one, context),
                    "the table is for 2 segments, and the network has 3");
  CHECK_THROWS_AS(table.traits(scheduler::ParameterValues(table.parameters, {0})), std::logic_error);
}
