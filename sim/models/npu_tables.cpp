#include "sim/models/npu_tables.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "npu_model/energy.h"

namespace fluidbatch::sim {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// The counts of each row, and what they come to on `npu`: no value where it says nothing of energy, or where
/// no time passes. `latency_s`: of a row.
template <typename Row, typename Latency>
void add_work(io::ColumnTable& table, const std::vector<Row>& rows, const npu::Npu& npu,
              const Latency& latency_s) {
  const auto count = [&](const char* name, std::int64_t npu::LayerAccesses::*member) {
    table.add(name, rows, [member](const Row& row) { return row.accesses.*member; });
  };
  count("macs", &npu::LayerAccesses::macs);
  count("input_reads", &npu::LayerAccesses::input_reads);
  count("input_writes", &npu::LayerAccesses::input_writes);
  count("weight_reads", &npu::LayerAccesses::weight_reads);
  count("weight_writes", &npu::LayerAccesses::weight_writes);
  count("output_reads", &npu::LayerAccesses::output_reads);
  count("output_writes", &npu::LayerAccesses::output_writes);
  const auto energy = [&](const Row& row) { return energy_j(row.accesses, npu, latency_s(row)); };
  table.add("energy_j", rows, energy);
  table.add("average_power_w", rows,
            [&](const Row& row) { return latency_s(row) > 0 ? energy(row) / latency_s(row) : kUnknown; });
}

/// A cell of a control block.
struct Cell {
  const npu::Layer* layer;
  int batch;
  const npu::BatchPolicy* policy;
  const npu::LayerCost* cost;
  npu::LayerAccesses accesses;
};

std::vector<Cell> cells_of(const npu::BatchPolicyTable& table) {
  const npu::ControlBlock& block = *table.control_block();
  std::vector<Cell> cells;
  for (int l = 0; l < table.layers(); ++l) {
    for (int b = 1; b <= table.max_batch(); ++b) {
      const npu::Layer& layer = table.layer(l);
      const npu::BatchPolicy& policy = block.policy(l, b);
      const npu::LayerCost& cost = block.cost(l, b);
      cells.push_back({&layer, b, &policy, &cost, npu::layer_accesses(layer, block.npu(), b, policy, cost)});
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
  add_work(columns, cells, *table.npu(), [](const Cell& cell) { return cell.cost->latency_s; });
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
    const npu::LayerCost cost = npu::layer_cost(layer, npu, batch, policy);
    explained.push_back({.policy = policy,
                         .cost = cost,
                         .accesses = npu::layer_accesses(layer, npu, batch, policy, cost),
                         .chosen = any && policy == choice.policy});
  }
  return explained;
}

double energy_j(const npu::LayerAccesses& accesses, const npu::Npu& npu, double latency_s) {
  if (!npu.energy) return kUnknown;
  return npu::energy_j(npu::dynamic_energy(accesses, *npu.energy), *npu.energy, latency_s);
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
  add_work(columns, policies, npu, [](const Row& row) { return row.cost.latency_s; });
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
