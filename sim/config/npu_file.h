// NPUs and boards from their YAML.
#pragma once

#include "npu_model/batch_policy_table.h"
#include "npu_model/npu.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

/// Reads a shipped NPU (by name) or an NPU's YAML (by path), and checks it, also against its board.
/// docs/configuration.md has the keys. Throws InputError.
npu::Npu load_npu(const io::Node& name_or_path);

/// An NPU from a map with the keys of its YAML; it has no name, and is not checked against its board.
npu::Npu read_npu(const io::Node& document);

/// The same for a board.
npu::Board load_board(const io::Node& name_or_path);

/// The mode called as `node` says. Throws InputError with the allowed ones.
npu::Mode read_mode(const io::Node& node);

}  // namespace fluidbatch::sim
