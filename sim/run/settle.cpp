#include "sim/run/settle.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "sim/run/simulation.h"
#include "sim/run/stages.h"
#include "sim/scenario/scenario.h"

namespace fluidbatch::sim {
namespace {

/// Keeps the latencies of all requests, in order of their number.
class AllLatencies final : public Observer {
 public:
  explicit AllLatencies(const Scenario& scenario) {
    if (const auto requests = scenario.known_requests()) latencies_s_.reserve(std::min(*requests, kMost));
  }
  void completed(scheduler::RequestId /*id*/, const scheduler::Request& request) override {
    constexpr double kDropped = std::numeric_limits<double>::infinity();
    latencies_s_.push_back(request.dropped ? kDropped : request.completion_s - request.arrival_s);
  }
  [[nodiscard]] const std::vector<double>& latencies_s() const { return latencies_s_; }

 private:
  static constexpr std::uint64_t kMost = 100'000'000;  // as Recorder

  std::vector<double> latencies_s_;
};

/// `scenario` as a trial runs it: without what costs time and changes no statistic that counts here.
Scenario for_trials(const Scenario& scenario) {
  Scenario trial = scenario;
  trial.compute_bounds = false;
  trial.audit = false;
  if (trial.uplink.model == workloads::UplinkSpec::Model::simgrid) {
    trial.uplink.model = workloads::UplinkSpec::Model::analytic;
  }
  trial.settled = true;
  return trial;
}

class Settling {
 public:
  Settling(Scenario& scenario, const RunTrials& run_trials)
      : scenario_(scenario), trial_(for_trials(scenario)), run_trials_(run_trials) {}

  void run() {
    if (scenario_.until.empty()) {
      find_warmup();
    } else {
      find_length();
    }
    scenario_.length = trial_.length;
    scenario_.warmup_requests = trial_.warmup_requests;
    scenario_.warmup_at_end = trial_.warmup_at_end;
    scenario_.settled = true;
  }

 private:
  /// Of a run as long as the trial's.
  void find_warmup() {
    trial_.automatic_warmup = true;
    trial_.warmup_requests = 0;
    const std::vector<Trial> trials = run_trials_(trial_);
    trial_.automatic_warmup = false;
    trial_.warmup_at_end = false;
    for (const Trial& trial : trials) {
      trial_.warmup_requests = std::max(trial_.warmup_requests, trial.warmup.requests);
      trial_.warmup_at_end = trial_.warmup_at_end || trial.warmup.at_end;
    }
  }

  void find_length() {
    const std::uint64_t most = scenario_.known_requests().value_or(scenario_.length.requests);
    Stages stages(scenario_.automatic_warmup ? 0 : scenario_.warmup_requests, most);
    while (true) {
      trial_.length.requests = stages.requests();
      if (scenario_.automatic_warmup) find_warmup();
      if (stages.is_last()) return;  // whatever it gives
      const std::vector<Trial> trials = run_trials_(trial_);
      if (is_enough(trials)) return;
      double needed = 0;
      for (const Trial& trial : trials) {
        needed = std::max(needed, needed_requests(trial.statistics, scenario_.until));
      }
      stages.advance(needed);
    }
  }

  /// Whether all have reached all, or all have met the last request that comes.
  [[nodiscard]] bool is_enough(const std::vector<Trial>& trials) const {
    const auto reached = [&](const Trial& trial) { return reaches(trial.statistics, scenario_.until); };
    const auto ended = [&](const Trial& trial) { return trial.statistics.admitted < trial_.length.requests; };
    return std::ranges::all_of(trials, reached) || std::ranges::all_of(trials, ended);
  }

  Scenario& scenario_;
  Scenario trial_;
  const RunTrials& run_trials_;
};

}  // namespace

Trial run_trial(const Scenario& scenario, const System& system, RunWatch* watch) {
  if (!scenario.automatic_warmup) {
    return {.statistics = simulate(scenario, system, {.watch = watch}), .warmup = {}};
  }
  AllLatencies all(scenario);
  Trial trial{.statistics = simulate(scenario, system, {.observers = {&all}, .watch = watch}), .warmup = {}};
  trial.warmup = mser5(all.latencies_s());
  return trial;
}

void settle(Scenario& scenario, const RunTrials& run_trials) {
  if (scenario.is_open()) Settling(scenario, run_trials).run();
}

void settle(Scenario& scenario, const System& system, RunWatch* watch) {
  settle(scenario,
         [&](const Scenario& trial) { return std::vector<Trial>{run_trial(trial, system, watch)}; });
}

}  // namespace fluidbatch::sim
