// Arbiters, on hand-made views: the rule of each, ties, and who may push whom off.
#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler/arbitration.h"
#include "scheduler/registry.h"
#include "tests/support/measured_table.h"

using namespace fluidbatch;
using namespace fluidbatch::scheduler;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::unique_ptr<Arbiter> make(const std::string& name, std::vector<double> values = {}) {
  const ArbiterInfo* info = find_arbiter(name);
  REQUIRE(info != nullptr);
  return info->make(ParameterValues(info->parameters, std::move(values)));
}

/// A server with a queue for each service. A service has segments of one layer each.
class Site {
 public:
  /// `latencies_s`: of each segment, by batch size.
  ServiceView& service(const Eigen::ArrayXXd& latencies_s, const std::vector<double>& arrivals,
                       double slo_s = kInfinity) {
    const npu::BatchPolicyTable& table = tables_.emplace_back(test::measured_table(latencies_s));
    std::vector<RequestId>& queue = queues_.emplace_back();
    for (const double date_s : arrivals)
      queue.push_back(window_.push({.arrival_s = date_s, .sent_s = date_s}));
    return services_.emplace_back(ServiceView{.slo = {.latency_s = slo_s}, .table = &table, .queue = queue});
  }
  /// One whose requests take `alone_s` in a single segment.
  ServiceView& service(double alone_s, const std::vector<double>& arrivals, double slo_s = kInfinity) {
    return service(Eigen::ArrayXXd::Constant(1, 1, alone_s), arrivals, slo_s);
  }
  Request& request(RequestId id) { return window_[id]; }

  [[nodiscard]] ArbiterView at(double now_s) const {
    return {.now_s = now_s,
            .services = services_,
            .last_served = last_served == kNone ? services_.size() : last_served,
            .requests = KnownRequests(window_)};
  }
  [[nodiscard]] std::vector<Contender> heads() const {
    std::vector<Contender> heads;
    for (std::size_t i = 0; i < services_.size(); ++i) {
      if (services_[i].queue.empty()) continue;
      const double arrival_s = window_[services_[i].queue.front()].arrival_s;
      heads.push_back(
          {.service = i, .arrival_s = arrival_s, .deadline_s = arrival_s + services_[i].slo.latency_s});
    }
    return heads;
  }
  /// All services with a queue, in the order in which `arbiter` gives them the NPU.
  [[nodiscard]] std::vector<std::size_t> order(Arbiter& arbiter, double now_s) const {
    const ArbiterView view = at(now_s);
    std::vector<Contender> left = heads();
    arbiter.consider(view, left);
    std::vector<std::size_t> order;
    while (!left.empty()) {
      const std::size_t first = first_in_order(arbiter, view, left);
      order.push_back(left[first].service);
      left.erase(left.begin() + static_cast<std::ptrdiff_t>(first));
    }
    return order;
  }

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t last_served = kNone;

 private:
  RequestWindow window_;
  std::deque<npu::BatchPolicyTable> tables_;
  std::deque<std::vector<RequestId>> queues_;
  std::vector<ServiceView> services_;
};

using Order = std::vector<std::size_t>;

/// Ranks as they come, by service.
class Ranked final : public Arbiter {
 public:
  explicit Ranked(std::vector<double> ranks) : ranks_(std::move(ranks)) {}
  double rank(const ArbiterView& /*view*/, const Contender& contender) const override {
    return ranks_[contender.service];
  }
  std::unique_ptr<Arbiter> clone() const override { return std::make_unique<Ranked>(*this); }

 private:
  std::vector<double> ranks_;
};

Order order_of(const std::vector<double>& ranks, const std::vector<double>& arrivals) {
  Site site;
  for (const double date_s : arrivals) site.service(1, {date_s});
  Ranked arbiter(ranks);
  return site.order(arbiter, 10);
}

}  // namespace

TEST_CASE("the smaller rank goes first, ties to who came first and then to who stands first", "[arbiters]") {
  CHECK(order_of({3, 1, 2}, {0, 0, 0}) == Order{1, 2, 0});
  CHECK(order_of({1, 1, 1}, {2, 1, 1}) == Order{1, 2, 0});
  CHECK(order_of({1 + 0.9e-9, 1, 1}, {0, 1, 1}) == Order{0, 1, 2});  // within the tolerance
  CHECK(order_of({1 + 1.1e-9, 1, 1}, {0, 1, 1}) == Order{1, 2, 0});
  CHECK(order_of({kInfinity, kInfinity, 5}, {2, 1, 3}) == Order{2, 1, 0});
  CHECK(order_of({-kInfinity, 0, -kInfinity}, {2, 0, 1}) == Order{2, 0, 1});
  // 0 and 2 are further apart than the tolerance: all is held against the smallest.
  CHECK(order_of({0, 0.8e-9, 1.6e-9}, {2, 1, 0}) == Order{1, 0, 2});
}

