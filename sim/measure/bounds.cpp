#include "sim/measure/bounds.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <queue>
#include <vector>

namespace fluidbatch::sim {
namespace {

using Cost = std::function<double(const npu::BatchPolicyTable& table, int layer, int batch)>;

/// For each exit, the sum over its layers of the least cost over all tables, of the same network, and all
/// their batch sizes.
std::vector<double> least_by_exit(std::span<const npu::BatchPolicyTable* const> tables, const Cost& cost) {
  const npu::BatchPolicyTable& network = *tables.front();
  std::vector<double> by_exit(static_cast<std::size_t>(network.segments()));
  double sum = 0;
  for (int l = 0; l < network.layers(); ++l) {
    double least = std::numeric_limits<double>::infinity();
    for (const npu::BatchPolicyTable* table : tables) {
      for (int b = 1; b <= table->max_batch(); ++b) least = std::min(least, cost(*table, l, b));
    }
    sum += least;
    by_exit[static_cast<std::size_t>(network.layer(l).segment)] = sum;
  }
  return by_exit;
}

/// Preemptive shortest remaining first on one server.
class ShortestRemainingFirst {
 public:
  struct Job {
    double remaining_s;
    double arrival_s;
    bool operator>(const Job& other) const { return remaining_s > other.remaining_s; }
  };

  void arrive(const Job& job) {
    run_until(job.arrival_s);
    jobs_.push(job);
  }

  /// Serves up to `date_s`; the server is at that date then, or idle before it.
  void run_until(double date_s) {
    while (!jobs_.empty()) {
      Job job = jobs_.top();
      if (now_s_ + job.remaining_s > date_s) {
        jobs_.pop();
        job.remaining_s -= date_s - now_s_;
        jobs_.push(job);
        break;
      }
      jobs_.pop();
      now_s_ += job.remaining_s;
      sum_s_ += now_s_ - job.arrival_s;
    }
    if (date_s < std::numeric_limits<double>::infinity()) now_s_ = date_s;
  }

  [[nodiscard]] double sum_s() const { return sum_s_; }

 private:
  std::priority_queue<Job, std::vector<Job>, std::greater<>> jobs_;
  double now_s_ = 0;
  double sum_s_ = 0;
};

}  // namespace

LatencyBounds latency_bounds(const npu::BatchPolicyTable& table, workloads::RequestStream& stream,
                             std::uint64_t warmup_requests, const RunWatch* watch) {
  return latency_bounds(std::array{&table}, stream, warmup_requests, watch);
}

LatencyBounds latency_bounds(std::span<const npu::BatchPolicyTable* const> tables,
                             workloads::RequestStream& stream, std::uint64_t warmup_requests,
                             const RunWatch* watch) {
  constexpr std::uint64_t kCheckEvery = 1024;
  const auto latency = [](const npu::BatchPolicyTable& table, int l, int b) {
    return table.latency_s(l, l + 1, b);
  };
  const std::vector<double> unloaded = least_by_exit(tables, latency);
  std::vector<double> work = least_by_exit(
      tables, [&](const npu::BatchPolicyTable& table, int l, int b) { return latency(table, l, b) / b; });
  for (double& work_s : work) work_s /= static_cast<double>(tables.size());
  ShortestRemainingFirst server;
  double unloaded_sum_s = 0;
  std::uint64_t number = 0;
  workloads::Arrival request;
  while (stream.next_event_s() < workloads::RequestStream::kNever) {
    if (!stream.advance(request)) continue;
    if (number % kCheckEvery == 0) check_wanted(watch);
    if (number++ < warmup_requests) continue;
    const auto exit = static_cast<std::size_t>(request.exit);
    server.arrive({.remaining_s = work[exit], .arrival_s = request.date_s});
    unloaded_sum_s += unloaded[exit];
  }
  server.run_until(std::numeric_limits<double>::infinity());
  const auto count = number > warmup_requests ? static_cast<double>(number - warmup_requests)
                                              : std::numeric_limits<double>::quiet_NaN();
  return {.mean_unloaded_s = unloaded_sum_s / count, .mean_clairvoyant_s = server.sum_s() / count};
}

}  // namespace fluidbatch::sim
