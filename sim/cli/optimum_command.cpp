// `optimum`.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/cli/configured_systems.h"
#include "sim/cli/exit_codes.h"
#include "sim/config/fbe_table_file.h"
#include "sim/config/run_config.h"
#include "sim/config/workload_place.h"
#include "sim/output/output_file.h"
#include "sim/output/text_table.h"
#include "sim/run/optimum.h"
#include "sim/run/policy_decisions.h"
#include "sim/run/run.h"
#include "sim/run/run_notes.h"
#include "sim/scenario/expected_length.h"
#include "workloads/io/csv.h"
#include "workloads/io/input_error.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim::cli {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// What one system gives, as both outputs show it.
struct Row {
  const System& system;
  const SystemOptimum& optimum;
  const RunStatistics& simulated;

  [[nodiscard]] double free_s() const { return optimum.free ? optimum.free->mean_latency_s : kUnknown; }
  [[nodiscard]] double fbe_s() const { return optimum.fbe ? optimum.fbe->optimum.mean_latency_s : kUnknown; }
  [[nodiscard]] double mean_s() const { return simulated[StatisticId::mean_latency]; }
  [[nodiscard]] double half_width_s() const { return simulated[StatisticId::mean_latency_ci95]; }
};

class Command {
 public:
  explicit Command(const OptimumArguments& arguments)
      : arguments_(arguments),
        config_(load_run_config(arguments.run.config, arguments.run.overrides, arguments.run.plugins)) {
    print_warnings(config_.warnings);
    if (arguments.system) first_ = keep_system(config_, *arguments.system);
    check_expected_dates(config_);
    if (arguments.save) refuse_to_save();
  }

  void run() {
    refuse_if_outside();
    optima_ = optima_of(config_);
    refuse_without_optimum();
    RunOptions options;
    options.driver = Driver::bare;
    config_.compute_bounds = false;
    options.settled = [this](const Scenario& settled) { static_cast<Scenario&>(config_) = settled; };
    save();
    simulated_ = run_systems(config_, options);
    print_notes(notes_on_precision(config_, simulated_));
    for (std::size_t i = 0; i < optima_.size(); ++i) {
      rows_.push_back({.system = config_.systems[i], .optimum = optima_[i], .simulated = simulated_[i]});
    }
    if (arguments_.csv) return print_csv();
    print_text();
  }

 private:
  /// Before anything is computed, too.
  void refuse_to_save() const {
    if (arguments_.own && decides_at_layers(config_.systems.front())) {
      throw io::InputError("--own: this policy decides at layers, and a table has segments");
    }
    if (config_.systems.size() > 1) {
      throw io::InputError("--save: there are several systems; say whose table by --system");
    }
    if (std::filesystem::exists(std::filesystem::symlink_status(*arguments_.save)))
      throw io::InputError(*arguments_.save + ": already exists");
  }

  /// The table of the only system.
  void save() const {
    if (!arguments_.save) return;
    const SystemOptimum& optimum = optima_.front();
    if (!optimum.fbe)
      throw io::InputError("--save: there is no table, since " + optimum.missing.back().reason);
    const scheduler::FbeTable& best = optimum.fbe->table;
    write_file(*arguments_.save,
               fbe_table_csv(arguments_.own
                                 ? policy_decisions(config_, config_.systems.front(), best.longest_queue())
                                 : best),
               Existing::refuse);
  }

  /// Before anything is computed, where nothing can be.
  void refuse_if_outside() const {
    std::vector<NoOptimum> objections;
    for (const System& system : config_.systems) {
      auto objection = objection_to_optimum(config_, system);
      if (!objection) return;
      objections.push_back(std::move(*objection));
    }
    refuse(objections);
  }

  void refuse_without_optimum() const {
    std::vector<NoOptimum> first;
    for (const SystemOptimum& optimum : optima_) {
      if (optimum.free || optimum.fbe) return;
      first.push_back(optimum.missing.front());
    }
    refuse(first);
  }

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

  /// Of the first system's objection, in the file or on the command line.
  [[nodiscard]] io::Mark place_of(const NoOptimum& objection) const {
    if (objection.key.empty()) return {.source = arguments_.run.config};
    const io::Node document = document_of(arguments_.run);
    if (objection.of_workload) return place_in_workload(document, objection.key);
    const io::Node& system = document.find("systems")->items[first_];
    const io::Node* value = system.find(objection.key);
    return value == nullptr ? system.mark : value->mark;
  }

