#include "sim/measure/site_recorder.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace fluidbatch::sim {
namespace {

void add(std::vector<double>& sums, const std::vector<double>& more) {
  sums.resize(std::max(sums.size(), more.size()));
  for (std::size_t i = 0; i < more.size(); ++i) sums[i] += more[i];
}

/// All of `more` but what is known of each request in their order.
void add_sums(Totals& sums, const Totals& more) {
  sums.late += more.late;
  sums.dropped += more.dropped;
  sums.uplink_s += more.uplink_s;
  sums.queueing_s += more.queueing_s;
  sums.suspended_s += more.suspended_s;
  sums.executing_s += more.executing_s;
  sums.exits.resize(std::max(sums.exits.size(), more.exits.size()));
  for (std::size_t exit = 0; exit < more.exits.size(); ++exit) {
    sums.exits[exit].taken += more.exits[exit].taken;
    sums.exits[exit].judged += more.exits[exit].judged;
    sums.exits[exit].correct += more.exits[exit].correct;
  }
  sums.thresholds.insert(sums.thresholds.end(), more.thresholds.begin(), more.thresholds.end());
  sums.forced += more.forced;
  sums.window_begin_s = std::min(sums.window_begin_s, more.window_begin_s);
  sums.busy_s += more.busy_s;
  sums.batch_seconds += more.batch_seconds;
  sums.useful_macs += more.useful_macs;
  sums.available_macs += more.available_macs;
  sums.energy.add_dynamic(more.energy);
  sums.preemptions += more.preemptions;
  sums.merges += more.merges;
  sums.refused_no_gain += more.refused_no_gain;
  sums.refused_slo += more.refused_slo;
  add(sums.segment_busy_s, more.segment_busy_s);
  add(sums.segment_batch_seconds, more.segment_batch_seconds);
  sums.batches += more.batches;
  sums.batched_samples += more.batched_samples;
}

void add(Conservation& sums, const Conservation& more) {
  sums.admitted += more.admitted;
  sums.completed += more.completed;
  sums.dropped += more.dropped;
  sums.time_in_system_s += more.time_in_system_s;
  sums.sum_of_latencies_s += more.sum_of_latencies_s;
  sums.in_system_at_last_arrival += more.in_system_at_last_arrival;
  sums.end_s = std::max(sums.end_s, more.end_s);
}

/// Of a service's measured requests against running alone.
struct Progress {
  double sum = 0;
  std::uint64_t served = 0;  ///< how many there are

  /// 0 where nobody has been served.
  [[nodiscard]] double mean() const { return served > 0 ? sum / static_cast<double>(served) : 0; }
};

/// Jain's index of the services' mean normalised latencies.
double fairness_of(const std::vector<RunStatistics>& services) {
  double sum = 0;
  double squares = 0;
  for (const RunStatistics& service : services) {
    const double slowdown = service[StatisticId::antt];
    sum += slowdown;
    squares += slowdown * slowdown;
  }
  return sum * sum / (static_cast<double>(services.size()) * squares);
}

}  // namespace

SiteRecorder::Cell::Cell(SiteRecorder& site, std::uint32_t number, const npu::BatchPolicyTable& table,
                         const scheduler::Slo& slo, RunWatch* watch)
    : site_(&site), number_(number), slo_(slo), recorder_(table, slo, site.warmup_requests_, watch) {
  for (int exit = 0; exit < table.segments(); ++exit)
    alone_s_.push_back(table.latency_s(0, table.segment_begin(exit + 1), 1));
}

void SiteRecorder::Cell::completed(scheduler::RequestId id, const scheduler::Request& request) {
  recorder_.completed(id, request);
  if (id < site_->warmup_requests_) return;
  const bool late = request.dropped || slo_.is_missed_by(request);
  site_->order_.push_back(2 * number_ + (late ? 1 : 0));
  if (request.dropped) return;
  const double latency_s = request.completion_s - request.arrival_s;
  const double alone_s = alone_s_[static_cast<std::size_t>(request.exit)];
  normalised_latency_ += latency_s / alone_s;
  normalised_progress_ += alone_s / latency_s;
}

SiteRecorder::SiteRecorder(const std::vector<std::vector<const npu::BatchPolicyTable*>>& tables,
                           const std::vector<scheduler::Slo>& slos, std::uint64_t warmup_requests,
                           RunWatch* watch)
    : slos_(slos), warmup_requests_(warmup_requests) {
  std::uint32_t number = 0;
  for (const auto& of_npu : tables) {
    for (std::size_t service = 0; service < slos.size(); ++service)
      cells_.emplace_back(*this, number++, *of_npu[service], slos[service], watch);
  }
}

SiteRecorder::SiteRecorder(const SiteRecorder& other)
    : slos_(other.slos_),
      warmup_requests_(other.warmup_requests_),
      cells_(other.cells_),
      order_(other.order_) {
  for (Cell& cell : cells_) cell.site_ = this;
}

void SiteRecorder::keep_thresholds(std::size_t service) {
  for (std::size_t npu = 0; npu < npus(); ++npu) cell(npu, service).recorder_.keep_thresholds();
}

void SiteRecorder::begin_window(double date_s) {
  for (Cell& cell : cells_) cell.recorder_.begin_window(date_s);
}

