// Configurations, and runs of them whose outputs stay in memory.
#include <memory>
#include <numeric>
#include <utility>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "sim/config/file_kind.h"
#include "sim/config/overrides.h"
#include "sim/config/plugins.h"
#include "sim/drive/child_process.h"
#include "sim/drive/driver_choice.h"
#include "sim/output/columns.h"
#include "sim/output/series.h"
#include "sim/output/summary_json.h"
#include "sim/python/arguments.h"
#include "sim/python/bindings.h"
#include "sim/python/configuration.h"
#include "sim/python/conversion.h"
#include "sim/python/request_array.h"
#include "sim/python/supervise.h"
#include "sim/run/kept_run.h"
#include "sim/run/run_notes.h"
#include "sim/run/run_outputs.h"
#include "sim/run/settle.h"
#include "sim/scenario/expected_length.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;
namespace fs = std::filesystem;

/// What `run` is asked for beside the configuration.
struct RunRequest {
  sim::Driver driver = sim::Driver::bare;
  std::optional<double> series_s;
  std::optional<fs::path> timelines;  // a folder for the parts of all systems
  sim::TimelineOptions of_timelines;
  int jobs = 1;
  py::object progress;  // called with the requests that each system has completed; or None
};

sim::RunFiles files_of(const Configuration& configuration, const fs::path& folder) {
  return {.folder = folder, .configuration = configuration.file, .resolved = configuration.config.resolved};
}

/// Throws where a run's files can't go into `folder`, before hours go into it.
void check_folder(const Configuration& configuration, const fs::path& folder) {
  const sim::RunFolder made_and_removed(
      sim::folder_request(configuration.config, files_of(configuration, folder)));
}

/// All systems of a configuration, simulated.
class Runs {
 public:
  Runs(std::shared_ptr<const Configuration> configuration, const RunRequest& request)
      : configuration_(std::move(configuration)),
        scenario_(static_cast<const sim::Scenario&>(configuration_->config)) {
    check(request);
    std::vector<sim::RunWatch> watches(scenario_.systems.size());
    const Crew crew{.watches = watches, .request = request};
    sim::settle(scenario_, [&](const sim::Scenario& trial) { return trials(trial, crew); });
    runs_.resize(scenario_.systems.size());
    for (std::size_t i = 0; request.timelines && i < runs_.size(); ++i)
      timelines_.push_back(*request.timelines / std::to_string(i));
    each(crew, [&](std::size_t i) {
      sim::KeepOptions keep{.requests = configuration_->config.write_requests_csv,
                            .series_s = request.series_s,
                            .timeline = {},
                            .of_timeline = request.of_timelines};
      if (request.timelines) keep.timeline = timelines_[i];
      runs_[i] = sim::run_and_keep(scenario_, i, keep, request.driver, watches[i]);
    });
  }

  [[nodiscard]] const Configuration& configuration() const { return *configuration_; }
  [[nodiscard]] const sim::Scenario& scenario() const { return scenario_; }
  [[nodiscard]] const sim::KeptRun& run(std::size_t index) const { return runs_.at(index); }

  [[nodiscard]] std::string summary(std::size_t index) const {
    return sim::summary_json(scenario_, scenario_.systems.at(index), run(index).statistics);
  }

  /// What the numbers don't say by themselves.
  [[nodiscard]] std::vector<std::string> notes() const {
    std::vector<sim::RunStatistics> statistics;
    for (const sim::KeptRun& run : runs_) statistics.push_back(run.statistics);
    return sim::notes_on_run(scenario_, statistics);
  }

  void save(const fs::path& folder) const {
    std::vector<const sim::KeptRun*> runs;
    for (const sim::KeptRun& run : runs_) runs.push_back(&run);
    sim::save_kept_runs(scenario_, files_of(*configuration_, folder), runs, timelines_);
  }

 private:
  struct Crew {
    std::vector<sim::RunWatch>& watches;
    const RunRequest& request;
  };

  void check(const RunRequest& request) const {
    sim::check_driver(request.driver, scenario_.uplink);
    if (!configuration_->config.is_open()) sim::check_expected_dates(scenario_);
  }

  /// `task` of each system.
  void each(const Crew& crew, const std::function<void(std::size_t)>& task) const {
    std::vector<std::function<void()>> tasks;
    for (std::size_t i = 0; i < crew.watches.size(); ++i) tasks.emplace_back([&task, i] { task(i); });
    const auto poll = [&] {
      if (crew.request.progress.is_none()) return;
      py::list completed;
      for (const sim::RunWatch& watch : crew.watches) completed.append(watch.completed.load());
      crew.request.progress(completed);
    };
    const auto stop = [&] {
      for (sim::RunWatch& watch : crew.watches) watch.stop = true;
    };
    supervise(tasks, crew.request.jobs, poll, stop);
  }

  std::vector<sim::Trial> trials(const sim::Scenario& scenario, const Crew& crew) const {
    std::vector<sim::Trial> trials(scenario.systems.size());
    each(crew,
         [&](std::size_t i) { trials[i] = sim::run_trial(scenario, scenario.systems[i], &crew.watches[i]); });
    return trials;
  }

  std::shared_ptr<const Configuration> configuration_;
  sim::Scenario scenario_;  // settled
  std::vector<sim::KeptRun> runs_;
  std::vector<fs::path> timelines_;
};

/// The rows themselves: `runs` lives as long as the array.
py::object requests_of(const py::object& runs, std::size_t index) {
  const auto& all = runs.cast<const Runs&>();
  const sim::KeptRun& run = all.run(index);
  if (!run.has_requests) return py::none();
  const sim::System& system = all.scenario().systems[index];
  return request_array(run.requests, sim::csv_shape(all.scenario(), system), runs);
}

