// A site in the middle of its run, as a value.
#pragma once

#include <memory>

#include "sim/core/site.h"
#include "sim/measure/site_recorder.h"
#include "sim/measure/statistics.h"
#include "sim/run/running_system.h"
#include "sim/run/site_parts.h"
#include "sim/scenario/scenario.h"

namespace fluidbatch::sim {

/// As RunningSystem, of a system with any number of services and NPUs. (With one of each it is the same
/// system, request by request; RunningSystem runs it in half the time.)
class RunningSite {
 public:
  using Options = RunningSystem::Options;

  RunningSite(const Scenario& scenario, const System& system, const Options& options,
              std::unique_ptr<workloads::RequestStream> stream = nullptr);
  RunningSite(const RunningSite& other, Observer* observer);
  RunningSite(const RunningSite&) = delete;
  RunningSite& operator=(const RunningSite&) = delete;

  [[nodiscard]] SiteCore& core() { return *core_; }
  [[nodiscard]] const SiteCore& core() const { return *core_; }

  /// As RunningSystem::split: from here on it has another lawful future.
  void split(std::uint64_t branch) {
    parts_.split(branch);
    core_->split(branch);
    is_split_ = true;
  }

  RunStatistics finish();

 private:
  [[nodiscard]] SiteCoreParts<SiteRecorder::Cell> core_parts(Observer* observer);
  void add_site_bounds(RunStatistics& statistics, double end_s) const;

  const Scenario& scenario_;
  const System& system_;
  RunWatch* watch_;
  SiteParts parts_;
  bool is_split_ = false;
  SiteRecorder recorder_;
  std::unique_ptr<SiteCore> core_;
};

}  // namespace fluidbatch::sim
