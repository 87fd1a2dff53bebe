// The energy of runs: by hand, in closed forms, and how it is divided among services and NPUs.
#include <cmath>
#include <limits>
#include <string>

#include <catch2/catch.hpp>

#include "sim/core/conservation.h"
#include "sim/core/invariant.h"
#include "sim/measure/recorder.h"
#include "sim/run/simulation.h"
#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using Id = sim::StatisticId;
using sim::Absence;
using workloads::Rate;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

sim::RunStatistics run(const sim::ScenarioBuilder& builder) {
  const sim::Scenario scenario = builder.build();
  return sim::simulate(scenario, scenario.systems[0]);
}

/// Of layers first .. last - 1.
double dynamic_j(const npu::BatchPolicyTable& table, int first, int last, int batch) {
  double sum = 0;
  for (int layer = first; layer < last; ++layer) sum += table.dynamic_energy(layer, batch).total_j();
  return sum;
}

/// Of a single sample alone, on the NPU and the network that `builder` has.
struct Alone {
  explicit Alone(const sim::ScenarioBuilder& builder)
      : table(sim::ScenarioBuilder(builder).dates_s({0}).build().systems[0].table()) {}
  std::shared_ptr<const npu::BatchPolicyTable> table;
  double latency_s = table->single_sample_latency_s();
  double dynamic_j = ::dynamic_j(*table, 0, table->layers(), 1);
  double static_w = table->energies()->static_w;
};

sim::ScenarioBuilder serial_resnet50() { return test::scenario_of("resnet50").system("serial"); }

npu::Npu npu_without_energies() {
  npu::Npu npu = test::shipped_npu("zu7ev_small");
  npu.energy.reset();
  return npu;
}

/// Two services, far from busy, with as many NPUs as are given.
sim::ScenarioBuilder two_services(std::vector<sim::NpuSpec> npus, const std::string& router) {
  sim::ScenarioBuilder builder = test::scenario_of("resnet18");
  builder.service({.name = "a"}).service({.name = "b", .network = test::shipped_network("ee_resnet50")});
  builder.devices(
      {{.arrivals = sim::poisson(Rate::hz(6))}, {.arrivals = sim::poisson(Rate::hz(9)), .service = 1}});
  sim::SystemSpec system{.policy = "lazy_batching", .npus = std::move(npus)};
  system.router = router;
  return builder.requests(2'000).warmup_requests(100).system(system);
}

double sum_of(const std::vector<sim::RunStatistics>& parts, Id id) {
  double sum = 0;
  for (const sim::RunStatistics& part : parts) sum += part[id];
  return sum;
}

/// Watts of one of the four parts of the energy.
double watts(const sim::RunStatistics& statistics, Id id) {
  const double per_s = statistics[Id::throughput];
  return per_s > 0 ? statistics[id] * per_s : 0;
}

}  // namespace

TEST_CASE("energy of three requests, by hand", "[energy]") {
  // The first is warm-up; two more come at 10, one after the other for d seconds each: a window of 2 d.
  const Alone alone(serial_resnet50());
  const sim::RunStatistics s = run(serial_resnet50().dates_s({0, 10, 10}).warmup_requests(1));
  const double total_j = 2 * alone.dynamic_j + alone.static_w * 2 * alone.latency_s;
  CHECK(s[Id::energy_per_request] == Approx(total_j / 2).epsilon(1e-12));
  CHECK(s[Id::average_power] == Approx(total_j / (2 * alone.latency_s)).epsilon(1e-12));
  CHECK(s[Id::energy_delay_product] == Approx(total_j / 2 * 1.5 * alone.latency_s).epsilon(1e-12));
  CHECK(s[Id::static_energy_per_request] == Approx(alone.static_w * alone.latency_s).epsilon(1e-12));
  double mac_j = 0;
  double buffers_j = 0;
  double dram_j = 0;
  for (int layer = 0; layer < alone.table->layers(); ++layer) {
    const npu::DynamicEnergy its = alone.table->dynamic_energy(layer, 1);
    mac_j += its.mac_j;
    buffers_j += its.input_buffer_j + its.weight_buffer_j + its.output_buffer_j;
    dram_j += its.dram_j;
  }
  CHECK(s[Id::mac_energy_per_request] == Approx(mac_j).epsilon(1e-12));
  CHECK(s[Id::buffer_energy_per_request] == Approx(buffers_j).epsilon(1e-12));
  CHECK(s[Id::dram_energy_per_request] == Approx(dram_j).epsilon(1e-12));
}

