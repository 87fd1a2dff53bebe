#include "sim/cli/precision_text.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sim/cli/exit_codes.h"
#include "sim/output/text_table.h"
#include "sim/run/stages.h"

namespace fluidbatch::sim::cli {
namespace {

const char* name_of(const PrecisionTarget& target) {
  return all_statistics()[static_cast<std::size_t>(target.statistic)].name;
}

std::string per_cent(double share) { return std::isnan(share) ? "-" : fmt::format("{:.3g} %", 100 * share); }

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
    return fmt::format("{} instead of {}", per_cent(reached), per_cent(target.relative_half_width));
  }
  const Absence absence = statistics.absence(*half_width_of(target.statistic));
  return fmt::format("no interval: {}", absence_text(absence));
}

}  // namespace

std::string precision_plan(const Scenario& scenario) {
  if (scenario.until.empty()) return "";
  std::string targets;
  for (const PrecisionTarget& target : scenario.until) {
    targets += fmt::format("{}{} of {}", targets.empty() ? "" : " and ", per_cent(target.relative_half_width),
                           name_of(target));
  }
  return fmt::format(
      "until the half-width of the 95 % interval is at most {},\n"
      "in every system; stages of {}, {}, {} .. requests beside the warm-up\n",
      targets, Stages::kFirst, 2 * Stages::kFirst, 4 * Stages::kFirst);
}

std::string precision_table(const Scenario& scenario, const std::vector<RunStatistics>& results) {
  if (scenario.until.empty()) return "";
  std::vector<std::string> head{"half-width of 95 %"};
  std::vector<std::string> asked{"asked for"};
  for (const PrecisionTarget& target : scenario.until) {
    head.emplace_back(name_of(target));
    asked.push_back(per_cent(target.relative_half_width));
  }
  TextTable table(head);
  table.add(asked);
  for (std::size_t i = 0; i < results.size(); ++i) {
    std::vector<std::string> row{scenario.systems[i].label + (results[i].saturated ? " *" : "")};
    for (const PrecisionTarget& target : scenario.until) {
      row.push_back(per_cent(relative_half_width(results[i], target.statistic)));
    }
    table.add(row);
  }
  const bool reached =
      std::ranges::all_of(results, [&](const RunStatistics& r) { return reaches(r, scenario.until); });
  return fmt::format("\nstopped at {} requests{}\n{}", scenario.length.requests,
                     reached ? "" : ", without being as precise as was asked for", table.text());
}

void note_missed_precisions(const Scenario& scenario, const std::vector<RunStatistics>& results) {
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
  note(fmt::format("note: did not reach {}: {}\n", limit, missed));
}

void note_short_warmup(const Scenario& scenario) {
  if (!scenario.warmup_at_end) return;
  note(
      "note: MSER-5 found the warm-up ({} requests) at the end of what it looks at, half of the run: the run "
      "is too short to tell where a steady state begins, or has none\n",
      scenario.warmup_requests);
}

}  // namespace fluidbatch::sim::cli