py::list labels_of(const sim::Scenario& scenario) {
  py::list labels;
  for (const sim::System& system : scenario.systems) labels.append(system.label);
  return labels;
}

py::list services_of(const sim::Scenario& scenario) {
  py::list names;
  for (const sim::Service& service : scenario.services) names.append(service.name);
  return names;
}

py::list statistics_list() {
  py::list all;
  for (const sim::Statistic& statistic : sim::all_statistics()) {
    const char* better = statistic.better == sim::Better::lower    ? "lower"
                         : statistic.better == sim::Better::higher ? "higher"
                                                                   : "neither";
    all.append(py::make_tuple(statistic.name, statistic.unit, statistic.meaning, better));
  }
  return all;
}

/// `followed`: numbers of requests.
sim::TimelineOptions timeline_options(const py::list& followed, const py::object& from_s,
                                      const py::object& to_s) {
  constexpr std::int64_t kMostRequests = std::int64_t{1} << 53;
  sim::TimelineOptions options;
  for (const py::handle number : followed) {
    const auto one = static_cast<std::uint64_t>(integer_argument(number, "timeline", 0, kMostRequests));
    options.followed.push_back({one, one});
  }
  if (!from_s.is_none())
    options.from_s = number_argument(from_s, "timeline_from_s", io::Range::non_negative());
  if (!to_s.is_none()) options.to_s = number_argument(to_s, "timeline_to_s", io::Range::positive());
  if (options.to_s <= options.from_s)
    throw io::InputError("timeline_to_s: must be later than timeline_from_s, which is " +
                         io::shortest(options.from_s) + " s");
  return options;
}

/// Of each column its name, type, unit and meaning.
py::list columns_of(const std::vector<sim::ColumnDeclaration>& columns) {
  py::list all;
  for (const sim::ColumnDeclaration& column : columns)
    all.append(py::make_tuple(column.name, sim::name_of(column.type), column.unit, column.meaning));
  return all;
}

std::shared_ptr<Runs> run(std::shared_ptr<Configuration> configuration, const std::string& driver,
                          const py::object& series_s, std::optional<fs::path> timelines,
                          const py::list& followed, const py::object& from_s, const py::object& to_s,
                          const py::object& jobs, py::object progress) {
  RunRequest request{.driver = driver_argument(driver),
                     .series_s = {},
                     .timelines = std::move(timelines),
                     .of_timelines = timeline_options(followed, from_s, to_s),
                     .jobs = jobs_argument(jobs),
                     .progress = std::move(progress)};
  if (!series_s.is_none()) request.series_s = number_argument(series_s, "series", io::Range::positive());
  return std::make_shared<Runs>(std::move(configuration), request);
}

void bind_configuration(py::module_& module) {
  py::class_<Configuration, std::shared_ptr<Configuration>>(module, "Configuration")
      .def_property_readonly("labels", [](const Configuration& c) { return labels_of(c.config); })
      .def_property_readonly("services", [](const Configuration& c) { return services_of(c.config); })
      .def_property_readonly("warnings", [](const Configuration& c) { return c.config.warnings; })
      .def_property_readonly("seed", [](const Configuration& c) { return c.config.seed; })
      .def_property_readonly("known_requests",
                             [](const Configuration& c) { return c.config.known_requests(); })
      .def_property_readonly("resolved", [](const Configuration& c) { return object_of(c.config.resolved); })
      .def_property_readonly("resolved_yaml",
                             [](const Configuration& c) { return io::to_yaml(c.config.resolved); })
      .def_property_readonly("file", [](const Configuration& c) { return c.file.string(); });
  module.def("read_configuration", &read_configuration, py::arg("configuration"), py::arg("overrides"),
             py::arg("audit") = false);
}

}  // namespace

void bind_runs(py::module_& module) {
  bind_configuration(module);
  py::class_<Runs, std::shared_ptr<Runs>>(module, "Runs")
      .def_property_readonly("labels", [](const Runs& runs) { return labels_of(runs.scenario()); })
      .def_property_readonly("services", [](const Runs& runs) { return services_of(runs.scenario()); })
      .def("summary_json", &Runs::summary, py::arg("index"))
      .def("statistics",
           [](const Runs& runs, std::size_t index) { return runs.run(index).statistics.values; })
      .def("saturated",
           [](const Runs& runs, std::size_t index) { return runs.run(index).statistics.saturated; })
      .def("series_csv", [](const Runs& runs, std::size_t index) { return runs.run(index).series_csv; })
      .def("notes", &Runs::notes)
      .def("save", &Runs::save, py::arg("folder"));
  module.def(
      "load_yaml", [](const fs::path& file) { return object_of(io::load_yaml(file)); }, py::arg("file"));
  module.def("read_requests", &read_request_array, py::arg("file"), py::arg("services"));
  module.def("check_folder", &check_folder, py::arg("configuration"), py::arg("folder"));
  module.def("requests", &requests_of, py::arg("runs"), py::arg("index"));
  module.def("run", &run, py::arg("configuration"), py::arg("driver"), py::arg("series_s"),
             py::arg("timelines"), py::arg("followed"), py::arg("timeline_from_s"), py::arg("timeline_to_s"),
             py::arg("jobs"), py::arg("progress"));
  module.def("all_statistics", &statistics_list);
  module.def("request_columns", [] { return columns_of(sim::request_columns()); });
  module.def("series_columns", [] { return columns_of(sim::series_columns()); });
}

}  // namespace fluidbatch::python
