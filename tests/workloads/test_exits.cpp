// Exit models: marginals, correlation, thresholds.
#include <cmath>

#include <catch2/catch.hpp>

#include "tests/support/run_helpers.h"
#include "tests/support/workload_helpers.h"
#include "workloads/random.h"

using namespace fluidbatch;
using Catch::Contains;

namespace {

workloads::Devices cameras(int count) {
  return test::devices_of("devices: [{count: " + std::to_string(count) +
                          ", arrivals: {kind: periodic, period_ms: 10, phase_ms: 0}}]");
}

/// Exits of `count` requests, device after device in turn.
std::vector<int> exits_taken(const workloads::ExitSpec& spec, const workloads::Devices& devices, int count,
                             std::uint64_t seed = 3) {
  const auto stream = spec.start(seed, devices.keys());
  std::vector<int> taken;
  for (int i = 0; i < count; ++i) {
    workloads::Arrival request;
    request.device = static_cast<std::uint32_t>(i) % devices.size();
    stream->draw({&request, 1});
    taken.push_back(request.exit);
  }
  return taken;
}

std::vector<double> shares(const std::vector<int>& taken, int exits) {
  std::vector<double> share(static_cast<std::size_t>(exits));
  for (const int exit : taken)
    share.at(static_cast<std::size_t>(exit)) += 1.0 / static_cast<double>(taken.size());
  return share;
}

const std::vector<double> kShares{0.3, 0.7 * 0.35, 0.7 * 0.65 * 0.4, 0.7 * 0.65 * 0.6};

/// Standard normal distribution function.
double phi(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

/// P(X < a, Y < a) of two standard normal variables of correlation r: the integral over x < a of
/// phi'(x) phi((a - r x) / sqrt(1 - r^2)), by Simpson's rule.
double both_below(double a, double r) {
  constexpr int kSteps = 20'000;
  const double low = -9;
  const double h = (a - low) / kSteps;
  const auto f = [&](double x) {
    return std::exp(-x * x / 2) / std::sqrt(2 * M_PI) * phi((a - r * x) / std::sqrt(1 - r * r));
  };
  double sum = f(low) + f(a);
  for (int i = 1; i < kSteps; ++i) sum += (i % 2 == 1 ? 4 : 2) * f(low + i * h);
  return sum * h / 3;
}

}  // namespace

TEST_CASE("exit rates are conditional probabilities", "[exits]") {
  const workloads::Devices devices = cameras(1);
  const auto spec = test::exits_of("{kind: rates, rates: [0.3, 0.35, 0.4]}", 4, devices);
  constexpr int kDraws = 400'000;
  const std::vector<double> share = shares(exits_taken(*spec, devices, kDraws), 4);
  for (std::size_t e = 0; e < 4; ++e) {
    const double deviation = std::sqrt(kShares[e] * (1 - kShares[e]) / kDraws);
    CHECK(share[e] == Approx(kShares[e]).margin(3.3 * deviation));
  }
  CHECK_THROWS_WITH(
      test::exits_of("{kind: rates, rates: [0.3]}", 4, devices),
      Contains("c.yaml:1:22: rates needs one number for each early exit; the network has 3, found 1"));
}

TEST_CASE("with higher exit rates every request leaves at the same exit or an earlier one", "[exits]") {
  const workloads::Devices devices = cameras(3);
  for (const std::string kind : {"{kind: rates, rates: ", "{kind: correlated, correlation: 0.7, rates: "}) {
    const auto low = test::exits_of(kind + "[0.1, 0.2, 0.3]}", 4, devices);
    const auto high = test::exits_of(kind + "[0.2, 0.2, 0.9]}", 4, devices);
    const std::vector<int> late = exits_taken(*low, devices, 10'000);
    const std::vector<int> early = exits_taken(*high, devices, 10'000);
    for (std::size_t i = 0; i < late.size(); ++i) REQUIRE(early[i] <= late[i]);
  }
}

TEST_CASE("correlated exits keep their marginals, and repeat as two correlated normal variables do",
          "[exits]") {
  for (const double correlation : {-0.5, 0.0, 0.6, 0.95}) {
    constexpr int kDevices = 50;
    constexpr int kDraws = 1'000'000;
    const workloads::Devices devices = cameras(kDevices);
    const auto spec = test::exits_of(
        "{kind: correlated, rates: [0.3, 0.35, 0.4], correlation: " + std::to_string(correlation) + "}", 4,
        devices);
    CHECK(spec->rates() == std::vector<double>{0.3, 0.35, 0.4});
    const std::vector<int> taken = exits_taken(*spec, devices, kDraws);
    // A correlated mean is as sure as an independent one of n (1 - r) / (1 + r) draws (at worst).
    const double effective = kDraws * std::min(1.0, (1 - correlation) / (1 + correlation));
    const std::vector<double> share = shares(taken, 4);
    for (std::size_t e = 0; e < 4; ++e) {
      CHECK(share[e] ==
            Approx(kShares[e]).margin(3.3 * std::sqrt(kShares[e] * (1 - kShares[e]) / effective)));
    }
    // Consecutive samples of a device that both leave at the first exit.
    double both = 0;
    for (int i = kDevices; i < kDraws; ++i) {
      const auto now = static_cast<std::size_t>(i);
      if (taken[now] == 0 && taken[now - kDevices] == 0) both += 1.0 / (kDraws - kDevices);
    }
    const double quantile = workloads::normal_quantile(0.3);
    CHECK(phi(quantile) == Approx(0.3).epsilon(1e-12));
    CHECK(both == Approx(both_below(quantile, correlation)).margin(3.3 * std::sqrt(0.3 / effective)));
    // Samples of different devices are independent.
    double neighbours = 0;
    for (int i = 1; i < kDraws; ++i) {
      const auto now = static_cast<std::size_t>(i);
      if (i % kDevices != 0 && taken[now] == 0 && taken[now - 1] == 0) neighbours += 1.0 / kDraws;
    }
    CHECK(neighbours == Approx(0.09 * (kDevices - 1) / kDevices).margin(3.3 * std::sqrt(0.09 / effective)));
  }
}

TEST_CASE("confidences: a sample leaves at the first exit that is sure enough", "[exits]") {
  const test::TemporaryFolder folder;
  const auto file = folder.write("c.csv",
                                 "sample,label,conf_0,correct_0,conf_1,correct_1,conf_2,correct_2\n"
                                 "0,3,0.9,1,0.95,1,0.99,1\n"   // leaves at 0
                                 "1,3,0.5,0,0.8,0,0.7,1\n"     // at 1, wrong
                                 "2,3,0.1,0,0.2,1,0.3,0\n"     // at 2, wrong
                                 "3,3,0.85,0,0.2,1,0.3,1\n");  // at 0, wrong
  const workloads::Devices devices = cameras(2);
  const std::string head = "{kind: confidences, path: " + file.string();
  const auto spec = test::exits_of(head + ", thresholds: [0.85, 0.8]}", 3, devices);
  CHECK(spec->rates() == std::vector<double>{0.5, 0.5});  // two of four, then one of two
  const auto stream = spec->start(1, devices.keys());
  constexpr int kDraws = 40'000;
  std::vector<int> exits;
  int correct = 0;
  for (int i = 0; i < kDraws; ++i) {
    workloads::Arrival request;
    request.device = static_cast<std::uint32_t>(i % 2);
    stream->draw({&request, 1});
    exits.push_back(request.exit);
    correct += request.correct;
  }
  const std::vector<double> share = shares(exits, 3);
  const double margin = 3.3 * std::sqrt(0.25 / kDraws);
  CHECK(share[0] == Approx(0.5).margin(margin));
  CHECK(share[1] == Approx(0.25).margin(margin));
  CHECK(static_cast<double>(correct) / kDraws == Approx(0.25).margin(margin));

  CHECK(test::exits_of(head + ", threshold: 0}", 3, devices)->rates()[0] == 1);
  CHECK(test::exits_of(head + ", threshold: 1}", 3, devices)->rates() == std::vector<double>{0, 0});
  const auto refuses = [&](const std::string& yaml, int count, const char* message) {
    CHECK_THROWS_WITH(test::exits_of(yaml, count, devices), Contains(message));
  };
  refuses(head + ", threshold: 1.5}", 3, "threshold must be a number, from 0 to 1; found '1.5'");
  refuses(head + ", thresholds: [0.5]}", 3,
          "thresholds needs one number for each early exit; the network has 2");
  refuses(head + ", thresholds: [0.5, -1]}", 3, "a threshold must be a number, from 0 to 1; found '-1'");
  refuses(head + "}", 3, "needs one of 'threshold', 'thresholds'");
  refuses(head + ", threshold: 0.5}", 4, "c.csv:1:1: no column 'conf_3' (did you mean");
  refuses(head + ", threshold: 0.5}", 2,
          "c.csv:1:1: the file has a column 'conf_2', but the network has 2 exits");
  const auto bad = [&](const char* text) {
    return "{kind: confidences, threshold: 0.5, path: " + folder.write("bad.csv", text).string() + "}";
  };
  refuses(bad("conf_0,correct_0\n"), 1, "bad.csv:1:1: the file has no sample");
  refuses(bad("conf_0,correct_0\n1.5,1\n"), 1, "bad.csv:2:1: a confidence must be a number from 0 to 1");
  refuses(bad("conf_0,correct_0\n0.5,2\n"), 1, "bad.csv:2:5: correct_0 must be a whole number from 0 to 1");
  refuses(bad("conf_0\n0.5\n"), 1, "bad.csv:1:1: no column 'correct_0'");
}

TEST_CASE("normal draws and quantiles", "[random]") {
  workloads::RandomStream random(11, "test", 0);
  std::vector<double> draws;
  draws.reserve(100'000);
  for (int i = 0; i < 100'000; ++i) draws.push_back(random.normal());
  CHECK(test::kolmogorov(draws, phi) < 1.95);
  for (const double p : {1e-300, 1e-12, 1e-5, 0.01, 0.074, 0.076, 0.3, 0.5, 0.9, 0.99999}) {
    CHECK(phi(workloads::normal_quantile(p)) == Approx(p).epsilon(1e-10));
  }
  CHECK(workloads::normal_quantile(0.975) == Approx(1.959963984540054).epsilon(1e-15));  // tables
  CHECK(std::isinf(workloads::normal_quantile(0)));
  CHECK(std::isinf(workloads::normal_quantile(1)));
  for (double x = -700; x < 0; x += 0.37)
    CHECK(workloads::portable_exp(x) == Approx(std::exp(x)).epsilon(1e-15));
  CHECK(workloads::portable_exp(0) == 1);
  CHECK(workloads::portable_exp(-800) == 0);
}
