// One system under one workload, from start to statistics, in this process.
#pragma once

#include <atomic>
#include <memory>

#include "sim/core/server_options.h"
#include "sim/core/serving_core.h"
#include "sim/drive/driver.h"
#include "sim/measure/statistics.h"
#include "sim/run/serving.h"
#include "sim/scenario/scenario.h"
#include "workloads/traffic/request_stream.h"

namespace fluidbatch::sim {

/// A system in the middle of its run: the core with all that it works with. It can be copied at any event;
/// copy and original go on apart, to the same end, unless one of them is split.
class Simulation {
 public:
  /// What a run may be told besides its scenario. All that is referred to must outlive it.
  struct Options {
    Recorder::RequestSink sink = {};                 ///< as Recorder
    std::atomic<std::uint64_t>* progress = nullptr;  ///< as Recorder
    Observer* observer = nullptr;                    ///< sees the run too
    std::size_t read_ahead = LookAhead::kMost;       ///< as ServerOptions
  };

  /// At date 0. `scenario` and `system` must outlive the simulation. Uplink `simgrid` is computed as
  /// `analytic`.
  Simulation(const Scenario& scenario, const System& system, const Options& options);
  /// The same with requests from `stream`, in place of those of the scenario.
  Simulation(const Scenario& scenario, const System& system, const Options& options,
             std::unique_ptr<workloads::RequestStream> stream);
  /// A copy, seen by `observer` (may be null) from here on. Throws std::logic_error where the stream can't be
  /// copied.
  Simulation(const Simulation& other, Observer* observer);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  [[nodiscard]] ServingCore& core() { return *core_; }
  [[nodiscard]] const ServingCore& core() const { return *core_; }

  /// From here on another future, that of `branch`: all that has not been drawn yet is drawn from streams that
  /// are independent of this simulation's and of other branches' (RandomStream::split).
  void split(std::uint64_t branch) { stream_->split(branch); }

  /// To be called once, after the last event. Throws InvariantViolation where something was lost, and
  /// io::InputError where dates that nobody could foresee are too late for doubles.
  RunStatistics finish();

 private:
  [[nodiscard]] ServingParts parts(Observer* observer);

  const Scenario& scenario_;
  const System& system_;
  ServerOptions options_;
  std::unique_ptr<scheduler::Policy> policy_;
  std::unique_ptr<workloads::RequestStream> stream_;
  Recorder recorder_;
  std::unique_ptr<ServingCore> core_;
};

/// Simulates `system`. `sink` (may be empty) is given every request whose stay has ended, in order of its
/// number; `observers` see the run too. The SimGrid driver works once per process (engine.h). Throws
/// scheduler::PolicyError, InvariantViolation, and io::InputError where dates that nobody could foresee are too
/// late for doubles.
RunStatistics simulate(const Scenario& scenario, const System& system, Driver driver,
                       const Recorder::RequestSink& sink, std::atomic<std::uint64_t>* progress,
                       const std::vector<Observer*>& observers = {});

}  // namespace fluidbatch::sim
