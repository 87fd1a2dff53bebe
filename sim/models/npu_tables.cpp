#include "sim/models/npu_tables.h"

#include <algorithm>
#include <cmath>

namespace fluidbatch::sim {
namespace {

/// A cell of a control block.
struct Cell {
  const npu::Layer* layer;
  int batch;
  const npu::BatchPolicy* policy;
  const npu::LayerCost* cost;
};

std::vector<Cell> cells_of(const npu::BatchPolicyTable& table) {
  const npu::ControlBlock& block = *table.control_block();
  std::vector<Cell> cells;
  for (int l = 0; l < table.layers(); ++l) {
    for (int b = 1; b <= table.max_batch(); ++b) {
      cells.push_back({&table.layer(l), b, &block.policy(l, b), &block.cost(l, b)});
    }
  }
  return cells;
}

}  // namespace

io::ColumnTable layer_columns(const workloads::Network& network) {
  using npu::Layer;
  const std::vector<Layer>& layers = network.layers;
  io::ColumnTable table;
  table.add("layer", layers, [](const Layer& layer) { return layer.name; });
  table.add("kind", layers, [](const Layer& layer) { return npu::name_of(layer.kind); });
  table.add("groups", layers, [](const Layer& layer) { return layer.gemm.groups; });
  table.add("r", layers, [](const Layer& layer) { return layer.gemm.r; });
  table.add("p", layers, [](const Layer& layer) { return layer.gemm.p; });
  table.add("c", layers, [](const Layer& layer) { return layer.gemm.c; });
  table.add("segment", layers, [](const Layer& layer) { return layer.segment; });
  return table;
}

io::ColumnTable latency_columns(const npu::BatchPolicyTable& table) {
  const std::vector<Cell> cells = cells_of(table);
  io::ColumnTable columns;
  columns.add("layer", cells, [](const Cell& cell) { return cell.layer->name; });
  columns.add("batch", cells, [](const Cell& cell) { return cell.batch; });
  columns.add("mode", cells, [&](const Cell& /*cell*/) { return table.mode_name(); });
  columns.add("b_r", cells, [](const Cell& cell) { return cell.policy->b_r; });
  columns.add("b_p", cells, [](const Cell& cell) { return cell.policy->b_p; });
  columns.add("k", cells, [](const Cell& cell) { return cell.policy->k; });
  columns.add("compute_cycles", cells, [](const Cell& cell) { return cell.cost->compute_cycles; });
  columns.add("input_words", cells, [](const Cell& cell) { return cell.cost->input_words; });
  columns.add("weight_words", cells, [](const Cell& cell) { return cell.cost->weight_words; });
  columns.add("output_words", cells, [](const Cell& cell) { return cell.cost->output_words; });
  columns.add("latency_s", cells, [](const Cell& cell) { return cell.cost->latency_s; });
  columns.add("roofline_s", cells, [](const Cell& cell) { return cell.cost->roofline_s; });
  columns.add("mac_utilisation", cells, [](const Cell& cell) { return cell.cost->mac_utilisation; });
  columns.add("residency", cells, [](const Cell& cell) { return npu::name_of(cell.policy->residency); });
  columns.add("unique_input_words", cells, [](const Cell& cell) { return cell.cost->unique_input_words; });
  return columns;
}

std::vector<ExplainedPolicy> explain(const npu::Layer& layer, const npu::Npu& npu, npu::Mode mode,
                                     int batch) {
  const std::vector<npu::BatchPolicy> policies = npu::candidates(mode, npu, batch);
  const npu::Choice choice = npu::choose(mode, policies, layer, npu, batch);
  const bool any = std::isfinite(choice.latency_cycles);
  std::vector<ExplainedPolicy> explained;
  explained.reserve(policies.size());
  for (const npu::BatchPolicy& policy : policies) {
    explained.push_back({policy, npu::layer_cost(layer, npu, batch, policy), any && policy == choice.policy});
  }
  return explained;
}

double edge_waste(const npu::LayerCost& cost, const npu::Npu& npu) {
  if (cost.compute_cycles == 0) return 0;
  return 1 - static_cast<double>(cost.useful_macs) /
                 (static_cast<double>(cost.compute_cycles) * static_cast<double>(npu.macs_per_cycle()));
}

io::ColumnTable explained_columns(const std::vector<ExplainedPolicy>& policies, const npu::Npu& npu) {
  using Row = ExplainedPolicy;
  io::ColumnTable columns;
  columns.add("b_r", policies, [](const Row& row) { return row.policy.b_r; });
  columns.add("b_p", policies, [](const Row& row) { return row.policy.b_p; });
  columns.add("k", policies, [](const Row& row) { return row.policy.k; });
  columns.add("packed_groups", policies, [](const Row& row) { return row.cost.packed_groups; });
  columns.add("feasible", policies, [](const Row& row) { return row.cost.feasible; });
  columns.add("chosen", policies, [](const Row& row) { return row.chosen; });
  columns.add("compute_cycles", policies, [](const Row& row) { return row.cost.compute_cycles; });
  columns.add("memory_cycles", policies, [](const Row& row) { return row.cost.memory_cycles; });
  columns.add("latency_cycles", policies, [](const Row& row) { return row.cost.latency_cycles; });
  columns.add("latency_s", policies, [](const Row& row) { return row.cost.latency_s; });
  columns.add("input_words", policies, [](const Row& row) { return row.cost.input_words; });
  columns.add("weight_words", policies, [](const Row& row) { return row.cost.weight_words; });
  columns.add("output_words", policies, [](const Row& row) { return row.cost.output_words; });
  columns.add("bound", policies, [](const Row& row) { return npu::name_of(row.cost.bound); });
  columns.add("edge_waste", policies, [&](const Row& row) { return edge_waste(row.cost, npu); });
  columns.add("residency", policies, [](const Row& row) { return npu::name_of(row.policy.residency); });
  columns.add("unique_input_words", policies, [](const Row& row) { return row.cost.unique_input_words; });
  columns.add("on_chip_bytes", policies, [](const Row& row) { return row.cost.on_chip_bytes; });
  return columns;
}

const npu::Layer& find_layer(const workloads::Network& network, const io::Node& name) {
  const std::string& wanted = name.scalar;
  std::vector<std::string> names;
  for (const npu::Layer& layer : network.layers) {
    if (layer.name == wanted) return layer;
    names.push_back(layer.name);
  }
  if (std::find(network.fused.begin(), network.fused.end(), wanted) != network.fused.end()) {
    throw io::InputError(name.mark,
                         "'" + wanted + "' is fused with another layer and costs nothing of its own");
  }
  throw io::InputError(name.mark,
                       network.name + " has no layer '" + wanted + "'" + io::did_you_mean(wanted, names));
}

}  // namespace fluidbatch::sim
