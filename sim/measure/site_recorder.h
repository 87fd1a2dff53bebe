// Collects the statistics of a site: of each service on each NPU, put together for a service, for an NPU, and
// for all.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "scheduler/slo.h"
#include "sim/core/conservation.h"
#include "sim/core/observer.h"
#include "sim/measure/recorder.h"
#include "sim/measure/run_watch.h"
#include "sim/measure/statistics.h"

namespace fluidbatch::sim {

/// What a site measures. The dates of the window are those of the whole site: from the arrival of its first
/// measured request to its last completion. Beside what each cell keeps (Recorder), 4 bytes a request.
class SiteRecorder {
 public:
  /// A service on an NPU: the sink of its lane.
  class Cell final : public Observer {
   public:
    Cell(SiteRecorder& site, std::uint32_t number, const npu::BatchPolicyTable& table,
         const scheduler::Slo& slo, RunWatch* watch);

    void admitted(scheduler::RequestId id, const scheduler::Request& request) override {
      if (id == site_->warmup_requests_) site_->begin_window(request.arrival_s);
    }
    void started(double date_s, int samples, bool preempting) override {
      recorder_.started(date_s, samples, preempting);
    }
    void stepped(const Step& step) override { recorder_.stepped(step); }
    void merged(double date_s) override { recorder_.merged(date_s); }
    void refused(double date_s, scheduler::Decision::Refusal refusal, int boundaries) override {
      recorder_.refused(date_s, refusal, boundaries);
    }
    void completed(scheduler::RequestId id, const scheduler::Request& request) override;

   private:
    friend SiteRecorder;

    SiteRecorder* site_;
    std::uint32_t number_;
    scheduler::Slo slo_;
    Recorder recorder_;
    std::vector<double> alone_s_;  // latency on an idle NPU, by exit
    double normalised_latency_ = 0;
    double normalised_progress_ = 0;
  };

  /// `tables` by NPU and service, `slos` by service; `watch` as Recorder.
  SiteRecorder(const std::vector<std::vector<const npu::BatchPolicyTable*>>& tables,
               const std::vector<scheduler::Slo>& slos, std::uint64_t warmup_requests,
               RunWatch* watch = nullptr);
  /// Its cells tell the copy.
  SiteRecorder(const SiteRecorder& other);
  SiteRecorder& operator=(const SiteRecorder&) = delete;
  ~SiteRecorder() = default;

  /// The recorder of a service on an NPU, which is the sink of that lane.
  [[nodiscard]] Cell& cell(std::size_t npu, std::size_t service) {
    return cells_[npu * slos_.size() + service];
  }
  /// As Recorder, of a service.
  void keep_thresholds(std::size_t service);

  /// What the core has counted of a service on an NPU.
  using ConservationOf = std::function<const Conservation&(std::size_t npu, std::size_t service)>;

  /// The statistics of all, of each service where there are several, and of each NPU likewise. To be called
  /// once, when the run is over. `in_system_at_last_arrival`: of the whole site; `thresholds` by service.
  RunStatistics finish(const ConservationOf& conservation, std::int64_t in_system_at_last_arrival,
                       const std::vector<ExitThresholds>& thresholds);

 private:
  using IsIn = std::function<bool(std::size_t npu, std::size_t service)>;

  /// Sums over some of the cells.
  struct Part {
    std::vector<bool> cells;  ///< which
    Totals totals = {};
    Conservation conservation = {};
  };

  void begin_window(double date_s);
  [[nodiscard]] Part part_of(const IsIn& is_in, const ConservationOf& conservation) const;
  /// Watts that an NPU takes all the time: the share of the services that are in the part, by busy time, or
  /// equal shares of an NPU that was never busy.
  [[nodiscard]] double static_w_of(std::size_t npu, const IsIn& is_in) const;
  void add_requests(Part& part) const;
  [[nodiscard]] std::size_t npus() const { return cells_.size() / slos_.size(); }

  std::vector<scheduler::Slo> slos_;  // by service
  std::uint64_t warmup_requests_;
  std::deque<Cell> cells_;  // NPU by NPU
  std::vector<std::uint32_t>
      order_;  // of each measured request: twice its cell, and one more where it is late
};

}  // namespace fluidbatch::sim
