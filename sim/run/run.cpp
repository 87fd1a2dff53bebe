#include "sim/run/run.h"

#include <algorithm>
#include <atomic>
#include <new>
#include <string>
#include <sys/mman.h>
#include <utility>

#include "sim/drive/child_process.h"
#include "sim/drive/message.h"
#include "sim/output/output_file.h"
#include "sim/output/requests_csv.h"
#include "sim/output/resolved_part.h"
#include "sim/output/run_folder.h"
#include "sim/output/series.h"
#include "sim/output/summary_json.h"
#include "sim/run/settle.h"
#include "sim/run/simulation.h"
#include "sim/scenario/scenario.h"

namespace fluidbatch::sim {
namespace {

namespace fs = std::filesystem;

/// Counters in memory that the children share with their parent.
class SharedCounters {
 public:
  using Counter = std::atomic<std::uint64_t>;

  explicit SharedCounters(std::size_t count) : count_(count) {
    void* memory = ::mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    counters_ = static_cast<Counter*>(memory);
    for (std::size_t i = 0; i < count; ++i) new (counters_ + i) Counter(0);
  }
  SharedCounters(const SharedCounters&) = delete;
  SharedCounters& operator=(const SharedCounters&) = delete;
  ~SharedCounters() { ::munmap(counters_, bytes()); }

  [[nodiscard]] Counter* at(std::size_t index) const { return counters_ + index; }
  [[nodiscard]] std::vector<std::uint64_t> values() const {
    std::vector<std::uint64_t> values;
    for (std::size_t i = 0; i < count_; ++i) values.push_back(at(i)->load(std::memory_order_relaxed));
    return values;
  }

 private:
  [[nodiscard]] std::size_t bytes() const { return count_ * sizeof(Counter); }

