// The drivers: what makes the serving core's time pass.
#pragma once

#include "sim/server.h"

namespace fluidbatch::sim {

enum class Driver {
  simgrid,  ///< a SimGrid model: one engine step per step of the NPU, or per arrival when it is idle
  bare,     ///< a plain loop: the oracle of the tests and the speed limit of the benchmark
};

/// Runs `server` to its end and checks that nothing was lost; every driver gives the same bytes.
/// The SimGrid driver can be used once in a process, since SimGrid's clock is global to it: a second use
/// throws std::logic_error. Fork (child_process.h) for each simulation.
void drive(Server& server, Driver driver);

}  // namespace fluidbatch::sim
