#include "sim/measure/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "scheduler/slo.h"
#include "sim/core/conservation.h"
#include "sim/core/invariant.h"
#include "sim/measure/bounds.h"
#include "sim/measure/percentiles.h"
#include "sim/measure/recorder.h"

namespace fluidbatch::sim {
namespace {

using Id = StatisticId;

constexpr double kDropped = std::numeric_limits<double>::infinity();
constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

/// What rounding may cost: a part of a sum of many terms, and the last bits of dates up to `end_s`.
bool at_most(double value, double bound, double end_s) {
  constexpr double kRelative = 1e-6;
  return !(value > bound * (1 + kRelative) + 4 * std::numeric_limits<double>::epsilon() * end_s);
}

double mean_of(std::span<const double> values) {
  if (values.empty()) return kUndefined;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double share(std::uint64_t part, std::uint64_t all) {
  return all > 0 ? static_cast<double>(part) / static_cast<double>(all) : kUndefined;
}

std::int64_t late_in(const std::vector<bool>& late, std::ptrdiff_t begin, std::size_t size) {
  const auto first = late.begin() + begin;
  return std::count(first, first + static_cast<std::ptrdiff_t>(size), true);
}

/// A series, and the shares of its batches that are late.
struct InBatches {
  BatchedSeries series;
  BatchMeans late_shares{};
  Extremes extremes;
};

/// In one pass, since a long run's latencies come from memory. A dropped request is late. `late` says it of
/// each where it is not empty.
InBatches in_batches(std::span<const double> latencies, double slo_s,
                     const std::vector<bool>& late_ones = {}) {
  if (latencies.empty()) return {};
  InBatches result;
  const double first = latencies.front();
  Extremes extremes{.least = first, .largest = first};
  double sum = 0;
  double squares = 0;  // of the differences to the first, which is near enough to the mean not to lose digits
  // Only a dropped one, which is infinite, breaks an infinite bound.
  const double latest_s = std::min(scheduler::latest_in_time_s(slo_s), std::numeric_limits<double>::max());
  for (std::size_t i = 0; i < kBatches; ++i) {
    const std::span<const double> batch = part_of(latencies, i, kBatches);
    double batch_sum = 0;
    std::int64_t late = 0;
    for (const double latency_s : batch) {
      sum += latency_s;
      batch_sum += latency_s;
      squares += (latency_s - first) * (latency_s - first);
      extremes.least = std::min(extremes.least, latency_s);
      extremes.largest = std::max(extremes.largest, latency_s);
      late += latency_s > latest_s ? 1 : 0;
    }
    const auto size = static_cast<double>(batch.size());
    result.series.means[i] = batch_sum / size;
    if (!late_ones.empty()) late = late_in(late_ones, batch.data() - latencies.data(), batch.size());
    result.late_shares[i] = static_cast<double>(late) / size;
  }
  const auto n = static_cast<double>(latencies.size());
  result.series.size = latencies.size();
  result.series.mean = sum / n;
  result.series.variance = squares / n - (result.series.mean - first) * (result.series.mean - first);
  result.extremes = extremes;
  return result;
}

/// A run is called saturated where its backlog kept growing: over 1 % of all requests (and 32) were in the
/// system when the last one arrived, and the last third waited more than 1.5 times as long as the first.
bool is_saturated(std::span<const double> latencies, const Conservation& conservation) {
  const auto backlog = static_cast<std::uint64_t>(conservation.in_system_at_last_arrival);
  if (backlog <= 32 || backlog * 100 <= conservation.admitted) return false;
  const std::size_t third = latencies.size() / 3;
  return third > 0 && mean_of(latencies.last(third)) > 1.5 * mean_of(latencies.first(third));
}

class Computation {
 public:
  Computation(Totals& totals, const Conservation& conservation, const ExitThresholds& thresholds)
      : totals_(totals), conservation_(conservation), thresholds_(thresholds) {}

  RunStatistics run(const scheduler::Slo& slo) {
    for (const Id id : {Id::unloaded_bound, Id::clairvoyant_bound, Id::distance_to_bound})
      result_.set_absent(id, why_no_bound());
    result_.admitted = conservation_.admitted;
    latencies_ = in_batches(totals_.latencies_s, slo.latency_s, totals_.late_in_order);
    end_to_end_ = in_batches(totals_.end_to_end_s, slo.latency_s, totals_.late_in_order);
    const bool on_end_to_end = slo.end_to_end && !totals_.end_to_end_s.empty();
    const InBatches& judged = on_end_to_end ? end_to_end_ : latencies_;
    const BatchMeans late_shares = judged.late_shares;
    violations();
    if (totals_.dropped > 0) {
      std::erase(totals_.latencies_s, kDropped);
      std::erase(totals_.end_to_end_s, kDropped);
      latencies_ = in_batches(totals_.latencies_s, slo.latency_s);
      end_to_end_ = in_batches(totals_.end_to_end_s, slo.latency_s);
    }
    result_.set(Id::slo_violation_rate_ci95,
                share_half_width(result_[Id::slo_violation_rate], late_shares, judged.series));
    result_.saturated = is_saturated(totals_.latencies_s, conservation_);
    means();
    exits();
    window();
    energy();
    preemptions();
    latency_percentiles();
    end_to_end();
    site();
    return std::move(result_);
  }

 private:
  void set(Id id, double value) { result_.set(id, value); }

  /// From the arrival of the first measured request to the end of the run.
  [[nodiscard]] double window_s() const {
    return totals_.window_begin_s <= conservation_.end_s ? conservation_.end_s - totals_.window_begin_s
                                                         : kUndefined;
  }

  /// Of all measured requests, the dropped ones included; the rest is of the completed ones.
  void violations() {
    const auto n = static_cast<double>(totals_.latencies_s.size());
    set(Id::requests, n);
    set(Id::drop_rate, static_cast<double>(totals_.dropped) / n);
    set(Id::slo_violation_rate, static_cast<double>(totals_.late) / n);
    set(Id::goodput, (n - static_cast<double>(totals_.late)) / window_s());
  }

  void means() {
    const auto n = static_cast<double>(totals_.latencies_s.size());
    set(Id::mean_latency, latencies_.series.mean);
    result_.set(Id::mean_latency_ci95, mean_half_width(latencies_.series));
    set(Id::mean_uplink, totals_.uplink_s / n);
    set(Id::mean_queueing, totals_.queueing_s / n);
    set(Id::mean_suspended, totals_.suspended_s / n);
    set(Id::mean_executing, totals_.executing_s / n);
  }

  void exits() {
    const auto n = static_cast<double>(totals_.latencies_s.size());
    std::uint64_t judged = 0;
    std::uint64_t correct = 0;
    for (const ExitCount& count : totals_.exits) {
      result_.exit_shares.push_back(static_cast<double>(count.taken) / n);
      result_.exit_accuracies.push_back(share(count.correct, count.judged));
      judged += count.judged;
      correct += count.correct;
    }
    set(Id::accuracy, share(correct, judged));
    if (thresholds_.decided) return decided_thresholds();
    fixed_thresholds();
  }

  void decided_thresholds() {
    const std::vector<double>& thresholds = totals_.thresholds;
    constexpr std::array<std::uint64_t, 2> kPerMille{50, 950};
    const std::vector<double> found = percentiles(thresholds, {.least = 0, .largest = 1}, kPerMille);
    double beyond_first = 0;  // so that thresholds that don't move have themselves for a mean
    for (const double threshold : thresholds) beyond_first += threshold - thresholds.front();
    set(Id::mean_threshold, thresholds.empty()
                                ? kUndefined
                                : thresholds.front() + beyond_first / static_cast<double>(thresholds.size()));
    set(Id::p5_threshold, found[0]);
    set(Id::p95_threshold, found[1]);
    set(Id::forced_exit_rate, share(totals_.forced, thresholds.size()));
  }

  /// The same, of how many have left by each exit.
  void fixed_thresholds() {
    if (thresholds_.fixed.empty()) {
      for (const Id id : {Id::mean_threshold, Id::p5_threshold, Id::p95_threshold, Id::forced_exit_rate})
        result_.set_absent(id, Absence::no_thresholds);
      return;
    }
    std::vector<std::pair<double, std::uint64_t>> counts;  // of each threshold
    double sum = 0;
    for (std::size_t exit = 0; exit < totals_.exits.size(); ++exit) {
      const double threshold = thresholds_.fixed[std::min(exit, thresholds_.fixed.size() - 1)];
      counts.emplace_back(threshold, totals_.exits[exit].taken);
      sum += threshold * static_cast<double>(totals_.exits[exit].taken);
    }
    std::sort(counts.begin(), counts.end());
    const std::uint64_t all = totals_.latencies_s.size();
    const auto percentile = [&](std::uint64_t per_cent) {
      const std::uint64_t rank = (all * per_cent + 99) / 100;
      std::uint64_t below = 0;
      for (const auto& [threshold, count] : counts) {
        below += count;
        if (rank > 0 && below >= rank) return threshold;
      }
      return kUndefined;
    };
    set(Id::mean_threshold, sum / static_cast<double>(all));
    set(Id::p5_threshold, percentile(5));
    set(Id::p95_threshold, percentile(95));
    set(Id::forced_exit_rate, share(0, all));
  }

  [[nodiscard]] Absence why_no_bound() const {
    if (thresholds_.decided) return Absence::exits_decided;
    return totals_.dropped > 0 ? Absence::dropped : Absence::none;
  }

  void window() {
    const auto n = static_cast<double>(totals_.latencies_s.size());
    set(Id::throughput, n / window_s());
    const double npu_time_s = window_s() * static_cast<double>(totals_.npus);
    require_invariant(at_most(totals_.busy_s, npu_time_s, conservation_.end_s),
                      "the NPU is busy for no longer than the measured window");
    set(Id::busy_fraction, totals_.busy_s / npu_time_s);
    set(Id::mean_batch, totals_.batch_seconds / totals_.busy_s);
    set(Id::mac_utilisation, totals_.useful_macs / totals_.available_macs);
    set(Id::mean_start_batch,
        static_cast<double>(totals_.batched_samples) / static_cast<double>(totals_.batches));
    set(Id::mean_in_system, conservation_.time_in_system_s / conservation_.end_s);
  }

  void energy() {
    constexpr std::array kPerRequest{Id::energy_per_request,        Id::mac_energy_per_request,
                                     Id::buffer_energy_per_request, Id::dram_energy_per_request,
                                     Id::static_energy_per_request, Id::energy_delay_product};
    const RunEnergy& energy = totals_.energy;
    const auto all_absent = [&](Absence why) {
      for (const Id id : kPerRequest) result_.set_absent(id, why);
    };
    if (const Absence why = energy.absence(); why != Absence::none) {
      all_absent(why);
      return result_.set_absent(Id::average_power, why);
    }
    energy.require_identity(window_s());
    set(Id::average_power, energy.total_j(window_s()) / window_s());
    if (totals_.latencies_s.empty()) return all_absent(Absence::nothing);
    const auto n = static_cast<double>(totals_.latencies_s.size());
    set(Id::energy_per_request, energy.total_j(window_s()) / n);
    set(Id::mac_energy_per_request, energy.dynamic.mac_j / n);
    set(Id::buffer_energy_per_request, energy.dynamic.buffers_j() / n);
    set(Id::dram_energy_per_request, energy.dynamic.dram_j / n);
    set(Id::static_energy_per_request, energy.static_w * window_s() / n);
    set(Id::energy_delay_product, result_[Id::energy_per_request] * result_[Id::mean_latency]);
  }

  void preemptions() {
    set(Id::preemptions, static_cast<double>(totals_.preemptions));
    set(Id::merges, static_cast<double>(totals_.merges));
    set(Id::refused_no_gain, static_cast<double>(totals_.refused_no_gain));
    set(Id::refused_slo, static_cast<double>(totals_.refused_slo));
    for (std::size_t s = 0; s < totals_.segment_busy_s.size(); ++s) {
      result_.segment_batches.push_back(totals_.segment_batch_seconds[s] / totals_.segment_busy_s[s]);
    }
  }

  void latency_percentiles() {
    constexpr std::array<std::uint64_t, 7> kPerMille{500, 900, 950, 990, 999, 1000, kTailFromPerMille};
    const std::vector<double> found = percentiles(totals_.latencies_s, latencies_.extremes, kPerMille);
    const std::array<UpperPercentile, 2> upper{
        {{.share = 0.01, .value = found[3]}, {.share = 0.001, .value = found[4]}}};
    const std::vector<HalfWidth> half_widths =
        upper_half_widths(totals_.latencies_s, found[6], upper, latencies_.series);
    result_.set(Id::p99_latency_ci95, half_widths[0]);
    result_.set(Id::p99_9_latency_ci95, half_widths[1]);
    set(Id::p50_latency, found[0]);
    set(Id::p90_latency, found[1]);
    set(Id::p95_latency, found[2]);
    set(Id::p99_latency, found[3]);
    set(Id::p99_9_latency, found[4]);
    set(Id::max_latency, found[5]);
  }

  void end_to_end() {
    const std::span<const double> times = totals_.end_to_end_s;
    if (times.empty()) {  // the same as the latencies
      set(Id::mean_end_to_end, result_[Id::mean_latency]);
      result_.set(Id::mean_end_to_end_ci95, mean_half_width(latencies_.series));
      set(Id::p50_end_to_end, result_[Id::p50_latency]);
      set(Id::p99_end_to_end, result_[Id::p99_latency]);
      set(Id::max_end_to_end, result_[Id::max_latency]);
      return;
    }
    set(Id::mean_end_to_end, end_to_end_.series.mean);
    result_.set(Id::mean_end_to_end_ci95, mean_half_width(end_to_end_.series));
    constexpr std::array<std::uint64_t, 3> kPerMille{500, 990, 1000};
    const std::vector<double> found = percentiles(times, end_to_end_.extremes, kPerMille);
    set(Id::p50_end_to_end, found[0]);
    set(Id::p99_end_to_end, found[1]);
    set(Id::max_end_to_end, found[2]);
  }

  /// How requests fare against running alone: only where several services or NPUs are in question.
  void site() {
    const auto n = static_cast<double>(totals_.latencies_s.size());
    if (totals_.normalised_latency > 0) {
      set(Id::antt, totals_.normalised_latency / n);
      set(Id::stp, totals_.progress);
    } else {
      const Absence why = totals_.of_site ? Absence::nothing : Absence::no_site;
      result_.set_absent(Id::antt, why);
      result_.set_absent(Id::stp, why);
    }
    result_.set_absent(Id::fairness, Absence::no_site);
  }

  Totals& totals_;
  const Conservation& conservation_;
  const ExitThresholds& thresholds_;
  InBatches latencies_;
  InBatches end_to_end_;
  RunStatistics result_;
};

}  // namespace

void RunStatistics::set_absent(StatisticId id, Absence why) {
  set(id, kUndefined);
  absences[static_cast<std::size_t>(id)] = why;
}

void RunStatistics::set(StatisticId id, const HalfWidth& half_width) {
  set(id, half_width.value);
  absences[static_cast<std::size_t>(id)] = half_width.absence;
}

void add_bounds(RunStatistics& statistics, const LatencyBounds& bounds, double end_s) {
  statistics.set(Id::unloaded_bound, bounds.mean_unloaded_s);
  statistics.set(Id::clairvoyant_bound, bounds.mean_clairvoyant_s);
  const double bound_s = std::max(bounds.mean_unloaded_s, bounds.mean_clairvoyant_s);
  require_invariant(at_most(bound_s, statistics[Id::mean_latency], end_s),
                    "the mean latency is not below its lower bounds");
  statistics.set(Id::distance_to_bound, statistics[Id::mean_latency] / bound_s);
}

RunStatistics compute_statistics(Totals& totals, const Conservation& conservation, const scheduler::Slo& slo,
                                 const ExitThresholds& thresholds) {
  return Computation(totals, conservation, thresholds).run(slo);
}

bool misses_accuracy(const RunStatistics& statistics, double target) {
  const double accuracy = statistics[Id::accuracy];
  const double requests = statistics[Id::requests] * (1 - statistics[Id::drop_rate]);
  constexpr double kAllowed = 0.002;
  constexpr double kStandardErrors = 1.96;
  return target - accuracy > kAllowed + kStandardErrors * std::sqrt(accuracy * (1 - accuracy) / requests);
}

}  // namespace fluidbatch::sim
