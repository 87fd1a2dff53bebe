#include "sim/scenario/least_npu_time.h"

#include <cstddef>

#include "scheduler/expected_latency.h"

namespace fluidbatch::sim {
namespace {

/// Expected seconds from the first layer to the last one for a batch that starts with `batch` samples. A
/// segment's latency is taken at the expected number of samples that reach it.
double expected_time_s(const npu::BatchPolicyTable& table, const std::vector<double>& exit_rates, int batch) {
  double time_s = 0;
  double left = batch;
  for (int segment = 0; segment < table.segments(); ++segment) {
    if (segment > 0) left *= 1 - exit_rates[static_cast<std::size_t>(segment) - 1];
    time_s += scheduler::expected_latency_s(table, table.segment_begin(segment),
                                            table.segment_begin(segment + 1), left);
  }
  return time_s;
}

}  // namespace

LeastNpuTime least_npu_time(const npu::BatchPolicyTable& table, const std::vector<double>& exit_rates) {
  LeastNpuTime least{.request_s = expected_time_s(table, exit_rates, 1), .batch = 1};
  for (int batch = 2; batch <= table.max_batch(); ++batch) {
    const double request_s = expected_time_s(table, exit_rates, batch) / batch;
    if (request_s < least.request_s) least = {.request_s = request_s, .batch = batch};
  }
  return least;
}

}  // namespace fluidbatch::sim