TEST_CASE("of the step under way when the window begins, the layer of that date counts in proportion",
          "[energy]") {
  const Alone alone(serial_resnet50());
  const npu::BatchPolicyTable& table = *alone.table;
  const int layer = 7;
  // Request 0 has run three quarters of layer 7 when request 1 comes.
  const double date_s = table.latency_s(0, layer, 1) + 0.75 * table.latency_s(layer, layer + 1, 1);
  const sim::RunStatistics s = run(serial_resnet50().dates_s({0, date_s}).warmup_requests(1));
  const double rest_j =
      0.25 * dynamic_j(table, layer, layer + 1, 1) + dynamic_j(table, layer + 1, table.layers(), 1);
  const double window_s = 2 * alone.latency_s - date_s;
  CHECK(s[Id::energy_per_request] ==
        Approx(rest_j + alone.dynamic_j + alone.static_w * window_s).epsilon(1e-11));
}

TEST_CASE("energy of batches that shrink, by their layers", "[energy]") {
  // Two at once, of which one leaves at the first exit.
  const sim::ScenarioBuilder builder =
      test::scenario_of("ee_resnet50")
          .system(
              {.policy = "dynamic_batching", .parameters = {{"max_batch", 2}, {"max_queue_delay_ms", 1000}}});
  const sim::RunStatistics s = run(sim::ScenarioBuilder(builder).recorded({{0, 3}, {0, 0}}));
  const auto table = sim::ScenarioBuilder(builder).dates_s({0}).build().systems[0].table();
  const int cut = table->segment_begin(1);
  const double window_s = table->latency_s(0, cut, 2) + table->latency_s(cut, table->layers(), 1);
  const double total_j = dynamic_j(*table, 0, cut, 2) + dynamic_j(*table, cut, table->layers(), 1) +
                         table->energies()->static_w * window_s;
  CHECK(s[Id::energy_per_request] == Approx(total_j / 2).epsilon(1e-11));
}

