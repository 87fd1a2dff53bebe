// The shape of a tensor.
#pragma once

#include <cstdint>

namespace fluidbatch::workloads {

/// Channels, height and width of a tensor, for one sample.
struct Shape {
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;

  [[nodiscard]] std::int64_t words() const { return channels * height * width; }
  bool operator==(const Shape&) const = default;
};

}  // namespace fluidbatch::workloads
