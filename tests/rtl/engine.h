// The simulated engine as the bench sees it: one layer in, its words and counters out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "npu_model/energy.h"
#include "tests/rtl/layer_data.h"

namespace fluidbatch::rtl {

/// Parameters of npu_system that an engine was built with.
struct EngineSize {
  std::string name;
  int t_r;
  int t_p;
  int t_c;
  int k_max;
  int output_tiles;
  int input_places;
  int weight_places;
};

/// What the engine reads before a layer (docs/rtl.md): loops, policy and what the host makes of them.
struct ControlBlockWords {
  std::int64_t groups;
  std::int64_t rows;
  std::int64_t depth;
  std::int64_t channels;
  std::int64_t blocks;
  int k;
  bool keep_rows;
  bool keep_weights;
  bool blocks_inside;
  bool pad_rows;
  std::int64_t input_places;
  std::int64_t weight_places;
  std::int64_t fill_cycles;
  int shift;
  double words_per_cycle;  ///< of the channel, rounded to 1/65536; 0: unlimited
};

struct Counters {
  std::int64_t cycles = 0;
  std::int64_t compute_cycles = 0;
  std::int64_t input_words = 0;
  std::int64_t weight_words = 0;
  std::int64_t output_words = 0;
  npu::LayerAccesses accesses;  ///< counted at the enables of memories and multipliers, and at the channel
};

class Engine {
 public:
  virtual ~Engine() = default;
  [[nodiscard]] virtual const EngineSize& size() const = 0;
  /// Runs a layer, loading from `data` and storing into it. Throws std::runtime_error where the engine isn't
  /// done after `most_cycles`.
  virtual Counters run(const ControlBlockWords& control, LayerData& data, std::int64_t most_cycles) = 0;
};

/// All engines that were built, in the order of tests/rtl/CMakeLists.txt.
std::vector<std::unique_ptr<Engine>> all_engines();

}  // namespace fluidbatch::rtl