TEST_CASE("the order does not depend on the order in which heads are given", "[arbiters]") {
  const Site site;
  const Ranked arbiter({0, 0.8e-9, 1.6e-9});
  std::vector<Contender> heads{
      {.service = 0, .arrival_s = 2}, {.service = 1, .arrival_s = 1}, {.service = 2, .arrival_s = 0}};
  do {
    CHECK(heads[first_in_order(arbiter, site.at(3), heads)].service == 1);
  } while (std::next_permutation(heads.begin(), heads.end(), [](const Contender& a, const Contender& b) {
    return a.service < b.service;
  }));
}

TEST_CASE("strictly before is by rank alone", "[arbiters]") {
  const Site site;
  const Ranked arbiter({1, 1 + 0.9e-9, 1 + 1.1e-9, kInfinity, kInfinity});
  const auto before = [&](std::size_t head, std::size_t in_flight) {
    return is_strictly_before(arbiter, site.at(9), {.service = head, .arrival_s = 1},
                              {.service = in_flight, .arrival_s = 2});
  };
  CHECK_FALSE(before(0, 0));
  CHECK_FALSE(before(0, 1));
  CHECK(before(0, 2));
  CHECK_FALSE(before(2, 0));
  CHECK(before(0, 3));
  CHECK_FALSE(before(3, 4));
  const std::vector<Contender> late{{.service = 2}, {.service = 3}};
  const std::vector<Contender> mixed{{.service = 2}, {.service = 1}};
  CHECK(is_strictly_before_all(arbiter, site.at(9), {.service = 0}, late));
  CHECK_FALSE(is_strictly_before_all(arbiter, site.at(9), {.service = 0}, mixed));
}

TEST_CASE("a rank that is not a number is the arbiter's mistake", "[arbiters]") {
  Site site;
  site.service(1, {0});
  site.service(1, {0});
  Ranked arbiter({0, std::numeric_limits<double>::quiet_NaN()});
  CHECK_THROWS_AS(site.order(arbiter, 1), PolicyError);
  CHECK_THROWS_AS(is_strictly_before(arbiter, site.at(1), {.service = 0}, {.service = 1}), PolicyError);
}

TEST_CASE("arbiters are found by name, registered once, and say whether they may preempt", "[arbiters]") {
  CHECK(find_arbiter("priorit") == nullptr);
  CHECK_THROWS_AS(add_arbiter(*find_arbiter("priority")), std::logic_error);
  std::string preempting;
  for (const ArbiterInfo& info : all_arbiters()) {
    if (info.may_preempt) preempting += info.name + " ";
  }
  CHECK(preempting == "earliest_deadline least_slack prema priority ");
  const LoadedPlugin loaded = registered_by([] {
    const ArbiterRegistration arbiter(*find_arbiter("priority"));
    const RouterRegistration router(*find_router("random"));
    const ArbiterRegistration other(*find_arbiter("priority"), "another interface");
  });
  REQUIRE(loaded.arbiters.size() == 1);
  REQUIRE(loaded.routers.size() == 1);
  CHECK(loaded.arbiters[0].name == "priority");
  CHECK(loaded.routers[0].name == "random");
  CHECK(loaded.other_interface == "another interface");
}

TEST_CASE("oldest_first and priority", "[arbiters]") {
  Site site;
  site.service(1, {3}).priority = 1;
  site.service(9, {1, 2});
  site.service(5, {}).priority = 7;  // nobody there
  site.service(4, {3}).priority = 1;
  site.service(2, {0}).priority = -1;
  CHECK(site.order(*make("oldest_first"), 4) == Order{4, 1, 0, 3});
  CHECK(site.order(*make("priority"), 4) == Order{0, 3, 1, 4});
}

TEST_CASE("earliest_deadline and least_slack", "[arbiters]") {
  Site site;
  site.service(1, {0}, 10);      // due at 10, slack at 4: 6 - 1
  site.service(8, {1}, 11);      // due at 12, slack 8 - 8
  site.service(2, {2}, 8);       // due at 10, slack 6 - 2
  site.service(3, {0});          // never due
  site.service(6, {1.5}, 10.5);  // due at 12, slack 8 - 6
  CHECK(site.order(*make("earliest_deadline"), 4) == Order{0, 2, 1, 4, 3});
  CHECK(site.order(*make("least_slack"), 4) == Order{1, 4, 2, 0, 3});
  // Who has been late for long is first; in flight the whole network counts, whatever of it has run.
  const auto slack = make("least_slack");
  CHECK(slack->rank(site.at(20), {.service = 0, .arrival_s = 0, .deadline_s = 10}) == -11);
  CHECK(slack->rank(site.at(4),
                    {.service = 1, .arrival_s = 1, .deadline_s = 12, .served_s = 2, .done_s = 5}) == 0);
}

