// What holds of every site at every event: batches, queues and stacks, conservation, work and order.
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/run/running_site.h"
#include "tests/support/random_sites.h"
#include "tests/support/site_witness.h"

using namespace fluidbatch;

namespace {

/// What there was to look at.
struct Seen {
  int orders = 0;
  int parks = 0;
  int drops = 0;
  int merges = 0;
  int suspensions = 0;
};

Seen check_sites(int count, std::uint64_t seed) {
  Seen seen;
  std::mt19937_64 random(seed);
  for (int i = 0; i < count; ++i) {
    const sim::Scenario scenario = test::random_site(random).build();
    test::SiteWitness witness(scenario);
    sim::RunningSite run(scenario, scenario.systems[0], {.observer = &witness});
    while (run.core().next_event_s() < std::numeric_limits<double>::infinity()) {
      const double date_s = run.core().next_event_s();
      run.core().advance(date_s);
      witness.look_at(run.core(), date_s);
    }
    run.finish();
    witness.end();
    INFO("site " << i << ": " << scenario.systems[0].policy->name << ", "
                 << (scenario.services.size() > 1 ? scenario.systems[0].arbiter.info->name : "one service")
                 << (scenario.systems[0].arbiter.preemptive ? ", preemptive" : ""));
    CHECK_THAT(witness.objections, Catch::Equals(std::vector<std::string>()));
    seen.orders += witness.orders;
    seen.parks += witness.parks;
    seen.drops += witness.drops;
    seen.merges += witness.merges;
    seen.suspensions += witness.suspensions;
  }
  return seen;
}

}  // namespace

TEST_CASE("random sites keep their rules at every event", "[site]") {
  const Seen seen = check_sites(1'500, 24);
  CHECK(seen.orders > 5'000);
  CHECK(seen.parks > 500);
  CHECK(seen.drops > 10'000);
  CHECK(seen.merges > 2'000);
  CHECK(seen.suspensions > 3'000);
}

TEST_CASE("thirty thousand random sites keep their rules at every event", "[.sites]") {
  check_sites(30'000, 25);
}
