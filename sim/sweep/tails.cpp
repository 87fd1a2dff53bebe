#include "sim/sweep/tails.h"

#include <cmath>

#include <fmt/format.h>

#include "sim/config/run_config.h"
#include "sim/config/workload_place.h"
#include "sim/sweep/tail_measure.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

bool has_bound(const Scenario& scenario) { return std::isfinite(scenario.least_slo_s()); }

bool is_reached(const SystemTail& tail, const TailLine& line, double precision) {
  if (!line.known) return false;
  if (tail.precise && line.wanted) return true;
  const TailEstimate& estimate = line.estimate;
  return (estimate.high - estimate.low) / 2 <= precision * estimate.value;
}

void add_remarks(std::vector<std::string>& lines, const TailOfSystem& its, bool bounded,
                 const TailOptions& options, const TailWords& words) {
  if (!its.tail) {
    lines.push_back(its.label + ": no tail: " + its.saturated);
    return;
  }
  if (bounded && !its.tail->reaches_slo) {
    lines.push_back(
        fmt::format("{}: late: none seen, and none nearly: in {} events no latency was predicted to "
                    "reach the SLO, so that how rare it is is not known",
                    its.label, its.tail->events));
  }
  if (!its.tail->regenerates) {
    lines.push_back(its.label + ": is hardly ever empty: its intervals are by batches of requests");
  }
  if (!its.tail->precise) {
    lines.push_back(fmt::format("{}: {}wider than ±{:.6g} %: more than {} events ({})", its.label, words.wide,
                                100 * options.precision, options.most_events, words.most_events));
  }
}

}  // namespace

std::vector<TailOfSystem> estimate_tails(const RunConfig& config, const TailOptions& options,
                                         const std::function<void(const System&, std::uint64_t)>& progress) {
  std::vector<TailOfSystem> tails;
  for (const System& system : config.systems) {
    TailOptions its_options = options;
    if (progress) its_options.progress = [&](std::uint64_t events) { progress(system, events); };
    TailOfSystem its{.label = system.label, .tail = std::nullopt, .saturated = {}};
    try {
      its.tail = estimate_tail(config, system, its_options);
    } catch (const Saturated& saturated) {
      its.saturated = saturated.what();
    }
    tails.push_back(std::move(its));
  }
  return tails;
}

void require_a_tail(const std::vector<TailOfSystem>& tails, const io::Node& document) {
  std::string text;
  for (const TailOfSystem& its : tails) {
    if (its.tail) return;
    const bool same = its.saturated == tails.front().saturated;
    const bool last = &its == &tails.back();
    text += (text.empty() ? "" : ", ") + ("system '" + its.label + "'");
    if (last || !same) text += ": no tail: " + its.saturated;
  }
  throw io::InputError(place_in_workload(document, "arrivals"), text);
}

std::vector<TailLine> tail_lines(const RunConfig& config, const TailOptions& options,
                                 const SystemTail& tail) {
  std::vector<TailLine> lines;
  if (has_bound(config)) {
    lines.push_back({.metric = "slo_violation_rate",
                     .title = "late",
                     .estimate = tail.violation_rate,
                     .known = tail.reaches_slo});
  }
  for (std::size_t s = 0; s < tail.service_violation_rates.size(); ++s) {
    const Service& service = config.services[s];
    if (!std::isfinite(service.slo.latency_s)) continue;
    lines.push_back({.metric = "slo_violation_rate of " + service.name,
                     .title = "late, " + service.name,
                     .estimate = tail.service_violation_rates[s],
                     .known = tail.reaches_slo,
                     .wanted = false});
  }
  for (std::size_t i = 0; i < options.quantiles.size(); ++i) {
    const std::string name = "p" + percentile(options.quantiles[i]);
    lines.push_back(
        {.metric = "latency_" + name, .title = name, .estimate = tail.quantiles_s[i], .is_latency = true});
  }
  for (TailLine& line : lines) line.reached = is_reached(tail, line, options.precision);
  return lines;
}

std::vector<std::string> tail_remarks(const RunConfig& config, const TailOptions& options,
                                      const std::vector<TailOfSystem>& tails, const TailWords& words) {
  const bool bounded = has_bound(config);
  std::vector<std::string> lines;
  if (!bounded) lines.emplace_back("no rate of late requests: the configuration has no bound (slo)");
  for (const TailOfSystem& its : tails) add_remarks(lines, its, bounded, options, words);
  return lines;
}

}  // namespace fluidbatch::sim
