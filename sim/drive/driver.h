// What can make the serving core's time pass.
#pragma once

namespace fluidbatch::sim {

enum class Driver {
  simgrid,         ///< a SimGrid model: one engine step per step of the NPU
  simgrid_window,  ///< the same model with an engine step per window of time, in which the core runs alone
  bare,            ///< a plain loop: the oracle of the tests and the speed limit of the benchmark
};

}  // namespace fluidbatch::sim
