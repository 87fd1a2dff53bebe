// Sites against queueing theory: what NPUs meet behind a router, and what classes of priority wait.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/run/simulation.h"
#include "tests/support/batch_means.h"
#include "tests/support/md1.h"
#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using test::Interval;
using workloads::Rate;

namespace {

constexpr double kService_s = 0.25;

/// One service whose requests take kService_s each, on `npus` NPUs.
sim::ScenarioBuilder equal_npus(int npus, double load, const std::string& router) {
  return sim::ScenarioBuilder()
      .latencies_s({{kService_s}})
      .poisson(Rate::hz(load * npus / kService_s))
      .bounds(false)
      .system({.policy = "serial", .npus = {{.count = npus}}, .router = router});
}

std::vector<scheduler::Request> requests_of(const sim::ScenarioBuilder& builder) {
  return test::run_bare(builder.build()).requests;
}

/// Of those for which `is_in`, in their order.
std::vector<double> waits_of(const std::vector<scheduler::Request>& requests,
                             const std::function<bool(const scheduler::Request&)>& is_in) {
  std::vector<double> waits_s;
  for (const scheduler::Request& request : requests)
    if (is_in(request)) waits_s.push_back(request.start_s - request.arrival_s);
  return waits_s;
}

std::vector<double> waits_of(const std::vector<scheduler::Request>& requests) {
  return waits_of(requests, [](const auto&) { return true; });
}

/// Mean wait in M/D/c, each of the `servers` loaded by `load` (Crommelin, 1932): whoever is in service now
/// has left `d` later and no one who comes meanwhile has, so that the number in the system then is the
/// Poisson number of arrivals in d, plus those now in the queue; its stationary distribution gives the mean
/// queue, and Little's law the wait. First come, first served, customers start in turn on the servers: each
/// server sees every c-th arrival, and E_c/D/1 has the same waits.
double mdc_wait_s(int servers, double load, double d) {
  constexpr std::size_t kStates = 400;
  const double mean = load * servers;
  std::vector<double> arrivals(kStates);
  arrivals[0] = std::exp(-mean);
  for (std::size_t n = 1; n < kStates; ++n) arrivals[n] = arrivals[n - 1] * mean / static_cast<double>(n);
  std::vector<double> now(kStates);
  now[0] = 1;
  const auto c = static_cast<std::size_t>(servers);
  const auto mean_queue = [&] {
    double sum = 0;
    for (std::size_t n = c; n < kStates; ++n) sum += static_cast<double>(n - c) * now[n];
    return sum;
  };
  double before = -1;
  for (double queue = 0; std::abs(queue - before) > 1e-13; queue = mean_queue()) {
    before = queue;
    std::vector<double> next(kStates);
    for (std::size_t n = 0; n < kStates; ++n) {
      const std::size_t left = n > c ? n - c : 0;
      for (std::size_t a = 0; left + a < kStates && a < 60; ++a) next[left + a] += now[n] * arrivals[a];
    }
    now = std::move(next);
  }
  return mean_queue() * d / mean;
}

}  // namespace

TEST_CASE("the queue of M/D/c that the tests compare with is M/D/1's for one server", "[theory][site]") {
  for (const double load : {0.3, 0.6, 0.9}) {
    CHECK(mdc_wait_s(1, load, 2) + 2 == Approx(test::md1_mean_s(load, 2)).epsilon(1e-9));
  }
}

