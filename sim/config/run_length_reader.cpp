#include "sim/config/run_length_reader.h"

#include <string>
#include <vector>

#include "sim/scenario/checks.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

using io::InputError;
using io::MapReader;
using io::Node;

const char* name_of(StatisticId id) { return all_statistics()[static_cast<std::size_t>(id)].name; }

/// A statistic that there is, but of which a run can't know how precise it is.
void refuse_without_interval(const Node& until) {
  for (const Node::Entry& entry : until.entries) {
    for (const Statistic& statistic : all_statistics()) {
      if (entry.key != statistic.name || half_width_of(statistic.id)) continue;
      throw InputError(entry.key_mark, "until: " + *objection_to_target(statistic.id, true));
    }
  }
}

void read_until(MapReader& run, Scenario& scenario) {
  const Node& until = run.required("until");
  const std::vector<StatisticId> allowed = statistics_with_interval();
  std::vector<std::string> names;
  names.reserve(allowed.size());
  for (const StatisticId id : allowed) names.emplace_back(name_of(id));
  refuse_without_interval(until);
  MapReader reader(until, "until", names);
  for (const StatisticId id : allowed) {
    if (!reader.has(name_of(id))) continue;
    scenario.until.push_back(
        {.statistic = id, .relative_half_width = reader.number(name_of(id), kRelativeHalfWidths)});
  }
  if (scenario.until.empty()) {
    throw InputError(until.mark, "until needs at least one statistic of " + io::quoted_list(names));
  }
  run.resolve("until", reader.resolved());
  scenario.length.requests =
      static_cast<std::uint64_t>(run.integer("max_requests", 1, kMostRequests, kDefaultMaxRequests));
}

/// The one of a file may stay where the command line gives the run another length.
void refuse_useless_max_requests(const MapReader& run) {
  const Node* most = run.child("max_requests");
  if (most == nullptr || (run.has("until") && !most->overridden)) return;
  throw InputError(most->mark, "max_requests is for a run to a precision: it needs 'until'");
}

void read_warmup(MapReader& run, Scenario& scenario) {
  const Node* given = run.child("warmup_requests");
  if (given == nullptr || given->kind != Node::Kind::scalar || io::parse_number(given->scalar)) {
    scenario.warmup_requests =
        static_cast<std::uint64_t>(run.integer("warmup_requests", 0, kMostRequests, 0));
    return;
  }
  if (!io::is_word(*given, "auto")) {
    throw InputError(given->mark,
                     "warmup_requests must be a whole number or auto, found " + io::in_quotes(given->scalar));
  }
  scenario.automatic_warmup = true;
  run.resolve("warmup_requests", Node::text("auto"));
}

}  // namespace

void read_run_length(MapReader& run, Scenario& scenario) {
  const auto given = run.one_of({"requests", "duration_s", "until"});
  if (given != "until") refuse_useless_max_requests(run);
  if (given == "until") {
    read_until(run, scenario);
  } else if (given == "duration_s") {
    scenario.length.duration_s = run.number("duration_s", io::Range::positive());
  } else {
    scenario.length.requests = static_cast<std::uint64_t>(run.integer("requests", 1, kMostRequests, 100'000));
  }
  read_warmup(run, scenario);
}

void check_precisions(const MapReader& run, const Scenario& scenario) {
  for (const PrecisionTarget& target : scenario.until) {
    const auto objection = objection_to_target(target.statistic, any_slo(scenario.services));
    if (!objection) continue;
    throw InputError(run.required("until").find(name_of(target.statistic))->mark, "until: " + *objection);
  }
}

}  // namespace fluidbatch::sim
