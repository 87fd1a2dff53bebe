// series.csv: a run as a series over time, a row per interval.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "sim/core/observer.h"
#include "sim/output/columns.h"

namespace fluidbatch::sim {

/// The columns of series.csv, those of exits included.
std::vector<ColumnDeclaration> series_columns();

/// Observes a run, and writes a row for each interval of time.
class Series final : public Observer {
 public:
  static constexpr std::size_t kMostRows = 10'000'000;

  /// An interval: the counts at its end, and sums over it.
  struct Row {
    int queue = 0;
    int in_flight = 0;
    double busy_s = 0;
    double batch_seconds = 0;
    int completed = 0;
    double latency_s = 0;
  };
  /// What it tells of exits: sums over the requests that left in it.
  struct ExitRow {
    double threshold = 0;
    int judged = 0;
    int correct = 0;
  };

  /// What of exits the columns tell.
  struct Exits {
    bool told = false;  ///< there are such columns
    /// By service, in force at each early exit; empty where an exit control moves them.
    std::vector<std::vector<double>> fixed_thresholds = {};
    std::vector<std::size_t> service_of_device = {};
  };

  Series(double interval_s, std::size_t npus, Exits exits)
      : interval_s_(interval_s), npus_(npus), exits_(std::move(exits)) {}

  void admitted(scheduler::RequestId id, const scheduler::Request& request) override;
  void started(double date_s, int samples, bool preempting) override;
  void stepped(const Step& step) override;
  void departed(const scheduler::Request& request) override;

  /// Writes the table up to the interval in which the last request left.
  void write(const std::filesystem::path& file) const;
  /// The same as text.
  [[nodiscard]] std::string csv() const;

 private:
  /// Throws io::InputError beyond kMostRows.
  Row& row_at(double date_s);
  [[nodiscard]] std::string header() const;
  void append_row(std::string& text, std::size_t index) const;
  void add_exit(const scheduler::Request& request);
  [[nodiscard]] double threshold_of(const scheduler::Request& request) const;

  double interval_s_;
  std::size_t npus_;
  Exits exits_;
  std::vector<Row> rows_;
  std::vector<ExitRow> exit_rows_;  // up to the last interval in which one left; empty where nothing is told
  int queue_ = 0;
  int in_flight_ = 0;
};

}  // namespace fluidbatch::sim
