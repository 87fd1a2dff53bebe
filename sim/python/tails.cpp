// How rare late answers are, and far quantiles of the latency.
#include "sim/sweep/tails.h"

#include <atomic>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "sim/config/one_system.h"
#include "sim/python/analyses.h"
#include "sim/python/arguments.h"
#include "sim/python/configuration.h"
#include "sim/python/conversion.h"
#include "sim/sweep/tail_measure.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;

/// The columns of `tail --csv`, and whether each is as precise as was asked for.
py::dict table_of(const sim::RunConfig& config, const sim::TailOptions& options,
                  const std::vector<sim::TailOfSystem>& tails) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  Columns table;
  for (const sim::TailOfSystem& its : tails) {
    if (!its.tail) continue;
    for (const sim::TailLine& line : sim::tail_lines(config, options, *its.tail)) {
      const auto number = [&](double value) { return line.known && std::isfinite(value) ? value : kUnknown; };
      const sim::TailEstimate& estimate = line.estimate;
      table.add("system", its.label)
          .add("metric", line.metric)
          .add("value", number(estimate.value))
          .add("low", number(estimate.low))
          .add("high", number(estimate.high))
          .add("events", its.tail->events)
          .add("crude_events", number(estimate.crude_events))
          .add("levels", its.tail->levels)
          .add("reached", line.reached);
    }
  }
  return table.dict();
}

/// Events of all systems so far, told by one thread and read by another.
class Events {
 public:
  void tell(const sim::System& system, std::uint64_t events) {
    if (system_ != &system) before_ = all_;
    system_ = &system;
    all_ = before_ + events;
  }
  [[nodiscard]] std::uint64_t all() const { return all_; }

 private:
  const sim::System* system_ = nullptr;
  std::uint64_t before_ = 0;
  std::atomic<std::uint64_t> all_ = 0;
};

sim::TailOptions options_of(const py::object& precision, const py::object& quantiles,
                            const py::object& max_events, const py::object& jobs) {
  sim::TailOptions options;
  options.precision = number_argument(precision, "precision", sim::kTailPrecision);
  options.jobs = jobs_argument(jobs);
  if (!quantiles.is_none())
    options.quantiles = sim::read_quantiles(node_of(quantiles, "quantiles"), "each quantile");
  if (!max_events.is_none()) {
    options.most_events =
        static_cast<std::uint64_t>(integer_argument(max_events, "max_events", 1, sim::kMostTailEvents));
  }
  return options;
}

/// `progress`: called with the events so far; or None.
py::dict tail(const Configuration& configuration, const std::optional<std::string>& system,
              const py::object& precision, const py::object& quantiles, const py::object& max_events,
              const py::object& jobs, const py::object& progress) {
  sim::TailOptions options = options_of(precision, quantiles, max_events, jobs);
  sim::RunConfig config = configuration.config;
  if (system) sim::keep_system(config, *system, argument("system"));
  sim::require_splittable(config, configuration.document);
  sim::RunWatch watch;
  options.watch = &watch;
  Events events;
  std::vector<sim::TailOfSystem> tails;
  work_beside(
      watch,
      [&] {
        tails = sim::estimate_tails(config, options,
                                    [&](const auto& its, std::uint64_t n) { events.tell(its, n); });
      },
      [&] {
        if (!progress.is_none()) progress(events.all());
      });
  sim::require_a_tail(tails, configuration.document);
  py::dict result;
  result["table"] = table_of(config, options, tails);
  result["notes"] =
      sim::tail_remarks(config, options, tails, {.wide = "an interval is ", .most_events = "max_events"});
  return result;
}

}  // namespace

void bind_tails(py::module_& module) {
  module.def("tail", &tail, py::arg("configuration"), py::arg("system"), py::arg("precision"),
             py::arg("quantiles"), py::arg("max_events"), py::arg("jobs"), py::arg("progress"),
             "The rows of `tail --csv`, as columns, and what they don't say.");
}

}  // namespace fluidbatch::python
