// `sweep` and `sweep merge`.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <unistd.h>

#include <fmt/format.h>

#include "sim/child_process.h"
#include "sim/cli/commands.h"
#include "sim/cli/exit_codes.h"
#include "sim/output/text_table.h"
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
    note("{}{}/{} points{}, {}/s, {} left{}", terminal_ ? "\r\x1b[K" : "", progress.done, progress.planned,
         failed, rounded(static_cast<double>(progress.done) / now_s, 3), duration(left_s),
         terminal_ ? "" : "\n");
  }

  void clear() const {
    if (terminal_) note("\r\x1b[K");
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
    note("why: sqlite3 {} \"SELECT point, system, message FROM points WHERE status = 'failed'\"\n",
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

}  // namespace fluidbatch::sim::cli
