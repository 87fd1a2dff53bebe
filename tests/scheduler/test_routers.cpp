// Routers, on hand-made views of a fleet: the rule of each, and ties.
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler/registry.h"

using namespace fluidbatch::scheduler;

namespace {

/// Servers with what a case gives them; draws come from a list.
struct Fleet final : FleetView {
  explicit Fleet(std::size_t servers) : count(servers) {}

  std::size_t servers() const override { return count; }
  double now_s() const override { return 1; }
  std::size_t service() const override { return 0; }
  double deadline_s() const override { return deadline; }
  std::size_t in_system(std::size_t server) const override { return requests.at(server); }
  double remaining_work_s(std::size_t server) const override { return work_s.at(server); }
  double earliest_finish_s(std::size_t server) const override { return finish_s.at(server); }
  std::size_t draw(std::size_t below) const override {
    belows.push_back(below);
    return draws.at(belows.size() - 1);
  }

  std::size_t count;
  double deadline = std::numeric_limits<double>::infinity();
  std::vector<std::size_t> requests = {};
  std::vector<double> work_s = {};
  std::vector<double> finish_s = {};
  std::vector<std::size_t> draws = {};
  mutable std::vector<std::size_t> belows = {};
};

std::unique_ptr<Router> make(const std::string& name) {
  const RouterInfo* info = find_router(name);
  REQUIRE(info != nullptr);
  return info->make(ParameterValues(info->parameters, {}));
}

std::size_t by_requests(const std::vector<std::size_t>& requests) {
  Fleet fleet(requests.size());
  fleet.requests = requests;
  return make("join_shortest_queue")->route(fleet);
}

std::size_t by_work(const std::vector<double>& work_s) {
  Fleet fleet(work_s.size());
  fleet.work_s = work_s;
  return make("least_work")->route(fleet);
}

std::size_t by_finish(const char* name, const std::vector<double>& finish_s, double deadline_s) {
  Fleet fleet(finish_s.size());
  fleet.finish_s = finish_s;
  fleet.deadline = deadline_s;
  return make(name)->route(fleet);
}

}  // namespace

TEST_CASE("routers are found by name, and registered once", "[routers]") {
  CHECK(all_routers().size() == 7);
  CHECK(find_router("randon") == nullptr);
  CHECK_THROWS_AS(add_router(*find_router("random")), std::logic_error);
}

TEST_CASE("round_robin takes turns, and a copy goes on from where it is", "[routers]") {
  const Fleet fleet(3);
  const auto router = make("round_robin");
  CHECK(router->route(fleet) == 0);
  CHECK(router->route(fleet) == 1);
  const auto copy = router->clone();
  for (Router* each : {router.get(), copy.get()}) {
    CHECK(each->route(fleet) == 2);
    CHECK(each->route(fleet) == 0);
  }
  const Fleet alone(1);
  const auto only = make("round_robin");
  for (int i = 0; i < 3; ++i) CHECK(only->route(alone) == 0);
}

TEST_CASE("random draws one of all", "[routers]") {
  Fleet fleet(5);
  fleet.draws = {3, 0};
  const auto router = make("random");
  CHECK(router->route(fleet) == 3);
  CHECK(router->route(fleet) == 0);
  CHECK(fleet.belows == std::vector<std::size_t>{5, 5});
}

TEST_CASE("join_shortest_queue", "[routers]") {
  CHECK(by_requests({3, 2, 4}) == 1);
  CHECK(by_requests({3, 2, 2}) == 1);
  CHECK(by_requests({1, 0, 0}) == 1);
  CHECK(by_requests({2, 2, 1}) == 2);
  CHECK(by_requests({7}) == 0);
}

