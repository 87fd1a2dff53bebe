// `tail`.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/cli/configured_systems.h"
#include "sim/cli/exit_codes.h"
#include "sim/cli/progress_line.h"
#include "sim/config/run_config.h"
#include "sim/config/workload_place.h"
#include "sim/drive/child_process.h"
#include "sim/output/text_table.h"
#include "sim/sweep/tail_measure.h"
#include "sim/tail/tail.h"
#include "workloads/io/csv.h"
#include "workloads/io/input_error.h"
#include "workloads/io/map_reader.h"
#include "workloads/io/text_number.h"

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

/// What one system gives: its tail, or why there is none.
struct Row {
  const System& system;
  std::optional<SystemTail> tail;
  std::string saturated;
};

/// One estimate, as both outputs show it.
struct Line {
  std::string csv_metric;
  std::string metric;
  TailEstimate estimate;
  double unit = 1;  ///< what a table's numbers are in
  int digits = 4;
  bool known = true;   ///< otherwise the estimate says nothing
  bool wanted = true;  ///< as precise as was asked for
};

class Command {
 public:
  explicit Command(const TailArguments& arguments)
      : arguments_(arguments),
        options_(options_of(arguments)),
        config_(load_run_config(arguments.run.config, arguments.run.overrides, arguments.run.plugins)) {
    print_warnings(config_.warnings);
    if (arguments.system) keep_system(config_, *arguments.system);
    require_splittable(config_, document_of(arguments.run));
  }

  void run() {
    estimate();
    refuse_without_tails();
    if (arguments_.csv) return print_csv();
    print_text();
  }

 private:
  void estimate() {
    ProgressLine line;
    for (const System& system : config_.systems) {
      TailOptions options = options_;
      options.progress = [&](std::uint64_t events) {
        if (!line.is_due()) return;
        line.write(
            fmt::format("{}: {} million events", system.label, millions(static_cast<std::int64_t>(events))));
      };
      Row row{.system = system, .tail = std::nullopt, .saturated = {}};
      try {
        row.tail = estimate_tail(config_, system, options);
      } catch (const Saturated& saturated) {
        row.saturated = saturated.what();
      }
      rows_.push_back(std::move(row));
    }
    line.clear();
  }

