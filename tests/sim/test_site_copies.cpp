// Sites under all drivers, and sites that are copied: the same bytes.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/drive/child_process.h"
#include "sim/drive/message.h"
#include "sim/run/running_site.h"
#include "sim/run/simulation.h"
#include "tests/support/random_sites.h"
#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using sim::RunningSite;

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

/// Rows and statistics of the only system.
std::string end_of(const sim::Scenario& scenario, sim::Driver driver) {
  test::SiteRows rows(scenario);
  const auto statistics =
      sim::simulate(scenario, scenario.systems[0], {.driver = driver, .observers = {&rows}});
  return rows.text() + sim::to_message(statistics);
}

/// The same in a process for each, as SimGrid needs it.
std::vector<std::string> ends_of(const std::vector<sim::Scenario>& scenarios, sim::Driver driver) {
  std::vector<sim::ChildPool::Task> tasks;
  tasks.reserve(scenarios.size());
  for (const sim::Scenario& scenario : scenarios)
    tasks.emplace_back([&scenario, driver] { return end_of(scenario, driver); });
  std::vector<std::string> ends;
  for (sim::ChildOutcome& outcome : sim::run_in_children(tasks, 2, [] {})) {
    outcome.throw_failure();
    ends.push_back(std::move(outcome.text));
  }
  return ends;
}

/// `count` random sites from seed `seed` on; every policy is held to what it says (audit).
void check_drivers(int count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  constexpr int kAtATime = 50;
  for (int first = 0; first < count; first += kAtATime) {
    std::vector<sim::Scenario> sites;
    std::vector<std::string> bare;
    for (int i = 0; i < std::min(kAtATime, count - first); ++i) {
      INFO("site " << first + i << " of seed " << seed);
      sites.push_back(test::random_site(random).build());
      bare.push_back(end_of(sites.back(), sim::Driver::bare));
      sim::Scenario audited = sites.back();
      audited.audit = true;
      CHECK(end_of(audited, sim::Driver::bare) == bare.back());
    }
    for (const sim::Driver driver : {sim::Driver::simgrid, sim::Driver::simgrid_window}) {
      const std::vector<std::string> ends = ends_of(sites, driver);
      REQUIRE(ends.size() == sites.size());
      for (std::size_t i = 0; i < ends.size(); ++i) {
        INFO("site " << first + static_cast<int>(i) << " of seed " << seed << ", driver "
                     << static_cast<int>(driver));
        CHECK(ends[i] == bare[i]);
      }
    }
  }
}

}  // namespace

TEST_CASE("all drivers give the same bytes of random sites", "[site]") { check_drivers(150, 20); }

