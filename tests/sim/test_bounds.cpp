// The lower bounds of the mean latency: worked by hand, and below every policy.
#include <catch2/catch.hpp>

#include "sim/bounds.h"
#include "tests/support/examples.h"
#include "tests/support/run_helpers.h"
#include "tests/support/workload_helpers.h"

using namespace fluidbatch;
using Id = sim::StatisticId;

TEST_CASE("bounds by hand", "[bounds]") {
  // One layer: 4 s alone, 6 s for two: 3 s per sample at best. Jobs of 3 s at 0, 1 and 1: done at 3, 6 and 9.
  Eigen::ArrayXXd seconds(2, 2);
  seconds << 4, 6, 2, 4;
  const npu::Gemm gemm{.groups = 1, .r = 1, .p = 1, .c = 1};
  const npu::BatchPolicyTable table({test::gemm_layer("a", gemm, 0), test::gemm_layer("b", gemm, 1)},
                                    seconds);
  const test::TemporaryFolder folder;
  const auto bounds = [&](const std::string& rows, std::uint64_t warmup) {
    const auto trace = folder.write("t.csv", "arrival_s,exit\n" + rows);
    const workloads::Devices devices =
        test::devices_of("{arrivals: {kind: trace, path: " + trace.string() + "}}");
    const auto exits = test::exits_of("{kind: trace}", 2, devices);
    workloads::SentRequests stream(devices, *exits, 1, {});
    return sim::latency_bounds(table, stream, warmup);
  };
  CHECK(bounds("0,0\n1,0\n1,0\n", 0).mean_clairvoyant_s == Approx((3 + 5 + 8) / 3.0));
  CHECK(bounds("0,0\n1,0\n1,0\n", 0).mean_unloaded_s == 4);
  CHECK(bounds("0,0\n1,0\n1,0\n", 1).mean_clairvoyant_s == Approx((5 + 8) / 2.0));
  // One of 5 s at 0 (3 + 2); one of 3 s at 1 is shorter than the 4 s left and goes first: done at 4 and 8.
  CHECK(bounds("0,1\n1,0\n", 0).mean_clairvoyant_s == Approx((8 + 3) / 2.0));
  // At 3 there are 2 s left, less than 3: the first goes on. Done at 5 and 8.
  CHECK(bounds("0,1\n3,0\n", 0).mean_clairvoyant_s == Approx((5 + 5) / 2.0));
  CHECK(bounds("0,1\n3,0\n", 0).mean_unloaded_s == Approx((6 + 4) / 2.0));
}

TEST_CASE("no policy beats the bounds", "[bounds]") {
  for (const double rho : {0.3, 1.0, 2.0}) {
    const sim::RunConfig config = test::config_of(
        "requests: 3000\nwarmup_requests: 100\nnetwork: ee_resnet50\nworkload:\n  arrivals: {kind: poisson, "
        "rho: " +
        std::to_string(rho) +
        "}\n  exits: {kind: rates, rates: [0.3, 0.35, 0.4]}\nsystems:\n"
        "  - {label: a, policy: {name: serial}}\n  - {label: b, policy: {name: dynamic_batching}}\n"
        "  - {label: c, policy: {name: lazy_batching}}\n  - {label: d, policy: {name: exit_aware, "
        "exit_knowledge: oracle}, npu_mode: fluid_stacked}\n"
        "  - {label: e, policy: {name: deferred_batching}, npu_mode: r_stacked}\n");
    for (std::size_t i = 0; i < config.systems.size(); ++i) {
      const sim::RunStatistics s = test::run_bare(config, i).statistics;
      INFO(config.systems[i].label << " at rho " << rho);
      CHECK(s[Id::mean_latency] >= s[Id::unloaded_bound]);
      CHECK(s[Id::mean_latency] >= s[Id::clairvoyant_bound]);
      CHECK(s[Id::distance_to_bound] >= 1);
      CHECK(s[Id::unloaded_bound] > 0);
    }
  }
}
