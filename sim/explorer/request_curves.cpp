#include "sim/explorer/request_curves.h"

#include <algorithm>
#include <cmath>

#include "sim/explorer/page_data.h"
#include "workloads/io/csv.h"

namespace fluidbatch::sim {
namespace {

/// Places in the rising order of `count` values that a curve needs.
std::vector<std::size_t> places_of(std::size_t count) {
  constexpr std::size_t kAll = 2000;
  constexpr std::size_t kLargest = 500;
  constexpr double kStep = 1.005;
  std::vector<std::size_t> above;  // how many are above each
  for (std::size_t k = 0; k < count;) {
    above.push_back(k);
    const auto next = static_cast<std::size_t>(std::floor(static_cast<double>(k) * kStep));
    k = count <= kAll || k < kLargest ? k + 1 : std::max(k + 1, next);
  }
  if (!above.empty() && above.back() != count - 1) above.push_back(count - 1);
  std::vector<std::size_t> places;
  places.reserve(above.size());
  for (const std::size_t k : above) places.push_back(count - 1 - k);
  std::ranges::reverse(places);
  return places;
}

}  // namespace

Requests read_requests(const std::filesystem::path& file, std::size_t warmup) {
  io::CsvReader rows(file);
  const std::size_t arrival = rows.required_column("arrival_s");
  const std::size_t start = rows.required_column("start_s");
  const std::size_t completion = rows.required_column("completion_s");
  const std::size_t latency = rows.required_column("latency_s");
  Requests requests;
  for (std::size_t number = 0; rows.next(); ++number) {
    const bool measured = number >= warmup;
    if (rows.is_gap(start) || rows.is_gap(latency)) {
      if (measured) ++requests.dropped;
      continue;
    }
    requests.arrivals_s.push_back(rows.number(arrival));
    requests.starts_s.push_back(rows.number(start));
    requests.end_s = std::max(requests.end_s, rows.number(completion));
    if (measured) requests.latencies_s.push_back(rows.number(latency));
  }
  for (auto* values : {&requests.latencies_s, &requests.arrivals_s, &requests.starts_s})
    std::ranges::sort(*values);
  return requests;
}

std::string exceedance_json(const std::vector<double>& latencies_s) {
  std::string json = "[";
  const auto count = static_cast<double>(latencies_s.size());
  for (const std::size_t place : places_of(latencies_s.size())) {
    if (json.size() > 1) json += ',';
    json += '[';
    append_json_number(json, latencies_s[place]);
    json += ',';
    append_json_number(json, (count - 1 - static_cast<double>(place)) / count);
    json += ']';
  }
  return json + "]";
}

std::vector<double> histogram(const std::vector<double>& latencies_s, double width_s, std::size_t bins) {
  std::vector<double> counts(bins + 1, 0.0);
  for (const double latency_s : latencies_s) {
    const double place = std::clamp(latency_s / width_s, 0.0, static_cast<double>(bins));
    counts[static_cast<std::size_t>(place)] += 1;
  }
  return counts;
}

QueueCurve queue_curve(const Requests& requests, std::size_t bins) {
  QueueCurve curve{.width_s = requests.end_s / static_cast<double>(bins),
                   .mean = std::vector<double>(bins, 0.0),
                   .most = std::vector<double>(bins, 0.0)};
  if (!(curve.width_s > 0)) return {};
  std::size_t arrived = 0;
  std::size_t started = 0;
  double now_s = 0;
  for (std::size_t bin = 0; bin < bins; ++bin) {
    const double end_s = curve.width_s * static_cast<double>(bin + 1);
    while (now_s < end_s) {
      const auto queue = static_cast<double>(arrived - started);
      double next_s = end_s;
      if (arrived < requests.arrivals_s.size()) next_s = std::min(next_s, requests.arrivals_s[arrived]);
      if (started < arrived) next_s = std::min(next_s, requests.starts_s[started]);
      curve.mean[bin] += queue * (next_s - now_s) / curve.width_s;
      if (next_s > now_s) curve.most[bin] = std::max(curve.most[bin], queue);
      now_s = next_s;
      // Who starts at once is never seen to wait.
      while (arrived < requests.arrivals_s.size() && requests.arrivals_s[arrived] <= now_s) ++arrived;
      while (started < arrived && requests.starts_s[started] <= now_s) ++started;
    }
  }
  return curve;
}

}  // namespace fluidbatch::sim
