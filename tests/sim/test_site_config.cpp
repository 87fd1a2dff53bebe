// Configurations of sites: services, several NPUs, arbiters and routers.
#include <tuple>

#include <catch2/catch.hpp>

#include "sim/config/overrides.h"
#include "sim/output/resolved_part.h"
#include "sim/run/workload_description.h"
#include "tests/support/run_helpers.h"

using namespace fluidbatch;
using Catch::Contains;

namespace {

const char* const kSite = R"(
seed: 4
requests: 300
services:
  - name: faces
    network: ee_resnet18
    slo: {unloaded_multiple: 3, measured: end_to_end}
    priority: 2
    weight: 2.5
    exits: {kind: rates, rates: [0.3, 0.35, 0.4]}
  - {name: plates, network: mobilenet_v2, slo: {latency_ms: 9}}
workload:
  devices:
    - {service: faces, label: door, count: 3, arrivals: {kind: poisson, rho: 0.2}}
    - {service: plates, arrivals: {kind: poisson, load: 0.4}}
    - {service: faces, arrivals: {kind: poisson, rate_hz: 7}}
systems:
  - label: s
    policy: {name: exit_aware, max_batch: 4}
    arbiter: {name: earliest_deadline, preemptive: true}
    npus: [{npu: zu7ev_large, npu_mode: r, count: 2}, {npu: zu7ev_small, npu_mode: fluid_stacked}]
    router: {name: least_work}
  - {policy: {name: serial}}
)";

/// The same single service, with and without a name.
const char* const kUnnamed = R"(
requests: 400
network: ee_resnet18
slo: {unloaded_multiple: 2}
workload:
  arrivals: {kind: poisson, load: 0.6}
  exits: {kind: correlated, rates: [0.3, 0.35, 0.4], correlation: 0.5}
systems:
  - {label: one, policy: {name: exit_aware, max_batch: 4}, npu: zu7ev_small, npu_mode: fluid}
  - {label: two, policy: {name: optimal, max_batch: 2}}
)";
const char* const kNamed = R"(
requests: 400
services:
  - name: only
    network: ee_resnet18
    slo: {unloaded_multiple: 2}
    exits: {kind: correlated, rates: [0.3, 0.35, 0.4], correlation: 0.5}
workload:
  arrivals: {kind: poisson, load: 0.6}
systems:
  - {label: one, policy: {name: exit_aware, max_batch: 4}, npus: [{npu: zu7ev_small, npu_mode: fluid}],
     arbiter: {name: priority, preemptive: true}, router: {name: random}}
  - {label: two, policy: {name: optimal, max_batch: 2}, npus: [{}]}
)";

io::Node with(const std::vector<std::string>& overrides) {
  io::Node document = io::parse_yaml(kSite, "config.yaml");
  for (const std::string& assignment : overrides) sim::apply_override(document, assignment);
  return document;
}

/// Of each request what became of it: its device, server, exit and date of completion.
std::vector<std::tuple<std::uint32_t, std::uint16_t, std::int32_t, double>> rows_of(
    const sim::Scenario& scenario, std::size_t system) {
  std::vector<std::tuple<std::uint32_t, std::uint16_t, std::int32_t, double>> rows;
  for (const scheduler::Request& r : test::run_bare(scenario, system).requests) {
    rows.emplace_back(r.device, r.npu, r.exit, r.completion_s);
  }
  return rows;
}

sim::RunConfig site_with(const std::vector<std::string>& overrides) {
  return sim::read_run_config(with(overrides));
}

}  // namespace

