#include "sim/cli/precision_text.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sim/output/text_table.h"
#include "sim/run/run_notes.h"
#include "sim/run/stages.h"

namespace fluidbatch::sim::cli {
std::string precision_plan(const Scenario& scenario) {
  if (scenario.until.empty()) return "";
  std::string targets;
  for (const PrecisionTarget& target : scenario.until) {
    targets += fmt::format("{}{} of {}", targets.empty() ? "" : " and ",
                           per_cent_text(target.relative_half_width), name_of(target));
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
    asked.push_back(per_cent_text(target.relative_half_width));
  }
  TextTable table(head);
  table.add(asked);
  for (std::size_t i = 0; i < results.size(); ++i) {
    std::vector<std::string> row{scenario.systems[i].label + (results[i].saturated ? " *" : "")};
    for (const PrecisionTarget& target : scenario.until) {
      row.push_back(per_cent_text(relative_half_width(results[i], target.statistic)));
    }
    table.add(row);
  }
  const bool reached =
      std::ranges::all_of(results, [&](const RunStatistics& r) { return reaches(r, scenario.until); });
  return fmt::format("\nstopped at {} requests{}\n{}", scenario.length.requests,
                     reached ? "" : ", without being as precise as was asked for", table.text());
}

}  // namespace fluidbatch::sim::cli
