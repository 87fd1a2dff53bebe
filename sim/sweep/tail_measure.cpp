#include "sim/sweep/tail_measure.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "sim/config/workload_place.h"
#include "sim/scenario/scenario.h"
#include "workloads/io/map_reader.h"

namespace fluidbatch::sim {
namespace {

using io::InputError;
using io::Node;

constexpr std::size_t kMostQuantiles = 32;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// Nearer to 1, a double has too few digits left of the share that is above.
constexpr io::Range kQuantiles{.min = 0.5, .max = 0.999'999'999'999, .above_min = true};

/// `name` with `_low` and `_high` before its unit.
void add_estimate(std::vector<TailColumn>& columns, const std::string& name, const char* ending,
                  const char* unit, bool of_requests) {
  using Part = TailColumn::Part;
  columns.push_back({.name = name + ending, .unit = unit, .part = Part::value, .of_requests = of_requests});
  columns.push_back(
      {.name = name + "_low" + ending, .unit = unit, .part = Part::low, .of_requests = of_requests});
  columns.push_back(
      {.name = name + "_high" + ending, .unit = unit, .part = Part::high, .of_requests = of_requests});
}

}  // namespace

std::vector<double> read_quantiles(const io::Node& list, std::string_view what) {
  const std::vector<Node>& items = io::read_list(list, what);
  if (items.empty() || items.size() > kMostQuantiles) {
    throw InputError(list.mark,
                     fmt::format("{} must be 1 to {} numbers; found {}", what, kMostQuantiles, items.size()));
  }
  std::vector<double> quantiles;
  for (const Node& item : items) {
    const double quantile = io::read_number(item, what, kQuantiles);
    const auto same = [&](double other) { return percentile(other) == percentile(quantile); };
    if (std::ranges::any_of(quantiles, same)) {
      throw InputError(item.mark, fmt::format("{} has {} twice", what, io::in_quotes(item.scalar)));
    }
    quantiles.push_back(quantile);
  }
  std::ranges::sort(quantiles);
  return quantiles;
}

std::string percentile(double quantile) {
  return fmt::format("{:.14g}", 100 * quantile);  // without the last digits, which the product may have lost
}

std::optional<TailOptions> read_measure(const io::Node& sweep) {
  const Node* node = sweep.find("measure");
  if (node == nullptr) return std::nullopt;
  const std::vector<std::string> kinds{"tail"};
  TailOptions tail;
  if (node->kind == Node::Kind::map) {
    io::MapReader reader(*node, "measure", {"kind", "precision", "quantiles", "max_events"});
    reader.choice("kind", kinds);
    tail.precision = reader.number("precision", kTailPrecision, tail.precision);
    if (const Node* quantiles = reader.child("quantiles"))
      tail.quantiles = read_quantiles(*quantiles, "quantiles");
    tail.most_events = static_cast<std::uint64_t>(
        reader.integer("max_events", 1, kMostTailEvents, static_cast<std::int64_t>(tail.most_events)));
    return tail;
  }
  io::read_choice(*node, "measure", kinds);
  return tail;
}

io::Node to_node(const TailOptions& tail) {
  Node node = Node::map();
  node.put("kind", Node::text("tail"));
  node.put("precision", Node::number(tail.precision));
  Node quantiles = Node::sequence();
  for (const double quantile : tail.quantiles) quantiles.items.push_back(Node::number(quantile));
  node.put("quantiles", std::move(quantiles));
  node.put("max_events", Node::integer(static_cast<long long>(tail.most_events)));
  return node;
}

void require_splittable(const Scenario& scenario, const io::Node& document) {
  if (const auto objection = objection_to_tail(scenario)) {
    const io::Mark place =
        objection->key == "npus" ? place_of_npus(document) : place_in_workload(document, objection->key);
    throw InputError(place, "no tail: " + objection->reason);
  }
}

std::vector<TailColumn> tail_columns(const TailOptions& tail) {
  std::vector<TailColumn> columns;
  add_estimate(columns, "violation_rate_tail", "", "1", true);
  for (const double quantile : tail.quantiles) {
    std::string digits = percentile(quantile);
    std::ranges::replace(digits, '.', '_');
    add_estimate(columns, "p" + digits + "_latency_tail", "_s", "s", false);
  }
  columns.push_back({.name = "tail_events", .unit = "1", .part = TailColumn::Part::events});
  return columns;
}

std::vector<double> tail_values(const SystemTail& tail, double slo_s) {
  std::vector<double> values;
  const auto add = [&](const TailEstimate& estimate) {
    for (const double value : {estimate.value, estimate.low, estimate.high}) values.push_back(value);
  };
  const bool is_known = std::isfinite(slo_s) && tail.reaches_slo;
  if (is_known) {
    add(tail.violation_rate);
  } else {
    add({.value = kUnknown, .low = kUnknown, .high = kUnknown});
  }
  for (const TailEstimate& quantile : tail.quantiles_s) add(quantile);
  values.push_back(static_cast<double>(tail.events));
  return values;
}

}  // namespace fluidbatch::sim
