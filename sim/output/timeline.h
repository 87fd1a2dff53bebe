// What a system does in a run, as Chrome trace events: its part of timeline.json.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "sim/core/observer.h"
#include "sim/output/trace_events.h"

namespace fluidbatch::sim {

/// Numbers of the requests that a timeline follows one by one: first .. last.
struct RequestRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

/// What a timeline shows of a run.
struct TimelineOptions {
  std::vector<RequestRange> followed;                     ///< requests that have a row each
  double from_s = 0;                                      ///< what ends before is left out
  double to_s = std::numeric_limits<double>::infinity();  ///< what begins later, likewise
};

/// What is served where. The tables must outlive the timeline.
struct TimelineShape {
  std::string system;                                             ///< its label, the name of the process
  TraceProcess process = {};                                      ///< the system, among those of the run
  std::vector<std::vector<const npu::BatchPolicyTable*>> tables;  ///< by NPU and service
  std::vector<std::string> npus = {};                             ///< their names, where there are several
  std::vector<std::string> services = {};                         ///< likewise
  std::vector<std::size_t> service_of_device = {};                ///< where there are several services
};

/// A track for each NPU (a slice per segment: batch size, <B_R, B_P, k> of its layers; where there are
/// several services, whose, in a colour of its own), one for its suspended batches and those that another
/// service has pushed off it, a counter of each queue and of each NPU's batch size, one of each early exit's
/// threshold where these are decided at run time, and on demand a row per request with an arrow from its
/// first slice to its last, where these are two. Of counters that change before `from_s`, the last value is
/// written there.
class Timeline final : public Observer {
 public:
  /// `part`: a file for the events, which `join_trace_events` puts into timeline.json.
  Timeline(const std::filesystem::path& part, TimelineShape shape, TimelineOptions options);

  void turn_to(std::size_t npu, std::size_t service) override;
  void admitted(scheduler::RequestId id, const scheduler::Request& request) override;
  void started(double date_s, int samples, bool preempting) override;
  void suspended(double date_s, const FbeRegisters& registers) override;
  void parked(double date_s) override;
  void came_back(double date_s) override;
  void stepped(const Step& step) override;
  void exit_decided(double date_s, int exit, double threshold) override;
  void departed(const scheduler::Request& request) override;
  void resumed(double date_s) override { end_suspension(date_s); }
  void merged(double date_s) override { end_suspension(date_s); }
  void completed(scheduler::RequestId id, const scheduler::Request& request) override;

  void close();

 private:
  /// A service on an NPU.
  struct Lane {
    const npu::BatchPolicyTable* table = nullptr;
    std::string of;                  // what its counters are of: nothing where there is one lane
    std::string slices;              // how the names of its slices begin, likewise
    const char* colour = nullptr;    // of its slices
    std::vector<double> thresholds;  // of each early exit, as last written
    int queue = 0;
  };
  struct Suspension {
    double begin_s = 0;
    FbeRegisters registers;
  };
  struct ParkedStack {
    double begin_s = 0;
    int samples = 0;
    int next_layer = 0;  // of its active batch
  };
  /// The batches that wait on an NPU for those above them. What is suspended or parked last ends first.
  struct NpuState {
    std::vector<Suspension> suspensions;
    std::vector<ParkedStack> parked;
    int samples = 0;           // in the batches that are not parked
    int next_layer = 0;        // of the active batch, at its last boundary
    int batch = 0;             // as last written
    double slice_begin_s = 0;  // of the last slice, with what comes before its layers
    double slice_end_s = 0;
  };
  /// What a counter was last, before `from_s`.
  struct HeldCounter {
    const char* series = nullptr;
    std::string value;
  };

  [[nodiscard]] std::size_t services() const { return shape_.tables.front().size(); }
  [[nodiscard]] Lane& lane() { return lanes_[npu_ * services() + service_]; }
  [[nodiscard]] int npu_track(std::size_t npu) const { return static_cast<int>(2 * npu) + 1; }
  [[nodiscard]] int waiting_track() const { return npu_track(npu_) + 1; }
  void add_npu(std::size_t npu);
  [[nodiscard]] bool shows(double begin_s, double end_s) const {
    return end_s >= options_.from_s && begin_s <= options_.to_s;
  }
  void slice(int track, const std::string& name, double begin_s, double end_s, const std::string& arguments);
  void counter(const std::string& name, double date_s, const char* series, const std::string& value);
  void write_held(const std::string& name, const HeldCounter& held);
  void queue_changes(double date_s, int by);
  void batch_changes(std::size_t npu, double date_s, int batch);
  void served(double from_s, double begin_s, double end_s, int batch);
  void arrow(scheduler::RequestId id, const scheduler::Request& request);
  void end_suspension(double date_s);

  TimelineShape shape_;
  TimelineOptions options_;
  std::map<std::string, HeldCounter> held_;  // by name
  std::multiset<std::array<double, 4>>
      in_one_slice_;         // stays of requests that are not told of as completed yet
  std::vector<Lane> lanes_;  // NPU by NPU
  std::vector<NpuState> npus_;
  std::size_t npu_ = 0;  // of what is told next
  std::size_t service_ = 0;
  TraceEvents events_;
};

}  // namespace fluidbatch::sim