TEST_CASE("services and NPUs are what the configuration says", "[site]") {
  const sim::RunConfig config = test::config_of(kSite);
  REQUIRE(config.services.size() == 2);
  const sim::Service& faces = config.services[0];
  const sim::Service& plates = config.services[1];
  CHECK(faces.name == "faces");
  CHECK(faces.network.name == "ee_resnet18");
  CHECK(faces.slo.end_to_end);
  CHECK(faces.slo.latency_s == Approx(3 * faces.reference_latency_s));
  CHECK(faces.reference_latency_s == config.references[0]->single_sample_latency_s());
  CHECK(faces.priority == 2);
  CHECK(faces.weight == 2.5);
  CHECK(plates.priority == 0);
  CHECK(plates.weight == 1);
  CHECK(plates.slo.latency_s == Approx(0.009));
  CHECK_FALSE(plates.slo.end_to_end);
  CHECK(plates.reference_latency_s != faces.reference_latency_s);
  CHECK(plates.exits->rates().empty());

  // Rates are relative to each service's own latencies.
  CHECK(config.devices.mean_rate_hz(0) == Approx(3 * 0.2 / faces.reference_latency_s + 7));
  CHECK(config.devices.mean_rate_hz(1) == Approx(0.4 / config.least_npu_time(1).request_s));
  CHECK(config.devices.services() == std::vector<std::size_t>{0, 0, 0, 1, 0});

  const sim::System& fleet = config.systems[0];
  REQUIRE(fleet.npus.size() == 3);
  CHECK(fleet.npu_names() == "2 x zu7ev_large + zu7ev_small");
  CHECK(fleet.npu_mode_names() == "2 x r + fluid_stacked");
  CHECK(fleet.npus[0].tables == fleet.npus[1].tables);
  CHECK(fleet.npus[0].tables[0] != fleet.npus[0].tables[1]);
  CHECK(fleet.arbiter.info->name == "earliest_deadline");
  CHECK(fleet.arbiter.preemptive);
  CHECK(fleet.router.info->name == "least_work");
  const sim::System& single = config.systems[1];
  CHECK(single.npus.size() == 1);
  CHECK(single.arbiter.info->name == "oldest_first");
  CHECK_FALSE(single.arbiter.preemptive);
  CHECK(single.router.info == nullptr);
}

TEST_CASE("a resolved site has every default and gives itself again", "[site]") {
  const sim::RunConfig config = test::config_of(kSite);
  const std::string resolved = io::to_yaml(config.resolved);
  CHECK_THAT(resolved, Contains("services:\n  - name: faces\n    network: ee_resnet18") &&
                           Contains("priority: 0\n    weight: 1\n    exits:\n      kind: none") &&
                           Contains("arbiter:\n      name: oldest_first\n      preemptive: false") &&
                           Contains("count: 1") && Contains("service: plates"));
  CHECK_THAT(resolved, !Contains("\nnetwork:") && !Contains("\nslo:"));
  const sim::RunConfig again = test::config_of(resolved);
  CHECK(io::to_yaml(again.resolved) == resolved);
  CHECK(again.services[0].slo.latency_s == config.services[0].slo.latency_s);
  CHECK(again.devices.mean_rate_hz(1) == config.devices.mean_rate_hz(1));
  for (std::size_t i = 0; i < 2; ++i) {
    const sim::RunConfig alone = test::config_of(io::to_yaml(sim::resolved_part(config.resolved, i)));
    CHECK(alone.systems[0].npu_names() == config.systems[i].npu_names());
    CHECK(alone.systems[0].arbiter.info == config.systems[i].arbiter.info);
    const auto rows = rows_of(config, i);
    CHECK(rows.size() == 300);
    CHECK(rows_of(again, i) == rows);
    CHECK(rows_of(alone, 0) == rows);
  }
}

TEST_CASE("a single service on a single NPU runs as without these words", "[site]") {
  const sim::RunConfig unnamed = test::config_of(kUnnamed);
  const sim::RunConfig named = test::config_of(kNamed);
  CHECK(named.services[0].name == "only");
  CHECK_FALSE(named.is_site(named.systems[0]));
  CHECK(named.systems[0].arbiter.info == nullptr);
  CHECK(named.systems[0].router.info == nullptr);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(test::requests_csv_of(named, sim::Driver::bare, i) ==
          test::requests_csv_of(unnamed, sim::Driver::bare, i));
  }
  const std::string resolved = io::to_yaml(named.resolved);
  CHECK_THAT(resolved, Contains("router:\n      name: random") && Contains("preemptive: true"));
  CHECK(io::to_yaml(test::config_of(resolved).resolved) == resolved);
  CHECK_THAT(io::to_yaml(unnamed.resolved),
             !Contains("services") && !Contains("arbiter") && !Contains("npus"));
}

