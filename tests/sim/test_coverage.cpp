// The printed intervals against true values: how often they cover them, over many seeds.
#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/measure/confidence.h"
#include "sim/run/simulation.h"
#include "tests/support/md1.h"
#include "tests/support/mg1.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using Id = sim::StatisticId;
using workloads::Rate;

namespace {

constexpr std::uint64_t kWarmup = 1000;

/// The statistics that have an interval, each with its half-width.
struct Estimated {
  Id value;
  Id half_width;
};
constexpr std::array<Estimated, 4> kEstimated{{{Id::mean_latency, Id::mean_latency_ci95},
                                               {Id::slo_violation_rate, Id::slo_violation_rate_ci95},
                                               {Id::p99_latency, Id::p99_latency_ci95},
                                               {Id::p99_9_latency, Id::p99_9_latency_ci95}}};
constexpr std::size_t kMean = 0;
constexpr std::size_t kLateShare = 1;
constexpr std::size_t kP99 = 2;
constexpr std::size_t kP999 = 3;

/// By statistic; `half_widths` of the true values, where these are estimates themselves.
struct Truth {
  std::array<double, 4> values{};
  std::array<double, 4> half_widths{};
};

sim::ScenarioBuilder base(const std::string& network) {
  return test::scenario_of(network).bounds(false).warmup_requests(kWarmup);
}

/// What `serial` asks of the NPU for a sample.
std::vector<test::ServiceTime> services(const std::string& network, const std::vector<double>& exit_rates) {
  const auto table = base(network).poisson(Rate::hz(1)).system("serial").build().systems[0].table();
  std::vector<test::ServiceTime> result;
  double reach = 1;
  double time_s = 0;
  for (int s = 0; s < table->segments(); ++s) {
    time_s += table->latency_s(table->segment_begin(s), table->segment_begin(s + 1), 1);
    const auto exit = static_cast<std::size_t>(s);
    const double leaves = reach * (exit < exit_rates.size() ? exit_rates[exit] : 1);
    result.push_back({.time_s = time_s, .probability = leaves});
    reach -= leaves;
  }
  return result;
}

struct Case {
  std::string text;
  sim::Scenario scenario;
  Truth truth;
};

/// `serial` at a load of `load`, the share of the time in which the NPU is busy; about a twentieth is late.
/// resnet50 has no early exits (M/D/1), ee_resnet50 has (M/G/1).
Case serial(const std::string& network, double load) {
  const bool exits = network != "resnet50";
  const test::Mg1Latency theory(services(network, exits ? test::kExampleRates : std::vector<double>()), load);
  sim::ScenarioBuilder builder = base(network).poisson(Rate::hz(theory.rate_hz())).system("serial");
  builder.slo_s(theory.quantile_s(0.05));
  if (exits) builder.exit_rates(test::kExampleRates);
  Case result{.text = std::string(exits ? "M/G/1" : "M/D/1") + (load < 0.7 ? ", 50 %" : ", 90 %"),
              .scenario = builder.build(),
              .truth = {}};
  result.truth.values = {theory.mean_s(), theory.exceeding(result.scenario.service().slo.latency_s),
                         theory.quantile_s(0.01), theory.quantile_s(0.001)};
  return result;
}

sim::Scenario dynamic_batching(double rate_hz, double slo_s) {
  return base("ee_resnet50")
      .slo_s(slo_s)
      .poisson(Rate::hz(rate_hz))
      .exit_rates(test::kExampleRates)
      .system({.policy = "dynamic_batching", .parameters = {{"max_batch", 8}, {"max_queue_delay_ms", 15}}})
      .build();
}

/// `rho` is relative to a single sample that takes no exit, in mode r.
sim::Scenario exit_aware(double rho, double slo_s) {
  const npu::Npu npu = test::shipped_npu("zu7ev_large");
  return base("ee_resnet50")
      .npu(npu, npu::Mode::fluid_stacked)
      .reference(npu)
      .slo_s(slo_s)
      .poisson(Rate::rho(rho))
      .exit_rates(test::kExampleRates)
      .system({.policy = "exit_aware", .parameters = {{"max_batch", 8}}})
      .build();
}

sim::RunStatistics run(sim::Scenario& scenario, std::uint64_t seed, std::uint64_t measured) {
  scenario.seed = seed;
  scenario.length.requests = kWarmup + measured;
  return sim::simulate(scenario, scenario.systems[0]);
}

/// From 20 independent runs of 5 million requests.
Case simulated(const char* text, sim::Scenario scenario) {
  Case result{.text = text, .scenario = std::move(scenario), .truth = {}};
  std::array<std::vector<double>, kEstimated.size()> found;
  for (std::uint64_t seed = 1'000'001; seed <= 1'000'020; ++seed) {
    const sim::RunStatistics s = run(result.scenario, seed, 5'000'000);
    for (std::size_t i = 0; i < kEstimated.size(); ++i) found[i].push_back(s[kEstimated[i].value]);
  }
  for (std::size_t i = 0; i < kEstimated.size(); ++i) {
    const sim::Interval interval = sim::mean_interval(found[i]);
    result.truth.values[i] = interval.mean;
    result.truth.half_widths[i] = interval.half_width;
  }
  return result;
}

/// Of the intervals of one statistic.
struct Coverage {
  std::vector<double> estimates;  ///< of all runs
  double half_widths = 0;
  int printed = 0;
  int covering = 0;

