// What is shown of networks and of layers on an NPU, as tables.
#pragma once

#include <vector>

#include "npu_model/batch_policy_table.h"
#include "npu_model/energy.h"
#include "workloads/io/column_table.h"
#include "workloads/io/yaml_node.h"
#include "workloads/models/network.h"

namespace fluidbatch::sim {

/// A row for each layer: layer, kind, groups, r, p, c, segment.
io::ColumnTable layer_columns(const workloads::Network& network);

/// A row for each layer and batch size: its batch policy, cycles, words, latency, operations, energy.
/// Precondition: the table is of the model, not measured.
io::ColumnTable latency_columns(const npu::BatchPolicyTable& table);

/// A batch policy that a mode may choose, and what it would cost.
struct ExplainedPolicy {
  npu::BatchPolicy policy;
  npu::LayerCost cost;
  npu::LayerAccesses accesses;
  bool chosen = false;
};

/// All that `mode` chooses from for `batch` samples of `layer`, feasible or not; one is chosen, if any is
/// feasible.
std::vector<ExplainedPolicy> explain(const npu::Layer& layer, const npu::Npu& npu, npu::Mode mode, int batch);

/// Joules of a layer on its own, static ones included; NaN where `npu` says nothing of energy.
double energy_j(const npu::LayerAccesses& accesses, const npu::Npu& npu, double latency_s);

/// Share of the PEs' cycles, while they compute, that goes into padding: edge tiles, P padding, idle PEs.
double edge_waste(const npu::LayerCost& cost, const npu::Npu& npu);

/// A row for each of `policies`, of one layer on `npu`.
io::ColumnTable explained_columns(const std::vector<ExplainedPolicy>& policies, const npu::Npu& npu);

/// The layer of `network` that `name` says. Throws InputError at its place where there is none, or where it
/// is fused with another.
const npu::Layer& find_layer(const workloads::Network& network, const io::Node& name);

}  // namespace fluidbatch::sim
