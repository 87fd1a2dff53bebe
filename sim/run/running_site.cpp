#include "sim/run/running_site.h"

#include <algorithm>
#include <utility>

#include "sim/core/site_impl.h"
#include "sim/measure/bounds.h"
#include "sim/scenario/workload.h"

namespace fluidbatch::sim {
namespace {

SiteRecorder recorder_of(const Scenario& scenario, const System& system, RunWatch* watch) {
  std::vector<std::vector<const npu::BatchPolicyTable*>> tables;
  for (const SystemNpu& npu : system.npus) {
    auto& of_npu = tables.emplace_back();
    for (const auto& table : npu.tables) of_npu.push_back(table.get());
  }
  std::vector<scheduler::Slo> slos;
  for (const Service& service : scenario.services) slos.push_back(service.slo);
  return {tables, slos, scenario.warmup_requests, watch};
}

/// Of a stream that is foretold, the requests for one service.
class RequestsOfService final : public workloads::RequestStream {
 public:
  RequestsOfService(workloads::RequestStream& all, std::vector<std::size_t> service_of_device,
                    std::size_t service)
      : all_(all), service_of_device_(std::move(service_of_device)), service_(service) {
    fetch();
  }

  [[nodiscard]] double next_event_s() const override { return next_event_s_; }
  std::size_t read(std::span<workloads::Arrival> block) override {
    if (next_event_s_ == kNever) return 0;
    block.front() = next_;
    fetch();
    return 1;
  }
  [[nodiscard]] std::unique_ptr<RequestStream> clone() const override {
    throw std::logic_error("a part of a stream is read once");
  }
  void split(std::uint64_t branch) override { all_.split(branch); }

 private:
  void fetch() {
    next_event_s_ = kNever;
    while (all_.next_event_s() < kNever) {
      if (!all_.advance(next_) || service_of_device_[next_.device] != service_) continue;
      next_event_s_ = next_.date_s;
      return;
    }
  }

  workloads::RequestStream& all_;
  std::vector<std::size_t> service_of_device_;
  std::size_t service_;
  workloads::Arrival next_;
  double next_event_s_ = kNever;
};

}  // namespace

RunningSite::RunningSite(const Scenario& scenario, const System& system, const Options& options,
                         std::unique_ptr<workloads::RequestStream> stream)
    : scenario_(scenario),
      system_(system),
      watch_(options.watch),
      parts_(scenario, system, options.read_ahead, std::move(stream)),
      recorder_(recorder_of(scenario, system, options.watch)) {
  for (std::size_t service = 0; service < scenario.services.size(); ++service) {
    if (parts_.decides_exits(service)) recorder_.keep_thresholds(service);
  }
  core_ = std::make_unique<Site<SiteRecorder::Cell>>(core_parts(options.observer));
}

RunningSite::RunningSite(const RunningSite& other, Observer* observer)
    : scenario_(other.scenario_),
      system_(other.system_),
      watch_(other.watch_),
      parts_(other.parts_),
      is_split_(other.is_split_),
      recorder_(other.recorder_),
      core_(std::make_unique<Site<SiteRecorder::Cell>>(core_parts(observer), other.core_->state())) {}

SiteCoreParts<SiteRecorder::Cell> RunningSite::core_parts(Observer* observer) {
  const auto sink = [&](std::size_t npu, std::size_t service) -> SiteRecorder::Cell& {
    return recorder_.cell(npu, service);
  };
  return parts_.core_parts<SiteRecorder::Cell>(sink, observer);
}

RunStatistics RunningSite::finish() {
  core_->finish();
  const SiteState& state = core_->state();
  const auto conservation = [&](std::size_t npu, std::size_t service) -> const Conservation& {
    return state.servers[npu].lanes[service].conservation;
  };
  double end_s = 0;
  std::vector<ExitThresholds> thresholds;
  for (std::size_t service = 0; service < parts_.services(); ++service) {
    thresholds.push_back(
        exit_thresholds(parts_.exits_of(service), parts_.decides_exits(service), parts_.table(0, service)));
    for (std::size_t npu = 0; npu < parts_.npus(); ++npu)
      end_s = std::max(end_s, conservation(npu, service).end_s);
  }
  RunStatistics statistics = recorder_.finish(conservation, state.in_system_at_last_arrival, thresholds);
  check_dates(scenario_, system_, end_s);
  if (scenario_.compute_bounds && !is_split_ && !scenario_.devices.listen())
    add_site_bounds(statistics, end_s);
  return statistics;
}

/// Of each service that they hold for, and of all where they hold for each.
void RunningSite::add_site_bounds(RunStatistics& statistics, double end_s) const {
  const std::vector<std::size_t> service_of_device = scenario_.devices.services();
  LatencyBounds of_all{.mean_unloaded_s = 0, .mean_clairvoyant_s = 0};
  bool all_hold = true;
  for (std::size_t service = 0; service < parts_.services(); ++service) {
    RunStatistics& its = parts_.services() > 1 ? statistics.services[service] : statistics;
    if (parts_.decides_exits(service) || its[StatisticId::drop_rate] != 0) {
      all_hold = false;
      const Absence why = parts_.decides_exits(service) ? Absence::exits_decided : Absence::dropped;
      for (const StatisticId id :
           {StatisticId::unloaded_bound, StatisticId::clairvoyant_bound, StatisticId::distance_to_bound})
        statistics.set_absent(id, why);
      continue;
    }
    std::vector<const npu::BatchPolicyTable*> tables;
    for (std::size_t npu = 0; npu < parts_.npus(); ++npu) tables.push_back(&parts_.table(npu, service));
    const auto again = arriving_requests(scenario_, parts_.exits());
    RequestsOfService requests(*again, service_of_device, service);
    const double measured = its[StatisticId::requests];
    const LatencyBounds bounds =
        latency_bounds(tables, requests, its.admitted - static_cast<std::uint64_t>(measured), watch_);
    add_bounds(its, bounds, end_s);
    const double share = measured / statistics[StatisticId::requests];
    of_all.mean_unloaded_s += share * bounds.mean_unloaded_s;
    of_all.mean_clairvoyant_s += share * bounds.mean_clairvoyant_s;
  }
  if (all_hold && parts_.services() > 1) add_bounds(statistics, of_all, end_s);
}

}  // namespace fluidbatch::sim
