// Sweeps: planned and run.
#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "sim/config/file_kind.h"
#include "sim/config/run_config.h"
#include "sim/python/analyses.h"
#include "sim/python/arguments.h"
#include "sim/python/configuration.h"
#include "sim/python/conversion.h"
#include "sim/python/supervise.h"
#include "sim/sweep/sweep_run.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;
namespace fs = std::filesystem;

/// Of a path or a dict, whose `base` may be a Configuration.
io::Node sweep_document(py::handle sweep) {
  if (!py::isinstance<py::dict>(sweep)) {
    const auto file = py::str(sweep).cast<fs::path>();
    return sim::load_document(file, sim::FileKind::sweep);
  }
  const auto given = py::reinterpret_borrow<py::dict>(sweep);
  if (!given.contains("base") || !py::isinstance<Configuration>(given["base"]))
    return node_of(given, "sweep");
  py::dict rest;
  for (const auto& [key, value] : given) {
    if (!key.equal(py::str("base"))) rest[key] = value;
  }
  io::Node document = node_of(rest, "sweep");
  document.put("base", given["base"].cast<const Configuration&>().document);
  return document;
}

std::shared_ptr<sim::Sweep> read_sweep(py::handle sweep, const py::dict& overrides) {
  return std::make_shared<sim::Sweep>(
      sim::read_sweep(sweep_document(sweep), [&](io::Node& base) { override_values(base, overrides); }));
}

sim::Shard shard_of(const std::optional<std::pair<std::int64_t, std::int64_t>>& shard) {
  if (!shard) return {};
  const auto [index, count] = *shard;
  if (index < 1 || count < index) {
    throw io::InputError(argument("shard"), "must be (i, n) with i from 1 to n, such as (2, 3); found (" +
                                                std::to_string(index) + ", " + std::to_string(count) + ")");
  }
  return {.index = static_cast<std::size_t>(index - 1), .count = static_cast<std::size_t>(count)};
}

sim::SweepPlan plan(const sim::Sweep& sweep,
                    const std::optional<std::pair<std::int64_t, std::int64_t>>& shard,
                    const std::optional<std::string>& driver) {
  Pulse pulse;
  sim::SweepOptions options;
  options.shard = shard_of(shard);
  options.driver = driver_argument(driver);
  options.planning = [&](std::size_t /*read*/) {
    if (pulse.is_due()) check_signals();
  };
  const py::gil_scoped_release released;
  return sim::plan_sweep(sweep, options);
}

/// What ended the sweep is answered again, now by those who were to do so before: Python's handlers, or the
/// system.
void answer(int signal) {
  std::raise(signal);
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

/// `progress`: called with the points done, planned and failed; or None.
sim::SweepOutcome run(const sim::Sweep& sweep, const fs::path& out, const py::object& jobs, bool resume,
                      const std::optional<std::pair<std::int64_t, std::int64_t>>& shard,
                      const std::optional<std::string>& driver, const py::object& limit,
                      const py::object& progress, bool answers_signals) {
  constexpr std::int64_t kMostPoints = std::int64_t{1} << 40;
  sim::require_place_for_results(out, resume, {.out = "out", .resume = "resume=True"});
  Pulse pulse;
  sim::SweepOptions options;
  options.jobs = jobs_argument(jobs);
  options.resume = resume;
  options.shard = shard_of(shard);
  options.driver = driver_argument(driver);
  if (!limit.is_none())
    options.limit = static_cast<std::size_t>(integer_argument(limit, "limit", 0, kMostPoints));
  options.answers_signals = answers_signals;
  options.planning = [&](std::size_t /*read*/) {
    if (pulse.is_due()) check_signals();
  };
  options.progress = [&](const sim::SweepProgress& now) {
    if (!pulse.is_due()) return;
    check_signals();
    const py::gil_scoped_acquire held;
    if (!progress.is_none()) progress(now.done, now.planned, now.failed);
  };
  const auto outcome = [&] {
    const py::gil_scoped_release released;
    return sim::run_sweep(sweep, out, options);
  }();
  if (outcome.stopped_by != 0) answer(outcome.stopped_by);
  return outcome;
}

}  // namespace

void bind_sweeps(py::module_& module) {
  py::class_<sim::Sweep, std::shared_ptr<sim::Sweep>>(module, "Sweep", "A sweep, read and checked.")
      .def_property_readonly("settings", &sim::Sweep::settings)
      .def_property_readonly("keys", &sim::Sweep::keys)
      .def_property_readonly("grows",
                             [](const sim::Sweep& sweep) { return sweep.replications.of.has_value(); })
      .def("warnings",
           [](const sim::Sweep& sweep) { return sim::read_run_config(sweep.configuration(0)).warnings; });
  py::class_<sim::SweepPlan>(module, "SweepPlan", "What a sweep would do.")
      .def_readonly("settings", &sim::SweepPlan::settings)
      .def_readonly("pairs", &sim::SweepPlan::pairs)
      .def_readonly("points", &sim::SweepPlan::points)
      .def_readonly("requests", &sim::SweepPlan::requests);
  py::class_<sim::SweepOutcome>(module, "SweepOutcome", "What a sweep did.")
      .def_readonly("run", &sim::SweepOutcome::run)
      .def_readonly("before", &sim::SweepOutcome::before)
      .def_readonly("failed", &sim::SweepOutcome::failed)
      .def_readonly("left", &sim::SweepOutcome::left);
  module.def("read_sweep", &read_sweep, py::arg("sweep"), py::arg("overrides"),
             "A sweep of a path or a dict.");
  module.def("plan_sweep", &plan, py::arg("sweep"), py::arg("shard"), py::arg("driver"),
             "Reads the configurations of a sweep.");
  module.def("run_sweep", &run, py::arg("sweep"), py::arg("out"), py::arg("jobs"), py::arg("resume"),
             py::arg("shard"), py::arg("driver"), py::arg("limit"), py::arg("progress"),
             py::arg("answers_signals"), "Runs the points that the file `out` lacks.");
}

}  // namespace fluidbatch::python
