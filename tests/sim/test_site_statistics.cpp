// The statistics of sites against a plain recomputation from what an observer has seen.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/run/running_site.h"
#include "sim/run/simulation.h"
#include "tests/support/random_sites.h"

using namespace fluidbatch;
using Id = sim::StatisticId;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Everything that happens, as it is told.
class Ledger final : public sim::Observer {
 public:
  struct Place {
    std::size_t npu = 0;
    std::size_t service = 0;
  };
  struct Stay {
    scheduler::Request request;
    Place place;
    std::uint64_t number = 0;
  };
  struct Ran {
    sim::Step step;
    Place place;
  };
  struct Start {
    Place place;
    int samples = 0;
    bool preempting = false;
  };

  explicit Ledger(const sim::Scenario& scenario)
      : warmup_(scenario.warmup_requests), service_of_device_(scenario.devices.services()) {}
  void turn_to(std::size_t npu, std::size_t service) override { place_ = {npu, service}; }
  void admitted(scheduler::RequestId id, const scheduler::Request& request) override {
    if (id == warmup_) begin_s = request.arrival_s;
  }
  void started(double /*date_s*/, int samples, bool preempting) override {
    if (!std::isnan(begin_s)) starts.push_back({place_, samples, preempting});
  }
  void stepped(const sim::Step& step) override { steps.push_back({step, place_}); }
  void merged(double /*date_s*/) override {
    if (!std::isnan(begin_s)) merges.push_back(place_);
  }
  void completed(scheduler::RequestId id, const scheduler::Request& request) override {
    stays.push_back({request, {request.npu, service_of_device_[request.device]}, id});
    end_s = std::max(end_s, request.completion_s);
  }

  double begin_s = kNaN;  ///< of the measured window
  double end_s = 0;
  std::vector<Stay> stays;
  std::vector<Ran> steps;
  std::vector<Start> starts;  // in the window
  std::vector<Place> merges;  // likewise

 private:
  std::uint64_t warmup_;
  std::vector<std::size_t> service_of_device_;
  Place place_;
};

using IsIn = std::function<bool(const Ledger::Place&)>;

