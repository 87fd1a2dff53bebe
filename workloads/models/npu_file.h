// NPUs and boards from their YAML.
#pragma once

#include "npu_model/batch_policy_table.h"
#include "npu_model/npu.h"
#include "workloads/io/installed_copy.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::workloads {

/// Reads a shipped NPU (by name) or an NPU's YAML (by path), and checks it, also against its board.
/// docs/configuration.md has the keys. Throws InputError.
npu::Npu load_npu(const io::Node& name_or_path);

/// An NPU from a map with the keys of its YAML; it has no name, is not checked against its board, and does
/// not have its memory.
npu::Npu read_npu(const io::Node& document);

/// The same checked against its board, with the board's memory, as `load_npu` gives it.
npu::Npu read_npu_on_board(const io::Node& document, const std::string& name);

/// The map that `read_npu` takes with every default; `on_chip_bytes` only where it is given.
io::Node npu_with_defaults(const io::Node& document);

/// The batch policies of `layers` on `npu`. Throws InputError where the chip does not hold what a layer
/// needs.
npu::BatchPolicyTable table_of(const std::vector<npu::Layer>& layers, const npu::Npu& npu, npu::Mode mode,
                               int max_batch, const npu::Poll& poll = {});

/// The board called or at `name_or_path`. Throws InputError.
npu::Board load_board(const io::Node& name_or_path);

/// A board from a map with the keys of its YAML. Throws InputError.
npu::Board read_board(const io::Node& document, const std::string& name);

/// The mode called as `node` says. Throws InputError with the allowed ones.
npu::Mode read_mode(const io::Node& node);

}  // namespace fluidbatch::workloads
