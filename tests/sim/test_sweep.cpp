// Axes and their settings by hand; the plan of a sweep against a plain reading of every setting.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/config/run_config.h"
#include "sim/sweep/axis_range.h"
#include "sim/sweep/sweep_file.h"
#include "sim/sweep/sweep_plan.h"
#include "tests/support/run_helpers.h"

using namespace fluidbatch;

namespace {

std::vector<std::string> range(const std::string& yaml) {
  std::vector<std::string> texts;
  for (const io::Node& value : sim::range_values(io::parse_yaml(yaml, "r.yaml"), "axis a")) {
    texts.push_back(value.scalar);
  }
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("axes: grid times zip times list, the last running fastest", "[sweep]") {
  const test::TemporaryFolder folder;
  folder.write("base.yaml", "a: 0\nsystems: [{label: x, b: 1}]\n");
  const sim::Sweep sweep = sim::load_sweep(
      folder.write("s.yaml",
                   "base: base.yaml\naxes:\n  grid: {a: {from: 0.1, to: 0.3, step: 0.1}}\n"
                   "  zip: {c.d: [1, 2], systems.x.b: [5, 6]}\n  list: [{e: [1, 2]}, {e: z}]\n"),
      {"f=7"});
  CHECK(sweep.keys() == std::vector<std::string>{"a", "c.d", "systems.x.b", "e"});
  REQUIRE(sweep.settings() == 12);
  std::vector<std::string> rows;
  for (std::size_t s = 0; s < sweep.settings(); ++s) {
    std::string row;
    for (const io::Node& value : sweep.setting(s)) row += sim::value_text(value) + " ";
    rows.push_back(row);
  }
  CHECK(rows[0] == "0.1 1 5 [1, 2] ");
  CHECK(rows[1] == "0.1 1 5 z ");
  CHECK(rows[2] == "0.1 2 6 [1, 2] ");
  CHECK(rows[11] == "0.3 2 6 z ");  // 0.3, not 0.30000000000000004
  CHECK(io::to_yaml(sweep.configuration(11)) ==
        io::to_yaml(io::parse_yaml("a: 0.3\nsystems: [{label: x, b: 6}]\nf: 7\nc: {d: 2}\ne: z\n", "y")));
}

TEST_CASE("ranges are exact in every digit", "[sweep]") {
  CHECK(range("{from: 123456789012, to: 123456789014, step: 1}") ==
        Texts{"123456789012", "123456789013", "123456789014"});
  CHECK(range("{from: 9007199254740993, to: 9007199254740995, step: 2}") ==  // beyond 2^53
        Texts{"9007199254740993", "9007199254740995"});
  CHECK(range("{from: -0.3, to: 0.3, step: 0.1}") ==  // through zero, not 5.6e-17
        Texts{"-0.3", "-0.2", "-0.1", "0", "0.1", "0.2", "0.3"});
  CHECK(range("{from: 0.1234567890123, to: 0.1234567890124, step: 1e-13}") ==
        Texts{"0.1234567890123", "0.1234567890124"});
  CHECK(range("{from: 0, to: 1, step: 0.4}") == Texts{"0", "0.4", "0.8"});
  CHECK(range("{from: 2.5, to: 2.5, step: 1e3}") == Texts{"2.5"});
  CHECK(range("{from: 1e3, to: 3e+3, step: 1000.0}") == Texts{"1000", "2000", "3000"});
}

TEST_CASE("ranges that are too long or too fine are refused", "[sweep]") {
  CHECK_THROWS_WITH(range("{from: 0, to: 1, step: 1e-6}"),
                    "r.yaml:1:24: axis a has more than 1000000 values");
  CHECK(range("{from: 1, to: 1000000, step: 1}").size() == 1'000'000);
  CHECK_THROWS_WITH(range("{from: 0, to: 1, step: 1e-300}"),
                    "r.yaml:1:1: axis a: from, to and step together have more than 18 digits");
  CHECK_THROWS_WITH(range("{from: 0.12345678901234567890123, to: 1, step: 1}"),
                    "r.yaml:1:8: from has too many digits");
}

TEST_CASE("values that an axis has twice are refused", "[sweep]") {
  const test::TemporaryFolder folder;
  const auto load = [&](const std::string& axes) {
    return sim::load_sweep(folder.write("s.yaml", "base: {a: 0}\naxes: " + axes + "\n"), {});
  };
  CHECK_THROWS_WITH(load("{grid: {a: [1, 2, 1.0]}}"),
                    Catch::EndsWith("s.yaml:2:25: this value appears twice: a = 1.0, which equals a = 1"));
  CHECK_THROWS_WITH(load("{grid: {a: [x, y, x]}}"), Catch::EndsWith("this value appears twice: a = x"));
  CHECK_THROWS_WITH(load("{list: [{a: 1, b: 2}, {a: 1e0, b: 2}]}"),
                    Catch::EndsWith("appears twice: a = 1e0, b = 2, which equals a = 1, b = 2"));
  CHECK(load("{zip: {a: [1, 1, 2], b: [x, y, x]}}").settings() == 3);  // different as a whole
  CHECK_THROWS_WITH(load("{grid: {a: [1, '1']}}"), Catch::EndsWith("this value appears twice: a = 1"));
  CHECK(load("{grid: {a: [9007199254740992, 9007199254740993]}}").settings() == 2);
}

TEST_CASE("axis values that are the same number make the same sweep", "[sweep]") {
  const test::TemporaryFolder folder;
  const auto identity = [&](const std::string& values) {
    return sim::load_sweep(folder.write("s.yaml", "base: {a: 0}\naxes: {grid: {a: [" + values + "]}}\n"), {})
        .identity();
  };
  CHECK(!sim::first_difference(identity("1, 2.50"), identity("1.0, 2.5")));
  CHECK(sim::first_difference(identity("1, 2"), identity("1, 2.5")) == "axes.a");
}

TEST_CASE("a plan that skips what it knows is that of every configuration read", "[sweep]") {
  const test::TemporaryFolder folder;
  const sim::Sweep sweep = sim::load_sweep(folder.write("s.yaml", R"(
base:
  network: ee_resnet18
  requests: 500
  workload: {arrivals: {kind: poisson, rho: 1}, exits: {kind: rates, rates: [0.3, 0.3, 0.3]}}
  systems:
    - {label: a, policy: {name: dynamic_batching}, npu: zu7ev_large}
    - {label: b, policy: {name: lazy_batching}, npu: zu7ev_large}
axes:
  grid:
    seed: [3, 4]
    systems.a.policy: [{name: serial}, {name: exit_aware}]
    workload.arrivals.rho: [0.5, 1, 2]
    slo.latency_ms: [10, 20]
    reference.npu: [zu7ev_large, zu7ev_small]
    requests: [100, 200]
  zip: {warmup_requests: [1, 2], systems.b.label: [x, y]}
)"),
                                           {});
  sim::ModelCache cache;
  sim::SettingReader reader(sweep, cache);
  REQUIRE(sweep.settings() == 192);
  for (std::size_t s = 0; s < sweep.settings(); ++s) {
    const sim::SettingReader::Facts facts = reader.read(s);
    const sim::RunConfig config = sim::read_run_config(sweep.configuration(s), cache);
    REQUIRE(facts.seed == config.seed);
    REQUIRE(facts.requests == static_cast<double>(*config.known_requests()));
    REQUIRE(facts.systems->size() == 2);
    for (std::size_t i = 0; i < 2; ++i) REQUIRE((*facts.systems)[i].label == config.systems[i].label);
    const bool serial = config.systems[0].policy->name == "serial";
    REQUIRE((*facts.systems)[0].cost_per_request == (serial ? 1 : 2));
  }
}

TEST_CASE("parts of a sweep have all of its pairs between them", "[sweep]") {
  const test::TemporaryFolder folder;
  const sim::Sweep sweep = sim::load_sweep(folder.write("s.yaml", R"(
base:
  network: ee_resnet18
  workload: {arrivals: {kind: poisson, rho: 1}}
  systems: [{policy: {name: serial}, npu: zu7ev_large}, {policy: {name: lazy_batching}, npu: zu7ev_large}]
axes: {grid: {seed: {from: 9007199254740993, to: 9007199254740997, step: 1}}}
replications: 4
)"),
                                           {});
  std::vector<std::int64_t> points;
  std::vector<std::uint64_t> seeds;
  for (std::size_t part = 0; part < 3; ++part) {
    sim::ModelCache cache;
    sim::SettingReader reader(sweep, cache);
    const auto visit = [&](const sim::Pair& pair) {
      points.push_back(pair.first_point);
      if (pair.system == 0) seeds.push_back(pair.seed);
    };
    CHECK(sim::for_each_pair(sweep, {.index = part, .count = 3}, reader, visit, {}) == 10);
  }
  std::ranges::sort(points);
  CHECK(points == std::vector<std::int64_t>{0, 4, 8, 12, 16, 20, 24, 28, 32, 36});
  std::ranges::sort(seeds);
  CHECK(seeds == std::vector<std::uint64_t>{9007199254740993, 9007199254740994, 9007199254740995,
                                            9007199254740996, 9007199254740997});
}

TEST_CASE("the first key in which two documents differ", "[sweep]") {
  const auto difference = [](const char* a, const char* b) {
    return sim::first_difference(io::parse_yaml(a, "a"), io::parse_yaml(b, "b")).value_or("none");
  };
  CHECK(difference("{a: 1, b: [1, {c: 2}]}", "{a: 1, b: [1, {c: 2}]}") == "none");
  CHECK(difference("{a: 1, b: [1, {c: 2}]}", "{a: 1, b: [1, {c: 3}]}") == "b.1.c");
  CHECK(difference("{a: 1}", "{a: 1, b: 2}") == "b");
  CHECK(difference("{a: [1]}", "{a: [1, 2]}") == "a.1");
}

TEST_CASE("seeds of replications", "[sweep]") {
  CHECK(sim::replication_seed(7, 0) == 7);
  CHECK(sim::replication_seed(7, 1) != sim::replication_seed(7, 2));
  CHECK(sim::replication_seed(7, 1) != sim::replication_seed(8, 1));
  CHECK(sim::replication_seed(7, 1) >> 63 == 0);
}