TEST_CASE("parts of a site are set by the names of services and the places of NPUs", "[site]") {
  CHECK(site_with({"services.plates.slo.latency_ms=3"}).services[1].slo.latency_s == 0.003);
  CHECK(site_with({"services.0.priority=-7"}).services[0].priority == -7);
  CHECK(site_with({"services.faces.exits.kind=none"}).services[0].exits->rates() ==
        std::vector<double>{0, 0, 0});
  CHECK(site_with({"systems.s.npus.0.count=5"}).systems[0].npus.size() == 6);
  CHECK(site_with({"systems.s.npus.1.npu=zu7ev_large"}).systems[0].npu_names() == "3 x zu7ev_large");
  CHECK(site_with({"systems.s.npu=zu7ev_small"}).systems[0].npu_names() == "zu7ev_small");
  CHECK(site_with({"systems.s.arbiter.name=priority"}).systems[0].arbiter.preemptive);
  CHECK(site_with({"systems.s.router.name=random"}).systems[0].router.info->name == "random");
  CHECK_THROWS_WITH(site_with({"services.face.priority=1"}),
                    Contains("no element 'face' (did you mean 'faces'?)"));
  CHECK_THROWS_WITH(site_with({"systems.s.npu_mode=p"}), Contains("each of 'npus' has npu_mode of its own"));
}

TEST_CASE("a service's exit control counts before the system's", "[site]") {
  const sim::RunConfig own = site_with({"services.plates.exit_control={kind: fixed}"});
  CHECK_FALSE(own.systems[0].decides_exits());
  CHECK_THAT(io::to_yaml(own.resolved), Contains("exit_control:\n      kind: fixed"));
  CHECK_THROWS_WITH(site_with({"systems.s.exit_control={kind: adaptive}"}),
                    Contains("exits of service 'faces' must be of kind confidences"));
  CHECK_THROWS_WITH(site_with({"services.plates.exit_control={kind: adaptive}"}),
                    Contains("exits of service 'plates' must be of kind confidences"));

  const test::TemporaryFolder folder;
  const std::string file = folder.write("c.csv", "conf_0,correct_0\n0.4,1\n0.9,0\n").string();
  const std::string judged = "services.plates.exits={kind: confidences, path: " + file + ", thresholds: []}";
  const sim::RunConfig only_plates =
      site_with({judged, "services.plates.exit_control={kind: adaptive, floor: 0.5}"});
  for (const sim::System& system : only_plates.systems) {
    CHECK_FALSE(system.exit_controls[0].decides());
    REQUIRE(system.exit_controls[1].decides());
    CHECK(system.exit_controls[1].parameters.number("floor") == 0.5);
  }
  const sim::RunConfig by_system = site_with({judged, "services.faces.exit_control={kind: fixed}",
                                              "systems.s.exit_control={kind: adaptive, floor: 0.25}"});
  CHECK_FALSE(by_system.systems[0].exit_controls[0].decides());
  CHECK(by_system.systems[0].exit_controls[1].parameters.number("floor") == 0.25);
  CHECK_FALSE(by_system.systems[1].decides_exits());
  const std::string resolved = io::to_yaml(by_system.resolved);
  CHECK(io::to_yaml(test::config_of(resolved).resolved) == resolved);
}

