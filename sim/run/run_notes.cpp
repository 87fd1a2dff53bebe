#include "sim/run/run_notes.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sim/measure/precision.h"
#include "sim/output/text_table.h"

namespace fluidbatch::sim {
namespace {

/// Whether nobody came any more, before the run was as long as it may be.
bool ended_early(const Scenario& scenario, const std::vector<RunStatistics>& results) {
  const std::uint64_t asked = scenario.length.requests;
  return asked == scenario.devices.bound() || asked == scenario.bound_of_exits() ||
         std::ranges::all_of(results, [&](const RunStatistics& r) { return r.admitted < asked; });
}

/// Why `statistics` has not reached `target`.
std::string shortfall(const RunStatistics& statistics, const PrecisionTarget& target) {
  if (statistics.saturated) return "saturated";
  const double reached = relative_half_width(statistics, target.statistic);
  if (!std::isnan(reached)) {
    return fmt::format("{} instead of {}", per_cent_text(reached), per_cent_text(target.relative_half_width));
  }
  const Absence absence = statistics.absence(*half_width_of(target.statistic));
  return fmt::format("no interval: {}", absence_text(absence));
}

void add_missing_requests(const Scenario& scenario, const RunStatistics& result,
                          std::vector<std::string>& notes) {
  const std::uint64_t came = result.admitted;
  if (scenario.ends_by_requests() && came < scenario.length.requests) {
    const char* end = "the arrivals";
    const char* reason = ": no device sends any more, since the profile of a spike ends in a rate of 0";
    if (came == scenario.bound_of_exits() || came == scenario.devices.bound()) {
      end = came == scenario.devices.bound() ? "the trace" : "the trace of exits";
      reason = "";
    }
    notes.push_back(fmt::format("{} ended the run after {} of {} requests{}", end, came,
                                scenario.length.requests, reason));
  }
  if (came == 0 && !scenario.ends_by_requests()) {
    notes.push_back(fmt::format("no request was sent before duration_s ({} s), so nothing was measured",
                                rounded(scenario.length.duration_s, 6)));
  } else if (came <= scenario.warmup_requests) {
    notes.push_back(fmt::format("all {} requests are warm-up (warmup_requests: {}), so nothing was measured",
                                came, scenario.warmup_requests));
  }
}

void add_missed_precisions(const Scenario& scenario, const std::vector<RunStatistics>& results,
                           std::vector<std::string>& notes) {
  std::string missed;
  for (std::size_t i = 0; i < results.size(); ++i) {
    for (const PrecisionTarget& target : scenario.until) {
      if (reaches(results[i], target)) continue;
      missed += fmt::format("{}{} of {} ({})", missed.empty() ? "" : ", ", name_of(target),
                            scenario.systems[i].label, shortfall(results[i], target));
    }
  }
  if (missed.empty()) return;
  const std::string limit = ended_early(scenario, results)
                                ? std::string("with all the requests that there were")
                                : fmt::format("within max_requests ({})", scenario.length.requests);
  notes.push_back(fmt::format("did not reach {}: {}", limit, missed));
}

void add_short_warmup(const Scenario& scenario, std::vector<std::string>& notes) {
  if (!scenario.warmup_at_end) return;
  notes.push_back(
      fmt::format("MSER-5 found the warm-up ({} requests) at the end of what it looks at, half of the run: "
                  "the run is too "
                  "short to tell where a steady state begins, or has none",
                  scenario.warmup_requests));
}

}  // namespace

std::string per_cent_text(double share) {
  return std::isnan(share) ? "-" : fmt::format("{:.3g} %", 100 * share);
}

std::vector<std::string> notes_on_precision(const Scenario& scenario,
                                            const std::vector<RunStatistics>& results) {
  std::vector<std::string> notes;
  add_missed_precisions(scenario, results, notes);
  add_short_warmup(scenario, notes);
  return notes;
}

std::vector<std::string> notes_on_run(const Scenario& scenario, const std::vector<RunStatistics>& results) {
  std::vector<std::string> notes;
  if (!results.empty()) add_missing_requests(scenario, results.front(), notes);
  for (std::string& note : notes_on_precision(scenario, results)) notes.push_back(std::move(note));
  return notes;
}

}  // namespace fluidbatch::sim
