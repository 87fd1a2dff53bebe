// Arrival processes against their closed forms. Tolerances are 3.3 standard errors of what is estimated (0.1
// %), seeds are fixed.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <catch2/catch.hpp>

#include "tests/support/workload_helpers.h"
#include "workloads/random.h"
#include "workloads/traffic/processes.h"
#include "workloads/traffic/winner_tree.h"

using namespace fluidbatch;
using Catch::Contains;

namespace {

constexpr std::size_t kDraws = 100'000;

std::vector<double> gaps(const std::vector<double>& dates) {
  std::vector<double> result(dates.size());
  std::adjacent_difference(dates.begin(), dates.end(), result.begin());
  return result;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double variance(const std::vector<double>& values) {
  const double m = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - m) * (value - m);
  return sum / static_cast<double>(values.size() - 1);
}

/// Correlation of values that are `lag` apart.
double autocorrelation(const std::vector<double>& values, std::size_t lag) {
  const double m = mean(values);
  double sum = 0;
  for (std::size_t i = lag; i < values.size(); ++i) sum += (values[i] - m) * (values[i - lag] - m);
  return sum / static_cast<double>(values.size() - lag) / variance(values);
}

/// Counts of arrivals in consecutive windows.
std::vector<double> counts(const std::vector<double>& dates, double window_s) {
  std::vector<double> result(static_cast<std::size_t>(dates.back() / window_s));
  for (const double date : dates) {
    const auto window = static_cast<std::size_t>(date / window_s);
    if (window < result.size()) ++result[window];
  }
  return result;
}

double dispersion(const std::vector<double>& dates, double window_s) {
  const std::vector<double> c = counts(dates, window_s);
  return variance(c) / mean(c);
}

/// Distribution of a gamma variable with integer shape n and mean 1: 1 - e^-nx (1 + nx + ..
/// (nx)^(n-1)/(n-1)!).
double erlang(int n, double x) {
  double term = 1;
  double sum = 1;
  for (int i = 1; i < n; ++i) sum += term *= n * x / i;
  return 1 - std::exp(-n * x) * sum;
}

}  // namespace

TEST_CASE("Poisson: exponential gaps, counts as dispersed as their mean, no memory", "[arrivals]") {
  const std::vector<double> dates =
      test::dates_of(*test::arrivals_of("{kind: poisson, rate_hz: 40}"), kDraws);
  CHECK(test::kolmogorov(gaps(dates), [](double x) { return -std::expm1(-40 * x); }) < 1.95);
  const double windows = dates.back() / 0.5;
  CHECK(dispersion(dates, 0.5) == Approx(1).margin(3.3 * std::sqrt(2 / windows)));
  CHECK(autocorrelation(gaps(dates), 1) == Approx(0).margin(3.3 / std::sqrt(kDraws)));
}

TEST_CASE("gamma: gaps of the given mean and CV, of the right distribution", "[arrivals]") {
  const auto draw = [](const char* cv) {
    return gaps(test::dates_of(*test::arrivals_of(std::string("{kind: gamma, rate_hz: 10, cv: ") + cv + "}"),
                               kDraws));
  };
  // Shapes 1, 4 and 9 have a closed distribution, as has 1/2 (CV sqrt 2): that of a squared normal variable.
  CHECK(test::kolmogorov(draw("1"), [](double x) { return -std::expm1(-10 * x); }) < 1.95);
  CHECK(test::kolmogorov(draw("0.5"), [](double x) { return erlang(4, 10 * x); }) < 1.95);
  CHECK(test::kolmogorov(draw("0.3333333333333333"), [](double x) { return erlang(9, 10 * x); }) < 1.95);
  CHECK(test::kolmogorov(draw("1.4142135623730951"),
                         [](double x) { return std::erf(std::sqrt(10 * x / 2)); }) < 1.95);
  for (const double cv : {0.2, 1.5, 3.0}) {
    const std::vector<double> g = draw(std::to_string(cv).c_str());
    // Standard errors: of the mean cv / sqrt n; of the variance, with the kurtosis 3 + 6 cv^2 of a gamma
    // variable.
    CHECK(10 * mean(g) == Approx(1).margin(3.3 * cv / std::sqrt(kDraws)));
    CHECK(100 * variance(g) == Approx(cv * cv).margin(3.3 * cv * cv * std::sqrt((2 + 6 * cv * cv) / kDraws)));
    CHECK(autocorrelation(g, 1) == Approx(0).margin(3.3 / std::sqrt(kDraws)));
  }
}