TEST_CASE("all drivers give the same bytes of ten thousand random sites", "[.sites]") {
  check_drivers(10'000, 21);
}

namespace {

/// Requests of each site's only system, simulated in processes of their own.
std::vector<std::vector<scheduler::Request>> requests_of(const std::vector<sim::Scenario>& sites,
                                                         sim::Driver driver) {
  std::vector<sim::ChildPool::Task> tasks;
  tasks.reserve(sites.size());
  for (const sim::Scenario& site : sites) {
    tasks.emplace_back([&site, driver] {
      std::vector<scheduler::Request> requests;
      test::RequestKeeper keeper(requests);
      sim::simulate(site, site.systems[0], {.driver = driver, .observers = {&keeper}});
      return std::string(reinterpret_cast<const char*>(requests.data()),
                         requests.size() * sizeof(scheduler::Request));
    });
  }
  std::vector<std::vector<scheduler::Request>> all;
  for (const sim::ChildOutcome& outcome : sim::run_in_children(tasks, 2, [] {})) {
    outcome.throw_failure();
    auto& requests = all.emplace_back(outcome.text.size() / sizeof(scheduler::Request));
    std::memcpy(requests.data(), outcome.text.data(), outcome.text.size());
  }
  return all;
}

}  // namespace

TEST_CASE("a site behind SimGrid's links is the one behind the analytic ones, to 1e-9 s", "[site]") {
  std::mt19937_64 random(22);
  std::vector<sim::Scenario> analytic;
  std::vector<sim::Scenario> simgrid;
  for (int i = 0; i < 60; ++i) {
    analytic.push_back(test::random_site(random, test::Links::always).build());
    simgrid.push_back(analytic.back());
    simgrid.back().uplink.model = workloads::UplinkSpec::Model::simgrid;
  }
  const auto ours = requests_of(analytic, sim::Driver::bare);
  const auto theirs = requests_of(simgrid, sim::Driver::simgrid);
  REQUIRE(ours.size() == theirs.size());
  for (std::size_t site = 0; site < ours.size(); ++site) {
    INFO("site " << site);
    REQUIRE(ours[site].size() == theirs[site].size());
    int others = 0;
    for (std::size_t i = 0; i < ours[site].size(); ++i) {
      const scheduler::Request& a = ours[site][i];
      const scheduler::Request& b = theirs[site][i];
      const bool the_same = a.device == b.device && a.exit == b.exit && a.npu == b.npu &&
                            a.dropped == b.dropped && std::abs(a.arrival_s - b.arrival_s) < 1e-9 &&
                            std::abs(a.completion_s - b.completion_s) < 1e-9;
      if (!the_same) ++others;
    }
    CHECK(others == 0);
  }
}

namespace {

struct End {
  std::string rows;
  std::string statistics;
  bool operator==(const End&) const = default;
};

/// Runs to the end; `before`: the rows that had been written when the run was copied.
End run_on(RunningSite& run, const std::string& before, const test::SiteRows& rows) {
  run.core().advance_through(kNever);
  return {before + rows.text(), sim::to_message(run.finish())};
}

/// Copies the only system at about `share` of its events, and runs each copy to its end at once. How many
/// there were.
int check_copies(const sim::Scenario& scenario, std::mt19937_64& random, double share) {
  const sim::System& system = scenario.systems[0];
  test::SiteRows rows(scenario);
  RunningSite run(scenario, system, {.observer = &rows});
  std::vector<End> ends;
  while (run.core().next_event_s() < kNever) {
    if (static_cast<double>(random() % 1'000) < 1'000 * share) {
      test::SiteRows of_copy(scenario);
      RunningSite copy(run, &of_copy);
      ends.push_back(run_on(copy, rows.text(), of_copy));
    }
    run.core().advance(run.core().next_event_s());
  }
  const End end{rows.text(), sim::to_message(run.finish())};
  CHECK(std::ranges::count(ends, end) == static_cast<std::ptrdiff_t>(ends.size()));
  // Nobody has disturbed the original: it ends as one that has never been copied.
  test::SiteRows alone(scenario);
  RunningSite whole(scenario, system, {.observer = &alone});
  CHECK(run_on(whole, "", alone) == end);
  return static_cast<int>(ends.size());
}

}  // namespace

TEST_CASE("a site that is copied at any event goes on to the same end", "[site][copies]") {
  std::mt19937_64 random(23);
  int copies = 0;
  for (int i = 0; i < 300; ++i) {
    INFO("site " << i);
    copies += check_copies(test::random_site(random).build(), random, 0.1);
  }
  CHECK(copies > 5'000);
}

TEST_CASE("a copy of a site whose streams are split has a future of its own, and the same past",
          "[site][copies]") {
  constexpr double kDate_s = 4;
  const sim::Scenario scenario =
      sim::ScenarioBuilder()
          .service({.name = "a",
                    .latencies_s = {{0.2, 0.3, 0.4}, {0.1, 0.1, 0.2}},
                    .segments = {0, 1},
                    .slo_s = 1,
                    .exits = sim::exit_rates({0.3})})
          .service({.name = "b", .latencies_s = {{0.3, 0.4, 0.5}}, .slo_s = 0.6, .priority = 1})
          .devices({{.arrivals = sim::poisson(workloads::Rate::hz(4))},
                    {.arrivals = sim::poisson(workloads::Rate::hz(3)), .service = 1}})
          .duration_s(12)
          .system({.policy = "exit_aware",
                   .parameters = {{"max_batch", 3}},
                   .npus = {{.count = 2}},
                   .arbiter = "priority",
                   .preemptive = true,
                   .router = "power_of_two"})
          .build();
  test::SiteRows before(scenario);
  RunningSite run(scenario, scenario.systems[0], {.observer = &before, .read_ahead = 1});
  while (run.core().next_event_s() < kDate_s) run.core().advance(run.core().next_event_s());
  const auto future = [&](std::uint64_t branch, bool split) {
    std::vector<scheduler::Request> requests;
    test::RequestKeeper keeper(requests);
    RunningSite copy(run, &keeper);
    if (split) copy.split(branch);
    copy.core().advance_through(kNever);
    copy.finish();  // nothing is lost
    std::vector<double> arrivals_s;
    // Of those who had come before, the arrivals stay.
    std::vector<double> past_s;
    for (const scheduler::Request& request : requests)
      (request.arrival_s >= kDate_s ? arrivals_s : past_s).push_back(request.arrival_s);
    CHECK(past_s.size() ==
          static_cast<std::size_t>(run.core().state().requests.end() - run.core().state().requests.first()));
    return arrivals_s;
  };
  CHECK_FALSE(before.text().empty());
  CHECK(future(0, false) == future(0, false));
  CHECK(future(1, true) == future(1, true));
  CHECK(future(1, true) != future(0, false));
  CHECK(future(1, true) != future(2, true));
  // Lawful: behind the two of each device that had been drawn already, 7 a second.
  constexpr int kBranches = 300;
  constexpr double kFrom_s = 7;
  double sum = 0;
  for (std::uint64_t branch = 0; branch < kBranches; ++branch) {
    const std::vector<double> arrivals_s = future(branch, true);
    CHECK(arrivals_s[4] < kFrom_s);
    sum += static_cast<double>(std::ranges::count_if(arrivals_s, [](double s) { return s >= kFrom_s; }));
  }
  CHECK(sum / kBranches == Approx(35).margin(4 * std::sqrt(35.0 / kBranches)));
}