TEST_CASE("behind round_robin, each of two NPUs meets E2/D/1", "[.release][theory][site]") {
  for (const double load : {0.5, 0.8}) {
    const auto requests = requests_of(equal_npus(2, load, "round_robin").requests(800'000).seed(3));
    const double theory_s = mdc_wait_s(2, load, kService_s);
    for (const int npu : {0, 1}) {
      const Interval wait =
          test::batch_means(waits_of(requests, [&](const auto& r) { return r.npu == npu; }));
      INFO("load " << load << ": theory " << theory_s << ", run " << wait.mean << " +- " << wait.half_width);
      CHECK(wait.has(theory_s));
      CHECK(wait.half_width < 0.04 * theory_s);
    }
  }
}

TEST_CASE("with equal requests, in turn is to whoever is free first", "[theory][site]") {
  // First come, first served on the whole site: earliest_finish knows who is free first, and round_robin goes
  // there blindly, since starts are in order. The same dates, and M/D/c's mean.
  for (const int npus : {2, 3, 5}) {
    const auto in_turn = requests_of(equal_npus(npus, 0.8, "round_robin").requests(20'000));
    const auto knowing = requests_of(equal_npus(npus, 0.8, "earliest_finish").requests(20'000));
    REQUIRE(in_turn.size() == knowing.size());
    double apart_s = 0;
    for (std::size_t i = 0; i < in_turn.size(); ++i)
      apart_s = std::max(apart_s, std::abs(in_turn[i].start_s - knowing[i].start_s));
    CHECK(apart_s < 1e-9);
  }
}

TEST_CASE("whoever is free first: the mean wait of M/D/c", "[.release][theory][site]") {
  for (const int npus : {3, 6}) {
    const auto requests = requests_of(equal_npus(npus, 0.85, "earliest_finish").requests(800'000).seed(4));
    const Interval wait = test::batch_means(waits_of(requests));
    const double theory_s = mdc_wait_s(npus, 0.85, kService_s);
    INFO(npus << " NPUs: theory " << theory_s << ", run " << wait.mean << " +- " << wait.half_width);
    CHECK(wait.has(theory_s));
    CHECK(wait.half_width < 0.05 * theory_s);
  }
}

TEST_CASE("behind random, each NPU meets M/D/1", "[.release][theory][site]") {
  constexpr double kLoad = 0.7;
  constexpr int kNpus = 3;
  const auto requests = requests_of(equal_npus(kNpus, kLoad, "random").requests(1'200'000).seed(3));
  const double mean_s = test::md1_mean_s(kLoad, kService_s) - kService_s;
  const double p99_s = test::md1_p99_s(kLoad, kService_s) - kService_s;
  for (int npu = 0; npu < kNpus; ++npu) {
    const std::vector<double> waits_s = waits_of(requests, [&](const auto& r) { return r.npu == npu; });
    const Interval wait = test::batch_means(waits_s);
    INFO("NPU " << npu << ": theory " << mean_s << ", run " << wait.mean << " +- " << wait.half_width);
    CHECK(wait.has(mean_s));
    CHECK(wait.half_width < 0.03 * mean_s);
    std::vector<double> beyond;
    beyond.reserve(waits_s.size());
    for (const double wait_s : waits_s) beyond.push_back(wait_s > p99_s ? 1 : 0);
    const Interval share = test::batch_means(beyond);
    INFO("beyond the 99th percentile: " << share.mean << " +- " << share.half_width);
    CHECK(share.has(0.01));
    CHECK(share.half_width < 0.003);
  }
}

TEST_CASE("two choices are nearly as good as all, and far better than one", "[.release][theory][site]") {
  constexpr double kLoad = 0.9;
  const auto wait_of = [](int npus, const std::string& router) {
    return test::batch_means(
        waits_of(requests_of(equal_npus(npus, kLoad, router).requests(600'000).seed(5))));
  };
  for (const int npus : {4, 10}) {
    const Interval random = wait_of(npus, "random");
    const Interval two = wait_of(npus, "power_of_two");
    const Interval all = wait_of(npus, "join_shortest_queue");
    INFO(npus << " NPUs: random " << random.mean << ", two " << two.mean << ", all " << all.mean);
    CHECK(random.has(test::md1_mean_s(kLoad, kService_s) - kService_s));
    CHECK(two.mean + two.half_width < 0.5 * random.mean);
    CHECK(all.mean + all.half_width < two.mean - two.half_width);
    // Nobody is better than a single queue.
    CHECK(mdc_wait_s(npus, kLoad, kService_s) < all.mean + all.half_width);
  }
  // Of two, both choices are all.
  const sim::ScenarioBuilder pair = equal_npus(2, kLoad, "power_of_two").requests(20'000);
  const auto by_two = requests_of(pair);
  const auto by_all = requests_of(equal_npus(2, kLoad, "join_shortest_queue").requests(20'000));
  REQUIRE(by_two.size() == by_all.size());
  double apart_s = 0;
  for (std::size_t i = 0; i < by_two.size(); ++i)
    apart_s = std::max(apart_s, std::abs(by_two[i].start_s - by_all[i].start_s));
  CHECK(apart_s < 1e-9);
}

TEST_CASE("equal services with the oldest first are one service with all their requests", "[theory][site]") {
  const std::vector<sim::GroupSpec> groups{
      {.arrivals = sim::poisson(Rate::hz(1.2)), .count = 2},
      {.arrivals = sim::mmpp({{Rate::hz(0.2), 10}, {Rate::hz(6), 2}})},
      {.arrivals = sim::poisson(Rate::hz(0.5)), .service = 1},
      {.arrivals = sim::gamma_gaps(Rate::hz(0.7), 2), .count = 2, .service = 1}};
  std::vector<sim::GroupSpec> of_one = groups;
  for (sim::GroupSpec& group : of_one) group.service = 0;
  const sim::ScenarioBuilder base = sim::ScenarioBuilder()
                                        .latencies_s({{0.07}, {0.09}}, {0, 1})
                                        .exit_rates({0.4})
                                        .requests(30'000)
                                        .slo_s(0.6);
  for (const bool drops : {false, true}) {
    const sim::SystemSpec serial{.policy = "serial", .drop_hopeless = drops};
    const auto one = requests_of(sim::ScenarioBuilder(base).devices(of_one).system(serial));
    const auto two = requests_of(sim::ScenarioBuilder(base)
                                     .service({.name = "a"})
                                     .service({.name = "b"})
                                     .devices(groups)
                                     .system(serial));
    REQUIRE(one.size() == two.size());
    std::size_t different = 0;
    std::size_t dropped = 0;
    for (std::size_t i = 0; i < one.size(); ++i) {
      const bool same = one[i].device == two[i].device && one[i].arrival_s == two[i].arrival_s &&
                        one[i].exit == two[i].exit && one[i].dropped == two[i].dropped &&
                        (one[i].dropped || one[i].start_s == two[i].start_s) &&
                        one[i].completion_s == two[i].completion_s;
      if (!same) ++different;
      if (one[i].dropped) ++dropped;
    }
    CHECK(different == 0);
    CHECK((dropped > 0) == drops);
  }
}

namespace {

/// A class of priority: the requests of a service, each served for `segments` times `segment_s`.
struct Class {
  double rate_hz;
  double segment_s;
  int segments = 1;

  [[nodiscard]] double service_s() const { return segments * segment_s; }
  [[nodiscard]] double load() const { return rate_hz * service_s(); }
};

/// The most urgent first.
sim::ScenarioBuilder classes(const std::vector<Class>& all, bool preemptive) {
  sim::ScenarioBuilder builder;
  std::vector<sim::GroupSpec> devices;
  for (std::size_t c = 0; c < all.size(); ++c) {
    const auto segments = static_cast<std::size_t>(all[c].segments);
    std::vector<int> numbers(segments);
    std::iota(numbers.begin(), numbers.end(), 0);
    builder.service({.name = std::string("class") + std::to_string(c),
                     .latencies_s = std::vector<std::vector<double>>(segments, {all[c].segment_s}),
                     .segments = numbers,
                     .priority = -static_cast<int>(c)});
    devices.push_back({.arrivals = sim::poisson(Rate::hz(all[c].rate_hz)), .service = c});
  }
  return builder.devices(devices).bounds(false).system(
      {.policy = "serial", .arbiter = "priority", .preemptive = preemptive});
}

}  // namespace

TEST_CASE("priorities that do not preempt: Cobham's mean waits", "[.release][theory][site]") {
  // Cobham (1954): class k waits R / ((1 - s(k-1)) (1 - s(k))), R being the mean residual time of whoever is
  // served, sum of rate x service^2 / 2, and s(k) the load of the classes up to k.
  const std::vector<Class> all{{0.5, 0.6}, {0.8, 0.25}, {0.1, 3.2}};
  const auto requests = requests_of(classes(all, false).requests(2'000'000).seed(8));
  double residual_s = 0;
  for (const Class& c : all) residual_s += c.rate_hz * c.service_s() * c.service_s() / 2;
  double more_urgent = 0;
  for (std::size_t c = 0; c < all.size(); ++c) {
    const double load = more_urgent + all[c].load();
    const double theory_s = residual_s / ((1 - more_urgent) * (1 - load));
    more_urgent = load;
    const Interval wait = test::batch_means(waits_of(requests, [&](const auto& r) { return r.device == c; }));
    INFO("class " << c << ": theory " << theory_s << ", run " << wait.mean << " +- " << wait.half_width);
    CHECK(wait.has(theory_s));
    CHECK(wait.half_width < 0.04 * theory_s);
  }
}

TEST_CASE("priorities that preempt between equal segments", "[.release][theory][site]") {
  // A request of the urgent class that comes while the other one is served waits for the end of one segment,
  // of length s, whose mean residual time is s / 2, since it runs undisturbed; by Poisson arrivals that
  // happens with the load of the other class. What is ahead in its own queue, by Little's law, adds rate x
  // wait x D:
  //
  //     W1 = (load1 D1 / 2 + load2 s / 2) / (1 - load1)
  //
  // which is M/D/1 with the residual of a segment (and Cobham's formula with S segments for one request).
  // Of the other class, who has begun finds nobody urgent at the start of each segment. At each of its S - 1
  // inner ends a busy period follows that the arrivals of one segment have set off, of mean length
  //
  //     B = load1 s / (1 - load1)
  //
  // And the work in the system does not depend on the order: V = R / (1 - load), R as Cobham's. Of it, the
  // urgent class has load1 (W1 + D1 / 2). Of the other one, those in the queue have load2 W2; one that has
  // begun has rate2 D2^2 / 2 while it runs, and (S - j) s after segment j while it is suspended:
  //
  //     V = load1 (W1 + D1 / 2) + load2 (W2 + D2 / 2 + (S - 1) B / 2)
  for (const int segments : {1, 2, 5}) {
    const Class urgent{0.8, 0.5};
    const Class other{0.2, 2.0 / segments, segments};
    const auto requests = requests_of(classes({urgent, other}, true).requests(1'500'000).seed(9));
    const double rho1 = urgent.load();
    const double rho2 = other.load();
    const double wait1_s = (rho1 * urgent.service_s() / 2 + rho2 * other.segment_s / 2) / (1 - rho1);
    const double suspended_s = (segments - 1) * rho1 * other.segment_s / (1 - rho1);
    const double work_s = (rho1 * urgent.service_s() + rho2 * other.service_s()) / 2 / (1 - rho1 - rho2);
    const double wait2_s =
        (work_s - rho1 * (wait1_s + urgent.service_s() / 2)) / rho2 - other.service_s() / 2 - suspended_s / 2;
    const auto check = [&](const std::vector<double>& values, double theory_s, double widest) {
      const Interval run = test::batch_means(values);
      INFO(segments << " segments: theory " << theory_s << ", run " << run.mean << " +- " << run.half_width);
      CHECK(run.has(theory_s));
      CHECK(run.half_width < widest * theory_s);
    };
    check(waits_of(requests, [](const auto& r) { return r.device == 0; }), wait1_s, 0.02);
    check(waits_of(requests, [](const auto& r) { return r.device == 1; }), wait2_s, 0.06);
    if (segments == 1) continue;
    std::vector<double> suspensions_s;
    for (const scheduler::Request& request : requests)
      if (request.device == 1) suspensions_s.push_back(request.suspended_s);
    check(suspensions_s, suspended_s, 0.02);
  }
}

namespace {

/// Sums up the time of each service on the NPU, and looks at it whenever a batch starts while the other one's
/// queue, of `waiting` requests at first, is not empty.
class Shares final : public sim::Observer {
 public:
  Shares(const std::array<double, 2>& weights, std::array<int, 2> waiting)
      : weights_(weights), waiting_(waiting) {}
  void turn_to(std::size_t /*npu*/, std::size_t service) override { service_ = service; }
  void started(double /*date_s*/, int samples, bool /*preempting*/) override {
    if (waiting_[0] > 0 && waiting_[1] > 0) {
      ++looks;
      const double apart_s = times_s_[0] / weights_[0] - times_s_[1] / weights_[1];
      least_s = std::min(least_s, apart_s);
      largest_s = std::max(largest_s, apart_s);
    }
    waiting_.at(service_) -= samples;
  }
  void stepped(const sim::Step& step) override { times_s_.at(service_) += step.end_s - step.begin_s; }

  int looks = 0;
  // Of the first service's time for its weight, less the other one's.
  double least_s = 0;
  double largest_s = 0;

 private:
  std::array<double, 2> weights_;
  std::array<int, 2> waiting_;
  std::array<double, 2> times_s_{};
  std::size_t service_ = 0;
};

}  // namespace

TEST_CASE("fair_share: who has enough to do has the NPU by weight, to within a batch", "[theory][site]") {
  constexpr std::array<int, 2> kRequests{6'000, 4'000};
  const auto burst = [](int requests) {
    return sim::recorded(std::vector<sim::Sample>(static_cast<std::size_t>(requests), {.date_s = 0}));
  };
  for (const std::array<double, 2>& weights :
       {std::array{1.0, 1.0}, std::array{3.0, 1.0}, std::array{0.2, 1.7}}) {
    // Batches of two take 0.3 s and 1.4 s.
    const sim::Scenario scenario =
        sim::ScenarioBuilder()
            .service({.name = "a", .latencies_s = {{0.2, 0.3, 0.4, 0.5}}, .weight = weights[0]})
            .service({.name = "b", .latencies_s = {{0.5, 0.8}, {0.2, 0.6}}, .weight = weights[1]})
            .devices({{.arrivals = burst(kRequests[0])}, {.arrivals = burst(kRequests[1]), .service = 1}})
            .requests(10'000)
            .bounds(false)
            .system({.policy = "dynamic_batching", .parameters = {{"max_batch", 2}}, .arbiter = "fair_share"})
            .build();
    Shares shares(weights, kRequests);
    sim::simulate(scenario, scenario.systems[0], {.observers = {&shares}});
    INFO("weights " << weights[0] << " and " << weights[1]);
    CHECK(shares.looks > 1'000);
    CHECK(shares.largest_s <= 0.3 / weights[0] + 1e-6);
    CHECK(shares.least_s >= -1.4 / weights[1] - 1e-6);
    CHECK(shares.largest_s - shares.least_s > 0.3 / weights[0]);
  }
}