TEST_CASE("exits of a trace are those of the service's own group", "[site]") {
  const test::TemporaryFolder folder;
  const std::string trace = folder.write("t.csv", "arrival_s,exit\n0,3\n0.5,0\n0.7,0\n").string();
  const std::string list = folder.write("e.csv", "exit\n0\n0\n").string();
  const std::string traced = "workload.devices=[{service: plates, arrivals: {kind: trace, path: " + trace +
                             "}}, {service: faces, arrivals: {kind: trace, path: " + trace + "}}]";
  const sim::RunConfig config = site_with({traced, "services.faces.exits={kind: trace}"});
  CHECK(config.services[0].exits->rates() == std::vector<double>{2.0 / 3, 0, 0});
  CHECK(config.known_requests() == 6U);
  CHECK_THROWS_WITH(site_with({traced, "services.plates.exits={kind: trace, path: " + list + "}"}),
                    Contains("it has 2 for 3 requests"));
  CHECK_THROWS_WITH(site_with({"services.plates.exits={kind: trace, path: " + list + "}"}),
                    Contains("--set services.plates.exits") && Contains("these requests don't end"));
  CHECK_THROWS_WITH(site_with({"services.faces.exits={kind: trace}"}), Contains("one group of devices"));
}

TEST_CASE("late requests can be a target where one service has an SLO", "[site]") {
  const std::string until = "until={slo_violation_rate: 0.1}";
  CHECK(site_with({until}).until.size() == 1);
  CHECK(site_with({until, "services.plates.slo.latency_ms=.inf"}).until.size() == 1);
  CHECK_THROWS_WITH(
      site_with({until, "services.plates.slo.latency_ms=.inf", "services.faces.slo.latency_ms=.inf"}),
      Contains("needs an SLO"));
}

TEST_CASE("checks hold for every service on every NPU", "[site]") {
  const test::TemporaryFolder folder;
  const std::string npu = "t_r: 128\nt_p: 16\nt_c: 64\nbandwidth_bytes_per_s: 1e9\n";
  const auto set = [&](const std::string& name, const std::string& clock) {
    const std::string path = folder.write(name, npu + "clock_hz: " + clock + "\n").string();
    return "systems.s.npus.1={npu: " + path + ", npu_mode: r}";
  };
  CHECK(site_with({set("good.yaml", "2e8")}).warnings.empty());
  const auto slow = site_with({set("slow.yaml", "1e4")}).warnings;
  REQUIRE(slow.size() == 1);
  CHECK_THAT(slow[0], Contains("systems.s.npus.1") && Contains("clock_hz is 10000"));
  CHECK_THROWS_WITH(site_with({set("stopped.yaml", "1e-3")}),
                    Contains("system 's'") && Contains("is allowed"));
  // Of both services, it is the shorter latencies that such dates would blur.
  CHECK_THROWS_WITH(site_with({"duration_s=1e13"}), Contains("last bit"));
}

TEST_CASE("a site is described service by service, and as a whole", "[site]") {
  const test::TemporaryFolder folder;
  const std::string faces = folder.write("f.csv", "arrival_s,exit\n0,3\n0.5,0\n0.8,0\n").string();
  const std::string plates = folder.write("p.csv", "arrival_s\n0\n0.25\n1\n1.5\n").string();
  const sim::RunConfig config =
      site_with({"workload.devices=[{service: faces, arrivals: {kind: trace, path: " + faces +
                     "}}, {service: plates, arrivals: {kind: trace, path: " + plates + "}}]",
                 "services.faces.exits={kind: trace}"});
  const sim::WorkloadDescription d = sim::describe_workload(
      config, config.references, [&](std::size_t service) { return config.least_npu_time(service); });
  REQUIRE(d.services.size() == 2);
  CHECK(d.requests == 7);
  CHECK(d.duration_s == 1.5);
  CHECK(d.rate_hz == Approx(6 / 1.5));
  const sim::ServiceDescription& of_faces = d.services[0];
  CHECK(of_faces.requests == 3);
  CHECK(of_faces.rate_hz == Approx(2 / 0.8));
  CHECK(of_faces.exit_shares == std::vector<double>{2.0 / 3, 0, 0, 1.0 / 3});
  const npu::BatchPolicyTable& table = *config.references[0];
  const double work_s =
      (table.latency_s(0, table.layers(), 1) + 2 * table.latency_s(0, table.segment_begin(1), 1)) / 3;
  CHECK(of_faces.mean_work_s == Approx(work_s));
  CHECK(of_faces.load == Approx(2 / 0.8 * config.least_npu_time(0).request_s));
  const sim::ServiceDescription& of_plates = d.services[1];
  CHECK(of_plates.requests == 4);
  CHECK(of_plates.rate_hz == Approx(3 / 1.5));
  CHECK(of_plates.exit_shares == std::vector<double>{1});
  CHECK(of_plates.mean_work_s == Approx(config.services[1].reference_latency_s));
  CHECK(of_plates.offered_load == Approx(2 * config.services[1].reference_latency_s));
  CHECK(d.offered_load == of_faces.offered_load + of_plates.offered_load);
  CHECK(d.load == of_faces.load + of_plates.load);
  CHECK(d.mean_work_s == Approx((3 * of_faces.mean_work_s + 4 * of_plates.mean_work_s) / 7));
}

