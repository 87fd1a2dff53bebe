// Arrivals and exits that are registered while the program runs.
#include <memory>
#include <stdexcept>
#include <utility>

#include <catch2/catch.hpp>

#include "sim/scenario/builder.h"
#include "sim/tail/feasibility.h"
#include "tests/support/workload_helpers.h"
#include "workloads/traffic/processes.h"

using namespace fluidbatch;
using Catch::Contains;

namespace {

/// One arrival at a date, which is all that a kind's `read` holds.
workloads::ArrivalKind at(const std::shared_ptr<const double>& date_s) {
  return {
      .name = "test_defined", .keys = {}, .read = [date_s](io::MapReader&, const workloads::ArrivalContext&) {
        return workloads::make_recorded({workloads::Arrival::at(*date_s)});
      }};
}

class OneFutureOfDates final : public workloads::ArrivalSpec {
 public:
  std::unique_ptr<workloads::ArrivalStream> start(std::uint64_t seed, std::uint64_t key) const override {
    return workloads::make_poisson(1)->start(seed, key);
  }
  bool splits() const override { return false; }
};

class OneFutureOfExits final : public workloads::ExitSpec {
 public:
  std::unique_ptr<workloads::ExitStream> start(std::uint64_t seed,
                                               const std::vector<std::uint64_t>& device_keys) const override {
    return workloads::make_rates({0.5})->start(seed, device_keys);
  }
  std::vector<double> rates() const override { return {0.5}; }
  bool splits() const override { return false; }
};

sim::ScenarioBuilder two_segments() {
  return std::move(sim::ScenarioBuilder().latencies_s({{1}, {1}}, {0, 1}).system({.policy = "serial"}));
}

}  // namespace

TEST_CASE("a kind that is defined again replaces the earlier one, which lives as long as it is in use") {
  const auto first = std::make_shared<const double>(1);
  const std::weak_ptr<const double> watch = first;
  workloads::define_arrivals(at(first));
  const auto before = test::arrivals_of("{kind: test_defined}");
  workloads::define_arrivals(at(std::make_shared<const double>(2)));
  CHECK(first.use_count() == 1);  // the registry has let go of it
  CHECK(before->start(1, 0)->next_s() == 1);
  CHECK(test::arrivals_of("{kind: test_defined}")->start(1, 0)->next_s() == 2);
  CHECK_THROWS_WITH(test::arrivals_of("{kind: test_defind}"), Contains("did you mean 'test_defined'?"));
}

TEST_CASE("a kind may define itself anew while it is read") {
  const auto once = [](io::MapReader&, const workloads::ArrivalContext&) {
    workloads::define_arrivals(at(std::make_shared<const double>(5)));
    return workloads::make_recorded({workloads::Arrival::at(4)});
  };
  workloads::define_arrivals({.name = "test_defined", .keys = {}, .read = once});
  CHECK(test::arrivals_of("{kind: test_defined}")->start(1, 0)->next_s() == 4);
  CHECK(test::arrivals_of("{kind: test_defined}")->start(1, 0)->next_s() == 5);
}

TEST_CASE("the name of a shipped kind is refused, and the kind stays as it is") {
  workloads::ArrivalKind kind = at(std::make_shared<const double>(3));
  kind.name = "poisson";
  CHECK_THROWS_WITH(workloads::define_arrivals(std::move(kind)),
                    "there is a kind called 'poisson' already; take another name");
  CHECK(test::arrivals_of("{kind: poisson, rate_hz: 7}")->mean_rate_hz() == 7);
  CHECK_THROWS_AS(workloads::define_exits({.name = "rates", .keys = {}, .read = {}}), std::invalid_argument);
}

TEST_CASE("there are no tails of what has one future only") {
  const auto objection = [](sim::ScenarioBuilder scenario) {
    return sim::objection_to_tail(scenario.slo_s(5).build());
  };
  const sim::ArrivalProcess dates = [](const workloads::ArrivalContext&) {
    return std::make_shared<const OneFutureOfDates>();
  };
  const sim::ExitModel exits = [](const workloads::ExitContext&) {
    return std::make_shared<const OneFutureOfExits>();
  };
  const auto poisson = sim::poisson(workloads::Rate::hz(0.1));
  CHECK(!objection(two_segments().arrivals(poisson)));
  const auto of_dates = objection(two_segments().arrivals(dates));
  REQUIRE(of_dates);
  CHECK(of_dates->key == "arrivals");
  CHECK_THAT(of_dates->reason, Contains("one future only"));
  const auto of_exits = objection(two_segments().arrivals(poisson).exits(exits));
  REQUIRE(of_exits);
  CHECK(of_exits->key == "exits");
  CHECK_THAT(of_exits->reason, Contains("one future only"));
}

TEST_CASE("exits that recorded arrivals name and the network does not have are refused with their place") {
  workloads::DeviceGroup group;
  group.arrivals = sim::recorded({{.date_s = 1, .exit = 3}})({});
  const workloads::Devices devices({group});
  CHECK_THROWS_WITH(test::exits_of("{kind: trace}", 3, devices),
                    "c.yaml:1:1: an exit must be a number, from 0 to 2; found 3");
}
