// `optimum`.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/cli/configured_systems.h"
#include "sim/cli/exit_codes.h"
#include "sim/config/fbe_table_file.h"
#include "sim/config/one_system.h"
#include "sim/config/run_config.h"
#include "sim/output/output_file.h"
#include "sim/output/text_table.h"
#include "sim/run/run_notes.h"
#include "sim/scenario/expected_length.h"
#include "sim/sweep/optima.h"
#include "workloads/io/column_table.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim::cli {
namespace {

class Command {
 public:
  explicit Command(const OptimumArguments& arguments)
      : arguments_(arguments),
        config_(load_run_config(arguments.run.config, arguments.run.overrides, arguments.run.plugins)) {
    print_warnings(config_.warnings);
    if (arguments.system) first_ = keep_system(config_, *arguments.system, option("--system"));
    check_expected_dates(config_);
    if (arguments.save) refuse_to_save();
  }

  void run() {
    optima_ = require_optima(config_, document_of(arguments_.run), first_);
    save();
    simulated_ = simulate_beside_optima(config_);
    print_notes(notes_on_precision(config_, simulated_));
    for (std::size_t i = 0; i < optima_.size(); ++i) {
      rows_.push_back({.system = config_.systems[i], .optimum = optima_[i], .simulated = simulated_[i]});
    }
    if (arguments_.csv || arguments_.json) return print_table();
    print_text();
  }

 private:
  /// Before anything is computed.
  void refuse_to_save() const {
    if (arguments_.own) require_own_decisions(config_.systems.front(), option("--own"));
    if (config_.systems.size() > 1) {
      throw io::InputError("--save: there are several systems; say whose table by --system");
    }
    if (std::filesystem::exists(std::filesystem::symlink_status(*arguments_.save)))
      throw io::InputError(*arguments_.save + ": already exists");
  }

  /// The table of the only system.
  void save() const {
    if (!arguments_.save) return;
    const scheduler::FbeTable table =
        decision_table(config_, config_.systems.front(), optima_.front(), arguments_.own, option("--save"));
    write_file(*arguments_.save, fbe_table_csv(table), Existing::refuse);
  }

  void print_table() const {
    using Row = OptimumRow;
    io::ColumnTable table;
    table.add("system", rows_, [](const Row& row) { return row.system.label; });
    table.add("free_s", rows_, [](const Row& row) { return row.free_s(); });
    table.add("fbe_s", rows_, [](const Row& row) { return row.fbe_s(); });
    table.add("policy_mean_s", rows_, [](const Row& row) { return row.mean_s(); });
    table.add("policy_mean_low_s", rows_, [](const Row& row) { return row.mean_s() - row.half_width_s(); });
    table.add("policy_mean_high_s", rows_, [](const Row& row) { return row.mean_s() + row.half_width_s(); });
    fmt::print("{}", table_text(arguments_, table));
    for (const std::string& line : optimum_remarks(rows_)) note("note: {}\n", line);
  }

  void print_text() const {
    TextTable table({"system", "max batch", "free ms", "fbe ms", "mean ms", "+- ms", "x free", "x fbe"});
    TextTable solver({"system", "form", "at least ms", "at most ms", "queue", "states", "iterations"});
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const OptimumRow& row = rows_[i];
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
    for (const std::string& line : optimum_remarks(rows_)) fmt::print("{}\n", line);
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

  const OptimumArguments& arguments_;
  RunConfig config_;
  std::size_t first_ = 0;  // place of the first system in the configuration's list
  std::vector<SystemOptimum> optima_;
  std::vector<RunStatistics> simulated_;
  std::vector<OptimumRow> rows_;
};

}  // namespace

void optimum(const OptimumArguments& arguments) { Command(arguments).run(); }

}  // namespace fluidbatch::sim::cli
