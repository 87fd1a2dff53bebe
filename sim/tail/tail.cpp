#include "sim/tail/tail.h"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

#include "sim/drive/child_process.h"
#include "sim/drive/message.h"
#include "sim/measure/confidence.h"
#include "sim/measure/run_watch.h"
#include "sim/scenario/scenario.h"
#include "sim/tail/part_seed.h"
#include "sim/tail/pilot.h"
#include "sim/tail/splitting.h"

namespace fluidbatch::sim {
namespace {

/// Independent runs, which intervals are made from.
constexpr std::size_t kGroups = 64;
/// That each serves at first. A group should hold several cycles that come near to the SLO.
constexpr std::uint64_t kFirstRequests = 500;
/// The most that one stage may serve times what those before have.
constexpr double kMostGrowth = 8;

/// What a part gives, which a child may send.
struct PartResult {
  std::string saturated;  ///< why there are no sums; empty where there are
  TailSums sums;
};

template <typename Self, typename Visit>
requires std::same_as<std::remove_const_t<Self>, PartResult>
void fields(Self& result, Visit& visit) { visit(result.saturated, result.sums); }

TailSums sums_of(PartResult result) {
  if (!result.saturated.empty()) throw Saturated(result.saturated);
  return std::move(result.sums);
}

/// A share of some requests, and the half-width of its logarithm's interval.
struct Share {
  double value = 0;
  double error = 0;  ///< NaN where the share is 0

  /// Events that crude simulation takes to know it as well, if its requests were independent.
  [[nodiscard]] double crude_events(double events_per_request) const {
    constexpr double kNormal = 1.959963984540054;
    const double late = std::pow(kNormal / error, 2) * (1 - value);
    return late / value * events_per_request;
  }
};

class Estimation {
 public:
  Estimation(const Scenario& scenario, const System& system, const TailOptions& options)
      : scenario_(scenario), system_(system), options_(options), groups_(kGroups) {}

  SystemTail run() {
    const Cycles cycles = cycles_of(scenario_, system_, options_.watch);
    const double furthest = *std::ranges::max_element(options_.quantiles);
    constexpr std::uint64_t kPilotShare = 8;
    const Pilot pilot =
        choose_levels(scenario_, system_, {.latency_s = scenario_.least_slo_s(), .tail_share = 1 - furthest},
                      cycles, options_.most_events / kPilotShare, options_.watch);
    result_.levels = pilot.levels.size();
    result_.reaches_slo = pilot.reaches_latency;
    result_.regenerates = cycles.requests == 0;
    result_.events = pilot.events;
    std::uint64_t requests = std::max(kFirstRequests, 10 * cycles.warmup_requests);
    std::uint64_t so_far = 0;
    for (std::uint64_t stage = 0; so_far == 0 || result_.events < options_.most_events; ++stage) {
      run_stage(pilot.levels, cycles, stage, requests);
      so_far += requests;
      const double times = estimate();
      result_.precise = times <= 1;
      if (result_.precise) break;
      constexpr double kMargin = 1.1;
      const double growth = std::min(kMargin * times, kMostGrowth) - 1;
      requests = static_cast<std::uint64_t>(growth * static_cast<double>(so_far)) + 1;
    }
    return std::move(result_);
  }

 private:
  /// Each group serves about so many requests more, in a run of its own.
  void run_stage(const Levels& levels, const Cycles& cycles, std::uint64_t stage, std::uint64_t requests) {
    const auto run_part = [&, stage, requests](std::size_t group) {
      const Part part{.pilot = false, .number = stage * kGroups + group};
      const auto enough = [requests](const TailSums& sums) { return sums.main_requests >= requests; };
      PartResult result;
      try {
        Splitting splitting(scenario_, system_, levels, options_.watch);
        result.sums = splitting.run(part_seed(scenario_.seed, part), cycles, enough);
      } catch (const Saturated& error) {
        result.saturated = error.what();
      }
      return result;
    };
    std::vector<TailSums> parts;
    if (options_.jobs > 1) {
      std::vector<ChildPool::Task> tasks;
      for (std::size_t group = 0; group < kGroups; ++group)
        tasks.emplace_back([&, group] { return to_message(run_part(group)); });
      const auto outcomes = run_in_children(tasks, options_.jobs, [this] { report(); });
      // First of all: those before it may have been stopped for it.
      for (const ChildOutcome& outcome : outcomes) outcome.throw_failure();
      for (const ChildOutcome& outcome : outcomes)
        parts.push_back(sums_of(from_message<PartResult>(outcome.text)));
    } else {
      for (std::size_t group = 0; group < kGroups; ++group) {
        parts.push_back(sums_of(run_part(group)));
        report();
      }
    }
    for (std::size_t group = 0; group < kGroups; ++group) {
      groups_[group].add(parts[group]);
      result_.events += parts[group].events;
    }
  }

