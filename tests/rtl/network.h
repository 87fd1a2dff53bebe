// A small convolutional network, run layer by layer on an engine.
#pragma once

#include <cstdint>

#include "tests/rtl/engine.h"

namespace fluidbatch::rtl {

struct NetworkRun {
  std::int64_t wrong_words = 0;   ///< of the last layer, beside convolutions that are worked out directly
  std::int64_t wrong_counts = 0;  ///< layers whose accesses are not layer_accesses'
  std::int64_t cycles = 0;        ///< of the RTL, all layers
  double closed_form_cycles = 0;  ///< layer_cost's
  double tile_loop_cycles = 0;    ///< of tests/support/tile_loop.h; only with a limit of bandwidth
};

/// Runs the network for `batch` random samples, each layer under the policy of least latency that the engine
/// has room for, with `words_per_cycle` over the channel (0: unlimited). What a layer stores is what the next
/// one loads.
NetworkRun run_network(Engine& engine, int batch, double words_per_cycle, std::uint64_t seed);

}  // namespace fluidbatch::rtl