  void print_csv() const {
    fmt::print("system,free_s,fbe_s,policy_mean_s,policy_mean_low_s,policy_mean_high_s\n");
    const auto cell = [](double value) { return std::isnan(value) ? std::string() : io::shortest(value); };
    for (const Row& row : rows_) {
      fmt::print("{},{},{},{},{},{}\n", io::csv_cell(row.system.label), cell(row.free_s()), cell(row.fbe_s()),
                 cell(row.mean_s()), cell(row.mean_s() - row.half_width_s()),
                 cell(row.mean_s() + row.half_width_s()));
    }
    for (const std::string& line : remarks()) note("note: {}\n", line);
  }

  void print_text() const {
    TextTable table({"system", "max batch", "free ms", "fbe ms", "mean ms", "+- ms", "x free", "x fbe"});
    TextTable solver({"system", "form", "at least ms", "at most ms", "queue", "states", "iterations"});
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const Row& row = rows_[i];
      const int max_batch = row.system.policy->traits(row.system.parameters).max_batch;
      table.add({row.system.label + (row.simulated.saturated ? " *" : ""), std::to_string(max_batch),
                 rounded(1000 * row.free_s(), 5), rounded(1000 * row.fbe_s(), 5),
                 rounded(1000 * row.mean_s(), 5), rounded(1000 * row.half_width_s(), 2),
                 rounded(distance_to_optimum(row.simulated, row.free_s())),
                 rounded(distance_to_optimum(row.simulated, row.fbe_s()))});
      if (row.optimum.first != i) continue;
      if (row.optimum.free) add_solution(solver, row.system.label, "free", *row.optimum.free);
      if (row.optimum.fbe) add_solution(solver, row.system.label, "fbe", row.optimum.fbe->optimum);
    }
    fmt::print("{}: the least mean latency that is possible, {} requests/s, seed {}\n\n{}",
               config_.network_names(), rounded(config_.devices.mean_rate_hz()), config_.seed, table.text());
    if (std::any_of(simulated_.begin(), simulated_.end(), [](const auto& run) { return run.saturated; })) {
      fmt::print("* saturated: the backlog grew to the end, so the mean depends on the length of the run\n");
    }
    for (const std::string& line : remarks()) fmt::print("{}\n", line);
    fmt::print(
        "\nhow each optimum is known, for queues of up to so many; systems in which it is the same once\n{}",
        solver.text());
  }

  static void add_solution(TextTable& table, const std::string& label, const char* form,
                           const scheduler::Optimum& optimum) {
    constexpr int kDigits = 8;  // the bounds are closer than 1e-6
    table.add({label, form, rounded(1000 * optimum.lower_s, kDigits),
               rounded(1000 * optimum.upper_s, kDigits), std::to_string(optimum.queue),
               std::to_string(optimum.states), std::to_string(optimum.iterations)});
  }

  /// Why there is no optimum, or why one is no bound.
  [[nodiscard]] std::vector<std::string> remarks() const {
    std::vector<std::string> lines;
    for (const Row& row : rows_) {
      for (const NoOptimum& missing : row.optimum.missing) {
        lines.push_back(row.system.label + ": - since " + missing.reason);
      }
      if (row.optimum.missing.empty() && decides_at_layers(row.system)) {
        lines.push_back(row.system.label +
                        ": decides at layers, so that it may be below the optima, which do at segments");
      }
      if (row.simulated[StatisticId::drop_rate] > 0) {
        lines.push_back(row.system.label + ": dropped " +
                        rounded(100 * row.simulated[StatisticId::drop_rate], 3) +
                        " % of the requests; its mean is that of the others");
      }
      if (distance_to_optimum(row.simulated, row.free_s()) < 1 && !decides_at_layers(row.system)) {
        lines.push_back(row.system.label + ": below the optimum by chance, which more requests make less of");
      }
    }
    return lines;
  }

  const OptimumArguments& arguments_;
  RunConfig config_;
  std::size_t first_ = 0;  // place of the first system in the configuration's list
  std::vector<SystemOptimum> optima_;
  std::vector<RunStatistics> simulated_;
  std::vector<Row> rows_;
};

}  // namespace

void optimum(const OptimumArguments& arguments) { Command(arguments).run(); }

}  // namespace fluidbatch::sim::cli