TEST_CASE("shortest_first goes by all layers at batch 1", "[arbiters]") {
  Site site;
  site.service((Eigen::ArrayXXd(2, 2) << 1, 9, 3, 9).finished(), {0});  // 4 s alone
  site.service((Eigen::ArrayXXd(1, 2) << 3, 50).finished(), {3, 3, 3});
  site.service(4, {0});
  CHECK(site.order(*make("shortest_first"), 5) == Order{1, 0, 2});
}

TEST_CASE("round_robin goes on after who was last served", "[arbiters]") {
  Site site;
  for (int i = 0; i < 4; ++i) site.service(1, {static_cast<double>(-i)});
  const auto arbiter = make("round_robin");
  CHECK(site.order(*arbiter, 1) == Order{0, 1, 2, 3});
  site.last_served = 1;
  CHECK(site.order(*arbiter, 1) == Order{2, 3, 0, 1});
  site.last_served = 3;
  CHECK(site.order(*arbiter, 1) == Order{0, 1, 2, 3});
  Site alone;
  alone.service(1, {0});
  CHECK(alone.order(*arbiter, 1) == Order{0});
  alone.last_served = 0;
  CHECK(alone.order(*arbiter, 1) == Order{0});
}

TEST_CASE("fair_share gives the NPU to who has had least of it for its weight", "[arbiters]") {
  Site site;
  site.service(1, {3}).npu_time_s = 6;
  ServiceView& heavy = site.service(1, {2});
  heavy.npu_time_s = 12;
  heavy.weight = 3;
  site.service(1, {1}).npu_time_s = 4;
  site.service(1, {0}).npu_time_s = 4 + 2e-9;
  CHECK(site.order(*make("fair_share"), 4) == Order{2, 1, 3, 0});
}

TEST_CASE("prema: tokens grow with the wait, and the threshold is the most that anybody has, rounded down",
          "[arbiters]") {
  Site site;
  site.service(4, {0});                // low: 1 token, and 1/4 more each second
  site.service(10, {0}).priority = 1;  // medium: 3, and 3/10 more
  site.service(1, {0});                // low: 1, and 1 more
  const auto arbiter = make("prema");
  CHECK(site.order(*arbiter, 0) == Order{1, 2, 0});    // 1, 3, 1: threshold 3; of the others the shorter one
  CHECK(site.order(*arbiter, 1.9) == Order{1, 2, 0});  // 1.475, 3.57, 2.9
  CHECK(site.order(*arbiter, 2) == Order{2, 1, 0});    // 1.5, 3.6, 3: of two candidates the shorter one
  CHECK(site.order(*arbiter, 8) == Order{2, 0, 1});    // 3, 5.4, 9: threshold 9, then 3 and the shorter one
  CHECK(site.order(*arbiter, 20) == Order{2, 1, 0});   // 6, 9, 21: threshold 9, then 3
}

TEST_CASE("prema: all that has reached the highest level is served by length", "[arbiters]") {
  Site site;
  site.service(10, {0}).priority = 7;  // as high as 2: 9 tokens
  site.service(2, {1}).priority = 2;
  site.service(3, {0}).priority = -5;  // as low as 0
  const auto arbiter = make("prema");
  CHECK(site.order(*arbiter, 1) == Order{1, 0, 2});
  CHECK(site.order(*arbiter, 23.9) == Order{1, 0, 2});
  CHECK(site.order(*arbiter, 24) == Order{1, 2, 0});  // 1 + 24/3 = 9 tokens
}

TEST_CASE("prema: in flight only waiting earns tokens, and what is left counts", "[arbiters]") {
  Site site;
  site.service(1, {0});
  site.service(10, {}).priority = 1;
  const auto arbiter = make("prema");
  const auto before = [&](double now_s, double served_s, double done_s) {
    return is_strictly_before(*arbiter, site.at(now_s), {.service = 0, .arrival_s = 0},
                              {.service = 1, .arrival_s = 0, .served_s = served_s, .done_s = done_s});
  };
  CHECK_FALSE(before(1.9, 1.9, 0));  // 2.9 tokens against 3
  CHECK(before(2, 2, 4));            // 3 against 3, 1 s against 6
  CHECK_FALSE(before(2, 2, 9.5));    // 1 s against 0.5
  CHECK_FALSE(before(2, 2, 9));      // as long
  CHECK_FALSE(before(20, 0, 9.5));   // 21 against 9: both candidates, 1 s against 0.5
  CHECK(before(20, 20, 9.5));        // 21 against 3
}