/// The value that `share` of all do not exceed.
double nearest_rank(std::vector<double> values, double share) {
  if (values.empty()) return kNaN;
  std::ranges::sort(values);
  const double rank = std::ceil(share * static_cast<double>(values.size()) - 1e-9);
  return values[static_cast<std::size_t>(rank) - 1];
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// What is known of the requests of a part of the site.
class Part {
 public:
  Part(const sim::Scenario& scenario, const Ledger& ledger, const IsIn& is_in)
      : scenario_(scenario), ledger_(ledger) {
    requests(is_in);
    npu_time(is_in);
  }

  /// By statistic: those that `check` looks at.
  std::map<Id, double> values;

 private:
  void requests(const IsIn& is_in) {
    std::vector<double> latencies_s, end_to_end_s, queueing_s, suspended_s, executing_s, uplink_s, slowdowns;
    std::map<std::size_t, std::vector<double>> progress;  // by service
    double all = 0, late = 0, dropped = 0, judged = 0, right = 0, stays_s = 0;
    for (const Ledger::Stay& stay : ledger_.stays) {
      if (!is_in(stay.place)) continue;
      const scheduler::Request& r = stay.request;
      stays_s += r.completion_s - r.arrival_s;
      if (stay.number < scenario_.warmup_requests) continue;
      const scheduler::Slo& slo = scenario_.services[stay.place.service].slo;
      ++all;
      const double whole_s = r.completion_s + slo.answer_latency_s - r.sent_s;
      const double judged_s = slo.end_to_end ? whole_s : r.completion_s - r.arrival_s;
      if (r.dropped || judged_s > slo.latency_s + 1e-9) ++late;
      if (r.dropped) {
        ++dropped;
        continue;
      }
      latencies_s.push_back(r.completion_s - r.arrival_s);
      end_to_end_s.push_back(whole_s);
      queueing_s.push_back(r.start_s - r.arrival_s);
      suspended_s.push_back(r.suspended_s);
      executing_s.push_back(r.completion_s - r.start_s - r.suspended_s);
      uplink_s.push_back(r.arrival_s - r.sent_s);
      const npu::BatchPolicyTable& table =
          *scenario_.systems[0].npus[stay.place.npu].tables[stay.place.service];
      const double alone_s = table.latency_s(0, table.segment_begin(r.exit + 1), 1);
      slowdowns.push_back(latencies_s.back() / alone_s);
      progress[stay.place.service].push_back(alone_s / latencies_s.back());
      if (r.correct >= 0) ++judged;
      if (r.correct == 1) ++right;
    }
    const auto served = static_cast<double>(latencies_s.size());
    const double window_s = ledger_.end_s - ledger_.begin_s;
    double stp = served > 0 ? 0 : kNaN;
    for (const auto& [service, its] : progress) stp += mean(its);
    values = {{Id::requests, all},
              {Id::drop_rate, dropped / all},
              {Id::slo_violation_rate, late / all},
              {Id::goodput, (all - late) / window_s},
              {Id::throughput, served / window_s},
              {Id::mean_latency, mean(latencies_s)},
              {Id::p50_latency, nearest_rank(latencies_s, 0.5)},
              {Id::p95_latency, nearest_rank(latencies_s, 0.95)},
              {Id::max_latency, nearest_rank(latencies_s, 1)},
              {Id::mean_end_to_end, mean(end_to_end_s)},
              {Id::p99_end_to_end, nearest_rank(end_to_end_s, 0.99)},
              {Id::mean_queueing, mean(queueing_s)},
              {Id::mean_suspended, mean(suspended_s)},
              {Id::mean_executing, mean(executing_s)},
              {Id::mean_uplink, mean(uplink_s)},
              {Id::accuracy, judged > 0 ? right / judged : kNaN},
              {Id::mean_in_system, stays_s / ledger_.end_s},
              {Id::antt, mean(slowdowns)},
              {Id::stp, stp}};
  }

  void npu_time(const IsIn& is_in) {
    double busy_s = 0, batch_s = 0;
    for (const Ledger::Ran& ran : ledger_.steps) {
      const double in_window_s = ran.step.end_s - std::max(ran.step.begin_s, ledger_.begin_s);
      if (!is_in(ran.place) || !(in_window_s > 0)) continue;
      busy_s += in_window_s;
      batch_s += in_window_s * ran.step.batch;
    }
    double npus = 0;
    for (std::size_t npu = 0; npu < scenario_.systems[0].npus.size(); ++npu) {
      bool any = false;
      for (std::size_t service = 0; service < scenario_.services.size(); ++service)
        any = any || is_in({npu, service});
      npus += any ? 1 : 0;
    }
    double samples = 0, batches = 0, preemptions = 0;
    for (const Ledger::Start& start : ledger_.starts) {
      if (!is_in(start.place)) continue;
      ++batches;
      samples += start.samples;
      preemptions += start.preempting ? 1 : 0;
    }
    values[Id::busy_fraction] = busy_s / (ledger_.end_s - ledger_.begin_s) / npus;
    values[Id::mean_batch] = batch_s / busy_s;
    values[Id::mean_start_batch] = samples / batches;
    values[Id::preemptions] = preemptions;
    values[Id::merges] = static_cast<double>(std::ranges::count_if(ledger_.merges, is_in));
  }

  const sim::Scenario& scenario_;
  const Ledger& ledger_;
};

/// Those statistics whose value is another.
std::vector<std::string> differences(const sim::RunStatistics& run, const std::map<Id, double>& plain) {
  std::vector<std::string> found;
  for (const auto& [id, value] : plain) {
    const bool same =
        std::isnan(value) ? std::isnan(run[id]) : run[id] == Approx(value).epsilon(1e-9).margin(1e-12);
    if (same) continue;
    found.push_back(std::string(sim::all_statistics()[static_cast<std::size_t>(id)].name) + ": " +
                    std::to_string(run[id]) + ", plainly " + std::to_string(value));
  }
  return found;
}

}  // namespace

