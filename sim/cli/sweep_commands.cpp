// `sweep`, `sweep merge`, `compare` and `capacity`.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <set>
#include <unistd.h>

#include <fmt/format.h>

#include "sim/child_process.h"
#include "sim/cli/commands.h"
#include "sim/cli/exit_codes.h"
#include "sim/config/overrides.h"
#include "sim/output/text_table.h"
#include "sim/sweep/capacity.h"
#include "sim/sweep/compare.h"
#include "sim/sweep/results_file.h"
#include "sim/sweep/sweep_run.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim::cli {
namespace {

namespace fs = std::filesystem;

/// `2/3`: the second of three parts.
Shard read_shard(const std::string& text) {
  if (text.empty()) return {};
  const std::size_t slash = text.find('/');
  const auto index = io::parse_integer(text.substr(0, slash));
  const auto count = slash == std::string::npos ? std::nullopt : io::parse_integer(text.substr(slash + 1));
  if (!index || !count || *index < 1 || *count < *index) {
    throw io::InputError("--shard: must be I/N with I from 1 to N, such as 2/3; found '" + text + "'");
  }
  return {.index = static_cast<std::size_t>(*index - 1), .count = static_cast<std::size_t>(*count)};
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

/// On a terminal one line written over itself; in a log a line now and then.
class SweepLine {
 public:
  void show(const SweepProgress& progress) {
    const double now_s = elapsed_s();
    const double every_s = terminal_ ? 0.2 : 20;
    if (now_s - shown_s_ < every_s) return;
    shown_s_ = now_s;
    const double left_s = now_s / progress.cost_done * (1 - progress.cost_done);
    const std::string failed = progress.failed > 0 ? fmt::format(", {} failed", progress.failed) : "";
    fmt::print(stderr, "{}{}/{} points{}, {}/s, {} left{}", terminal_ ? "\r\x1b[K" : "", progress.done,
               progress.planned, failed, rounded(static_cast<double>(progress.done) / now_s, 3),
               duration(left_s), terminal_ ? "" : "\n");
    std::fflush(stderr);
  }

  void clear() const {
    if (terminal_) fmt::print(stderr, "\r\x1b[K");
  }

  [[nodiscard]] double elapsed_s() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  double shown_s_ = 0;
};

void dry_run(const Sweep& sweep, const Shard& shard) {
  const SweepPlan plan = plan_sweep(sweep, shard);
  fmt::print("{} setting{} of {} ax{}, {} pair{} of setting and system{}, {} points, {} requests\n",
             plan.settings, plan.settings == 1 ? "" : "s", sweep.keys.size(),
             sweep.keys.size() == 1 ? "is" : "es", plan.pairs, plan.pairs == 1 ? "" : "s",
             shard.count > 1 ? fmt::format(" in part {} of {}", shard.index + 1, shard.count) : "",
             plan.points, rounded(plan.requests));
  if (sweep.replications.of) fmt::print("up to {} replications of each\n", sweep.replications.most);
}

std::string with_interval(const Interval& interval) {
  if (std::isnan(interval.half_width)) return rounded(interval.mean);
  return fmt::format("{} ±{}", rounded(interval.mean), rounded(interval.half_width, 2));
}

std::string with_interval(const RatioInterval& ratio) {
  if (std::isnan(ratio.ratio)) return "-";
  if (std::isnan(ratio.low)) return fmt::format("{}x", rounded(ratio.ratio, 3));
  return fmt::format("{}x [{}, {}]", rounded(ratio.ratio, 3), rounded(ratio.low, 3), rounded(ratio.high, 3));
}

/// The last part of each key, or all of it where that would not tell two apart.
std::vector<std::string> short_names(const std::vector<std::string>& keys) {
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const std::string& key : keys) names.push_back(key.substr(key.rfind('.') + 1));
  return std::set(names.begin(), names.end()).size() == keys.size() ? names : keys;
}

/// A table with the axes in front and, from column `first` on, what `text` says of each cell.
template <typename Text>
void print_cells(const Comparison& comparison, std::size_t first, const Text& text) {
  std::vector<std::string> head = short_names(comparison.axes);
  head.insert(head.end(), comparison.columns.begin() + static_cast<std::ptrdiff_t>(first),
              comparison.columns.end());
  TextTable table(head);
  for (const ComparedRow& row : comparison.rows) {
    std::vector<std::string> line = row.values;
    for (std::size_t c = first; c < row.cells.size(); ++c) {
      line.push_back(row.cells[c].replications > 0 ? text(row.cells[c]) : "-");
    }
    table.add(line);
  }
  fmt::print("{}", table.text());
}

void print_comparison(const Comparison& comparison) {
  bool any_saturated = false;
  fmt::print("{} ({}): mean over replications ± 95 %\n", comparison.statistic->name,
             comparison.statistic->unit);
  print_cells(comparison, 0, [&](const ComparedCell& cell) {
    any_saturated = any_saturated || cell.saturated;
    return with_interval(cell.value) + (cell.best ? " <" : "") + (cell.saturated ? " *" : "");
  });
  fmt::print("{}{}", comparison.statistic->better == Better::neither ? "" : "< best of its row\n",
             any_saturated ? "* saturated: the backlog grew, so the numbers hang on the run's length\n" : "");
  if (comparison.columns.size() > 1) {
    fmt::print("ratio to {} [95 %]\n", comparison.columns.front());
    print_cells(comparison, 1, [](const ComparedCell& cell) { return with_interval(cell.ratio); });
  }
  fmt::print("\n");
}

std::string csv_cell(const std::string& text) {
  return text.find(',') == std::string::npos ? text : "\"" + text + "\"";
}

void print_csv(const std::vector<Comparison>& comparisons, const std::string& by) {
  std::string head;
  for (const std::string& axis : comparisons.front().axes) head += axis + ",";
  fmt::print("{}{},metric,unit,replications,mean,ci95,ratio,ratio_low,ratio_high,best,saturated\n", head, by);
  const auto number = [](double value) { return std::isnan(value) ? std::string() : io::shortest(value); };
  for (const Comparison& comparison : comparisons) {
    for (const ComparedRow& row : comparison.rows) {
      for (std::size_t c = 0; c < row.cells.size(); ++c) {
        const ComparedCell& cell = row.cells[c];
        if (cell.replications == 0) continue;
        for (const std::string& value : row.values) fmt::print("{},", csv_cell(value));
        fmt::print("{},{},{},{},{},{},{},{},{},{},{}\n", csv_cell(comparison.columns[c]),
                   comparison.statistic->name, comparison.statistic->unit, cell.replications,
                   number(cell.value.mean), number(cell.value.half_width), number(cell.ratio.ratio),
                   number(cell.ratio.low), number(cell.ratio.high), int{cell.best}, int{cell.saturated});
      }
    }
  }
}

}  // namespace