  void add(double estimate, double half_width, double truth) {
    estimates.push_back(estimate);
    if (std::isnan(half_width)) return;
    ++printed;
    half_widths += half_width;
    covering += std::abs(estimate - truth) <= half_width ? 1 : 0;
  }
  /// At least 90 % of those that are printed.
  [[nodiscard]] bool is_honest() const { return 10 * covering >= 9 * printed; }
  /// Over 1.96 standard deviations of the estimates.
  [[nodiscard]] double relative_width() const {
    double mean = 0;
    for (const double estimate : estimates) mean += estimate / static_cast<double>(estimates.size());
    double squares = 0;
    for (const double estimate : estimates) squares += (estimate - mean) * (estimate - mean);
    constexpr double kNormal95 = 1.96;
    return half_widths / printed /
           (kNormal95 * std::sqrt(squares / static_cast<double>(estimates.size() - 1)));
  }
  [[nodiscard]] std::string text() const {
    if (printed == 0) return "absent";
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.3f of %d, %.1f%s", static_cast<double>(covering) / printed,
                  printed, relative_width(), is_honest() ? "" : " (short)");
    return text.data();
  }
};

using Cell = std::array<Coverage, kEstimated.size()>;

Cell coverage(Case& c, std::uint64_t measured, std::uint64_t seeds) {
  Cell cell;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const sim::RunStatistics s = run(c.scenario, seed, measured);
    for (std::size_t i = 0; i < kEstimated.size(); ++i)
      cell[i].add(s[kEstimated[i].value], s[kEstimated[i].half_width], c.truth.values[i]);
  }
  return cell;
}

/// Whether all that are printed cover, told apart by statistic.
void check_honest(const Cell& cell) {
  for (std::size_t i = 0; i < kEstimated.size(); ++i) {
    INFO("statistic " << i << ": " << cell[i].text());
    CHECK(cell[i].is_honest());
  }
}

}  // namespace

TEST_CASE("the lattice of M/G/1 against closed forms", "[statistics]") {
  const std::vector<test::ServiceTime> fixed{{.time_s = 2, .probability = 1}};
  for (const double load : {0.5, 0.9}) {
    const test::Mg1Latency md1(fixed, load);
    CHECK(md1.rate_hz() == load / 2);
    CHECK(md1.mean_s() == Approx(2 + load / (1 - load)));
    for (const double t : {2.0, 2.5, 5.0, 17.0, 44.0})
      CHECK(md1.exceeding(t) == Approx(1 - test::md1_wait_cdf(t - 2, load, 2)).epsilon(1e-3).margin(1e-7));
    for (const auto& services :
         {fixed, {{.time_s = 1, .probability = 0.3}, {.time_s = 4, .probability = 0.7}}}) {
      const test::Mg1Latency latency(services, load);
      CHECK(latency.lattice_mean_s() == Approx(latency.mean_s()).epsilon(1e-5));
      for (const double share : {0.05, 0.01, 0.001}) {
        CHECK(latency.low_s(share) <= latency.high_s(share));
        CHECK(latency.high_s(share) / latency.low_s(share) < 1.005);
        CHECK(latency.exceeding(latency.quantile_s(share)) == Approx(share).epsilon(0.01));
      }
    }
  }
}