TEST_CASE("prema's ranks are its rule of tokens, threshold, candidates", "[arbiters]") {
  // The rule as it is published, with tokens that are added decision by decision.
  std::mt19937 random(1);
  const auto draw = [&](double most) { return std::uniform_real_distribution(0.0, most)(random); };
  const auto arbiter = make("prema");
  int by_token = 0;
  for (int run = 0; run < 300; ++run) {
    Site site;
    std::vector<double> alone_s;
    std::vector<double> priority;
    std::vector<double> arrival_s;
    for (int i = 0; i < 4; ++i) {
      alone_s.push_back(0.1 + draw(5));
      arrival_s.push_back(draw(3));
      const int level = static_cast<int>(draw(3));
      site.service(alone_s.back(), {arrival_s.back()}).priority = level;
      priority.push_back(std::vector<double>{1, 3, 9}[static_cast<std::size_t>(level)]);
    }
    std::vector<double> tokens = priority;
    double last_s = 3;
    for (std::size_t i = 0; i < 4; ++i) tokens[i] += priority[i] * (last_s - arrival_s[i]) / alone_s[i];
    for (int decision = 0; decision < 10; ++decision) {
      const double now_s = last_s + draw(2);
      for (std::size_t i = 0; i < 4; ++i) tokens[i] += priority[i] * (now_s - last_s) / alone_s[i];
      last_s = now_s;
      const double most = *std::max_element(tokens.begin(), tokens.end());
      const double threshold = most >= 9 ? 9 : most >= 3 ? 3 : 1;
      std::size_t chosen = Site::kNone;
      for (std::size_t i = 0; i < 4; ++i) {
        if (tokens[i] >= threshold && (chosen == Site::kNone || alone_s[i] < alone_s[chosen])) chosen = i;
      }
      REQUIRE(site.order(*arbiter, now_s).front() == chosen);
      by_token += alone_s[chosen] > *std::min_element(alone_s.begin(), alone_s.end()) ? 1 : 0;
    }
  }
  CHECK(by_token > 300);  // or else it would be shortest_first
}

namespace {

/// Two exits that take 1 and 3 s alone, 1.5 and 4.5 s for two, within 10 s; and one network without early
/// exits that takes 2 s, 3 s for two, within 5 s.
Site edge_site() {
  Site site;
  site.service((Eigen::ArrayXXd(2, 2) << 1, 1.5, 2, 3).finished(), {0, 1, 4}, 10);
  site.service((Eigen::ArrayXXd(1, 2) << 2, 3).finished(), {2}, 5);
  return site;
}

std::vector<double> scores(const Site& site, const Arbiter& arbiter, double now_s) {
  std::vector<double> scores;
  for (const Contender& head : site.heads()) scores.push_back(arbiter.rank(site.at(now_s), head));
  return scores;
}

}  // namespace

TEST_CASE("edgeserving: the score is the urgency of those who are left behind", "[arbiters]") {
  const Site site = edge_site();
  const auto arbiter = make("edgeserving", {2});
  // At 4. The first two of service 0 have waited for 4 and 3 s and leave at the last exit, 4.5 s later: left
  // behind are its third, 4.5 s old by then, and the other service's, 6.5 s. Behind that one, 2 s later: 6, 5
  // and 2 s.
  auto found = scores(site, *arbiter, 4);
  CHECK(found[0] == Approx(0.576949810 + 1.349858808).epsilon(1e-9));                // e^-0.55, e^0.3
  CHECK(found[1] == Approx(0.670320046 + 0.606530660 + 0.449328964).epsilon(1e-9));  // e^-0.4, e^-0.5, e^-0.8
  CHECK(site.order(*arbiter, 4) == Order{1, 0});
  // At 8 the last exit would be at 12.5 s, so it is the first, 1.5 s later. Left behind: 5.5 and 7.5 s; 10,
  // 9, 6 s.
  found = scores(site, *arbiter, 8);
  CHECK(found[0] == Approx(0.637628152 + 1.648721271).epsilon(1e-9));      // e^-0.45, e^0.5
  CHECK(found[1] == Approx(1 + 0.904837418 + 0.670320046).epsilon(1e-9));  // e^0, e^-0.1, e^-0.4
  CHECK(site.order(*arbiter, 8) == Order{0, 1});
  // At 200 nobody counts for more than 10, and who leaves fewer behind goes first, at the first exit.
  found = scores(site, *arbiter, 200);
  CHECK(found == std::vector<double>{20, 30});
}

