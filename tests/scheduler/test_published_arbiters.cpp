// PREMA and EdgeServing on hand-made views: numbers worked by hand, and the published rules in plain loops.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler/arbitration.h"
#include "tests/support/hand_made_site.h"

using namespace fluidbatch;
using namespace fluidbatch::scheduler;
using Site = test::HandMadeSite;
using test::make_arbiter;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Order = std::vector<std::size_t>;

}  // namespace

TEST_CASE("prema: tokens grow with the wait, and the threshold is the most that anybody has, rounded down",
          "[arbiters]") {
  Site site;
  site.service(4, {0});                // low: 1 token, and 1/4 more each second
  site.service(10, {0}).priority = 1;  // medium: 3, and 3/10 more
  site.service(1, {0});                // low: 1, and 1 more
  const auto arbiter = make_arbiter("prema");
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
  const auto arbiter = make_arbiter("prema");
  CHECK(site.order(*arbiter, 1) == Order{1, 0, 2});
  CHECK(site.order(*arbiter, 23.9) == Order{1, 0, 2});
  CHECK(site.order(*arbiter, 24) == Order{1, 2, 0});  // 1 + 24/3 = 9 tokens
}

TEST_CASE("prema: in flight only waiting earns tokens, and what is left counts", "[arbiters]") {
  Site site;
  site.service(1, {0});
  site.service(10, {}).priority = 1;
  const auto arbiter = make_arbiter("prema");
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
  const auto arbiter = make_arbiter("prema");
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
  const auto arbiter = make_arbiter("edgeserving", {2});
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
  const auto alone = make_arbiter("edgeserving", {1});
  const auto behind = [](double age_0, double age_1, double other) {
    return std::exp(age_0 / 10 - 1) + std::exp(age_1 / 10 - 1) + std::exp(other / 5 - 1);
  };
  CHECK(scores(site, *alone, 7)[0] == Approx(behind(9, 6, 8)).epsilon(1e-12));
  CHECK(scores(site, *alone, 7.001)[0] == Approx(behind(7.001, 4.001, 6.001)).epsilon(1e-12));
  // The table knows no batch above 2.
  CHECK(scores(site, *make_arbiter("edgeserving", {8}), 4) ==
        scores(site, *make_arbiter("edgeserving", {2}), 4));
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
  const auto arbiter = make_arbiter("edgeserving", {1});
  // Service 1 runs for 2 s, until 6.
  const double expected = std::exp(-0.4) + std::exp(-0.5) + std::exp(-0.8) + 2 * std::exp(-1) + 10 +
                          std::exp(3.0 / 2 - 1) + 10 + std::exp(4.0 / 2 - 1);
  CHECK(scores(site, *arbiter, 4)[1] == Approx(expected).epsilon(1e-12));
}

TEST_CASE("edgeserving's exponential is the C library's to 1e-15", "[arbiters]") {
  const auto arbiter = make_arbiter("edgeserving", {1});
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
  const auto arbiter = make_arbiter("edgeserving", {3});
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
