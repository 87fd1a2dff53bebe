// Small NPUs, layers and configurations that tests start from; a case sets only what it is about.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "workloads/io/yaml_node.h"
#include "workloads/models/network_file.h"

namespace fluidbatch::test {

/// <64, 16, 32> at 100 MHz, 2-byte words, 0.8 GB/s shared: 4 words a cycle.
inline npu::Npu small_npu() {
  npu::Npu npu;
  npu.name = "small";
  npu.t_r = 64;
  npu.t_p = 16;
  npu.t_c = 32;
  npu.k_max = 4;
  npu.clock_hz = 100e6;
  npu.input_bandwidth_bytes_per_s = npu.output_bandwidth_bytes_per_s = 0.8e9;
  return npu;
}

inline npu::Layer gemm_layer(const std::string& name, const npu::Gemm& gemm, int segment = 0) {
  npu::Layer layer;
  layer.name = name;
  layer.gemm = gemm;
  layer.segment = segment;
  return layer;
}

/// A name as a user would write it in a configuration.
inline io::Node named(const std::string& name) { return io::Node::text(name); }

inline workloads::Network shipped_network(const std::string& name) {
  return workloads::load_network(named(name));
}

}  // namespace fluidbatch::test