TEST_CASE("periodic: a beat that is kept for ever, a phase, a uniform delay", "[arrivals]") {
  const std::vector<double> exact =
      test::dates_of(*test::arrivals_of("{kind: periodic, period_ms: 40, phase_ms: 10}"), 1001);
  for (std::size_t i = 0; i < exact.size(); ++i) REQUIRE(exact[i] == 0.01 + static_cast<double>(i) * 0.04);

  const auto jittered = test::arrivals_of("{kind: periodic, rate_hz: 25, phase_ms: 0, jitter_ms: 40}");
  std::vector<double> delays = test::dates_of(*jittered, kDraws);
  CHECK(std::is_sorted(delays.begin(), delays.end()));
  for (std::size_t i = 0; i < delays.size(); ++i) delays[i] -= static_cast<double>(i) * 0.04;
  CHECK(test::kolmogorov(delays, [](double x) { return std::clamp(x / 0.04, 0.0, 1.0); }) < 1.95);
  CHECK(autocorrelation(delays, 1) == Approx(0).margin(3.3 / std::sqrt(kDraws)));

  // Phases are drawn for each device, uniform over the period.
  const auto cameras = test::arrivals_of("{kind: periodic, period_ms: 40}");
  std::vector<double> phases;
  for (std::uint64_t key = 0; key < 10'000; ++key) phases.push_back(test::dates_of(*cameras, 1, 1, key)[0]);
  CHECK(test::kolmogorov(phases, [](double x) { return std::clamp(x / 0.04, 0.0, 1.0); }) < 1.95);
}

TEST_CASE("mmpp: stationary rate, dispersion and sojourns", "[arrivals]") {
  // Two states of rate 20 and 2 that last 1 s and 3 s: mean rate (20 + 6) / 4 = 6.5. Index of dispersion of
  // the counts in a window t, with the rates' variance v = p (1 - p) (20 - 2)^2 and the chain's decay r = 1 +
  // 1/3: 1 + 2 v / (mean r) (1 - (1 - e^-rt) / rt)   (Fischer and Meier-Hellstern, 1993).
  const auto spec = test::arrivals_of(
      "{kind: mmpp, states: [{rate_hz: 20, mean_duration_s: 1}, {rate_hz: 2, mean_duration_s: 3}]}");
  CHECK(spec->mean_rate_hz() == 6.5);
  constexpr double kV = 0.25 * 0.75 * 18 * 18;
  constexpr double kDecay = 1 + 1.0 / 3;
  const auto expected = [&](double t) {
    return 1 + 2 * kV / (6.5 * kDecay) * (1 - (1 - std::exp(-kDecay * t)) / (kDecay * t));
  };
  const std::vector<double> dates = test::dates_of(*spec, 400'000);
  const double time_s = dates.back();
  // Asymptotic dispersion over the whole time gives the standard error of the rate.
  const double rate_error = std::sqrt(6.5 * expected(1e9) / time_s);
  CHECK(400'000 / time_s == Approx(6.5).margin(3.3 * rate_error));
  for (const double window_s : {0.1, 1.0, 10.0}) {
    CHECK(dispersion(dates, window_s) == Approx(expected(window_s)).epsilon(0.1));
  }
  // The share of streams that begin in the fast state is its share of the time.
  const auto on_off = test::arrivals_of(
      "{kind: mmpp, states: [{rate_hz: 1.0e+6, mean_duration_s: 1}, {rate_hz: 0, mean_duration_s: 3}]}");
  int fast = 0;
  for (std::uint64_t key = 0; key < 10'000; ++key)
    fast += test::dates_of(*on_off, 1, 1, key)[0] < 1e-4 ? 1 : 0;
  CHECK(fast / 1e4 == Approx(0.25).margin(3.3 * std::sqrt(0.25 * 0.75 / 1e4)));
  // With one state it is a Poisson process.
  const auto one = test::arrivals_of("{kind: mmpp, states: [{rate_hz: 40, mean_duration_s: 0.1}]}");
  CHECK(test::kolmogorov(gaps(test::dates_of(*one, kDraws)), [](double x) { return -std::expm1(-40 * x); }) <
        1.95);
}

TEST_CASE("spike: counts follow the profile, and within a piece arrivals are uniform", "[arrivals]") {
  const auto spec = test::arrivals_of(
      "{kind: spike, profile: [{rate_hz: 10, duration_s: 2}, {rate_hz: 0, duration_s: 1}, "
      "{rate_hz: 200, duration_s: 0.5}]}");
  constexpr double kPeriod_s = 3.5;
  CHECK(spec->mean_rate_hz() == Approx(120 / kPeriod_s));
  const std::vector<double> dates = test::dates_of(*spec, kDraws);
  const double periods = std::floor(dates.back() / kPeriod_s);
  double quiet = 0;
  double spike = 0;
  std::vector<double> in_spike;
  for (const double date : dates) {
    if (date >= periods * kPeriod_s) continue;
    const double phase = std::fmod(date, kPeriod_s);
    REQUIRE((phase < 2 + 1e-9 || phase > 3 - 1e-9));
    (phase < 2.5 ? quiet : spike) += 1;
    if (phase > 2.5) in_spike.push_back(phase - 3);
  }
  // Counts of Poisson processes: as many as rate times duration, give or take their root.
  CHECK(quiet / periods == Approx(20).margin(3.3 * std::sqrt(20 / periods)));
  CHECK(spike / periods == Approx(100).margin(3.3 * std::sqrt(100 / periods)));
  CHECK(test::kolmogorov(in_spike, [](double x) { return std::clamp(x / 0.5, 0.0, 1.0); }) < 1.95);

  // Time change: the integral of the rate between arrivals is exponential.
  const auto integral = [](double date) {
    const double phase = std::fmod(date, kPeriod_s);
    return 120 * std::floor(date / kPeriod_s) +
           (phase < 2 ? 10 * phase : 20 + 200 * std::max(0.0, phase - 3));
  };
  std::vector<double> unit(dates.size());
  std::transform(dates.begin(), dates.end(), unit.begin(), integral);
  CHECK(test::kolmogorov(gaps(unit), [](double x) { return -std::expm1(-x); }) < 1.95);

  // Without a repetition the last piece goes on for ever; with a rate of 0 there, the stream ends.
  const auto once = test::arrivals_of(
      "{kind: spike, repeat: false, profile: [{rate_hz: 0, duration_s: 5}, {rate_hz: 100, duration_s: 1}]}");
  const std::vector<double> late = test::dates_of(*once, 10'000);
  CHECK(late.front() > 5);
  CHECK(late.back() == Approx(105).margin(4));
  const auto ends = test::arrivals_of(
      "{kind: spike, repeat: false, profile: [{rate_hz: 100, duration_s: 5}, {rate_hz: 0, duration_s: 1}]}");
  CHECK(test::dates_of(*ends, 10'000).size() == Approx(500).margin(3.3 * std::sqrt(500.0)));
}

TEST_CASE("a closed loop sends when it has thought about its answer", "[arrivals]") {
  const auto spec = test::arrivals_of("{kind: closed_loop, think_time_ms: 100, think: constant}");
  const auto client = spec->start(1, 0);
  CHECK(client->next_s() == 0.1);
  CHECK(client->next_s() == workloads::RequestStream::kNever);  // it waits
  client->answered(0.75);
  CHECK(client->next_s() == 0.75 + 0.1);
  // Exponential thoughts.
  const auto thinker = test::arrivals_of("{kind: closed_loop, think_time_ms: 100}")->start(1, 0);
  std::vector<double> thoughts;
  for (std::size_t i = 0; i < kDraws; ++i) {
    thoughts.push_back(thinker->next_s());
    thinker->answered(0);
  }
  CHECK(test::kolmogorov(thoughts, [](double x) { return -std::expm1(-10 * x); }) < 1.95);
}

TEST_CASE("devices are merged in order of date, of equal dates in order of number", "[arrivals]") {
  const workloads::Devices devices = test::devices_of(
      "devices:\n"
      "  - {count: 300, arrivals: {kind: poisson, rate_hz: 2}}\n"
      "  - {count: 200, arrivals: {kind: periodic, period_ms: 125, phase_ms: 0}}\n");
  CHECK(devices.size() == 500);
  CHECK(devices.mean_rate_hz() == 600 + 1600);
  const auto exits = test::exits_of("{kind: none}", 2, devices);
  workloads::SentRequests stream(devices, *exits, 5, {.requests = 50'000});
  const std::vector<workloads::Arrival> merged = test::drain(stream);
  REQUIRE(merged.size() == 50'000);
  // Against a sort of every device's own stream.
  std::vector<std::pair<double, std::uint32_t>> expected;
  for (std::uint32_t device = 0; device < 500; ++device) {
    const bool poisson = device < 300;
    const std::uint64_t key = workloads::Devices::key(poisson ? 0 : 1, poisson ? device : device - 300);
    const auto own = devices.groups()[poisson ? 0 : 1].arrivals->start(5, key);
    for (double date_s = own->next_s(); date_s <= merged.back().date_s; date_s = own->next_s()) {
      expected.emplace_back(date_s, device);
    }
  }
  std::sort(expected.begin(), expected.end());
  for (std::size_t i = 0; i < merged.size(); ++i) {
    REQUIRE(merged[i].date_s == expected[i].first);
    REQUIRE(merged[i].device == expected[i].second);
  }
}

TEST_CASE("a device's arrivals and exits are its own: more devices change nothing of them", "[arrivals]") {
  const auto run = [](const std::string& groups) {
    const workloads::Devices devices = test::devices_of("devices:\n" + groups);
    const auto exits = test::exits_of("{kind: correlated, rates: [0.3, 0.5], correlation: 0.6}", 3, devices);
    workloads::SentRequests stream(devices, *exits, 5, {.duration_s = 20});
    return test::drain(stream);
  };
  const std::string lamp = "  - {count: 2, arrivals: {kind: gamma, rate_hz: 3, cv: 2}}\n";
  const std::vector<workloads::Arrival> few =
      run("  - {count: 3, arrivals: {kind: poisson, rate_hz: 5}}\n" + lamp);
  const std::vector<workloads::Arrival> many = run("  - {count: 9, arrivals: {kind: poisson, rate_hz: 5}}\n" +
                                                   lamp + "  - {arrivals: {kind: periodic, rate_hz: 7}}\n");
  const auto of = [](const std::vector<workloads::Arrival>& all, std::uint32_t device) {
    std::vector<std::pair<double, int>> own;
    for (const workloads::Arrival& arrival : all) {
      if (arrival.device == device) own.emplace_back(arrival.date_s, arrival.exit);
    }
    return own;
  };
  CHECK(many.size() > few.size());
  for (const std::uint32_t device : {0U, 1U, 2U}) {
    CHECK(of(few, device).size() > 50);
    CHECK(of(few, device) == of(many, device));
  }
  CHECK(of(few, 3) == of(many, 9));  // the lamps move up by six numbers
  CHECK(of(few, 4) == of(many, 10));
  CHECK(of(few, 0) != of(few, 1));
}

TEST_CASE("a winner tree of any size gives the first of all", "[arrivals]") {
  workloads::RandomStream random(3, "test", 0);
  for (const std::size_t leaves : {1U, 2U, 3U, 7U, 8U, 100U}) {
    workloads::WinnerTree tree(leaves);
    CHECK(tree.date_s() == workloads::WinnerTree::kNever);
    std::vector<double> dates(leaves, workloads::WinnerTree::kNever);
    for (int i = 0; i < 500; ++i) {
      const auto leaf = static_cast<std::uint32_t>(random.bits() % leaves);
      // Few values, so that many are equal; now and then none.
      const auto draw = static_cast<double>(random.bits() % 6);
      dates[leaf] = draw;
      if (draw == 5) dates[leaf] = workloads::WinnerTree::kNever;
      tree.set(leaf, dates[leaf]);
      const auto first = std::min_element(dates.begin(), dates.end());
      REQUIRE(tree.date_s() == *first);
      REQUIRE(tree.date_of(leaf) == dates[leaf]);
      if (*first < workloads::WinnerTree::kNever) {
        REQUIRE(tree.leaf() == static_cast<std::uint32_t>(first - dates.begin()));
      }
    }
  }
}

TEST_CASE("rates relative to the reference", "[arrivals]") {
  // A single sample takes 1 s there, and a request at least 0.5 s.
  CHECK(test::arrivals_of("{kind: poisson, rho: 0.6}")->mean_rate_hz() == 0.6);
  CHECK(test::arrivals_of("{kind: poisson, load: 0.6}")->mean_rate_hz() == 1.2);
  CHECK(test::arrivals_of("{kind: periodic, load: 0.5}")->mean_rate_hz() == 1);
  CHECK(test::arrivals_of("{kind: spike, profile: [{rho: 3, duration_s: 1}, {load: 0.5, duration_s: 1}]}")
            ->mean_rate_hz() == 2);
}

TEST_CASE("a wrong arrival process is refused at its place", "[arrivals]") {
  const auto refuses = [](const char* yaml, const char* message) {
    CHECK_THROWS_WITH(test::arrivals_of(yaml), Contains(message));
  };
  refuses("{kind: poisson}", "poisson needs one of 'rho', 'rate_hz'");
  refuses("{kind: poisson, rho: 1, rate_hz: 1}", "only one of 'rho', 'rate_hz'");
  refuses("{kind: periodic, period_ms: 5, load: 1}", "only one of 'period_ms', 'load'");
  refuses("{kind: poison, rho: 1}", "did you mean 'poisson'?");
  refuses("{kind: periodic, period_ms: 0}", "c.yaml:1:29: period_ms must be a number, from 1e-09");
  refuses("{kind: periodic, period_ms: 10, jitter_ms: 11}", "jitter_ms must be a number, from 0 to 10");
  refuses("{kind: periodic, period_ms: 10, phase_ms: 11}", "phase_ms must be a number, from 0 to 10");
  refuses("{kind: periodic, period_ms: 10, phase_ms: randon}",
          "phase_ms must be a number of milliseconds or");
  refuses("{kind: gamma, rate_hz: 1, cv: -1}", "cv must be a number, above 0 to 100; found '-1'");
  refuses("{kind: gamma, rate_hz: 1}", "needs the key 'cv'");
  refuses("{kind: mmpp, states: []}", "states needs at least one entry with a rate above 0");
  refuses("{kind: mmpp, states: [{rate_hz: 0, mean_duration_s: 1}]}",
          "at least one entry with a rate above 0");
  refuses("{kind: mmpp, states: [{rate_hz: 1}]}", "needs the key 'mean_duration_s'");
  refuses("{kind: spike, profile: [{rate_hz: 1, duration_s: 0}]}", "duration_s must be a number, from 1e-09");
  refuses("{kind: closed_loop, think_time_ms: 0}", "think_time_ms must be a number");
  refuses("{kind: closed_loop, think_time_ms: 5, clients: 0}", "clients must be a whole number from 1");
  CHECK_THROWS_WITH(test::devices_of("devices: []"), Contains("devices needs at least one group"));
  CHECK_THROWS_WITH(test::devices_of("devices: [{count: 0, arrivals: {kind: poisson, rho: 1}}]"),
                    Contains("count must be a whole number from 1"));
  CHECK_THROWS_WITH(
      test::devices_of(
          "devices: [{count: 1000, arrivals: {kind: closed_loop, clients: 5000, think_time_ms: 1}}]"),
      Contains("not have more than 1048576 devices, found 5000000"));
}

namespace {

/// The largest distance between the distributions of two samples of one size, times the square root of half
/// the size: above 1.95 for one in a thousand, where both are of one distribution.
double two_sample_kolmogorov(std::vector<double> a, std::vector<double> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  std::size_t j = 0;
  std::size_t largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    while (j < b.size() && b[j] <= a[i]) ++j;
    largest = std::max(largest, i + 1 > j ? i + 1 - j : j - i - 1);
  }
  const auto n = static_cast<double>(a.size());
  return static_cast<double>(largest) / n * std::sqrt(n / 2);
}

/// The next two gaps after a date, as each stream has them and as its restarted copy has.
struct Futures {
  std::vector<double> first;
  std::vector<double> second;

  void add(double date_s, double first_s, double second_s) {
    first.push_back(first_s - date_s);
    second.push_back(second_s - first_s);
  }
};

void check_restarts(const workloads::ArrivalSpec& spec, double date_s) {
  REQUIRE(spec.restarts());
  constexpr std::uint64_t kStreams = 20'000;
  Futures own;
  Futures restarted;
  std::size_t alike = 0;
  for (std::uint64_t seed = 1; seed <= kStreams; ++seed) {
    const auto stream = spec.start(seed, 0);
    double first_s = 0;
    while (first_s <= date_s) first_s = stream->next_s();
    const double second_s = stream->next_s();
    if (seed % 2 == 0) stream->next_s();  // as far ahead as streams are read
    own.add(date_s, first_s, second_s);
    const auto copy = stream->clone();
    copy->split(5);
    copy->restart(date_s);
    const double its_first_s = copy->next_s();
    CHECK(its_first_s > date_s);
    restarted.add(date_s, its_first_s, copy->next_s());
    alike += its_first_s == first_s ? 1U : 0U;
  }
  CHECK(two_sample_kolmogorov(own.first, restarted.first) < 1.95);
  CHECK(two_sample_kolmogorov(own.second, restarted.second) < 1.95);
  CHECK(alike < kStreams / 100);  // gamma gaps are drawn by rejection, with an end
}

}  // namespace

TEST_CASE("restarted streams have the gaps that streams have after a date, and others", "[arrivals]") {
  // Dates at which gamma gaps have begun a while ago, and at which states and rates change soon.
  check_restarts(*workloads::make_poisson(10), 0.73);
  check_restarts(*workloads::make_gamma(10, 0.5), 0.73);
  check_restarts(*workloads::make_gamma(10, 2), 0.73);
  check_restarts(
      *workloads::make_mmpp({{.rate_hz = 2, .duration_s = 0.5}, {.rate_hz = 40, .duration_s = 0.2}}), 0.73);
  check_restarts(
      *workloads::make_spike({{.rate_hz = 5, .duration_s = 0.7}, {.rate_hz = 80, .duration_s = 0.1}}), 0.69);
}
