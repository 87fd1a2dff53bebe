// Arrival processes of a scenario that is being built: their rates may be relative to a reference, which is
// known only in the end.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "workloads/traffic/arrivals.h"
#include "workloads/traffic/processes.h"

namespace fluidbatch::sim {

/// Makes a process when all that it may need is known.
using ArrivalProcess =
    std::function<std::shared_ptr<const workloads::ArrivalSpec>(const workloads::ArrivalContext&)>;

/// A recorded sample: what a row of a trace is.
struct Sample {
  double date_s = 0;  ///< of its sending
  int exit = -1;      ///< that it takes; -1: the exit model says
  std::uint32_t device = 0;
  int correct = -1;  ///< whether the answer of that exit is right: 1 or 0; -1 where not known
};

/// A state of `mmpp`, a piece of `spike`.
struct RatedPiece {
  workloads::Rate rate;
  double duration_s = 0;  ///< or its mean
};

/// The processes of workloads/traffic/processes.h. What is wrong with their values is thrown, as
/// std::invalid_argument, when they are made.
ArrivalProcess poisson(workloads::Rate rate);
/// `phase_s`: NaN draws it for each device.
ArrivalProcess periodic(workloads::Rate rate, double jitter_s = 0,
                        double phase_s = std::numeric_limits<double>::quiet_NaN());
ArrivalProcess gamma_gaps(workloads::Rate rate, double cv);
ArrivalProcess mmpp(std::vector<RatedPiece> states);
ArrivalProcess spike(std::vector<RatedPiece> pieces, bool repeat = true);
ArrivalProcess closed_loop(const workloads::ClosedLoop& loop);
ArrivalProcess recorded(const std::vector<Sample>& samples);

}  // namespace fluidbatch::sim
