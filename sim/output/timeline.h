// timeline.json: a run as Chrome trace events, which Perfetto (ui.perfetto.dev) and chrome://tracing open.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "sim/core/observer.h"
#include "sim/output/output_file.h"

namespace fluidbatch::sim {

/// Numbers of the requests that a timeline follows one by one: first .. last.
struct RequestRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

/// A track for the NPU (a slice per segment: batch size, <B_R, B_P, k> of its layers), one for suspended
/// batches, a counter of the queue, one of each early exit's threshold where these are decided at run time,
/// and on demand a row per request with an arrow from its first slice to its last.
class Timeline final : public Observer {
 public:
  Timeline(const std::filesystem::path& file, const npu::BatchPolicyTable& table,
           std::vector<RequestRange> followed);

  void admitted(scheduler::RequestId id, const scheduler::Request& request) override;
  void started(double date_s, int samples, bool preempting) override;
  void suspended(double date_s, const FbeRegisters& registers) override;
  void stepped(const Step& step) override;
  void exit_decided(double date_s, int exit, double threshold) override;
  void departed(const scheduler::Request& request) override;
  void resumed(double date_s) override { end_suspension(date_s); }
  void merged(double date_s) override { end_suspension(date_s); }
  void completed(scheduler::RequestId id, const scheduler::Request& request) override;

  void close();

 private:
  struct Suspension {
    double begin_s = 0;
    FbeRegisters registers;
  };

  void event(const std::string& fields);
  void queue_changes(double date_s, int by);
  void end_suspension(double date_s);
  [[nodiscard]] std::string policies(int first_layer, int end_layer, int batch) const;

  OutputFile file_;
  const npu::BatchPolicyTable& table_;
  std::vector<RequestRange> followed_;
  std::vector<Suspension> suspensions_;
  std::vector<double> thresholds_;  // of each early exit, as last written
  int queue_ = 0;
  bool first_event_ = true;
  std::string buffer_;
};

}  // namespace fluidbatch::sim
