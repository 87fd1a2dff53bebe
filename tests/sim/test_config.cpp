// Configurations: defaults, overrides, and that the resolved one gives the same run.
#include <cmath>

#include <catch2/catch.hpp>

#include "sim/config/overrides.h"
#include "sim/output/resolved_part.h"
#include "tests/support/run_helpers.h"
#include "workloads/io/text_number.h"

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
  CHECK(config.service().slo.latency_s == Approx(3 * config.service().reference_latency_s));
  CHECK(config.systems[0].table()->max_batch() == 4);
  CHECK(config.systems[0].npu_names() == "zu7ev_large");
  CHECK(config.systems[1].npu_names() == "zu7ev_small");
  CHECK(config.known_requests() == 300U);

  const std::string resolved = io::to_yaml(config.resolved);
  CHECK_THAT(resolved,
             Contains("max_queue_delay_ms: 0") && Contains("npu_mode: r") && Contains("requests_csv: true"));
  const sim::RunConfig again = test::config_of(resolved);
  CHECK(io::to_yaml(again.resolved) == resolved);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string rows = test::requests_csv_of(config, sim::Driver::bare, i);
    CHECK(test::requests_csv_of(again, sim::Driver::bare, i) == rows);
    const sim::RunConfig alone = test::config_of(io::to_yaml(sim::resolved_part(config.resolved, i)));
    REQUIRE(alone.systems.size() == 1);
    CHECK(test::requests_csv_of(alone, sim::Driver::bare, 0) == rows);
  }
}

TEST_CASE("what the SLO is laid on goes by its name and its old one", "[config]") {
  const auto resolved = [](const std::vector<std::string>& overrides) {
    const sim::RunConfig config = sim::read_run_config(with(overrides));
    CHECK(config.service().slo.end_to_end);
    return io::to_yaml(*config.resolved.find("slo"));
  };
  const std::string now = resolved({"slo.measured=end_to_end"});
  CHECK_THAT(now, Contains("measured: end_to_end"));
  CHECK(resolved({"slo.on=end_to_end"}) == now);
  io::Node both = with({});
  both.find("slo")->put("on", io::Node::text("server"));
  both.find("slo")->put("measured", io::Node::text("end_to_end"));
  CHECK_THROWS_WITH(sim::read_run_config(both), Contains("slo takes only one of 'measured', 'on'"));
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
  CHECK(config.systems[0].table()->max_batch() == 6);
  CHECK(config.systems[1].npu_names() == "z7045_middle");
  CHECK(config.systems[0].npu_names() == "zu7ev_small");  // by default the reference's

  SECTION("a value of the file gives way to its alternative") {
    CHECK(std::isinf(sim::read_run_config(with({"slo.latency_ms=.inf"})).service().slo.latency_s));
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
    CHECK_THROWS_WITH(with({"seed.x=1"}), Contains("'x' can't be a key of '4'"));
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

TEST_CASE("a measured latency table instead of a model", "[config]") {
  const test::TemporaryFolder folder;
  const auto network = folder.write("n.yaml",
                                    "input: [4, 1, 1]\nlayers:\n  - {name: a, kind: dense, out_channels: 4}\n"
                                    "  - {name: b, kind: dense, out_channels: 4}\n");
  const auto run = [&](const std::string& csv, const std::string& more = "") {
    const auto table = folder.write("t.csv", csv);
    return test::config_of("requests: 100\nnetwork: " + network.string() +
                           "\nreference: {npu: {table: " + table.string() + "}" + more +
                           "}\nslo: {unloaded_multiple: 2}\nworkload: {arrivals: {kind: poisson, rho: 0.5}}\n"
                           "systems: [{policy: {name: dynamic_batching, max_batch: 2}}]\n");
  };
  const std::string good =
      "board,layer,batch,latency_s\nz,b,1,0.25\nz,a,1,0.5\nz,a,2,0.75\nz,b,2,0.5\nz,a,3,9\n";
  const sim::RunConfig config = run(good);
  CHECK(config.service().reference_latency_s == 0.75);
  CHECK(config.service().slo.latency_s == 1.5);
  const npu::BatchPolicyTable& table = *config.systems[0].table();
  CHECK(table.latency_s(0, 2, 2) == 1.25);
  CHECK(table.mode_name() == "measured");
  CHECK(table.npu() == nullptr);
  const sim::RunStatistics statistics = test::run_bare(config).statistics;
  CHECK(std::isnan(statistics[sim::StatisticId::mac_utilisation]));
  CHECK(statistics[sim::StatisticId::mean_latency] > 0.75);
  const std::string resolved = io::to_yaml(config.resolved);
  CHECK_THAT(resolved, Contains("table: ") && Contains("/t.csv"));
  CHECK(io::to_yaml(test::config_of(resolved).resolved) == resolved);

  CHECK_THROWS_WITH(run("layer,batch,latency_s\na,1,1\nb,1,1\na,2,1\n"),
                    Contains("t.csv: no latency for layer 'b' at batch 2"));
  CHECK_THROWS_WITH(run(good + "z,c,1,1\n"), Contains("t.csv:7:3: the network has no layer 'c'"));
  CHECK_THROWS_WITH(run(good + "z,a,1,1\n"), Contains("t.csv:7:3: layer 'a', batch 1 appears twice"));
  CHECK_THROWS_WITH(run("layer,batch,latency_s\na,1,-1\n"),
                    Contains("t.csv:2:5: a latency must not be negative"));
  CHECK_THROWS_WITH(run("layer,batch,latency_s\na,0,1\n"),
                    Contains("t.csv:2:3: batch must be a whole number from 1"));
  CHECK_THROWS_WITH(run("layer,batch,time\na,1,1\n"), Contains("no column 'latency_s'"));
  CHECK_THROWS_WITH(run(good, ", npu_mode: r"), Contains("npu_mode does not go with a measured table"));
}

TEST_CASE("the table that npu table prints is a measured table", "[config]") {
  // The same latencies by both ways give the same run, byte for byte: the sums are made in the same order.
  const sim::RunConfig modelled = test::config_of(
      "requests: 500\nnetwork: ee_resnet18\nworkload: {arrivals: {kind: poisson, rho: 1.5}, exits: {kind: "
      "rates, rates: "
      "[0.3, 0.3, 0.3]}}\nsystems: [{policy: {name: dynamic_batching, max_batch: 3}, npu_mode: "
      "fluid_stacked}]\n");
  const npu::BatchPolicyTable& table = *modelled.systems[0].table();
  std::string csv = "layer,batch,latency_s\n";
  for (int l = 0; l < table.layers(); ++l) {
    for (int b = 1; b <= 3; ++b) {
      csv += table.layer(l).name + "," + std::to_string(b) + "," +
             io::shortest(table.control_block()->cost(l, b).latency_s) + "\n";
    }
  }
  const test::TemporaryFolder folder;
  io::Node document = modelled.resolved;
  sim::apply_override(document, "systems.0.npu={table: " + folder.write("t.csv", csv).string() + "}");
  auto& entries = document.find("systems")->items[0].entries;
  std::erase_if(entries, [](const io::Node::Entry& entry) { return entry.key == "npu_mode"; });
  const sim::RunConfig measured = sim::read_run_config(document);
  CHECK(test::requests_csv_of(measured, sim::Driver::bare) ==
        test::requests_csv_of(modelled, sim::Driver::bare));
}