SiteRecorder::Part SiteRecorder::part_of(const IsIn& is_in, const ConservationOf& conservation) const {
  Part part;
  std::vector<Progress> progress(slos_.size());  // of each service
  double end_s = 0;
  std::size_t services = 0;  // in the part
  part.totals.npus = 0;
  for (std::size_t npu = 0; npu < npus(); ++npu) {
    services = 0;
    for (std::size_t service = 0; service < slos_.size(); ++service) {
      end_s = std::max(end_s, conservation(npu, service).end_s);
      part.cells.push_back(is_in(npu, service));
      if (!part.cells.back()) continue;
      ++services;
      const Cell& cell = cells_[npu * slos_.size() + service];
      add_sums(part.totals, cell.recorder_.totals());
      part.totals.normalised_latency += cell.normalised_latency_;
      progress[service].sum += cell.normalised_progress_;
      progress[service].served +=
          cell.recorder_.totals().latencies_s.size() - cell.recorder_.totals().dropped;
      add(part.conservation, conservation(npu, service));
    }
    if (services > 0) ++part.totals.npus;
    part.totals.energy.static_w += static_w_of(npu, is_in);
  }
  for (const Progress& its : progress) part.totals.progress += its.mean();
  part.conservation.end_s = end_s;
  add_requests(part);
  return part;
}

double SiteRecorder::static_w_of(std::size_t npu, const IsIn& is_in) const {
  std::size_t services = 0;
  double busy_s = 0;
  double busy_of_all_s = 0;
  double static_w = 0;  // of the NPU
  for (std::size_t service = 0; service < slos_.size(); ++service) {
    const Totals& its = cells_[npu * slos_.size() + service].recorder_.totals();
    static_w = std::max(static_w, its.energy.static_w);
    busy_of_all_s += its.busy_s;
    if (!is_in(npu, service)) continue;
    ++services;
    busy_s += its.busy_s;
  }
  if (services == slos_.size()) return static_w;  // to the last bit
  if (busy_of_all_s > 0) return static_w * busy_s / busy_of_all_s;
  return static_w * static_cast<double>(services) / static_cast<double>(slos_.size());
}

/// What is known of each request of the part, in order of request number.
void SiteRecorder::add_requests(Part& part) const {
  std::vector<bool> services(slos_.size());  // of the part
  bool end_to_end = false;                   // differs from the latency at the server for somebody
  for (std::size_t c = 0; c < cells_.size(); ++c) {
    if (!part.cells[c]) continue;
    services[c % slos_.size()] = true;
    end_to_end = end_to_end || !cells_[c].recorder_.totals().end_to_end_s.empty();
  }
  const bool bounds_differ = std::count(services.begin(), services.end(), true) > 1;
  std::vector<std::size_t> next(cells_.size());
  Totals& totals = part.totals;
  for (const std::uint32_t entry : order_) {
    const std::size_t c = entry / 2;
    if (!part.cells[c]) continue;
    const Totals& its = cells_[c].recorder_.totals();
    const std::size_t i = next[c]++;
    totals.latencies_s.push_back(its.latencies_s[i]);
    if (end_to_end)
      totals.end_to_end_s.push_back(its.end_to_end_s.empty() ? its.latencies_s[i] : its.end_to_end_s[i]);
    if (bounds_differ) totals.late_in_order.push_back(entry % 2 == 1);
  }
}

RunStatistics SiteRecorder::finish(const ConservationOf& conservation, std::int64_t in_system_at_last_arrival,
                                   const std::vector<ExitThresholds>& thresholds) {
  for (Cell& cell : cells_) cell.recorder_.finish();
  const bool several_services = slos_.size() > 1;
  const bool is_site = several_services || npus() > 1;
  const auto statistics_of = [&](Part part, const std::optional<std::size_t>& service) {
    part.totals.of_site = is_site;
    if (!is_site) part.totals.normalised_latency = 0;
    scheduler::Slo slo = slos_[service.value_or(0)];
    if (!service) slo.end_to_end = std::ranges::all_of(slos_, &scheduler::Slo::end_to_end);
    RunStatistics statistics = compute_statistics(part.totals, part.conservation, slo,
                                                  service ? thresholds[*service] : ExitThresholds{});
    if (service) return statistics;
    // Exits and segments of different networks have nothing in common but their number.
    statistics.exit_shares.clear();
    statistics.exit_accuracies.clear();
    statistics.segment_batches.clear();
    return statistics;
  };
  const std::optional<std::size_t> only = several_services ? std::nullopt : std::optional<std::size_t>(0);
  Part all = part_of([](std::size_t, std::size_t) { return true; }, conservation);
  all.conservation.in_system_at_last_arrival = in_system_at_last_arrival;
  RunStatistics result = statistics_of(std::move(all), only);
  for (std::size_t service = 0; several_services && service < slos_.size(); ++service) {
    const auto its = [&](std::size_t, std::size_t s) { return s == service; };
    result.services.push_back(statistics_of(part_of(its, conservation), service));
  }
  for (std::size_t npu = 0; npus() > 1 && npu < npus(); ++npu) {
    const auto its = [&](std::size_t n, std::size_t) { return n == npu; };
    RunStatistics& part = result.npus.emplace_back(statistics_of(part_of(its, conservation), only));
    for (const StatisticId id :
         {StatisticId::unloaded_bound, StatisticId::clairvoyant_bound, StatisticId::distance_to_bound})
      part.set_absent(id, Absence::of_all_npus);
  }
  // With the reason of its absence taken away.
  if (several_services) result.set(StatisticId::fairness, HalfWidth{.value = fairness_of(result.services)});
  return result;
}

}  // namespace fluidbatch::sim
