// Arbiters, on hand-made views: the rule of each, ties, and who may push whom off.
#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler/arbitration.h"
#include "scheduler/registry.h"
#include "tests/support/hand_made_site.h"

using namespace fluidbatch;
using namespace fluidbatch::scheduler;
using Site = test::HandMadeSite;
using test::make_arbiter;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Order = std::vector<std::size_t>;

/// Ranks as they come, by service.
class Ranked final : public Arbiter {
 public:
  explicit Ranked(std::vector<double> ranks) : ranks_(std::move(ranks)) {}
  double rank(const ArbiterView& /*view*/, const Contender& contender) const override {
    return ranks_[contender.service];
  }
  std::unique_ptr<Arbiter> clone() const override { return std::make_unique<Ranked>(*this); }

 private:
  std::vector<double> ranks_;
};

Order order_of(const std::vector<double>& ranks, const std::vector<double>& arrivals) {
  Site site;
  for (const double date_s : arrivals) site.service(1, {date_s});
  Ranked arbiter(ranks);
  return site.order(arbiter, 10);
}

}  // namespace

TEST_CASE("the smaller rank goes first, ties to who came first and then to who stands first", "[arbiters]") {
  CHECK(order_of({3, 1, 2}, {0, 0, 0}) == Order{1, 2, 0});
  CHECK(order_of({1, 1, 1}, {2, 1, 1}) == Order{1, 2, 0});
  CHECK(order_of({1 + 0.9e-9, 1, 1}, {0, 1, 1}) == Order{0, 1, 2});  // within the tolerance
  CHECK(order_of({1 + 0.9e-9, 1, 1}, {1, 1, 1}) == Order{0, 1, 2});
  CHECK(order_of({1 + 1.1e-9, 1, 1}, {0, 1, 1}) == Order{1, 2, 0});
  CHECK(order_of({kInfinity, kInfinity, 5}, {2, 1, 3}) == Order{2, 1, 0});
  CHECK(order_of({-kInfinity, 0, -kInfinity}, {2, 0, 1}) == Order{2, 0, 1});
  // 0 and 2 are further apart than the tolerance: all is held against the smallest.
  CHECK(order_of({0, 0.8e-9, 1.6e-9}, {2, 1, 0}) == Order{1, 0, 2});
}

TEST_CASE("the order does not depend on the order in which heads are given", "[arbiters]") {
  const Site site;
  const Ranked arbiter({0, 0.8e-9, 1.6e-9});
  std::vector<Contender> heads{
      {.service = 0, .arrival_s = 2}, {.service = 1, .arrival_s = 1}, {.service = 2, .arrival_s = 0}};
  do {
    CHECK(heads[first_in_order(arbiter, site.at(3), heads)].service == 1);
  } while (std::next_permutation(heads.begin(), heads.end(), [](const Contender& a, const Contender& b) {
    return a.service < b.service;
  }));
}

TEST_CASE("strictly before is by rank alone", "[arbiters]") {
  const Site site;
  const Ranked arbiter({1, 1 + 0.9e-9, 1 + 1.1e-9, kInfinity, kInfinity});
  const auto before = [&](std::size_t head, std::size_t in_flight) {
    return is_strictly_before(arbiter, site.at(9), {.service = head, .arrival_s = 1},
                              {.service = in_flight, .arrival_s = 2});
  };
  CHECK_FALSE(before(0, 0));
  CHECK_FALSE(before(0, 1));
  CHECK(before(0, 2));
  CHECK_FALSE(before(2, 0));
  CHECK(before(0, 3));
  CHECK_FALSE(before(3, 4));
  const std::vector<Contender> late{{.service = 2}, {.service = 3}};
  const std::vector<Contender> mixed{{.service = 2}, {.service = 1}};
  CHECK(is_strictly_before_all(arbiter, site.at(9), {.service = 0}, late));
  CHECK_FALSE(is_strictly_before_all(arbiter, site.at(9), {.service = 0}, mixed));
}

TEST_CASE("a rank that is not a number is the arbiter's mistake", "[arbiters]") {
  Site site;
  site.service(1, {0});
  site.service(1, {0});
  Ranked arbiter({0, std::numeric_limits<double>::quiet_NaN()});
  CHECK_THROWS_AS(site.order(arbiter, 1), PolicyError);
  CHECK_THROWS_AS(is_strictly_before(arbiter, site.at(1), {.service = 0}, {.service = 1}), PolicyError);
}

