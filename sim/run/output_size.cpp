#include "sim/run/output_size.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "sim/output/series.h"
#include "sim/run/run.h"
#include "sim/scenario/expected_length.h"
#include "sim/scenario/scenario.h"
#include "workloads/io/input_error.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

namespace fs = std::filesystem;

constexpr double kGigabyte = 1e9;

// Measured on the shipped networks at loads from 0.3 to 1: 155 to 171, 501 to 788 and 574 to 640 bytes.
constexpr double kBytesPerRow = 160;
constexpr double kTimelineBytesPerRequest = 700;
constexpr double kTimelineBytesPerFollowed = 640;

/// Requests that the timeline follows, of the first `requests`.
double followed(const std::vector<RequestRange>& ranges, double requests) {
  double sum = 0;
  for (const RequestRange& range : ranges) {
    const double end = std::min(static_cast<double>(range.last) + 1, requests);
    sum += std::max(0.0, end - static_cast<double>(range.first));
  }
  return std::min(sum, requests);
}

/// The part of a run of about `last_s` that a timeline shows; all of it where the length is not known.
double shown_share(const TimelineOptions& timeline, double last_s) {
  if (!(last_s > 0)) return 1;
  return std::clamp((std::min(timeline.to_s, last_s) - timeline.from_s) / last_s, 0.0, 1.0);
}

/// Bytes that are free where `folder` is or is going to be; infinity where the system does not tell.
double free_bytes(fs::path folder) {
  std::error_code error;
  folder = fs::absolute(folder, error);
  while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  const fs::space_info space = fs::space(folder, error);
  if (error) return std::numeric_limits<double>::infinity();
  return static_cast<double>(space.available);
}

void check_rows(double last_s, double interval_s) {
  const double rows = last_s / interval_s;
  if (std::isnan(rows) || rows <= static_cast<double>(Series::kMostRows)) return;
  throw io::InputError(
      fmt::format("--series: rows every {} s of a run of about {} s are {:.3g}, at most {} are allowed",
                  io::shortest(interval_s), io::shortest(last_s), rows, Series::kMostRows));
}

}  // namespace

std::string check_output_sizes(const Scenario& scenario, const RunOptions& options) {
  if (!options.folder) return {};
  const ExpectedLength length = expected_length(scenario);
  if (options.series_s) check_rows(length.last_arrival_s, *options.series_s);
  if (std::isnan(length.requests)) return {};
  const auto systems = static_cast<double>(scenario.systems.size());
  double bytes = 0;
  double copied = 0;  // of one system at a time, until its part has been removed
  std::string what;
  std::string cure;
  if (options.requests_csv) {
    bytes += systems * length.requests * kBytesPerRow;
    what = "requests.csv";
    cure = "outputs.requests_csv=false leaves requests.csv out";
  }
  if (options.timeline) {
    const double of_one = shown_share(*options.timeline, length.last_arrival_s) *
                          (length.requests * kTimelineBytesPerRequest +
                           followed(options.timeline->followed, length.requests) * kTimelineBytesPerFollowed);
    bytes += systems * of_one;
    copied = of_one;
    what += what.empty() ? "timeline.json" : " and timeline.json";
    cure +=
        cure.empty()
            ? "take fewer requests"
            : "; take fewer requests for a timeline, or a part of it by --timeline-from and --timeline-to";
  }
  const std::string size = fmt::format("{} of {} system{} will take about {:.3g} GB", what,
                                       scenario.systems.size(), systems == 1 ? "" : "s", bytes / kGigabyte);
  const double available = free_bytes(*options.folder);
  if (bytes + copied > available) {
    const std::string more =
        copied > 0 ? fmt::format(", and {:.3g} GB more until it is complete", copied / kGigabyte) : "";
    throw io::InputError(fmt::format("{}: {}{}; {:.3g} GB are free there. {}", options.folder->string(), size,
                                     more, available / kGigabyte, cure));
  }
  return bytes > kGigabyte ? size : std::string();
}

}  // namespace fluidbatch::sim
