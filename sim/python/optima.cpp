// The least mean latencies that are possible.
#include "sim/sweep/optima.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "sim/config/fbe_table_file.h"
#include "sim/config/one_system.h"
#include "sim/output/output_file.h"
#include "sim/python/analyses.h"
#include "sim/python/arguments.h"
#include "sim/python/configuration.h"
#include "sim/scenario/expected_length.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;

/// Of all systems of a configuration, or of one.
class Optima {
 public:
  Optima(const Configuration& configuration, const std::optional<std::string>& system)
      : config_(configuration.config) {
    const std::size_t first = system ? sim::keep_system(config_, *system, argument("system")) : 0;
    sim::check_expected_dates(config_);
    sim::RunWatch watch;
    const auto may_end = [&] { sim::check_wanted(&watch); };
    const auto work = [&] {
      optima_ = sim::require_optima(config_, configuration.document, first, may_end);
      simulated_ = sim::simulate_beside_optima(config_, may_end);
    };
    work_beside(watch, work, [] {});
  }

  [[nodiscard]] std::vector<std::string> labels() const {
    std::vector<std::string> labels;
    for (const sim::System& system : config_.systems) labels.push_back(system.label);
    return labels;
  }

  /// The columns of `optimum --csv`, and whether the run was saturated.
  [[nodiscard]] py::dict table() const {
    Columns table;
    for (const sim::OptimumRow& row : rows()) {
      table.add("system", row.system.label)
          .add("free_s", row.free_s())
          .add("fbe_s", row.fbe_s())
          .add("policy_mean_s", row.mean_s())
          .add("policy_mean_low_s", row.mean_s() - row.half_width_s())
          .add("policy_mean_high_s", row.mean_s() + row.half_width_s())
          .add("saturated", row.simulated.saturated);
    }
    return table.dict();
  }

  /// How each optimum is known: systems in which it is the same once.
  [[nodiscard]] py::dict solutions() const {
    Columns table;
    const auto add = [&](const std::string& label, const char* form, const scheduler::Optimum& optimum) {
      table.add("system", label)
          .add("form", form)
          .add("at_least_s", optimum.lower_s)
          .add("at_most_s", optimum.upper_s)
          .add("queue", optimum.queue)
          .add("states", optimum.states)
          .add("iterations", optimum.iterations);
    };
    for (std::size_t i = 0; i < optima_.size(); ++i) {
      const sim::SystemOptimum& optimum = optima_[i];
      if (optimum.first != i) continue;
      if (optimum.free) add(config_.systems[i].label, "free", *optimum.free);
      if (optimum.fbe) add(config_.systems[i].label, "fbe", optimum.fbe->optimum);
    }
    return table.dict();
  }

  /// By label, why something is missing.
  [[nodiscard]] py::dict missing() const {
    py::dict reasons;
    for (std::size_t i = 0; i < optima_.size(); ++i) {
      py::list its;
      for (const sim::NoOptimum& missing : optima_[i].missing) its.append(missing.reason);
      if (!its.empty()) reasons[py::str(config_.systems[i].label)] = its;
    }
    return reasons;
  }

  [[nodiscard]] std::vector<std::string> notes() const { return sim::optimum_remarks(rows()); }

  void save(std::size_t index, const std::filesystem::path& path, bool own) const {
    const sim::System& system = config_.systems.at(index);
    if (own) sim::require_own_decisions(system, argument("own"));
    const scheduler::FbeTable table =
        sim::decision_table(config_, system, optima_.at(index), own, argument("save"));
    sim::write_file(path, sim::fbe_table_csv(table), sim::Existing::refuse);
  }

 private:
  [[nodiscard]] std::vector<sim::OptimumRow> rows() const {
    std::vector<sim::OptimumRow> rows;
    for (std::size_t i = 0; i < optima_.size(); ++i)
      rows.push_back({.system = config_.systems[i], .optimum = optima_[i], .simulated = simulated_[i]});
    return rows;
  }

  sim::RunConfig config_;
  std::vector<sim::SystemOptimum> optima_;
  std::vector<sim::RunStatistics> simulated_;
};

}  // namespace

void bind_optima(py::module_& module) {
  py::class_<Optima, std::shared_ptr<Optima>>(module, "Optima",
                                              "The optima of the systems of a configuration.")
      .def_property_readonly("labels", &Optima::labels)
      .def_property_readonly("missing", &Optima::missing)
      .def_property_readonly("notes", &Optima::notes)
      .def("table", &Optima::table, "The rows of `optimum --csv`, as columns.")
      .def("solutions", &Optima::solutions, "How each optimum is known, as columns.")
      .def("save", &Optima::save, py::arg("index"), py::arg("path"), py::arg("own"),
           "Writes the decision table of a system, as `optimum --save` does.");
  module.def(
      "optimum",
      [](const Configuration& configuration, const std::optional<std::string>& system) {
        return std::make_shared<Optima>(configuration, system);
      },
      py::arg("configuration"), py::arg("system"), "Computes and simulates.");
}

}  // namespace fluidbatch::python
