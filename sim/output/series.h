// series.csv: a run as a series over time, a row per interval.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "sim/core/observer.h"

namespace fluidbatch::sim {

/// Columns: `t_s` (end of the interval), `queue` and `in_flight` (then), `mean_batch` (over the busy time),
/// `busy_fraction`, `completed` and `mean_latency_s` (of those that completed in it; empty where nobody did).
class Series final : public Observer {
 public:
  static constexpr std::size_t kMostRows = 10'000'000;

  explicit Series(double interval_s) : interval_s_(interval_s) {}

  void admitted(scheduler::RequestId id, const scheduler::Request& request) override;
  void started(double date_s, int samples, bool preempting) override;
  void stepped(const Step& step) override;
  void departed(const scheduler::Request& request) override;

  /// Writes the table up to the interval in which the last request left.
  void write(const std::filesystem::path& file) const;

 private:
  struct Row {
    int queue = 0;
    int in_flight = 0;
    double busy_s = 0;
    double batch_seconds = 0;
    int completed = 0;
    double latency_s = 0;
  };

  /// Throws io::InputError beyond kMostRows.
  Row& row_at(double date_s);

  double interval_s_;
  std::vector<Row> rows_;
  int queue_ = 0;
  int in_flight_ = 0;
};

}  // namespace fluidbatch::sim
