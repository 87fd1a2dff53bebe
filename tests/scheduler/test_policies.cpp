// Policies alone, on hand-made views.
#include <limits>

#include <catch2/catch.hpp>

#include "scheduler/policy_registry.h"
#include "tests/support/examples.h"

using namespace fluidbatch;
using scheduler::Decision;

namespace {

/// A server with requests that arrived at the given dates, all still queued.
struct HandMade {
  explicit HandMade(const std::vector<double>& arrivals)
      : table({test::gemm_layer("l", {.groups = 1, .r = 4, .p = 4, .c = 4})}, test::small_npu(), npu::Mode::r,
              8) {
    for (const double date : arrivals) window.push({.arrival_s = date});
  }

  [[nodiscard]] scheduler::ServerView at(double now_s) const {
    return {.now_s = now_s,
            .slo_s = 1,
            .table = table,
            .requests = window,
            .queue_begin = window.first(),
            .queue_end = window.end()};
  }

  npu::BatchPolicyTable table;
  scheduler::RequestWindow window;
};

std::unique_ptr<scheduler::Policy> make(const char* name, std::vector<double> values) {
  const scheduler::PolicyInfo* info = scheduler::find_policy(name);
  REQUIRE(info != nullptr);
  return info->make(scheduler::ParameterValues(info->parameters, std::move(values)), {});
}

}  // namespace

TEST_CASE("serial starts one request at a time", "[scheduler]") {
  const auto policy = make("serial", {});
  CHECK(policy->max_batch() == 1);
  const HandMade server({1, 2, 3});
  const Decision decision = policy->decide(server.at(3));
  CHECK(decision.action == Decision::Action::start);
  CHECK(decision.samples == 1);
}

TEST_CASE("dynamic batching", "[scheduler]") {
  const auto policy = make("dynamic_batching", {4, 500});  // max_batch, max_queue_delay_ms
  CHECK(policy->max_batch() == 4);

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

TEST_CASE("policies are found by name", "[scheduler]") {
  CHECK(scheduler::find_policy("no_such_policy") == nullptr);
  std::string last;
  for (const scheduler::PolicyInfo& info : scheduler::all_policies()) {
    CHECK(info.name > last);
    CHECK_FALSE(info.summary.empty());
    for (const scheduler::Parameter& parameter : info.parameters) {
      CHECK(parameter.min <= parameter.default_value);
      CHECK(parameter.default_value <= parameter.max);
      CHECK_FALSE(parameter.meaning.empty());
    }
    last = info.name;
  }
  CHECK_THROWS_AS(
      scheduler::PolicyRegistration({.name = "serial", .summary = "", .parameters = {}, .make = {}}),
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
