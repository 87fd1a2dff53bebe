// Recorded arrivals: a CSV with arrival dates or time stamps, and perhaps devices and exits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "workloads/arrivals.h"

namespace fluidbatch::workloads {

/// Ticks of 100 ns since 1970 of `2023-11-16 18:17:03.9799600`: a date, a space or T, a time with up to seven
/// decimals, then nothing, `Z` or an offset such as `+01:00`. Nothing where the text is something else.
std::optional<std::int64_t> parse_time_stamp(std::string_view text);

/// More devices than this are taken for a mistake (a hash in the column `device`, say).
inline constexpr std::uint32_t kMostDevices = 1U << 20;

struct TraceOptions {
  double time_scale = 1;
  /// The slice: rows dated from_s <= date < to_s in the trace's own time, which then counts from from_s.
  double from_s = 0;
  double to_s = std::numeric_limits<double>::infinity();
  /// Where there is an uplink: a column `sent_s` counts instead of `arrival_s`, and rows are put in its
  /// order.
  bool dates_of_sending = false;
};

struct Trace {
  std::filesystem::path file;
  std::vector<Arrival> arrivals;
  bool has_exits = false;
};

/// Reads a trace. Dates are the column `arrival_s` as it is, else the first column of time stamps relative to
/// its first row; then sliced, then times `time_scale`. Columns `exit`, `correct`, `device` and `sent_s` are
/// read where there; all others are passed over. Throws InputError: no dates, a gap, a broken line, a date
/// that falls, no row in the slice.
Trace load_trace(const std::filesystem::path& file, const TraceOptions& options);

/// The column `exit` of a CSV, each in 0 .. exits - 1. Throws InputError.
std::vector<int> load_exits(const std::filesystem::path& file, int exits);

}  // namespace fluidbatch::workloads