int sweep(const SweepArguments& arguments) {
  if (arguments.sweep.empty()) throw io::InputError("sweep: SWEEP is required, a YAML file");
  const Sweep sweep = load_sweep(arguments.sweep, arguments.overrides);
  SweepOptions options;
  options.shard = read_shard(arguments.shard);
  if (arguments.dry_run) {
    dry_run(sweep, options.shard);
    return 0;
  }
  if (arguments.out.empty()) throw io::InputError("sweep: --out RESULTS.sqlite is needed");
  options.jobs = arguments.jobs > 0 ? arguments.jobs : processors();
  options.resume = arguments.resume;
  options.driver = arguments.driver;
  if (arguments.limit >= 0) options.limit = static_cast<std::size_t>(arguments.limit);
  if (!options.resume && fs::exists(arguments.out)) {
    throw io::InputError(arguments.out + ": is there already; `--resume` goes on with it");
  }
  SweepLine line;
  options.progress = [&line](const SweepProgress& progress) { line.show(progress); };
  const SweepOutcome outcome = run_sweep(sweep, arguments.out, options);
  line.clear();
  fmt::print("{} point{} run in {}{}{}{}; results in {}\n", outcome.run, outcome.run == 1 ? "" : "s",
             duration(line.elapsed_s()),
             outcome.before > 0 ? fmt::format(", {} there before", outcome.before) : "",
             outcome.left > 0 ? fmt::format(", {} left", outcome.left) : "",
             outcome.failed > 0 ? fmt::format(", {} FAILED", outcome.failed) : "", arguments.out);
  if (outcome.failed > 0) {
    fmt::print(stderr,
               "why: sqlite3 {} \"SELECT point, system, message FROM points WHERE status = 'failed'\"\n",
               arguments.out);
    return kSomePointsFailed;
  }
  return 0;
}

