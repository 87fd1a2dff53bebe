#include "sim/run/run.h"

#include <algorithm>
#include <new>
#include <string>
#include <sys/mman.h>
#include <utility>

#include "sim/drive/child_process.h"
#include "sim/drive/message.h"
#include "sim/output/output_file.h"
#include "sim/output/requests_csv.h"
#include "sim/output/run_folder.h"
#include "sim/output/series.h"
#include "sim/output/summary_json.h"
#include "sim/run/run_outputs.h"
#include "sim/run/settle.h"
#include "sim/run/simulation.h"
#include "sim/scenario/scenario.h"

namespace fluidbatch::sim {
namespace {

namespace fs = std::filesystem;

/// What is seen of runs, in memory that the children share with their parent.
class SharedWatches {
 public:
  explicit SharedWatches(std::size_t count) : count_(count) {
    void* memory = ::mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    watches_ = static_cast<RunWatch*>(memory);
    for (std::size_t i = 0; i < count; ++i) new (watches_ + i) RunWatch();
  }
  SharedWatches(const SharedWatches&) = delete;
  SharedWatches& operator=(const SharedWatches&) = delete;
  ~SharedWatches() { ::munmap(watches_, bytes()); }

  [[nodiscard]] RunWatch* at(std::size_t index) const { return watches_ + index; }
  [[nodiscard]] std::vector<std::uint64_t> values() const {
    std::vector<std::uint64_t> values;
    for (std::size_t i = 0; i < count_; ++i)
      values.push_back(at(i)->completed.load(std::memory_order_relaxed));
    return values;
  }

 private:
  [[nodiscard]] std::size_t bytes() const { return count_ * sizeof(RunWatch); }

  std::size_t count_;
  RunWatch* watches_ = nullptr;
};

/// Where a system's timeline is until all have one; named as what it is a part of, since messages say it.
fs::path timeline_part(const fs::path& folder) { return folder / "timeline.json"; }

/// The timelines of all systems in one file.
void join_timelines(const Scenario& scenario, const fs::path& workshop) {
  std::vector<fs::path> parts;
  for (const System& system : scenario.systems) parts.push_back(timeline_part(workshop / system.label));
  join_trace_events(workshop / "timeline.json", parts, TraceParts::remove);
}

/// With a `workshop`, the outputs go to the system's folder in it.
RunStatistics run_one(const Scenario& scenario, std::size_t index, const RunOptions& options,
                      const fs::path* workshop, RunWatch* watch) {
  const System& system = scenario.systems[index];
  if (workshop == nullptr) return simulate(scenario, system, {.driver = options.driver, .watch = watch});
  const fs::path folder = *workshop / system.label;
  std::vector<Observer*> observers;
  std::optional<RequestsCsv> csv;
  std::optional<Timeline> timeline;
  std::optional<Series> series;
  if (options.requests_csv)
    observers.push_back(
        &csv.emplace(folder / "requests.csv", slos_of(scenario), csv_shape(scenario, system)));
  if (options.timeline)
    observers.push_back(
        &timeline.emplace(timeline_part(folder), timeline_shape(scenario, index), *options.timeline));
  if (options.series_s)
    observers.push_back(
        &series.emplace(*options.series_s, system.npus.size(), series_exits(scenario, system)));
  RunStatistics statistics =
      simulate(scenario, system, {.driver = options.driver, .observers = observers, .watch = watch});
  if (csv) csv->close();
  if (timeline) timeline->close();
  if (series) series->write(folder / "series.csv");
  write_file(folder / "resolved.yaml", io::to_yaml(resolved_system(options.resolved, scenario, index)));
  write_file(folder / "summary.json", summary_json(scenario, system, statistics));
  return statistics;
}

using SystemTask = std::function<std::string(std::size_t index, RunWatch* watch)>;

/// Runs `task`, which is given what it may be watched by, for each system in a process of its own; what they
/// return.
std::vector<std::string> run_each_system(const Scenario& scenario, const RunOptions& options,
                                         const SystemTask& task) {
  const SharedWatches watches(scenario.systems.size());
  std::vector<std::function<std::string()>> tasks;
  for (std::size_t i = 0; i < scenario.systems.size(); ++i) {
    tasks.emplace_back([&, i] { return task(i, watches.at(i)); });
  }
  const auto outcomes = run_in_children(tasks, processors(), [&] {
    if (options.progress) options.progress(watches.values());
  });
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    outcomes[i].throw_failure("system '" + scenario.systems[i].label + "': ");
  std::vector<std::string> texts;
  texts.reserve(outcomes.size());
  for (const ChildOutcome& outcome : outcomes) texts.push_back(outcome.text);
  return texts;
}

std::vector<Trial> run_trials(const Scenario& scenario, const RunOptions& options) {
  const auto texts = run_each_system(scenario, options, [&](std::size_t i, auto* watch) {
    return to_message(run_trial(scenario, scenario.systems[i], watch));
  });
  std::vector<Trial> trials;
  trials.reserve(texts.size());
  for (const std::string& text : texts) trials.push_back(from_message<Trial>(text));
  return trials;
}

}  // namespace

std::vector<RunStatistics> run_systems(const Scenario& scenario, const RunOptions& options) {
  std::optional<RunFolder> folder;
  if (options.folder) {
    RunFolder::Request request = folder_request(
        scenario,
        {.folder = *options.folder, .configuration = options.configuration, .resolved = options.resolved});
    if (options.named_after_configuration) request.named_after = options.configuration;
    folder.emplace(std::move(request));
  }
  const fs::path* workshop = folder ? &folder->workshop() : nullptr;
  Scenario to_run = scenario;
  settle(to_run, [&](const Scenario& trial) { return run_trials(trial, options); });
  if (scenario.is_open() && options.settled) options.settled(to_run);
  const auto texts = run_each_system(to_run, options, [&](std::size_t i, auto* watch) {
    return to_message(run_one(to_run, i, options, workshop, watch));
  });
  std::vector<RunStatistics> results;
  results.reserve(texts.size());
  for (const std::string& text : texts) results.push_back(from_message<RunStatistics>(text));
  if (folder) {
    if (options.timeline) join_timelines(scenario, *workshop);
    write_file(*workshop / "resolved.yaml", io::to_yaml(options.resolved));
    folder->publish();
  }
  return results;
}

}  // namespace fluidbatch::sim