TEST_CASE("M/D/1: a request takes its own energy, and the static power until the next one comes",
          "[energy]") {
  const Alone alone(serial_resnet50());
  for (const double rho : {0.001, 0.3, 0.9}) {
    INFO("rho " << rho);
    const double rate_hz = rho / alone.latency_s;
    const sim::RunStatistics s = run(serial_resnet50().seed(3).requests(40'000).poisson(Rate::hz(rate_hz)));
    CHECK(s[Id::energy_per_request] ==
          Approx(alone.dynamic_j + alone.static_w / s[Id::throughput]).epsilon(1e-9));
    CHECK(s[Id::energy_per_request] == Approx(alone.dynamic_j + alone.static_w / rate_hz).epsilon(0.02));
    CHECK(s[Id::average_power] == Approx(alone.static_w + alone.dynamic_j * rate_hz).epsilon(0.02));
    if (rho < 0.01) CHECK(s[Id::average_power] == Approx(alone.static_w).epsilon(0.05));
  }
}

TEST_CASE("a saturated NPU takes the power of its batches without a pause", "[energy]") {
  for (const int batch : {1, 4}) {
    const sim::ScenarioBuilder builder =
        test::scenario_of("resnet50")
            .system({.policy = "dynamic_batching",
                     .parameters = {{"max_batch", batch}, {"max_queue_delay_ms", 0}}});
    const Alone alone(builder);
    const npu::BatchPolicyTable& table = *alone.table;
    const sim::RunStatistics s =
        run(sim::ScenarioBuilder(builder).dates_s(std::vector<double>(4 * 500, 0.0)));
    const double latency_s = table.latency_s(0, table.layers(), batch);
    const double power_w = dynamic_j(table, 0, table.layers(), batch) / latency_s + alone.static_w;
    CHECK(s[Id::average_power] == Approx(power_w).epsilon(1e-9));
    CHECK(s[Id::energy_per_request] == Approx(power_w * latency_s / batch).epsilon(1e-9));
  }
}

TEST_CASE("energy that is not the sum over the steps is a broken invariant", "[energy]") {
  const sim::Scenario scenario = serial_resnet50().dates_s({0}).build();
  const sim::Conservation conservation{.admitted = 1, .completed = 1, .end_s = 3};
  const auto compute = [&](double steps_j, double window_begin_s = 1) {
    sim::Totals totals;
    totals.latencies_s = {1};
    totals.window_begin_s = window_begin_s;
    totals.busy_s = 1;
    totals.energy.known = 1;
    totals.energy.dynamic = {
        .mac_j = 1, .input_buffer_j = 2, .weight_buffer_j = 3, .output_buffer_j = 4, .dram_j = 5};
    totals.energy.steps_j = steps_j;
    totals.energy.static_w = 0.5;
    return sim::compute_statistics(totals, conservation, scenario.service().slo);
  };
  CHECK(compute(15)[Id::energy_per_request] == 16);
  CHECK(compute(15)[Id::average_power] == 8);
  CHECK_NOTHROW(compute(15 * (1 + 5e-10)));
  CHECK_THROWS_AS(compute(15 * (1 + 2e-9)), sim::InvariantViolation);
  CHECK_THROWS_AS(compute(15 * (1 - 2e-9)), sim::InvariantViolation);
  CHECK_THROWS_AS(compute(kNaN), sim::InvariantViolation);
  CHECK(std::isnan(compute(15, 4)[Id::average_power]));  // nobody came after the warm-up
}

TEST_CASE("why there is no energy", "[energy]") {
  const sim::RunStatistics silent = run(sim::ScenarioBuilder()
                                            .network(test::shipped_network("resnet18"))
                                            .npu(npu_without_energies())
                                            .dates_s({0})
                                            .system("serial"));
  const sim::RunStatistics measured =
      run(sim::ScenarioBuilder().latencies_s({{1}}).dates_s({0}).system("serial"));
  for (auto i = static_cast<std::size_t>(Id::energy_per_request); i < sim::kStatistics; ++i) {
    const auto id = static_cast<Id>(i);
    CHECK(std::isnan(silent[id]));
    CHECK(silent.absence(id) == Absence::no_energies);
    CHECK(measured.absence(id) == Absence::measured_table);
  }
  CHECK(sim::is_out_of_question(Absence::no_energies));
  CHECK_FALSE(sim::is_out_of_question(Absence::some_energies));
  // A site of which one NPU says it: that one has it, the services and the whole have not.
  const sim::RunStatistics site = run(two_services({{}, {.npu = npu_without_energies()}}, "round_robin"));
  CHECK(site.absence(Id::average_power) == Absence::some_energies);
  CHECK(site.services[1].absence(Id::energy_per_request) == Absence::some_energies);
  CHECK(site.npus[0].absence(Id::energy_per_request) == Absence::none);
  CHECK(site.npus[0][Id::energy_per_request] > 0);
  CHECK(site.npus[1].absence(Id::energy_per_request) == Absence::no_energies);
}

TEST_CASE("where nobody was served there is power, and no energy per request", "[energy]") {
  // The second is dropped: it can't be answered within 1.5 d any more.
  const Alone alone(serial_resnet50());
  const sim::RunStatistics s = run(test::scenario_of("resnet50")
                                       .dates_s({0, alone.latency_s / 4})
                                       .warmup_requests(1)
                                       .slo_unloaded_multiple(1.5)
                                       .system({.policy = "serial", .drop_hopeless = true}));
  REQUIRE(s[Id::drop_rate] == 1);
  CHECK(s.absence(Id::energy_per_request) == Absence::nothing);
  CHECK(std::isnan(s[Id::energy_delay_product]));
  CHECK(s[Id::average_power] > alone.static_w);
}

TEST_CASE("services add up to the whole, and NPUs do", "[energy]") {
  const std::vector<sim::NpuSpec> fleet{{}, {.npu = test::shipped_npu("zu7ev_small")}};
  for (const char* router : {"round_robin", "least_work"}) {
    const sim::RunStatistics site = run(two_services(fleet, router));
    INFO(router);
    for (const std::vector<sim::RunStatistics>* parts : {&site.services, &site.npus}) {
      REQUIRE(parts->size() == 2);
      CHECK(sum_of(*parts, Id::average_power) == Approx(site[Id::average_power]).epsilon(1e-12));
      for (const Id id :
           {Id::mac_energy_per_request, Id::buffer_energy_per_request, Id::dram_energy_per_request,
            Id::static_energy_per_request, Id::energy_per_request}) {
        CHECK(watts((*parts)[0], id) + watts((*parts)[1], id) == Approx(watts(site, id)).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("of an NPU that was never busy each service has an equal share", "[energy]") {
  // One request at a time, so that the shortest queue is always the first NPU's.
  sim::ScenarioBuilder builder = test::scenario_of("resnet18");
  builder.service({.name = "a"}).service({.name = "b", .network = test::shipped_network("ee_resnet50")});
  builder.devices({{.arrivals = sim::recorded({{.date_s = 0}, {.date_s = 2}})},
                   {.arrivals = sim::recorded({{.date_s = 1}}), .service = 1}});
  sim::SystemSpec system{.policy = "serial", .npus = {{}, {.npu = test::shipped_npu("zu7ev_small")}}};
  system.router = "join_shortest_queue";
  const sim::Scenario scenario = builder.requests(3).system(system).build();
  const sim::RunStatistics site = sim::simulate(scenario, scenario.systems[0]);
  REQUIRE(site.npus[1][Id::busy_fraction] == 0);
  const auto static_w = [&](std::size_t npu) {
    return scenario.systems[0].npus[npu].tables[0]->energies()->static_w;
  };
  CHECK(site.npus[1][Id::average_power] == Approx(static_w(1)));
  const auto& tables = scenario.systems[0].npus[0].tables;
  const double a_s = 2 * tables[0]->single_sample_latency_s();
  const double b_s = tables[1]->single_sample_latency_s();
  const double a_w = static_w(0) * a_s / (a_s + b_s) + static_w(1) / 2;
  CHECK(watts(site.services[0], Id::static_energy_per_request) == Approx(a_w).epsilon(1e-9));
  CHECK(watts(site, Id::static_energy_per_request) == Approx(static_w(0) + static_w(1)).epsilon(1e-9));
}
