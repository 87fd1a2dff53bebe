// `measure: tail` of a sweep: what it asks for, and the columns that it adds to the points.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/tail/tail.h"
#include "workloads/io/range.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

inline constexpr io::Range kTailPrecision{.min = 1e-3, .max = 0.5};
inline constexpr std::int64_t kMostTailEvents = 1'000'000'000'000'000;

/// Shares of the requests, above 0.5 and below 1, in rising order. Throws InputError where `list` has others,
/// one of them twice, none or too many; `what` names it in the message.
std::vector<double> read_quantiles(const io::Node& list, std::string_view what);

/// A quantile as a percentile, in its shortest digits: `99.9`.
std::string percentile(double quantile);

/// What the key `measure` of a sweep (or of what results keep of one) asks for; nothing where there is none.
/// Throws InputError.
std::optional<TailOptions> read_measure(const io::Node& sweep);

/// The same as a node that results keep.
io::Node to_node(const TailOptions& tail);

/// Throws InputError where `scenario` has nothing to split on, at the place in `document`, its configuration,
/// that says so.
void require_splittable(const Scenario& scenario, const io::Node& document);

/// A column of the points that has a part of the tail.
struct TailColumn {
  enum class Part { value, low, high, events };

  std::string name;
  const char* unit = "";
  Part part = Part::value;
  bool of_requests = false;  ///< a share of all of them, dropped ones included
};

/// The columns, in their order: value, low and high of the violation rate and of each quantile, then the
/// events that it took.
std::vector<TailColumn> tail_columns(const TailOptions& tail);

/// A value for each column: NaN where there is no such estimate, as for no bound that could be violated
/// (`slo_s` is infinite), or one that no latency was predicted to reach.
std::vector<double> tail_values(const SystemTail& tail, double slo_s);

}  // namespace fluidbatch::sim
