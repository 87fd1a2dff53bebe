// The highest loads at which systems hold their SLO.
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "sim/python/analyses.h"
#include "sim/python/arguments.h"
#include "sim/python/configuration.h"
#include "sim/python/supervise.h"
#include "sim/sweep/capacity.h"
#include "sim/sweep/capacity_key.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;

/// A row for each system and seed.
py::dict summary_of(const std::vector<sim::Capacity>& capacities, bool several_services) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  Columns table;
  for (const sim::Capacity& capacity : capacities) {
    const sim::CapacityProbe* best = capacity.best();
    table.add("system", capacity.system)
        .add("seed", capacity.seed)
        .add("value", capacity.value)
        .add("endless", capacity.open)
        .add("fails_from", capacity.fails_from())
        .add("throughput_hz", best == nullptr ? kNone : best->throughput_hz)
        .add("late_share", best == nullptr ? kNone : best->worst().late_share());
    if (several_services) table.add("service", best == nullptr ? std::string() : best->worst().service);
    table.add("loads", capacity.probes.size())
        .add("runs", capacity.runs())
        .add("energy_per_request_j", best == nullptr ? kNone : best->energy_per_request_j)
        .add("average_power_w", best == nullptr ? kNone : best->average_power_w);
  }
  return table.dict();
}

/// The rows of `capacity --csv`.
py::dict probes_of(const std::vector<sim::Capacity>& capacities, const std::string& key,
                   bool several_services) {
  Columns table;
  for (const sim::Capacity& capacity : capacities) {
    for (std::size_t i = 0; i < capacity.probes.size(); ++i) {
      const sim::CapacityProbe& probe = capacity.probes[i];
      for (const sim::ServiceLateness& service : probe.services) {
        table.add("system", capacity.system)
            .add("probe", i)
            .add(key, probe.value)
            .add("requests", service.requests)
            .add("late", service.late)
            .add("holds", probe.verdict == sim::CapacityProbe::Verdict::holds)
            .add("throughput_hz", probe.throughput_hz)
            .add("seed", capacity.seed)
            .add("runs", probe.runs)
            .add("independent_requests", service.independent_requests)
            .add("verdict", sim::name_of(probe.verdict));
        if (several_services) table.add("service", service.service);
        table.add("energy_per_request_j", probe.energy_per_request_j)
            .add("average_power_w", probe.average_power_w);
      }
    }
  }
  return table.dict();
}

/// `options`: the arguments of fb.capacity, by their names.
sim::CapacityOptions options_of(const Configuration& configuration, const std::optional<std::string>& over,
                                const py::dict& options) {
  sim::CapacityOptions result;
  result.key = over ? *over : sim::default_capacity_key(configuration.document);
  result.violation_rate =
      number_argument(options["violation_rate"], "violation_rate", {.min = 1e-6, .max = 0.5});
  result.confidence = number_argument(options["confidence"], "confidence", {.min = 0.5, .max = 0.999999});
  result.tolerance = number_argument(options["tolerance"], "tolerance", {.min = 1e-6, .max = 1});
  result.whole = options["whole"].cast<bool>();
  result.most_runs = static_cast<int>(integer_argument(options["most_runs"], "most_runs", 1, 65536));
  result.seeds = static_cast<int>(integer_argument(options["seeds"], "seeds", 1, 10'000));
  result.jobs = jobs_argument(options["jobs"]);
  result.driver = driver_argument(options["driver"].cast<std::optional<std::string>>());
  return result;
}

py::dict capacity(const Configuration& configuration, const std::optional<std::string>& over,
                  const py::dict& given) {
  sim::CapacityOptions options = options_of(configuration, over, given);
  options.while_waiting = check_signals;
  const auto capacities = [&] {
    const py::gil_scoped_release released;
    return sim::find_capacities(configuration.document, options);
  }();
  const bool several_services = configuration.config.services.size() > 1;
  py::dict result;
  result["key"] = options.key;
  result["table"] = summary_of(capacities, several_services);
  result["probes"] = probes_of(capacities, options.key, several_services);
  return result;
}

}  // namespace

void bind_capacities(py::module_& module) {
  module.def("capacity", &capacity, py::arg("configuration"), py::arg("over"), py::arg("options"),
             "The key that was raised, a row for each search, and the rows of `capacity --csv`, as columns.");
}

}  // namespace fluidbatch::python
