// One system in the middle of its run, as a value.
#pragma once

#include <cstdint>
#include <memory>

#include "sim/core/observer.h"
#include "sim/core/server.h"
#include "sim/measure/recorder.h"
#include "sim/measure/run_watch.h"
#include "sim/measure/statistics.h"
#include "sim/run/serving.h"
#include "sim/run/system_parts.h"
#include "sim/scenario/scenario.h"
#include "workloads/traffic/request_stream.h"

namespace fluidbatch::sim {

/// Where nobody could foresee the dates of a run, which has ended at `end_s`: throws io::InputError where
/// they are too late for doubles.
void check_dates(const Scenario& scenario, const System& system, double end_s);

/// What is known of the thresholds of a service with these exits, and, if it `decides`, an exit control.
ExitThresholds exit_thresholds(const workloads::ExitSpec& exits, bool decides,
                               const npu::BatchPolicyTable& table);

/// A system in the middle of its run: the core with all that it works with. It can be copied at any event;
/// copy and original go on apart, to the same end, unless one of them is split.
class RunningSystem {
 public:
  /// What a run may be told besides its scenario. All that is referred to must outlive it.
  struct Options {
    RunWatch* watch = nullptr;                  ///< as Recorder
    Observer* observer = nullptr;               ///< sees the run too
    std::size_t read_ahead = LookAhead::kMost;  ///< as ServerOptions
  };

  /// At date 0. `scenario` and `system` must outlive it. Uplink `simgrid` is computed as `analytic`.
  RunningSystem(const Scenario& scenario, const System& system, const Options& options);
  /// The same with requests from `stream`, in place of those of the scenario.
  RunningSystem(const Scenario& scenario, const System& system, const Options& options,
                std::unique_ptr<workloads::RequestStream> stream);
  /// A copy, seen by `observer` (may be null) from here on. Throws std::logic_error where the stream can't be
  /// copied.
  RunningSystem(const RunningSystem& other, Observer* observer);
  RunningSystem(const RunningSystem&) = delete;
  RunningSystem& operator=(const RunningSystem&) = delete;

  [[nodiscard]] SingleServer& core() { return *core_; }
  [[nodiscard]] const SingleServer& core() const { return *core_; }

  /// As SystemParts::split. Its requests are not those of the scenario any more, so that no bounds are
  /// computed.
  void split(std::uint64_t branch) {
    parts_.split(branch);
    is_split_ = true;
  }

  /// To be called once, after the last event. Throws InvariantViolation where something was lost, and
  /// io::InputError where dates that nobody could foresee are too late for doubles.
  RunStatistics finish();

 private:
  [[nodiscard]] ServingParts serving_parts(Observer* observer);

  const Scenario& scenario_;
  const System& system_;
  RunWatch* watch_;
  SystemParts parts_;
  bool is_split_ = false;
  Recorder recorder_;
  std::unique_ptr<SingleServer> core_;
};

}  // namespace fluidbatch::sim
