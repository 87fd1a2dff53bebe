// The arrival processes from plain values. Reading one from YAML ends in the same calls.
//
// All throw std::invalid_argument for values out of the ranges that docs/configuration.md gives.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "workloads/traffic/arrivals.h"
#include "workloads/traffic/rate_profile.h"

namespace fluidbatch::workloads {

/// Independent exponential gaps.
std::unique_ptr<ArrivalSpec> make_poisson(double rate_hz);

/// A camera's: sample n is sent at phase + n periods + a delay that is uniform from 0 to the jitter.
struct Cadence {
  double period_s = 0;
  /// Date of the first sample; NaN: drawn for each device, uniform over a period.
  double phase_s = std::numeric_limits<double>::quiet_NaN();
  double jitter_s = 0;
};
std::unique_ptr<ArrivalSpec> make_periodic(const Cadence& cadence);

/// Independent gamma gaps with a coefficient of variation of `cv`.
std::unique_ptr<ArrivalSpec> make_gamma(double rate_hz, double cv);

/// Poisson at the rate of a state; states take turns, each for an exponential time with mean duration_s.
std::unique_ptr<ArrivalSpec> make_mmpp(std::vector<RatePiece> states);

/// Poisson at the rate of each piece in turn; with `repeat` from the beginning again, else the last piece
/// goes on for ever.
std::unique_ptr<ArrivalSpec> make_spike(std::vector<RatePiece> pieces, bool repeat = true);

/// Clients that wait for each answer, and think.
struct ClosedLoop {
  std::uint32_t clients = 1;
  double think_time_s = 0;  ///< above 0; the mean, where exponential
  bool exponential = true;  ///< otherwise constant
};
std::unique_ptr<ArrivalSpec> make_closed_loop(const ClosedLoop& loop);

/// Arrivals that are known one by one, in order of date. Where each has its exit (not -1), exits can be those
/// of the arrivals (exits.h).
std::unique_ptr<ArrivalSpec> make_recorded(std::vector<Arrival> arrivals);

}  // namespace fluidbatch::workloads
