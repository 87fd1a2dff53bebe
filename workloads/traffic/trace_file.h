// Recorded arrivals: a CSV with arrival dates or time stamps, and perhaps devices and exits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "workloads/io/decimal.h"
#include "workloads/traffic/arrivals.h"

namespace fluidbatch::workloads {

/// Ticks of 100 ns since 1970 of `2023-11-16 18:17:03.9799600`: a date, a space or T, a time with up to seven
/// decimals, then nothing, `Z` or an offset such as `+01:00`. Nothing where the text is something else.
std::optional<std::int64_t> parse_time_stamp(std::string_view text);

/// The same in seconds.
std::optional<io::Decimal> time_stamp_s(std::string_view text);

/// More devices than this are taken for a mistake (a hash in the column `device`, say).
inline constexpr std::uint32_t kMostDevices = 1U << 20;

/// The last date of a trace: up to it a double is exact to 1e-9 s (half of its last bit).
inline constexpr double kLastTraceDate_s = 1 << 24;

/// Of the columns `arrival_s` and `sent_s`: each the power of ten of seconds that it is.
enum class TimeUnit : std::int8_t { s = 0, ms = -3, us = -6, ns = -9 };

/// The unit in seconds, as a power of ten.
constexpr int power_of_ten(TimeUnit unit) { return static_cast<int>(unit); }

/// How the dates of a trace are to be understood.
struct TraceOptions {
  /// Which date of the trace is 0.
  enum class Origin {
    first_row,  ///< the first row's; where the trace has dates of sending, the earliest of those
    zero,       ///< 0, as in a run's own requests.csv
    given       ///< `origin_s`
  };

  double time_scale = 1;
  /// The slice: rows dated from_s <= date < to_s, in seconds after the origin. Time then counts from from_s.
  double from_s = 0;
  double to_s = std::numeric_limits<double>::infinity();
  /// Where there is an uplink: a column `sent_s` counts instead of `arrival_s`, and rows are put in its
  /// order.
  bool dates_of_sending = false;
  TimeUnit time_unit = TimeUnit::s;
  Origin origin = Origin::first_row;
  io::Decimal origin_s = {};
};

/// What was read of a trace.
struct Trace {
  std::filesystem::path file;
  std::vector<Arrival> arrivals;
  bool has_exits = false;
};

/// Whether a CSV is a run's requests.csv, whose dates count from the begin of that run. Throws InputError.
bool counts_from_its_run(const std::filesystem::path& file);

/// Reads a trace. Dates are the column `arrival_s`, else the first column of time stamps. They are read
/// exactly as decimals, taken relative to the origin, sliced, and then multiplied by `time_scale`. Columns
/// `exit`, `correct`, `device` and `sent_s` are read where there; all others are passed over. Throws
/// InputError: no dates, a gap, a broken line, a date that falls or is beyond kLastTraceDate_s, no row in the
/// slice.
Trace load_trace(const std::filesystem::path& file, const TraceOptions& options);

/// The column `exit` of a CSV, each in 0 .. exits - 1. Throws InputError.
std::vector<int> load_exits(const std::filesystem::path& file, int exits);

}  // namespace fluidbatch::workloads