TEST_CASE("edgeserving: a deadline met exactly is met, and batches are bounded", "[arbiters]") {
  const Site site = edge_site();
  // Alone the first request may go to the last exit, 3 s, until 7; then it takes the first, 1 s.
  const auto alone = make("edgeserving", {1});
  const auto behind = [](double age_0, double age_1, double other) {
    return std::exp(age_0 / 10 - 1) + std::exp(age_1 / 10 - 1) + std::exp(other / 5 - 1);
  };
  CHECK(scores(site, *alone, 7)[0] == Approx(behind(9, 6, 8)).epsilon(1e-12));
  CHECK(scores(site, *alone, 7.001)[0] == Approx(behind(7.001, 4.001, 6.001)).epsilon(1e-12));
  // The table knows no batch above 2.
  CHECK(scores(site, *make("edgeserving", {8}), 4) == scores(site, *make("edgeserving", {2}), 4));
}

TEST_CASE("edgeserving: SLOs that count from sending, endless ones and those that are gone", "[arbiters]") {
  Site site = edge_site();
  site.service(1, {3, 4}, kInfinity);
  site.service(1, {4}, -0.5);
  ServiceView& sent = site.service(1, {3, 3.5, 4}, 2);
  sent.slo.from_sending = true;
  site.request(sent.queue[0]).sent_s = 3;
  site.request(sent.queue[1]).sent_s = -90;
  site.request(sent.queue[2]).sent_s = 2;
  const auto arbiter = make("edgeserving", {1});
  // Service 1 runs for 2 s, until 6.
  const double expected = std::exp(-0.4) + std::exp(-0.5) + std::exp(-0.8) + 2 * std::exp(-1) + 10 +
                          std::exp(3.0 / 2 - 1) + 10 + std::exp(4.0 / 2 - 1);
  CHECK(scores(site, *arbiter, 4)[1] == Approx(expected).epsilon(1e-12));
}

TEST_CASE("edgeserving's exponential is the C library's to 1e-15", "[arbiters]") {
  const auto arbiter = make("edgeserving", {1});
  for (int i = 0; i <= 3300; ++i) {
    const double exponent = -0.999 + i * 0.001;
    Site site;
    site.service(0.001, {0}, kInfinity);
    site.service(1, {0}, 1);
    const double now_s = exponent + 1 - 0.001;
    const double expected = std::exp((now_s + 0.001) / 1 - 1);
    REQUIRE(arbiter->rank(site.at(now_s), site.heads()[0]) ==
            Approx(std::min(expected, 10.0)).epsilon(1e-15).margin(0));
  }
}

TEST_CASE("edgeserving in plain loops", "[arbiters]") {
  std::mt19937 random(2);
  const auto draw = [&](double most) { return std::uniform_real_distribution(0.0, most)(random); };
  const auto arbiter = make("edgeserving", {3});
  for (int run = 0; run < 200; ++run) {
    Site site;
    std::vector<std::vector<double>> arrivals(3);
    std::vector<double> slos;
    std::vector<Eigen::ArrayXXd> latencies;
    for (auto& queue : arrivals) {
      for (int i = static_cast<int>(draw(12)); i >= 0; --i) queue.push_back(draw(40));
      std::sort(queue.begin(), queue.end());
      slos.push_back(1 + draw(30));
      latencies.emplace_back(Eigen::ArrayXXd::Random(1 + static_cast<int>(draw(3)), 4).abs() * 5);
      site.service(latencies.back(), queue, slos.back());
    }
    const std::vector<double> found = scores(site, *arbiter, 40);
    for (std::size_t m = 0; m < 3; ++m) {
      const std::size_t batch = std::min<std::size_t>(3, arrivals[m].size());
      double latency_s = latencies[m](0, static_cast<Eigen::Index>(batch) - 1);
      double sum_s = 0;
      for (Eigen::Index segment = 0; segment < latencies[m].rows(); ++segment) {
        sum_s += latencies[m](segment, static_cast<Eigen::Index>(batch) - 1);
        if (40 - arrivals[m][0] + sum_s <= slos[m]) latency_s = sum_s;
      }
      double score = 0;
      for (std::size_t other = 0; other < 3; ++other) {
        for (std::size_t i = other == m ? batch : 0; i < arrivals[other].size(); ++i) {
          score += std::min(10.0, std::exp((40 - arrivals[other][i] + latency_s) / slos[other] - 1));
        }
      }
      REQUIRE(found[m] == Approx(score).epsilon(1e-12));
    }
  }
}
