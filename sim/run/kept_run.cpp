#include "sim/run/kept_run.h"

#include <cstring>
#include <utility>

#include "sim/drive/child_process.h"
#include "sim/drive/message.h"
#include "sim/output/output_file.h"
#include "sim/output/requests_csv.h"
#include "sim/output/summary_json.h"
#include "sim/run/run_outputs.h"
#include "sim/run/simulation.h"
#include "sim/scenario/scenario.h"

namespace fluidbatch::sim {
namespace {

namespace fs = std::filesystem;

/// Keeps the rows of requests.csv.
class RequestLog final : public Observer {
 public:
  RequestLog(const Scenario& scenario, std::vector<RequestRow>& rows)
      : slos_(slos_of(scenario)), service_of_device_(scenario.devices.services()), rows_(rows) {
    constexpr std::uint64_t kMost = 100'000'000;  // as the recorder's
    if (const auto requests = scenario.known_requests()) rows_.reserve(std::min(*requests, kMost));
  }

  void completed(scheduler::RequestId id, const scheduler::Request& request) override {
    const std::size_t service = slos_.size() == 1 ? 0 : service_of_device_[request.device];
    rows_.push_back(request_row(id, request, slos_[service], service));
  }

 private:
  std::vector<scheduler::Slo> slos_;
  std::vector<std::size_t> service_of_device_;
  std::vector<RequestRow>& rows_;
};

KeptRun run_here(const Scenario& scenario, std::size_t index, const KeepOptions& keep, Driver driver,
                 RunWatch& watch) {
  const System& system = scenario.systems[index];
  KeptRun run{.statistics = {}, .requests = {}, .series_csv = {}, .has_requests = keep.requests};
  std::vector<Observer*> observers;
  std::optional<RequestLog> log;
  std::optional<Timeline> timeline;
  std::optional<Series> series;
  if (keep.requests) observers.push_back(&log.emplace(scenario, run.requests));
  if (keep.timeline)
    observers.push_back(&timeline.emplace(*keep.timeline, timeline_shape(scenario, index), keep.of_timeline));
  if (keep.series_s)
    observers.push_back(&series.emplace(*keep.series_s, system.npus.size(), series_exits(scenario, system)));
  run.statistics = simulate(scenario, system, {.driver = driver, .observers = observers, .watch = &watch});
  if (timeline) timeline->close();
  if (series) run.series_csv = series->csv();
  return run;
}

/// What comes from a child: rows travel as they are in memory, and fast.
struct KeptMessage {
  RunStatistics statistics;
  std::string rows;
  std::string series_csv;
};

template <typename Self, typename Visit>
requires std::same_as<std::remove_const_t<Self>, KeptMessage>
void fields(Self& message, Visit& visit) {
  auto& [statistics, rows, series_csv] = message;
  visit(statistics, rows, series_csv);
}

std::string message_of(const KeptRun& run) {
  const auto* bytes = reinterpret_cast<const char*>(run.requests.data());
  return to_message(KeptMessage{.statistics = run.statistics,
                                .rows = std::string(bytes, run.requests.size() * sizeof(RequestRow)),
                                .series_csv = run.series_csv});
}

/// In a child, which has the only simulation that SimGrid allows a process.
KeptRun run_in_child(const Scenario& scenario, std::size_t index, const KeepOptions& keep, Driver driver,
                     RunWatch& watch) {
  const std::vector<ChildPool::Task> task{
      [&] { return message_of(run_here(scenario, index, keep, driver, watch)); }};
  const auto outcomes = run_in_children(task, 1, [&] { check_wanted(&watch); });
  outcomes.front().throw_failure("system '" + scenario.systems[index].label + "': ");
  auto message = from_message<KeptMessage>(outcomes.front().text);
  KeptRun run{.statistics = std::move(message.statistics),
              .requests = std::vector<RequestRow>(message.rows.size() / sizeof(RequestRow)),
              .series_csv = std::move(message.series_csv),
              .has_requests = keep.requests};
  if (!message.rows.empty()) std::memcpy(run.requests.data(), message.rows.data(), message.rows.size());
  return run;
}

}  // namespace

KeptRun run_and_keep(const Scenario& scenario, std::size_t index, const KeepOptions& keep, Driver driver,
                     RunWatch& watch) {
  const bool here = driver == Driver::bare && scenario.uplink.model != workloads::UplinkSpec::Model::simgrid;
  return here ? run_here(scenario, index, keep, driver, watch)
              : run_in_child(scenario, index, keep, driver, watch);
}

void save_kept_runs(const Scenario& scenario, const RunFiles& files, const std::vector<const KeptRun*>& runs,
                    const std::vector<fs::path>& timelines) {
  RunFolder folder(folder_request(scenario, files));
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const System& system = scenario.systems[i];
    const KeptRun& run = *runs[i];
    const fs::path place = folder.workshop() / system.label;
    if (run.has_requests) {
      RequestsCsv csv(place / "requests.csv", slos_of(scenario), csv_shape(scenario, system));
      for (const RequestRow& row : run.requests) csv.add(row);
      csv.close();
    }
    if (!run.series_csv.empty()) write_file(place / "series.csv", run.series_csv);
    write_file(place / "resolved.yaml", io::to_yaml(resolved_system(files.resolved, scenario, i)));
    write_file(place / "summary.json", summary_json(scenario, system, run.statistics));
  }
  if (!timelines.empty()) join_trace_events(folder.workshop() / "timeline.json", timelines, TraceParts::keep);
  write_file(folder.workshop() / "resolved.yaml", io::to_yaml(files.resolved));
  folder.publish();
}

}  // namespace fluidbatch::sim
