// `sweep` and `sweep merge`.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/cli/exit_codes.h"
#include "sim/cli/progress_line.h"
#include "sim/config/run_config.h"
#include "sim/drive/child_process.h"
#include "sim/output/text_table.h"
#include "sim/sweep/merge.h"
#include "sim/sweep/sweep_run.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim::cli {
namespace {

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

class SweepLine : public ProgressLine {
 public:
  void show_planning(std::size_t read, std::size_t settings) {
    if (!is_due()) return;
    write(fmt::format("{} of {} settings checked", read, settings));
  }

  void show(const SweepProgress& progress) {
    if (!is_due()) return;
    const double now_s = elapsed_s();
    const double left_s = now_s / progress.cost_done * (1 - progress.cost_done);
    const std::string failed = progress.failed > 0 ? fmt::format(", {} failed", progress.failed) : "";
    write(fmt::format("{}/{} points{}, {}/s, {} left", progress.done, progress.planned, failed,
                      rounded(static_cast<double>(progress.done) / now_s, 3), duration(left_s)));
  }
};

/// Whether runs may go on to a precision, so that the number of requests is only the most.
bool may_be_open(const Sweep& sweep) {
  return sweep.base.find("until") != nullptr || std::ranges::any_of(sweep.keys(), [](const std::string& key) {
           return key == "until" || key.starts_with("until.");
         });
}

void dry_run(const Sweep& sweep, const SweepOptions& options, const SweepLine& line) {
  const SweepPlan plan = plan_sweep(sweep, options);
  line.clear();
  const Shard& shard = options.shard;
  const std::size_t axes = sweep.keys().size();
  const bool open = may_be_open(sweep);
  fmt::print("{} setting{} of {} ax{}, {} pair{} of setting and system{}, {} points, {}{} requests\n",
             plan.settings, plan.settings == 1 ? "" : "s", axes, axes == 1 ? "is" : "es", plan.pairs,
             plan.pairs == 1 ? "" : "s",
             shard.count > 1 ? fmt::format(" in part {} of {}", shard.index + 1, shard.count) : "",
             plan.points, open ? "up to " : "", rounded(plan.requests));
  if (sweep.replications.of) fmt::print("up to {} replications of each\n", sweep.replications.most);
  if (sweep.tail) fmt::print("and the tail of each point, from runs of its own\n");
}

void note_failed_points(const std::string& results) {
  note(fmt::format("why: sqlite3 {} \"SELECT point, system, message FROM points WHERE status = 'failed'\"\n",
                   results));
}

/// What a sweep did, on stdout; returns the exit code.
int report(const SweepOutcome& outcome, const SweepArguments& arguments, double elapsed_s) {
  fmt::print("{} point{} run in {}{}{}{}; results in {}\n", outcome.run, outcome.run == 1 ? "" : "s",
             duration(elapsed_s), outcome.before > 0 ? fmt::format(", {} done before", outcome.before) : "",
             outcome.left > 0 ? fmt::format(", {} left", outcome.left) : "",
             outcome.failed > 0 ? fmt::format(", {} FAILED", outcome.failed) : "", arguments.out);
  if (outcome.failed > 0) note_failed_points(arguments.out);
  if (outcome.stopped_by != 0) {
    note(
        fmt::format("stopped by signal {} ({}): what was finished is in {}; the same command with --resume "
                    "goes on\n",
                    outcome.stopped_by, ::strsignal(outcome.stopped_by), arguments.out));
    return kSignalled + outcome.stopped_by;
  }
  return outcome.failed > 0 ? kSomePointsFailed : kDone;
}

}  // namespace

int sweep(const SweepArguments& arguments) {
  if (arguments.sweep.empty()) throw io::InputError("sweep: SWEEP is required, a YAML file");
  const Sweep sweep = load_sweep(arguments.sweep, arguments.overrides, arguments.plugins);
  SweepLine line;
  SweepOptions options;
  options.shard = read_shard(arguments.shard);
  options.driver = arguments.driver;
  print_warnings(read_run_config(sweep.configuration(0)).warnings);  // the axes seldom change the NPU's units
  options.planning = [&](std::size_t read) { line.show_planning(read, sweep.settings()); };
  if (arguments.dry_run) {
    dry_run(sweep, options, line);
    return kDone;
  }
  if (arguments.out.empty()) throw io::InputError("sweep: --out RESULTS.sqlite is needed");
  require_place_for_results(arguments.out, arguments.resume);
  options.jobs = arguments.jobs > 0 ? arguments.jobs : processors();
  options.resume = arguments.resume;
  if (arguments.limit >= 0) options.limit = static_cast<std::size_t>(arguments.limit);
  options.progress = [&](const SweepProgress& progress) { line.show(progress); };
  const SweepOutcome outcome = run_sweep(sweep, arguments.out, options);
  line.clear();
  return report(outcome, arguments, line.elapsed_s());
}

int sweep_merge(const MergeArguments& arguments) {
  const MergeOutcome outcome =
      merge_results({arguments.files.begin(), arguments.files.end()}, arguments.out, arguments.partial);
  fmt::print("{} points of {} files in {}{}{}\n", outcome.points, arguments.files.size(), arguments.out,
             outcome.missing > 0 ? fmt::format(", {} missing", outcome.missing) : "",
             outcome.failed > 0 ? fmt::format(", {} FAILED", outcome.failed) : "");
  if (outcome.failed == 0) return kDone;
  note_failed_points(arguments.out);
  return kSomePointsFailed;
}

}  // namespace fluidbatch::sim::cli
