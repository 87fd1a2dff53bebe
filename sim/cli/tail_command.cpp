// `tail`.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/cli/configured_systems.h"
#include "sim/cli/exit_codes.h"
#include "sim/cli/progress_line.h"
#include "sim/config/one_system.h"
#include "sim/config/run_config.h"
#include "sim/drive/child_process.h"
#include "sim/output/text_table.h"
#include "sim/sweep/tail_measure.h"
#include "sim/sweep/tails.h"
#include "workloads/io/column_table.h"
#include "workloads/io/map_reader.h"

namespace fluidbatch::sim::cli {
namespace {

/// A number from the command line, read as one of a file is.
io::Node number_node(const std::string& option, const std::string& text) {
  io::Node node = argument(option, text);
  node.quoted = false;
  return node;
}

TailOptions options_of(const TailArguments& arguments) {
  TailOptions options;
  options.precision = arguments.precision;
  options.jobs = arguments.jobs > 0 ? arguments.jobs : processors();
  if (arguments.max_events) {
    options.most_events = static_cast<std::uint64_t>(io::read_integer(
        number_node("--max-events", *arguments.max_events), "max events", 1, kMostTailEvents));
  }
  if (!arguments.quantiles.empty()) {
    io::Node list = io::Node::sequence();
    list.mark.source = "--quantiles";
    for (const std::string& text : arguments.quantiles)
      list.items.push_back(number_node("--quantiles", text));
    options.quantiles = read_quantiles(list, "each quantile");
  }
  return options;
}

class Command {
 public:
  explicit Command(const TailArguments& arguments)
      : arguments_(arguments),
        options_(options_of(arguments)),
        config_(load_run_config(arguments.run.config, arguments.run.overrides, arguments.run.plugins)) {
    print_warnings(config_.warnings);
    if (arguments.system) keep_system(config_, *arguments.system, option("--system"));
    require_splittable(config_, document_of(arguments.run));
  }

  void run() {
    estimate();
    require_a_tail(tails_, document_of(arguments_.run));
    if (arguments_.csv || arguments_.json) return print_table();
    print_text();
  }

 private:
  void estimate() {
    ProgressLine line;
    tails_ = estimate_tails(config_, options_, [&](const System& system, std::uint64_t events) {
      if (!line.is_due()) return;
      line.write(
          fmt::format("{}: {} million events", system.label, millions(static_cast<std::int64_t>(events))));
    });
    line.clear();
  }

  [[nodiscard]] bool has_slo() const { return std::isfinite(config_.least_slo_s()); }

  [[nodiscard]] std::string slos_text() const {
    if (!has_slo()) return "";
    std::string text;
    for (const Service& service : config_.services) {
      const std::string of = service.name.empty() ? "" : " of " + service.name;
      text += fmt::format("SLO{} {} ms; ", of, rounded(1000 * service.slo.latency_s));
    }
    return text;
  }

  void print_table() const {
    struct Row {
      const TailOfSystem& of;
      TailLine line;

      [[nodiscard]] double known(double value) const {
        return line.known && std::isfinite(value) ? value : std::numeric_limits<double>::quiet_NaN();
      }
    };
    std::vector<Row> rows;
    for (const TailOfSystem& its : tails_) {
      if (!its.tail) continue;
      for (const TailLine& line : tail_lines(config_, options_, *its.tail)) rows.push_back({its, line});
    }
    io::ColumnTable table;
    table.add("system", rows, [](const Row& row) { return row.of.label; });
    table.add("metric", rows, [](const Row& row) { return row.line.metric; });
    table.add("value", rows, [](const Row& row) { return row.known(row.line.estimate.value); });
    table.add("low", rows, [](const Row& row) { return row.known(row.line.estimate.low); });
    table.add("high", rows, [](const Row& row) { return row.known(row.line.estimate.high); });
    table.add("events", rows, [](const Row& row) { return row.of.tail->events; });
    table.add("crude_events", rows, [](const Row& row) { return row.known(row.line.estimate.crude_events); });
    table.add("levels", rows, [](const Row& row) { return row.of.tail->levels; });
    fmt::print("{}", table_text(arguments_, table));
    for (const std::string& line : tail_remarks(config_, options_, tails_, {.wide = "an interval is "}))
      note("note: {}\n", line);
  }

  void print_text() const {
    TextTable table({"system", "metric", "value", "low", "high"});
    TextTable work({"system", "levels", "million events", "crude", "x fewer"});
    for (const TailOfSystem& its : tails_) {
      if (!its.tail) {
        table.add({its.label, "-", "-", "-", "-"});
        continue;
      }
      double crude_events = 0;
      bool first = true;
      for (const TailLine& line : tail_lines(config_, options_, *its.tail)) {
        const TailEstimate& estimate = line.estimate;
        add_line(table, first ? its.label : "", line);
        if (line.known && line.wanted && std::isfinite(estimate.crude_events))
          crude_events = std::max(crude_events, estimate.crude_events);
        first = false;
      }
      const auto events = static_cast<double>(its.tail->events);
      constexpr int kDigits = 3;
      constexpr double kMillion = 1e6;
      work.add({its.label, std::to_string(its.tail->levels), rounded(events / kMillion, kDigits),
                rounded(crude_events / kMillion, kDigits), rounded(crude_events / events, kDigits)});
    }
    fmt::print("{}: rare latencies at {} requests/s, seed {}\n{}95 % intervals\n\n{}",
               config_.network_names(), rounded(config_.devices.mean_rate_hz()), config_.seed, slos_text(),
               table.text());
    for (const std::string& line : tail_remarks(config_, options_, tails_, {.wide = "+ "}))
      fmt::print("{}\n", line);
    fmt::print("\nwhat it took; crude: what runs without splitting take for that, at least\n{}", work.text());
  }

  static void add_line(TextTable& table, const std::string& label, const TailLine& line) {
    constexpr double kMillisecond = 1e-3;
    const double unit = line.is_latency ? kMillisecond : 1;
    const int digits = line.is_latency ? 5 : 4;
    const auto number = [&](double value) {
      return line.known ? rounded(value / unit, digits) : std::string("-");
    };
    table.add({label, line.title + (line.is_latency ? " ms" : ""),
               number(line.estimate.value) + (line.known && line.wanted && !line.reached ? " +" : ""),
               number(line.estimate.low), number(line.estimate.high)});
  }

  const TailArguments& arguments_;
  TailOptions options_;
  RunConfig config_;
  std::vector<TailOfSystem> tails_;
};

}  // namespace

void tail(const TailArguments& arguments) { Command(arguments).run(); }

}  // namespace fluidbatch::sim::cli
