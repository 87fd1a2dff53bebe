// Networks: layers in order of execution, cut into segments by early exits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "npu_model/layer.h"

namespace fluidbatch::workloads {

/// A network as the server runs it. Segment s holds the backbone layers up to exit s and then that exit's
/// head; the last segment ends in the final classifier, which is exit exits() - 1.
struct Network {
  std::string name;
  std::string description;
  std::string source;              ///< where the table is from
  std::vector<npu::Layer> layers;  ///< without the fused movers, which cost nothing
  std::vector<std::string> fused;  ///< names of pooling and additions that ride with another layer
  std::vector<std::string> exits;  ///< a name for each exit, the final one included
  std::int64_t input_words = 0;    ///< words of one input sample

  [[nodiscard]] int exit_count() const { return static_cast<int>(exits.size()); }
  /// Multiply-accumulates and weights of one sample that runs to the end, heads included.
  [[nodiscard]] std::int64_t macs() const;
  [[nodiscard]] std::int64_t weights() const;
};

}  // namespace fluidbatch::workloads