TEST_CASE("arbiters are found by name, registered once, and say whether they may preempt", "[arbiters]") {
  CHECK(find_arbiter("priorit") == nullptr);
  CHECK_THROWS_AS(add_arbiter(*find_arbiter("priority")), std::logic_error);
  std::string preempting;
  for (const ArbiterInfo& info : all_arbiters()) {
    if (info.may_preempt) preempting += info.name + " ";
  }
  CHECK(preempting == "earliest_deadline least_slack prema priority ");
  const LoadedPlugin loaded = registered_by([] {
    const ArbiterRegistration arbiter(*find_arbiter("priority"));
    const RouterRegistration router(*find_router("random"));
    const ArbiterRegistration other(*find_arbiter("priority"), "another interface");
  });
  REQUIRE(loaded.arbiters.size() == 1);
  REQUIRE(loaded.routers.size() == 1);
  CHECK(loaded.arbiters[0].name == "priority");
  CHECK(loaded.routers[0].name == "random");
  CHECK(loaded.other_interface == "another interface");
}

TEST_CASE("oldest_first and priority", "[arbiters]") {
  Site site;
  site.service(1, {3}).priority = 1;
  site.service(9, {1, 2});
  site.service(5, {}).priority = 7;  // nobody there
  site.service(4, {3}).priority = 1;
  site.service(2, {0}).priority = -1;
  CHECK(site.order(*make_arbiter("oldest_first"), 4) == Order{4, 1, 0, 3});
  CHECK(site.order(*make_arbiter("priority"), 4) == Order{0, 3, 1, 4});
}

TEST_CASE("earliest_deadline and least_slack", "[arbiters]") {
  Site site;
  site.service(1, {0}, 10);      // due at 10, slack at 4: 6 - 1
  site.service(8, {1}, 11);      // due at 12, slack 8 - 8
  site.service(2, {2}, 8);       // due at 10, slack 6 - 2
  site.service(3, {0});          // never due
  site.service(6, {1.5}, 10.5);  // due at 12, slack 8 - 6
  CHECK(site.order(*make_arbiter("earliest_deadline"), 4) == Order{0, 2, 1, 4, 3});
  CHECK(site.order(*make_arbiter("least_slack"), 4) == Order{1, 4, 2, 0, 3});
  // Who has been late for long is first; in flight the whole network counts, whatever of it has run.
  const auto slack = make_arbiter("least_slack");
  CHECK(slack->rank(site.at(20), {.service = 0, .arrival_s = 0, .deadline_s = 10}) == -11);
  CHECK(slack->rank(site.at(4),
                    {.service = 1, .arrival_s = 1, .deadline_s = 12, .served_s = 2, .done_s = 5}) == 0);
}

TEST_CASE("shortest_first goes by all layers at batch 1", "[arbiters]") {
  Site site;
  site.service((Eigen::ArrayXXd(2, 2) << 1, 9, 3, 9).finished(), {0});  // 4 s alone
  site.service((Eigen::ArrayXXd(1, 2) << 3, 50).finished(), {3, 3, 3});
  site.service(4, {0});
  CHECK(site.order(*make_arbiter("shortest_first"), 5) == Order{1, 0, 2});
}

TEST_CASE("round_robin goes on after who was last served", "[arbiters]") {
  Site site;
  for (int i = 0; i < 4; ++i) site.service(1, {static_cast<double>(-i)});
  const auto arbiter = make_arbiter("round_robin");
  CHECK(site.order(*arbiter, 1) == Order{0, 1, 2, 3});
  site.last_served = 1;
  CHECK(site.order(*arbiter, 1) == Order{2, 3, 0, 1});
  site.last_served = 3;
  CHECK(site.order(*arbiter, 1) == Order{0, 1, 2, 3});
  Site alone;
  alone.service(1, {0});
  CHECK(alone.order(*arbiter, 1) == Order{0});
  alone.last_served = 0;
  CHECK(alone.order(*arbiter, 1) == Order{0});
}

TEST_CASE("fair_share gives the NPU to who has had least of it for its weight", "[arbiters]") {
  Site site;
  site.service(1, {3}).npu_time_s = 6;
  ServiceView& heavy = site.service(1, {2});
  heavy.npu_time_s = 12;
  heavy.weight = 3;
  site.service(1, {1}).npu_time_s = 4;
  site.service(1, {0}).npu_time_s = 4 + 2e-9;
  CHECK(site.order(*make_arbiter("fair_share"), 4) == Order{2, 1, 3, 0});
}