TEST_CASE("power_of_two draws two different servers", "[routers]") {
  Fleet fleet(4);
  fleet.requests = {5, 3, 3, 1};
  const auto routed = [&](std::size_t first, std::size_t second) {
    fleet.draws = {first, second};
    fleet.belows.clear();
    const std::size_t server = make("power_of_two")->route(fleet);
    CHECK(fleet.belows == std::vector<std::size_t>{4, 3});
    return server;
  };
  CHECK(routed(0, 0) == 1);  // 0 and 1
  CHECK(routed(1, 0) == 1);  // 1 and 0
  CHECK(routed(2, 1) == 1);  // 2 and 1: a tie
  CHECK(routed(1, 1) == 1);  // 1 and 2
  CHECK(routed(0, 2) == 3);  // 0 and 3
  CHECK(routed(3, 2) == 3);  // 3 and 2
  Fleet alone(1);
  CHECK(make("power_of_two")->route(alone) == 0);
  CHECK(alone.belows.empty());
}

TEST_CASE("each pair of servers is equally likely to power_of_two", "[routers]") {
  std::map<std::pair<std::size_t, std::size_t>, int> pairs;
  for (std::size_t first = 0; first < 4; ++first) {
    for (std::size_t second = 0; second < 3; ++second) {
      // Who is looked at: the one that wins when all others have more, and the one that wins then.
      std::vector<std::size_t> looked_at;
      for (std::size_t server = 0; server < 4; ++server) {
        Fleet fleet(4);
        fleet.requests = {9, 9, 9, 9};
        fleet.requests[server] = 1;
        fleet.draws = {first, second};
        if (make("power_of_two")->route(fleet) != server) continue;
        fleet.requests[server] = 20;
        fleet.belows.clear();
        if (make("power_of_two")->route(fleet) != server) looked_at.push_back(server);
      }
      REQUIRE(looked_at.size() == 2);
      ++pairs[{looked_at[0], looked_at[1]}];
    }
  }
  CHECK(pairs.size() == 6);
  for (const auto& [pair, times] : pairs) CHECK(times == 2);
}

TEST_CASE("least_work, ties to the lower number", "[routers]") {
  CHECK(by_work({3, 2, 4}) == 1);
  CHECK(by_work({2 + 0.9e-9, 2, 2}) == 0);
  CHECK(by_work({2 + 1.1e-9, 2, 2}) == 1);
  CHECK(by_work({0, 0}) == 0);
}

TEST_CASE("earliest_finish does not look at deadlines", "[routers]") {
  CHECK(by_finish("earliest_finish", {5, 4, 3, 3}, 1) == 2);
  CHECK(by_finish("earliest_finish", {5, 4 + 0.9e-9, 4}, 100) == 1);
}

TEST_CASE("most_loaded_that_fits", "[routers]") {
  const auto routed = [](const std::vector<double>& finish_s, double deadline_s) {
    return by_finish("most_loaded_that_fits", finish_s, deadline_s);
  };
  CHECK(routed({3, 5, 9, 4}, 6) == 1);  // 9 is too late
  CHECK(routed({9, 3, 5, 4}, 6) == 2);
  CHECK(routed({3, 5, 9, 4}, 2.9) == 0);         // nobody is in time
  CHECK(routed({3, 5, 9, 4}, 9) == 2);           // in time to the date
  CHECK(routed({3, 5, 9, 4}, 9 - 0.9e-9) == 2);  // and within the tolerance
  CHECK(routed({3, 5, 9, 4}, 9 - 1.1e-9) == 1);
  CHECK(routed({3, 5 - 0.9e-9, 5, 4}, 6) == 1);  // a tie of the latest
  CHECK(routed({7 + 0.9e-9, 8, 7}, 6) == 0);     // and of the earliest
  CHECK(routed({3, 5}, std::numeric_limits<double>::infinity()) == 1);
}

TEST_CASE("routers' copies route alike", "[routers]") {
  Fleet fleet(3);
  fleet.requests = {4, 2, 3};
  fleet.work_s = {1, 2, 0.5};
  fleet.finish_s = {7, 9, 8};
  fleet.draws = std::vector<std::size_t>(100, 1);
  for (const RouterInfo& info : all_routers()) {
    const auto router = make(info.name);
    const std::size_t before = router->route(fleet);
    const auto copy = router->clone();
    for (int i = 0; i < 3; ++i) {
      INFO(info.name << ' ' << before);
      CHECK(copy->route(fleet) == router->route(fleet));
    }
  }
}