void sweep_merge(const MergeArguments& arguments) {
  const std::int64_t points =
      ResultsFile::merge({arguments.files.begin(), arguments.files.end()}, arguments.out);
  fmt::print("{} points of {} files in {}\n", points, arguments.files.size(), arguments.out);
}

void compare(const CompareArguments& arguments) {
  const auto comparisons =
      compare_results(arguments.results, arguments.by, arguments.metrics, arguments.base);
  if (arguments.csv) return print_csv(comparisons, arguments.by);
  for (const Comparison& comparison : comparisons) print_comparison(comparison);
}

void capacity(const CapacityArguments& arguments) {
  io::Node document = io::load_yaml(arguments.run.config);
  for (const std::string& assignment : arguments.run.overrides) apply_override(document, assignment);
  CapacityOptions options;
  options.key = arguments.over.empty() ? default_capacity_key(document) : arguments.over;
  options.violation_rate = arguments.violation_rate;
  options.confidence = arguments.confidence;
  options.tolerance = arguments.tolerance;
  options.whole = arguments.whole;
  options.jobs = arguments.jobs > 0 ? arguments.jobs : processors();
  options.driver = arguments.driver;
  const std::vector<Capacity> capacities = find_capacities(document, options);
  if (arguments.csv) {
    fmt::print("system,probe,{},requests,late,holds,throughput_hz\n", options.key);
    for (const Capacity& capacity : capacities) {
      for (std::size_t i = 0; i < capacity.probes.size(); ++i) {
        const CapacityProbe& probe = capacity.probes[i];
        fmt::print("{},{},{},{},{},{},{}\n", capacity.system, i, io::shortest(probe.value), probe.requests,
                   probe.late, int{probe.holds}, io::shortest(probe.throughput_hz));
      }
    }
    return;
  }
  TextTable table({"system", options.key, "req/s", "late %", "probes"});
  bool any_open = false;
  for (const Capacity& capacity : capacities) {
    const CapacityProbe* best = nullptr;
    for (const CapacityProbe& probe : capacity.probes) {
      if (probe.holds && probe.value == capacity.value) best = &probe;
    }
    any_open = any_open || capacity.open;
    table.add(
        {capacity.system, best == nullptr ? "none" : rounded(capacity.value) + (capacity.open ? " +" : ""),
         best == nullptr ? "-" : rounded(best->throughput_hz),
         best == nullptr
             ? "-"
             : rounded(100.0 * static_cast<double>(best->late) / static_cast<double>(best->requests), 3),
         std::to_string(capacity.probes.size())});
  }
  fmt::print(
      "highest {} at which surely (confidence {})\nno more than {} % of the requests are late:\n\n{}{}",
      options.key, io::shortest(options.confidence), rounded(100 * options.violation_rate, 3), table.text(),
      any_open ? "+ even the highest that was tried holds\n" : "");
}

}  // namespace fluidbatch::sim::cli
