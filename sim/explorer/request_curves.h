// What requests.csv shows of a run: how latencies are distributed, and how many requests wait.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace fluidbatch::sim {

/// What a page needs of the requests of one system.
struct Requests {
  std::vector<double> latencies_s;  ///< of the measured ones that were completed, in rising order
  std::size_t dropped = 0;          ///< of the measured ones
  std::vector<double> arrivals_s;   ///< of all that were completed, in rising order
  std::vector<double> starts_s;     ///< of the same, in rising order
  double end_s = 0;                 ///< the last completion
};

/// Reads requests.csv, of which the first `warmup` requests are not measured. Throws InputError.
Requests read_requests(const std::filesystem::path& file, std::size_t warmup);

/// The share of the latencies above some of them, from all to none, as `[[latency_s, share], ..]`: of up to
/// 2,000 each, of more every one of the largest 500, and the others at least 0.5 % apart in their share.
std::string exceedance_json(const std::vector<double>& latencies_s);

/// How many latencies are in each of `bins` of equal width from 0 on; those beyond the last are in one more.
std::vector<double> histogram(const std::vector<double>& latencies_s, double width_s, std::size_t bins);

/// The queue over time, in `bins` of equal length from 0 to the end: the mean over each, and the most.
struct QueueCurve {
  double width_s = 0;
  std::vector<double> mean;
  std::vector<double> most;
};

QueueCurve queue_curve(const Requests& requests, std::size_t bins);

}  // namespace fluidbatch::sim