TEST_CASE("intervals of short runs cover the true values of M/D/1 and M/G/1, or are absent", "[statistics]") {
  for (const std::string network : {"resnet50", "ee_resnet50"}) {
    for (const double load : {0.5, 0.9}) {
      Case c = serial(network, load);
      const Cell cell = coverage(c, 5000, 60);
      INFO(c.text);
      check_honest(cell);
      CHECK(cell[kMean].printed > 50);
      // At 0.9, fifty late requests are one or two long queues.
      CHECK((cell[kP99].printed == 0) == (load == 0.9));
      CHECK((load == 0.9 || cell[kLateShare].printed == 60));
      CHECK(cell[kP999].printed == 0);
    }
  }
}

TEST_CASE("intervals of the 99.9th percentile cover, or are absent", "[.release][statistics]") {
  for (const std::string network : {"resnet50", "ee_resnet50"}) {
    for (const double load : {0.5, 0.9}) {
      Case c = serial(network, load);
      const Cell cell = coverage(c, 100'000, 50);
      INFO(c.text);
      check_honest(cell);
      CHECK(cell[kP99].printed > (load == 0.9 ? 10 : 49));
      CHECK((load == 0.9 ? cell[kP999].printed == 0 : cell[kP999].printed > 45));
    }
  }
}

namespace {

void print_heading() {
  std::printf(
      "| system, busy | requests | mean | SLO violation rate | p99 | p99.9 |\n|---|---|---|---|---|---|\n");
}

void print_and_check(Case c) {
  for (const std::uint64_t measured : {5'000U, 20'000U, 100'000U}) {
    const Cell cell = coverage(c, measured, 1000);
    std::printf("| %s | %ju ", c.text.c_str(), static_cast<std::uintmax_t>(measured));
    for (const Coverage& statistic : cell) std::printf("| %s ", statistic.text().c_str());
    std::printf("|\n");
    INFO(c.text << ", " << measured);
    check_honest(cell);
    // What is taken for the truth is ten times as exact as what is held against it.
    for (std::size_t i = 0; i < kEstimated.size(); ++i)
      CHECK((cell[i].printed == 0 || 10 * c.truth.half_widths[i] < cell[i].half_widths / cell[i].printed));
  }
}

}  // namespace

// The tables of docs/validation.md: 1,800 million requests, and the first system alone.
TEST_CASE("coverage of the intervals", "[.coverage]") {
  print_heading();
  for (const std::string network : {"resnet50", "ee_resnet50"})
    for (const double load : {0.5, 0.9}) print_and_check(serial(network, load));
  print_and_check(simulated("exit_aware, rho 0.5", exit_aware(0.5, 0.031)));
  print_and_check(simulated("exit_aware, rho 0.9", exit_aware(0.9, 0.041)));
  print_and_check(simulated("exit_aware, 90 %", exit_aware(3.2, 0.17)));
  print_and_check(simulated("dynamic_batching, 50 %", dynamic_batching(30.5, 0.08)));
  print_and_check(simulated("dynamic_batching, 90 %", dynamic_batching(65.4, 0.17)));
  print_and_check(simulated("dynamic_batching, 93 %", dynamic_batching(69.7, 0.2)));
}

TEST_CASE("coverage of the intervals of one system", "[.coverage-sample]") {
  print_heading();
  print_and_check(serial("resnet50", 0.5));
}