  /// Where all systems are saturated.
  void refuse_without_tails() const {
    std::string text;
    for (const Row& row : rows_) {
      if (row.tail) return;
      const bool same = row.saturated == rows_.front().saturated;
      const bool last = &row == &rows_.back();
      text += (text.empty() ? "" : ", ") + ("system '" + row.system.label + "'");
      if (last || !same) text += ": no tail: " + row.saturated;
    }
    throw io::InputError(place_in_workload(document_of(arguments_.run), "arrivals"), text);
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

  [[nodiscard]] std::vector<Line> lines_of(const SystemTail& tail) const {
    std::vector<Line> lines;
    if (has_slo()) {
      lines.push_back({.csv_metric = "slo_violation_rate",
                       .metric = "late",
                       .estimate = tail.violation_rate,
                       .known = tail.reaches_slo});
    }
    for (std::size_t s = 0; s < tail.service_violation_rates.size(); ++s) {
      const Service& service = config_.services[s];
      if (!std::isfinite(service.slo.latency_s)) continue;
      lines.push_back({.csv_metric = "slo_violation_rate of " + service.name,
                       .metric = "late, " + service.name,
                       .estimate = tail.service_violation_rates[s],
                       .known = tail.reaches_slo,
                       .wanted = false});
    }
    constexpr double kMillisecond = 1e-3;
    for (std::size_t i = 0; i < options_.quantiles.size(); ++i) {
      const std::string name = "p" + percentile(options_.quantiles[i]);
      lines.push_back({.csv_metric = "latency_" + name,
                       .metric = name + " ms",
                       .estimate = tail.quantiles_s[i],
                       .unit = kMillisecond,
                       .digits = 5});
    }
    return lines;
  }

  void print_csv() const {
    fmt::print("system,metric,value,low,high,events,crude_events,levels\n");
    const auto cell = [](double value) { return std::isfinite(value) ? io::shortest(value) : std::string(); };
    for (const Row& row : rows_) {
      if (!row.tail) continue;
      for (const Line& line : lines_of(*row.tail)) {
        const TailEstimate& estimate = line.estimate;
        const auto number = [&](double value) { return line.known ? cell(value) : std::string(); };
        fmt::print("{},{},{},{},{},{},{},{}\n", io::csv_cell(row.system.label), line.csv_metric,
                   number(estimate.value), number(estimate.low), number(estimate.high), row.tail->events,
                   number(estimate.crude_events), row.tail->levels);
      }
    }
    for (const std::string& line : remarks()) note("note: {}\n", line);
  }

  void print_text() const {
    TextTable table({"system", "metric", "value", "low", "high"});
    TextTable work({"system", "levels", "million events", "crude", "x fewer"});
    for (const Row& row : rows_) {
      if (!row.tail) {
        table.add({row.system.label, "-", "-", "-", "-"});
        continue;
      }
      double crude_events = 0;
      bool first = true;
      for (const Line& line : lines_of(*row.tail)) {
        const TailEstimate& estimate = line.estimate;
        const auto number = [&](double value) {
          return line.known ? rounded(value / line.unit, line.digits) : std::string("-");
        };
        table.add({first ? row.system.label : "", line.metric,
                   number(estimate.value) + (is_wide(*row.tail, line) ? " +" : ""), number(estimate.low),
                   number(estimate.high)});
        if (line.known && line.wanted && std::isfinite(estimate.crude_events))
          crude_events = std::max(crude_events, estimate.crude_events);
        first = false;
      }
      const auto events = static_cast<double>(row.tail->events);
      constexpr int kDigits = 3;
      constexpr double kMillion = 1e6;
      work.add({row.system.label, std::to_string(row.tail->levels), rounded(events / kMillion, kDigits),
                rounded(crude_events / kMillion, kDigits), rounded(crude_events / events, kDigits)});
    }
    fmt::print("{}: rare latencies at {} requests/s, seed {}\n{}95 % intervals\n\n{}",
               config_.network_names(), rounded(config_.devices.mean_rate_hz()), config_.seed, slos_text(),
               table.text());
    for (const std::string& line : remarks()) fmt::print("{}\n", line);
    fmt::print("\nwhat it took; crude: what runs without splitting take for that, at least\n{}", work.text());
  }

  [[nodiscard]] bool is_wide(const SystemTail& tail, const Line& line) const {
    if (tail.precise || !line.known || !line.wanted) return false;
    const TailEstimate& estimate = line.estimate;
    return !((estimate.high - estimate.low) / 2 <= options_.precision * estimate.value);
  }

  /// What the numbers don't say.
  [[nodiscard]] std::vector<std::string> remarks() const {
    std::vector<std::string> lines;
    if (!has_slo()) lines.emplace_back("no rate of late requests: the configuration has no bound (slo)");
    for (const Row& row : rows_) {
      const std::string& label = row.system.label;
      if (!row.tail) {
        lines.push_back(label + ": no tail: " + row.saturated);
        continue;
      }
      if (has_slo() && !row.tail->reaches_slo) {
        lines.push_back(
            fmt::format("{}: late: none seen, and none nearly: in {} events no latency was predicted to "
                        "reach the SLO, so "
                        "that how rare it is is not known",
                        label, row.tail->events));
      }
      if (!row.tail->regenerates) {
        lines.push_back(label + ": is hardly ever empty: its intervals are by batches of requests");
      }
      if (!row.tail->precise) {
        lines.push_back(fmt::format("{}: {}wider than ±{:.6g} %: more than {} events (--max-events)", label,
                                    arguments_.csv ? "an interval is " : "+ ", 100 * options_.precision,
                                    options_.most_events));
      }
    }
    return lines;
  }

  const TailArguments& arguments_;
  TailOptions options_;
  RunConfig config_;
  std::vector<Row> rows_;
};

}  // namespace

void tail(const TailArguments& arguments) { Command(arguments).run(); }

}  // namespace fluidbatch::sim::cli
