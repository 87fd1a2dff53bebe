// The analytic uplink against a second, independent fluid model, closed forms, and hand-worked cases.
// (Against SimGrid's links: tests/sim/test_uplink_links.cpp.)
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <catch2/catch.hpp>

#include "tests/support/workload_helpers.h"
#include "workloads/random.h"
#include "workloads/uplink/analytic_uplink.h"

using namespace fluidbatch;
using Catch::Contains;
using workloads::UplinkSpec;

namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

struct Sample {
  double sent_s;
  std::uint32_t device;
  double bytes;
};

/// When each sample is through, by a fluid model that knows nothing of ours: between any two events every
/// transfer has the rate that repeated halving of what is left gives it. O(n^2) an event.
std::vector<double> fluid(const std::vector<Sample>& samples, double capacity,
                          const std::vector<double>& device_capacity) {
  std::vector<double> left(samples.size());
  std::vector<double> done(samples.size(), kInfinite);
  for (std::size_t i = 0; i < samples.size(); ++i) left[i] = samples[i].bytes;
  double now = 0;
  while (true) {
    std::vector<std::size_t> active;
    double next_start = kInfinite;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (done[i] < kInfinite) continue;
      if (samples[i].sent_s <= now) {
        active.push_back(i);
      } else {
        next_start = std::min(next_start, samples[i].sent_s);
      }
    }
    if (active.empty() && next_start == kInfinite) return done;
    // Water level: all rates rise together until the access point or a device's link is full.
    std::vector<double> rate(samples.size(), 0.0);
    std::vector<bool> frozen(samples.size(), false);
    while (std::any_of(active.begin(), active.end(), [&](std::size_t i) { return !frozen[i]; })) {
      std::map<std::uint32_t, std::pair<double, int>> devices;  // what is left of it, transfers that can grow
      double room = capacity;
      int growing = 0;
      for (const std::size_t i : active) {
        auto& device =
            devices.try_emplace(samples[i].device, device_capacity[samples[i].device], 0).first->second;
        device.first -= rate[i];
        room -= rate[i];
        if (!frozen[i]) {
          ++device.second;
          ++growing;
        }
      }
      double rise = room / growing;
      for (const auto& [number, device] : devices) {
        if (device.second > 0) rise = std::min(rise, device.first / device.second);
      }
      for (const std::size_t i : active) {
        if (frozen[i]) continue;
        rate[i] += rise;
        const auto& device = devices.at(samples[i].device);
        frozen[i] =
            rise >= room / growing * (1 - 1e-12) || rise >= device.first / device.second * (1 - 1e-12);
      }
    }
    double step = next_start - now;
    for (const std::size_t i : active) step = std::min(step, left[i] / rate[i]);
    now += step;
    if (step == next_start - (now - step)) now = next_start;
    for (const std::size_t i : active) {
      left[i] -= rate[i] * step;
      if (left[i] <= 1e-9) done[i] = now;
    }
  }
}

}  // namespace

TEST_CASE("shared links against a fluid model", "[uplink]") {
  workloads::RandomStream random(8, "test", 0);
  for (int round = 0; round < 200; ++round) {
    const auto devices = 1 + static_cast<std::uint32_t>(random.bits() % 8);
    std::vector<double> bandwidths;
    for (std::uint32_t i = 0; i < devices; ++i) {
      bandwidths.push_back(random.uniform() < 0.2 ? kInfinite : 10 + 200 * random.uniform());
    }
    const double capacity = 20 + 300 * random.uniform();
    std::vector<double> bytes;
    for (std::uint32_t i = 0; i < devices; ++i) bytes.push_back(1 + static_cast<double>(random.bits() % 200));
    std::vector<Sample> samples;
    double date_s = 0;
    for (int i = 0; i < 60; ++i) {
      date_s += random.uniform() < 0.2 ? 0 : random.exponential() * 0.5;
      const auto device = static_cast<std::uint32_t>(random.bits() % devices);
      samples.push_back({date_s, device, bytes[device]});
    }
    const std::vector<double> expected = fluid(samples, capacity, bandwidths);
    workloads::LinkSharing sharing(capacity, bandwidths);
    std::size_t next = 0;
    std::size_t ended = 0;
    while (ended < samples.size()) {
      double start_s = kInfinite;
      if (next < samples.size()) start_s = samples[next].sent_s;
      if (sharing.next_end_s() <= start_s) {
        const double end_s = sharing.next_end_s();
        const workloads::Arrival sample = sharing.end();
        const auto number = static_cast<std::size_t>(sample.exit);  // its place in the list
        REQUIRE(end_s == Approx(expected[number]).epsilon(1e-9).margin(1e-9));
        ++ended;
      } else {
        workloads::Arrival sample = workloads::Arrival::at(start_s);
        sample.device = samples[next].device;
        sample.exit = static_cast<int>(next);
        sharing.begin(sample, samples[next].bytes, start_s);
        ++next;
      }
    }
    CHECK(sharing.next_end_s() == kInfinite);
  }
}

namespace {

/// Dates at the server of what devices send over an analytic uplink.
std::vector<workloads::Arrival> over(const UplinkSpec& spec, const workloads::Devices& devices,
                                     const workloads::RunLength& length) {
  const auto exits = test::exits_of("{kind: none}", 1, devices);
  workloads::SentRequests sends(devices, *exits, 4, length);
  workloads::AnalyticUplink uplink(spec, devices, sends);
  return test::drain(uplink);
}

}  // namespace

