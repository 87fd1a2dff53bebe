// Configurations: defaults, overrides, and that the resolved one gives the same run.
#include <cmath>

#include <catch2/catch.hpp>

#include "sim/config/overrides.h"
#include "tests/support/run_helpers.h"

using namespace fluidbatch;
using Catch::Contains;

namespace {

const char* const kConfig = R"(
seed: 4
requests: 300
network: ee_resnet50
slo: {unloaded_multiple: 3}
workload:
  arrivals: {kind: poisson, rho: 0.8}
  exits: {kind: rates, rates: [0.3, 0.35, 0.4]}
systems:
  - {label: dynamic, policy: {name: dynamic_batching, max_batch: 4}}
  - {label: one, policy: {name: serial}, npu: zu7ev_small}
)";

io::Node with(const std::vector<std::string>& overrides) {
  io::Node document = io::parse_yaml(kConfig, "config.yaml");
  for (const std::string& assignment : overrides) sim::apply_override(document, assignment);
  return document;
}

}  // namespace

TEST_CASE("defaults are filled in, and the resolved configuration gives itself again", "[config]") {
  const sim::RunConfig config = test::config_of(kConfig);
  CHECK(config.warmup_requests == 0);
  CHECK(config.slo_s == Approx(3 * config.reference_latency_s));
  CHECK(config.systems[0].table->max_batch() == 4);
  CHECK(config.systems[0].npu_name == "zu7ev_large");
  CHECK(config.systems[1].npu_name == "zu7ev_small");
  CHECK(config.known_requests() == 300U);

  const std::string resolved = io::to_yaml(config.resolved);
  CHECK_THAT(resolved,
             Contains("max_queue_delay_ms: 0") && Contains("npu_mode: r") && Contains("requests_csv: true"));
  const sim::RunConfig again = test::config_of(resolved);
  CHECK(io::to_yaml(again.resolved) == resolved);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string rows = test::requests_csv_of(config, sim::Driver::bare, i);
    CHECK(test::requests_csv_of(again, sim::Driver::bare, i) == rows);
    const sim::RunConfig alone = test::config_of(io::to_yaml(config.resolved_for(config.systems[i])));
    REQUIRE(alone.systems.size() == 1);
    CHECK(test::requests_csv_of(alone, sim::Driver::bare, 0) == rows);
  }
}

TEST_CASE("all systems of a run see the same arrivals and exits", "[config]") {
  const sim::RunConfig config = test::config_of(kConfig);
  const auto first = test::run_bare(config, 0).requests;
  const auto second = test::run_bare(config, 1).requests;
  REQUIRE(first.size() == second.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    REQUIRE(first[i].arrival_s == second[i].arrival_s);
    REQUIRE(first[i].exit == second[i].exit);
  }
}

TEST_CASE("overrides edit the tree", "[config]") {
  CHECK(sim::read_run_config(with({"seed=9"})).seed == 9);
  const sim::RunConfig config =
      sim::read_run_config(with({"systems.dynamic.policy.max_batch=6", "systems.1.npu=z7045_middle",
                                 "reference.npu=zu7ev_small", "workload.exits.rates=[0, 0, 1]"}));
  CHECK(config.systems[0].table->max_batch() == 6);
  CHECK(config.systems[1].npu_name == "z7045_middle");
  CHECK(config.systems[0].npu_name == "zu7ev_small");  // by default the reference's

  SECTION("a value of the file gives way to its alternative") {
    CHECK(std::isinf(sim::read_run_config(with({"slo.latency_ms=.inf"})).slo_s));
    CHECK(sim::read_run_config(with({"duration_s=5"})).length.duration_s == 5);
    CHECK_THROWS_WITH(sim::read_run_config(with({"slo.latency_ms=1", "slo.unloaded_multiple=1"})),
                      Contains("--set slo.unloaded_multiple: slo takes only one of"));
  }
  SECTION("another kind drops the keys of the file's, in any order of the options") {
    const test::TemporaryFolder folder;
    const std::string path = folder.write("t.csv", "arrival_s\n0\n1\n").string();
    for (const auto& options : std::vector<std::vector<std::string>>{
             {"workload.arrivals.kind=trace", "workload.arrivals.path=" + path},
             {"workload.arrivals.path=" + path, "workload.arrivals.kind=trace"}}) {
      CHECK(sim::read_run_config(with(options)).known_requests() == 2U);
    }
    CHECK_NOTHROW(sim::read_run_config(with({"systems.dynamic.policy.name=serial"})));
    CHECK_THROWS_WITH(sim::read_run_config(with({"workload.arrivals.kind=trace"})),
                      Contains("needs the key 'path'"));
  }
  SECTION("what is wrong names the option") {
    CHECK_THROWS_WITH(sim::read_run_config(with({"seed=x"})),
                      Contains("--set seed: seed must be a whole number"));
    CHECK_THROWS_WITH(sim::read_run_config(with({"sede=1"})),
                      Contains("--set sede: unknown key 'sede' (did you mean 'seed'?)"));
    CHECK_THROWS_WITH(with({"systems.dynamc.npu=x"}),
                      Contains("no element 'dynamc' (did you mean 'dynamic'?)"));
    CHECK_THROWS_WITH(with({"seed"}), Contains("must be KEY=VALUE"));
    CHECK_THROWS_WITH(with({"seed.x=1"}), Contains("can't stand below '4'"));
    CHECK_THROWS_WITH(with({"slo..x=1"}), Contains("an empty part"));
    CHECK_THROWS_WITH(with({"seed=[1"}), Contains("--set seed") && Contains("not valid YAML"));
  }
}

TEST_CASE("paths are relative to the file that they stand in", "[config]") {
  const test::TemporaryFolder folder;
  folder.write("t.csv", "arrival_s\n0\n1\n2\n");
  const auto file = folder.write("c.yaml",
                                 "network: resnet50\nworkload: {arrivals: {kind: trace, path: t.csv}}\n"
                                 "systems: [{policy: {name: serial}}]\n");
  const sim::RunConfig config = sim::load_run_config(file, {});
  CHECK(config.known_requests() == 3U);
  CHECK(config.resolved.find("workload")->find("arrivals")->find("path")->scalar ==
        (folder.path() / "t.csv").string());
}
