// Latency tables that tests make up.
#pragma once

#include <string>
#include <vector>

#include <Eigen/Core>

#include "tests/support/examples.h"

namespace fluidbatch::test {

/// Latencies of segments of one layer each: a row for each segment, a column for each batch size.
inline npu::BatchPolicyTable measured_table(const Eigen::ArrayXXd& latencies_s) {
  std::vector<npu::Layer> layers;
  layers.reserve(static_cast<std::size_t>(latencies_s.rows()));
  for (int s = 0; s < latencies_s.rows(); ++s) {
    layers.push_back(gemm_layer(std::to_string(s), {.groups = 1, .r = 1, .p = 1, .c = 1}, s));
  }
  return {layers, latencies_s};
}

}  // namespace fluidbatch::test