TEST_CASE("an uplink by hand", "[uplink]") {
  UplinkSpec spec{.model = UplinkSpec::Model::analytic};
  spec.access_point_bandwidth_bytes_per_s = 100;
  spec.latency_s = 0.5;
  // Two cameras that send 100 bytes at 0: each gets 50 a second. One alone would take 1 s.
  const auto two =
      test::devices_of("devices: [{count: 2, arrivals: {kind: periodic, period_ms: 1.0e+6, phase_ms: 0}}]",
                       {.sample_bytes = 100});
  const auto both = over(spec, two, {.requests = 2});
  REQUIRE(both.size() == 2);
  CHECK(both[0].date_s == 2.5);
  CHECK(both[1].date_s == 2.5);
  CHECK(both[0].device == 0);
  CHECK(both[0].sent_s == 0);
  // The second comes at 0.5, when 50 bytes of the first are left: through at 1.5, then alone until 2.
  const auto later = test::devices_of(
      "devices:\n  - {arrivals: {kind: periodic, period_ms: 1.0e+6, phase_ms: 0}}\n"
      "  - {arrivals: {kind: periodic, period_ms: 1.0e+6, phase_ms: 500}}\n",
      {.sample_bytes = 100});
  const auto apart = over(spec, later, {.requests = 2});
  CHECK(apart[0].date_s == 2);
  CHECK(apart[1].date_s == 2.5);
  // A link of 20 bytes a second of its own leaves 80 to the other.
  const auto slow = test::devices_of(
      "devices:\n  - {device_bandwidth_bytes_per_s: 20, arrivals: {kind: periodic, period_ms: 1.0e+6, "
      "phase_ms: 0}}\n"
      "  - {sample_bytes: 40, arrivals: {kind: periodic, period_ms: 1.0e+6, phase_ms: 0}}\n",
      {.sample_bytes = 100});
  const auto unequal = over(spec, slow, {.requests = 2});
  CHECK(unequal[0].date_s == 1);
  CHECK(unequal[0].device == 1);
  CHECK(unequal[1].date_s == 5.5);
  // Nothing limits, or there is nothing to send: only the latency.
  spec.access_point_bandwidth_bytes_per_s = kInfinite;
  CHECK(over(spec, two, {.requests = 2})[1].date_s == 0.5);
  spec.access_point_bandwidth_bytes_per_s = 1;
  const auto empty =
      test::devices_of("{arrivals: {kind: periodic, period_ms: 1000, phase_ms: 0}}", {.sample_bytes = 0});
  CHECK(over(spec, empty, {.requests = 3})[2].date_s == 2.5);
}

TEST_CASE("an access point is a processor-sharing queue: mean times whatever the sizes", "[uplink]") {
  // M/G/1-PS: mean sojourn E[S] / (1 - rho), insensitive to the distribution. Two groups of sizes.
  UplinkSpec spec{.model = UplinkSpec::Model::analytic};
  spec.access_point_bandwidth_bytes_per_s = 1000;
  for (const double rho : {0.3, 0.7}) {
    // 100 devices of 10 bytes and 100 of 190, equally many samples: mean 100 bytes, 0.1 s.
    const std::string arrivals =
        "arrivals: {kind: poisson, rate_hz: " + std::to_string(rho / 0.1 / 200) + "}";
    const auto devices = test::devices_of("devices:\n  - {count: 100, sample_bytes: 10, " + arrivals +
                                          "}\n  - {count: 100, sample_bytes: 190, " + arrivals + "}\n");
    const auto all = over(spec, devices, {.requests = 400'000});
    double small = 0;
    double large = 0;
    for (const workloads::Arrival& arrival : all) {
      (arrival.device < 100 ? small : large) += arrival.date_s - arrival.sent_s;
    }
    // Processor sharing slows everybody alike, by 1 / (1 - rho).
    CHECK(small / 200'000 == Approx(0.01 / (1 - rho)).epsilon(0.02));
    CHECK(large / 200'000 == Approx(0.19 / (1 - rho)).epsilon(0.02));
  }
}

TEST_CASE("a wrong uplink is refused at its place", "[uplink]") {
  const auto refuses = [](const std::string& uplink, const char* message) {
    const io::Node node = io::parse_yaml("{uplink: " + uplink + "}", "c.yaml");
    io::MapReader reader(node, "workload", {"uplink"});
    CHECK_THROWS_WITH(workloads::read_uplink(reader), Contains(message));
  };
  refuses("{model: wifi}", "c.yaml:1:18: unknown model 'wifi'");
  refuses("{model: analytic}", "uplink needs the key 'sample_bytes'");
  refuses("{model: analytic, sample_bytes: -5}", "sample_bytes must be a whole number from 0");
  refuses("{model: analytic, sample_bytes: 5}", "needs the key 'access_point_bandwidth_bytes_per_s'");
  refuses("{model: analytic, sample_bytes: 5, access_point_bandwidth_bytes_per_s: 0}", "above 0");
  refuses("{model: simgrid, sample_bytes: 5, access_point_bandwidth_bytes_per_s: .inf}", "finite");
  refuses("{model: none, latency_ms: -1}", "latency_ms must be a number");
}