TEST_CASE("measured latencies of several services are in a file for each", "[site]") {
  const test::TemporaryFolder folder;
  // One layer each; plates takes three times as long.
  folder.write("a.yaml", "input: [1, 2, 2]\nlayers: [{name: x, kind: dense, out_channels: 3}]\n");
  folder.write("b.yaml", "input: [1, 2, 2]\nlayers: [{name: y, kind: dense, out_channels: 3}]\n");
  folder.write("a.csv", "layer,batch,latency_s\nx,1,0.5\nx,2,0.6\n");
  folder.write("b.csv", "layer,batch,latency_s\ny,1,1.5\ny,2,1.75\n");
  const std::string at = folder.path().string() + "/";
  const std::string measured = "{tables: {a: " + at + "a.csv, b: " + at + "b.csv}}";
  const std::string yaml =
      "requests: 20\nservices: [{name: a, network: " + at + "a.yaml}, {name: b, network: " + at +
      "b.yaml}]\nreference: {npu: " + measured +
      ", max_batch: 2}\nworkload: {devices: [{service: a, arrivals: {kind: poisson, rho: 0.1}}, "
      "{service: b, arrivals: {kind: poisson, load: 0.35}}]}\nsystems: "
      "[{policy: {name: dynamic_batching, max_batch: 2}, npus: [{count: 2}, {npu: zu7ev_small}]}]\n";
  const sim::RunConfig config = test::config_of(yaml);
  CHECK(config.devices.mean_rate_hz(0) == Approx(0.1 / 0.5));
  CHECK(config.devices.mean_rate_hz(1) == Approx(0.35 / (1.75 / 2)));
  const sim::System& system = config.systems[0];
  CHECK(system.npu_names() == "2 x a.csv, b.csv + zu7ev_small");
  CHECK(system.npus[0].tables[1]->latency_s(0, 1, 2) == 1.75);
  const std::string resolved = io::to_yaml(config.resolved);
  CHECK_THAT(resolved, Contains("tables:\n      a: /"));
  CHECK(io::to_yaml(test::config_of(resolved).resolved) == resolved);
  CHECK(rows_of(test::config_of(resolved), 0) == rows_of(config, 0));
  const auto refused = [&](const std::string& old, const std::string& text, const std::string& message) {
    std::string wrong = yaml;
    wrong.replace(wrong.find(old), old.size(), text);
    CHECK_THROWS_WITH(test::config_of(wrong), Contains(message));
  };
  refused(", b: " + at + "b.csv", "", "tables needs the key 'b'");
  refused(", b: " + at + "b.csv", ", c: c.csv", "unknown key 'c'; tables takes 'a', 'b'");
  refused("{tables: {a", "{table: x.csv, tables: {a", "a measured npu takes only one of 'table', 'tables'");
  refused("a.csv", "b.csv", "the network has no layer 'y'");
  CHECK_THROWS_WITH(
      test::config_of(
          "network: resnet18\nreference: {npu: {tables: {}}}\nworkload: {arrivals: {kind: poisson, rho: "
          "1}}\nsystems: [{policy: {name: serial}}]\n"),
      Contains("config.yaml:2:27: tables are by service, and there is no list of 'services'"));
}
