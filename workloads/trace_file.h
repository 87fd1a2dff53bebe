// Recorded arrivals: a CSV with arrival dates or time stamps, and perhaps devices and exits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "workloads/arrivals.h"

namespace fluidbatch::workloads {

/// Ticks of 100 ns since 1970 of `2023-11-16 18:17:03.9799600`: a date, a space or T, a time with up to seven
/// decimals, then nothing, `Z` or an offset such as `+01:00`. Nothing where the text is something else.
std::optional<std::int64_t> parse_time_stamp(std::string_view text);

struct Trace {
  std::filesystem::path file;
  std::vector<Arrival> arrivals;
  bool has_exits = false;
};

/// Reads a trace. Dates are the column `arrival_s` as it is, else the first column of time stamps relative to
/// its first row; then times `time_scale`. Columns `exit` and `device` are read where there; all others are
/// passed over. Throws InputError: no dates, a gap, a broken line, a date that falls, no row.
Trace load_trace(const std::filesystem::path& file, double time_scale);

/// The column `exit` of a CSV, each in 0 .. exits - 1. Throws InputError.
std::vector<int> load_exits(const std::filesystem::path& file, int exits);

}  // namespace fluidbatch::workloads