TEST_CASE("statistics of sites, their services and their NPUs are what a plain count gives", "[site]") {
  const std::vector<std::string> none;
  std::mt19937_64 random(26);
  int parts = 0;
  for (int i = 0; i < 600; ++i) {
    const sim::Scenario scenario = test::random_site(random).build();
    if (!scenario.is_site(scenario.systems[0])) continue;
    INFO("site " << i);
    Ledger ledger(scenario);
    const sim::RunStatistics run = sim::simulate(scenario, scenario.systems[0], {.observers = {&ledger}});
    Part all(scenario, ledger, [](const auto&) { return true; });
    REQUIRE(run.services.size() == (scenario.services.size() > 1 ? scenario.services.size() : 0));
    double sum = 0;
    double squares = 0;
    for (std::size_t service = 0; service < run.services.size(); ++service) {
      const Part its(scenario, ledger, [&](const auto& place) { return place.service == service; });
      INFO("service " << service);
      CHECK_THAT(differences(run.services[service], its.values), Catch::Equals(none));
      const double antt = its.values.at(Id::antt);
      sum += antt;
      squares += antt * antt;
      ++parts;
    }
    // Jain, Chiu and Hawe (1984).
    if (!run.services.empty())
      all.values[Id::fairness] = sum * sum / (static_cast<double>(run.services.size()) * squares);
    CHECK_THAT(differences(run, all.values), Catch::Equals(none));
    REQUIRE(run.npus.size() == (scenario.systems[0].npus.size() > 1 ? scenario.systems[0].npus.size() : 0));
    for (std::size_t npu = 0; npu < run.npus.size(); ++npu) {
      const Part its(scenario, ledger, [&](const auto& place) { return place.npu == npu; });
      INFO("NPU " << npu);
      CHECK_THAT(differences(run.npus[npu], its.values), Catch::Equals(none));
      ++parts;
    }
  }
  CHECK(parts > 1'500);
}

TEST_CASE("fairness, ANTT and STP of two services, by hand", "[site]") {
  // On one NPU, serial: `a` takes 2 s, `b` 4 s. Both come at 0, and a again at 3: a runs from 0 to 2, b to 6,
  // a to 8. Slowdowns: 1 and 5 / 2 of a, 6 / 4 of b.
  const sim::Scenario scenario = sim::ScenarioBuilder()
                                     .service({.name = "a", .latencies_s = {{2}}})
                                     .service({.name = "b", .latencies_s = {{4}}})
                                     .devices({{.arrivals = sim::recorded({{.date_s = 0}, {.date_s = 3}})},
                                               {.arrivals = sim::recorded({{.date_s = 0}}), .service = 1}})
                                     .requests(3)
                                     .system("serial")
                                     .build();
  const sim::RunStatistics run = sim::simulate(scenario, scenario.systems[0]);
  CHECK(run.services[0][Id::antt] == Approx((1 + 2.5) / 2));
  CHECK(run.services[1][Id::antt] == Approx(1.5));
  CHECK(run[Id::antt] == Approx((1 + 2.5 + 1.5) / 3));
  CHECK(run.services[0][Id::stp] == Approx((1 + 1 / 2.5) / 2));
  CHECK(run.services[1][Id::stp] == Approx(1 / 1.5));
  CHECK(run[Id::stp] == Approx((1 + 1 / 2.5) / 2 + 1 / 1.5));
  CHECK(run[Id::fairness] == Approx((1.75 + 1.5) * (1.75 + 1.5) / 2 / (1.75 * 1.75 + 1.5 * 1.5)));
}
