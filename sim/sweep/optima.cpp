#include "sim/sweep/optima.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "sim/config/run_config.h"
#include "sim/config/workload_place.h"
#include "sim/output/text_table.h"
#include "sim/run/policy_decisions.h"
#include "sim/run/run.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// Why there is no optimum of any system.
class Refusal {
 public:
  Refusal(const RunConfig& config, const io::Node& document, std::size_t first)
      : config_(config), document_(document), first_(first) {}

  /// `reasons`: one for each system.
  [[noreturn]] void refuse(const std::vector<NoOptimum>& reasons) const {
    const bool one = std::all_of(reasons.begin(), reasons.end(), [&](const NoOptimum& other) {
      return other.reason == reasons.front().reason;
    });
    std::string text;
    for (std::size_t i = 0; i < reasons.size(); ++i) {
      if (one && i > 0) break;
      text += i > 0 ? "; " : "";
      if (!one) text += "system '" + config_.systems[i].label + "': ";
      text += reasons[i].reason;
    }
    throw io::InputError(place_of(reasons.front()), text);
  }

 private:
  /// Of the first system's objection.
  [[nodiscard]] io::Mark place_of(const NoOptimum& objection) const {
    if (objection.key.empty()) return {.source = document_.mark.source, .line = 0, .column = 0};
    if (objection.of_workload) return place_in_workload(document_, objection.key);
    const io::Node& system = document_.find("systems")->items[first_];
    const io::Node* value = system.find(objection.key);
    return value == nullptr ? system.mark : value->mark;
  }

  const RunConfig& config_;
  const io::Node& document_;
  std::size_t first_;
};

/// The objections to the systems, where there is one to each.
std::vector<NoOptimum> objections_to_all(const Scenario& scenario) {
  std::vector<NoOptimum> objections;
  for (const System& system : scenario.systems) {
    auto objection = objection_to_optimum(scenario, system);
    if (!objection) return {};
    objections.push_back(std::move(*objection));
  }
  return objections;
}

}  // namespace

std::vector<SystemOptimum> require_optima(const RunConfig& config, const io::Node& document,
                                          std::size_t first,
                                          const scheduler::WhileComputing& while_computing) {
  const Refusal refusal(config, document, first);
  if (const auto objections = objections_to_all(config); !objections.empty()) refusal.refuse(objections);
  std::vector<SystemOptimum> optima = optima_of(config, while_computing);
  std::vector<NoOptimum> reasons;
  for (const SystemOptimum& optimum : optima) {
    if (optimum.free || optimum.fbe) return optima;
    reasons.push_back(optimum.missing.front());
  }
  refusal.refuse(reasons);
}

std::vector<RunStatistics> simulate_beside_optima(RunConfig& config,
                                                  const std::function<void()>& while_running) {
  config.compute_bounds = false;
  RunOptions options;
  options.driver = Driver::bare;
  options.settled = [&](const Scenario& settled) { static_cast<Scenario&>(config) = settled; };
  if (while_running) options.progress = [&](const auto& /*completed*/) { while_running(); };
  return run_systems(config, options);
}

double OptimumRow::free_s() const { return optimum.free ? optimum.free->mean_latency_s : kUnknown; }
double OptimumRow::fbe_s() const { return optimum.fbe ? optimum.fbe->optimum.mean_latency_s : kUnknown; }

std::vector<std::string> optimum_remarks(const std::vector<OptimumRow>& rows) {
  std::vector<std::string> lines;
  for (const OptimumRow& row : rows) {
    const std::string& label = row.system.label;
    for (const NoOptimum& missing : row.optimum.missing)
      lines.push_back(label + ": - since " + missing.reason);
    if (row.optimum.missing.empty() && decides_at_layers(row.system)) {
      lines.push_back(label +
                      ": decides at layers, so that it may be below the optima, which do at segments");
    }
    if (const double dropped = row.simulated[StatisticId::drop_rate]; dropped > 0) {
      lines.push_back(label + ": dropped " + rounded(100 * dropped, 3) +
                      " % of the requests; its mean is that of the others");
    }
    if (distance_to_optimum(row.simulated, row.free_s()) < 1 && !decides_at_layers(row.system)) {
      lines.push_back(label + ": below the optimum by chance, which more requests make less of");
    }
  }
  return lines;
}

void require_own_decisions(const System& system, const io::Mark& mark) {
  if (decides_at_layers(system)) {
    throw io::InputError(mark, "this policy decides at layers, and a table has segments");
  }
}

scheduler::FbeTable decision_table(const RunConfig& config, const System& system,
                                   const SystemOptimum& optimum, bool own, const io::Mark& mark) {
  if (!optimum.fbe) throw io::InputError(mark, "there is no table, since " + optimum.missing.back().reason);
  const scheduler::FbeTable& best = optimum.fbe->table;
  return own ? policy_decisions(config, system, best.longest_queue()) : best;
}

}  // namespace fluidbatch::sim
