#include "sim/output/series.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/output/output_file.h"
#include "workloads/io/input_error.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

struct SeriesRow {
  double end_s = 0;
  double npu_time_s = 0;  // of all NPUs in the interval
  const Series::Row& counts;
  Series::ExitRow exits;
};

double mean(double sum, int count) {
  return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
}

using Row = SeriesRow;
using Type = ColumnType;

constexpr std::array kColumnsWithExits{
    Column<Row>{{"t_s", "s", Type::number, "end of the interval"}, [](const Row& row) { return row.end_s; }},
    Column<Row>{{"queue", "", Type::whole, "requests in the queue, then"},
                [](const Row& row) { return static_cast<double>(row.counts.queue); }},
    Column<Row>{{"in_flight", "", Type::whole, "requests in a batch, then"},
                [](const Row& row) { return static_cast<double>(row.counts.in_flight); }},
    Column<Row>{{"mean_batch", "samples", Type::number, "mean active batch size over the busy time in it"},
                [](const Row& row) {
                  return row.counts.busy_s > 0 ? row.counts.batch_seconds / row.counts.busy_s : 0.0;
                }},
    Column<Row>{{"busy_fraction", "1", Type::number,
                 "share of it in which the NPU runs a step; of several, their mean"},
                [](const Row& row) { return row.counts.busy_s / row.npu_time_s; }},
    Column<Row>{{"completed", "", Type::whole, "requests completed in it"},
                [](const Row& row) { return static_cast<double>(row.counts.completed); }},
    Column<Row>{{"mean_latency_s", "s", Type::number, "of those; empty where there are none"},
                [](const Row& row) { return mean(row.counts.latency_s, row.counts.completed); }},
    Column<Row>{{"threshold", "1", Type::number,
                 "mean over those of the confidence asked for where they left; here and below empty where "
                 "there are none, and only where exits come from confidences or are decided at run time"},
                [](const Row& row) { return mean(row.exits.threshold, row.counts.completed); }},
    Column<Row>{{"accuracy", "1", Type::number, "share of right answers of those of which that is known"},
                [](const Row& row) { return mean(row.exits.correct, row.exits.judged); }},
};
constexpr auto kColumns = without_last<2>(kColumnsWithExits);

}  // namespace

std::vector<ColumnDeclaration> series_columns() { return declarations_of(kColumnsWithExits); }

/// The row of the interval that `date_s` falls in. Rows on the way get the counts as they have been.
Series::Row& Series::row_at(double date_s) {
  const double row = date_s / interval_s_;
  if (!(row < static_cast<double>(kMostRows))) {
    throw io::InputError("--series: rows every " + io::shortest(interval_s_) + " s are more than " +
                         std::to_string(kMostRows) + " at " + io::shortest(date_s) + " s of the run");
  }
  const auto index = static_cast<std::size_t>(row);
  while (rows_.size() <= index) rows_.push_back({.queue = queue_, .in_flight = in_flight_});
  return rows_[index];
}

void Series::admitted(scheduler::RequestId /*id*/, const scheduler::Request& request) {
  Row& row = row_at(request.arrival_s);
  row.queue = ++queue_;
  row.in_flight = in_flight_;
}

void Series::started(double date_s, int samples, bool /*preempting*/) {
  Row& row = row_at(date_s);
  row.queue = queue_ -= samples;
  row.in_flight = in_flight_ += samples;
}

void Series::stepped(const Step& step) {
  row_at(step.end_s);
  double from_s = step.begin_s;
  for (auto i = static_cast<std::size_t>(from_s / interval_s_); from_s < step.end_s; ++i) {
    const double to_s = std::min(step.end_s, static_cast<double>(i + 1) * interval_s_);
    if (to_s > from_s) {
      rows_[i].busy_s += to_s - from_s;
      rows_[i].batch_seconds += (to_s - from_s) * step.batch;
      from_s = to_s;
    }
  }
}

/// In force where it left; of the last early exit, where it left by none.
double Series::threshold_of(const scheduler::Request& request) const {
  const std::vector<double>& fixed = exits_.fixed_thresholds[exits_.service_of_device[request.device]];
  if (fixed.empty()) return request.threshold;
  return fixed[std::min(static_cast<std::size_t>(request.exit), fixed.size() - 1)];
}

/// To the last interval, in which it has left.
void Series::add_exit(const scheduler::Request& request) {
  exit_rows_.resize(rows_.size());
  ExitRow& row = exit_rows_.back();
  row.threshold += threshold_of(request);
  row.judged += request.correct >= 0 ? 1 : 0;
  row.correct += request.correct == 1 ? 1 : 0;
}

void Series::departed(const scheduler::Request& request) {
  Row& row = row_at(request.completion_s);
  if (request.dropped) {
    row.queue = --queue_;
    return;
  }
  row.in_flight = --in_flight_;
  ++row.completed;
  row.latency_s += request.completion_s - request.arrival_s;
  if (exits_.told) add_exit(request);
}

std::string Series::header() const {
  return exits_.told ? csv_header_of(kColumnsWithExits) : csv_header_of(kColumns);
}

void Series::append_row(std::string& text, std::size_t index) const {
  const SeriesRow row{.end_s = static_cast<double>(index + 1) * interval_s_,
                      .npu_time_s = interval_s_ * static_cast<double>(npus_),
                      .counts = rows_[index],
                      .exits = index < exit_rows_.size() ? exit_rows_[index] : ExitRow{}};
  if (exits_.told) {
    append_csv_row<kColumnsWithExits>(text, row);
  } else {
    append_csv_row<kColumns>(text, row);
  }
}

std::string Series::csv() const {
  std::string text = header();
  for (std::size_t i = 0; i < rows_.size(); ++i) append_row(text, i);
  return text;
}

void Series::write(const std::filesystem::path& file) const {
  constexpr std::size_t kPiece = std::size_t{1} << 16;
  OutputFile output(file);
  std::string text = header();
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    append_row(text, i);
    if (text.size() < kPiece) continue;
    output.write(text);
    text.clear();
  }
  output.write(text);
  output.close();
}

}  // namespace fluidbatch::sim