  void report() const {
    check_wanted(options_.watch);
    if (options_.progress) options_.progress(result_.events);
  }

  /// From all that has been counted so far. Returns how many times as much is wanted.
  double estimate() {
    all_ = {};
    for (const TailSums& group : groups_) all_.add(group);
    const double events_per_request =
        static_cast<double>(all_.main_events) / static_cast<double>(all_.main_requests);
    const Share late = share_of([](const TailSums& sums) { return sums.late; },
                                [](const TailSums& sums) { return sums.requests; });
    result_.violation_rate = estimated_rate(late, events_per_request);
    result_.service_violation_rates.clear();
    for (std::size_t s = 0; scenario_.services.size() > 1 && s < scenario_.services.size(); ++s) {
      const Share its = share_of([s](const TailSums& sums) { return sums.service_late[s]; },
                                 [s](const TailSums& sums) { return sums.service_requests[s]; });
      result_.service_violation_rates.push_back(estimated_rate(its, events_per_request));
    }
    result_.reaches_slo = result_.reaches_slo || late.value > 0;
    double times = 1;
    const bool wants_rate = std::isfinite(scenario_.least_slo_s()) && result_.reaches_slo;
    if (wants_rate) times = std::max(times, times_wanted(late.error));
    result_.quantiles_s.clear();
    for (const double quantile : options_.quantiles) {
      result_.quantiles_s.push_back(estimated_quantile_s(1 - quantile, events_per_request));
      const TailEstimate& e = result_.quantiles_s.back();
      times = std::max(times, times_wanted((e.high - e.low) / 2 / e.value));
    }
    return times;
  }

  static TailEstimate estimated_rate(const Share& late, double events_per_request) {
    return {.value = late.value,
            .low = late.value > 0 ? late.value * std::exp(-late.error) : 0,
            .high = late.value * std::exp(late.error),
            .crude_events = late.crude_events(events_per_request)};
  }

  /// The latency that a share of `share` of those answered is above.
  [[nodiscard]] TailEstimate estimated_quantile_s(double share, double events_per_request) const {
    const auto answered = [](const TailSums& sums) { return sums.requests - sums.dropped; };
    const double all = answered(all_);
    const double value_s = all_.latencies.value_below(share * all);
    // With those of the same latency, of which there may be many.
    const Share above =
        share_of([value_s](const TailSums& sums) { return sums.latencies.at_least(value_s); }, answered);
    return {.value = value_s,
            .low = all_.latencies.value_below(share * std::exp(above.error) * all),
            .high = all_.latencies.value_below(share * std::exp(-above.error) * all),
            .crude_events = Share{.value = share, .error = above.error}.crude_events(events_per_request)};
  }

  /// The ratio of two sums over all groups.
  template <typename Part, typename Whole>
  [[nodiscard]] Share share_of(const Part& part, const Whole& whole) const {
    std::vector<double> parts;
    std::vector<double> wholes;
    for (const TailSums& group : groups_) {
      parts.push_back(part(group));
      wholes.push_back(whole(group));
    }
    const RatioInterval interval = paired_ratio(parts, wholes);
    return {.value = interval.ratio, .error = (interval.high - interval.ratio) / interval.ratio};
  }

  /// How many times as many requests make an interval as narrow as was asked for.
  [[nodiscard]] double times_wanted(double error) const {
    return std::isnan(error) ? kMostGrowth : std::pow(error / options_.precision, 2);
  }

  const Scenario& scenario_;
  const System& system_;
  const TailOptions& options_;
  std::vector<TailSums> groups_;
  TailSums all_;
  SystemTail result_;
};

}  // namespace

SystemTail estimate_tail(const Scenario& scenario, const System& system, const TailOptions& options) {
  return Estimation(scenario, system, options).run();
}

}  // namespace fluidbatch::sim