  std::size_t count_;
  Counter* counters_ = nullptr;
};

/// `resolved` with the length and the warm-up that were found: they are those of all systems, which one alone
/// need not find.
io::Node with_found_length(const io::Node& resolved, const Scenario& scenario) {
  io::Node found = io::Node::map();
  for (const io::Node::Entry& entry : resolved.entries) {
    if (entry.key == "until") {
      found.put("requests", io::Node::integer(static_cast<long long>(scenario.length.requests)));
    } else if (entry.key == "warmup_requests") {
      found.put(entry.key, io::Node::integer(static_cast<long long>(scenario.warmup_requests)));
    } else if (entry.key != "max_requests") {
      found.put(entry.key, entry.value);
    }
  }
  return found;
}

std::vector<scheduler::Slo> slos_of(const Scenario& scenario) {
  std::vector<scheduler::Slo> slos;
  for (const Service& service : scenario.services) slos.push_back(service.slo);
  return slos;
}

bool has_confidences(const Scenario& scenario) {
  return std::ranges::any_of(scenario.services,
                             [](const Service& service) { return service.exits->confidences() != nullptr; });
}

RequestsCsvShape csv_shape(const Scenario& scenario, const System& system) {
  RequestsCsvShape shape{.sample = has_confidences(scenario), .npu = system.npus.size() > 1};
  if (scenario.services.size() == 1) return shape;
  for (const Service& service : scenario.services) shape.services.push_back(service.name);
  shape.service_of_device = scenario.devices.services();
  return shape;
}

Series::Exits series_exits(const Scenario& scenario, const System& system) {
  Series::Exits exits{.told = system.decides_exits() || has_confidences(scenario),
                      .fixed_thresholds = {},
                      .service_of_device = scenario.devices.services()};
  for (std::size_t service = 0; service < scenario.services.size(); ++service) {
    const workloads::RecordedConfidences* confidences = scenario.services[service].exits->confidences();
    const bool fixed = confidences != nullptr && !system.exit_controls[service].decides();
    exits.fixed_thresholds.push_back(fixed ? confidences->thresholds() : std::vector<double>());
  }
  return exits;
}

TimelineShape timeline_shape(const Scenario& scenario, const System& system) {
  TimelineShape shape{.tables = {}, .service_of_device = scenario.devices.services()};
  for (const SystemNpu& npu : system.npus) {
    auto& of_npu = shape.tables.emplace_back();
    for (const auto& table : npu.tables) of_npu.push_back(table.get());
    if (system.npus.size() > 1) shape.npus.push_back(npu.name);
  }
  for (const Service& service : scenario.services) {
    if (scenario.services.size() > 1) shape.services.push_back(service.name);
  }
  return shape;
}

/// With a `workshop`, the outputs go to the system's folder in it.
RunStatistics run_one(const Scenario& scenario, std::size_t index, const RunOptions& options,
                      const fs::path* workshop, std::atomic<std::uint64_t>* progress) {
  const System& system = scenario.systems[index];
  if (workshop == nullptr)
    return simulate(scenario, system, {.driver = options.driver, .progress = progress});
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
        &timeline.emplace(folder / "timeline.json", timeline_shape(scenario, system), options.followed));
  if (options.series_s)
    observers.push_back(
        &series.emplace(*options.series_s, system.npus.size(), series_exits(scenario, system)));
  RunStatistics statistics =
      simulate(scenario, system, {.driver = options.driver, .observers = observers, .progress = progress});
  if (csv) csv->close();
  if (timeline) timeline->close();
  if (series) series->write(folder / "series.csv");
  write_file(folder / "resolved.yaml",
             io::to_yaml(resolved_part(with_found_length(options.resolved, scenario), index)));
  write_file(folder / "summary.json", summary_json(scenario, system, statistics));
  return statistics;
}

/// Adds the files that a resolved configuration names: their paths are absolute in it, and nothing else is.
void add_paths(const io::Node& node, std::vector<fs::path>& paths) {
  if (node.scalar.starts_with('/')) paths.emplace_back(node.scalar);
  for (const io::Node& item : node.items) add_paths(item, paths);
  for (const io::Node::Entry& entry : node.entries) add_paths(entry.value, paths);
}

RunFolder::Request request_of(const Scenario& scenario, const RunOptions& options) {
  RunFolder::Request request{.folder = *options.folder, .labels = {}, .inputs = {}, .named_after = {}};
  for (const System& system : scenario.systems) request.labels.push_back(system.label);
  if (!options.configuration.empty()) request.inputs.push_back(options.configuration);
  add_paths(options.resolved, request.inputs);
  if (options.named_after_configuration) request.named_after = options.configuration;
  return request;
}

using SystemTask = std::function<std::string(std::size_t index, std::atomic<std::uint64_t>* progress)>;

/// Runs `task`, which is given a counter of requests, for each system in a process of its own; what they
/// return.
std::vector<std::string> run_each_system(const Scenario& scenario, const RunOptions& options,
                                         const SystemTask& task) {
  const SharedCounters counters(scenario.systems.size());
  std::vector<std::function<std::string()>> tasks;
  for (std::size_t i = 0; i < scenario.systems.size(); ++i) {
    tasks.emplace_back([&, i] { return task(i, counters.at(i)); });
  }
  const auto outcomes = run_in_children(tasks, processors(), [&] {
    if (options.progress) options.progress(counters.values());
  });
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    outcomes[i].throw_failure("system '" + scenario.systems[i].label + "': ");
  std::vector<std::string> texts;
  texts.reserve(outcomes.size());
  for (const ChildOutcome& outcome : outcomes) texts.push_back(outcome.text);
  return texts;
}

std::vector<Trial> run_trials(const Scenario& scenario, const RunOptions& options) {
  const auto texts = run_each_system(scenario, options, [&](std::size_t i, auto* progress) {
    return to_message(run_trial(scenario, scenario.systems[i], progress));
  });
  std::vector<Trial> trials;
  trials.reserve(texts.size());
  for (const std::string& text : texts) trials.push_back(from_message<Trial>(text));
  return trials;
}

}  // namespace

std::vector<RunStatistics> run_systems(const Scenario& scenario, const RunOptions& options) {
  std::optional<RunFolder> folder;
  if (options.folder) folder.emplace(request_of(scenario, options));
  const fs::path* workshop = folder ? &folder->workshop() : nullptr;
  Scenario to_run = scenario;
  settle(to_run, [&](const Scenario& trial) { return run_trials(trial, options); });
  if (scenario.is_open() && options.settled) options.settled(to_run);
  const auto texts = run_each_system(to_run, options, [&](std::size_t i, auto* progress) {
    return to_message(run_one(to_run, i, options, workshop, progress));
  });
  std::vector<RunStatistics> results;
  results.reserve(texts.size());
  for (const std::string& text : texts) results.push_back(from_message<RunStatistics>(text));
  if (folder) {
    write_file(*workshop / "resolved.yaml", io::to_yaml(options.resolved));
    folder->publish();
  }
  return results;
}

}  // namespace fluidbatch::sim
