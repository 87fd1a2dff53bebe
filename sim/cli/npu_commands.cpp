// The NPU model by itself: `npu list`, `table` and `explain`.
#include <algorithm>

#include <fmt/format.h>

#include "npu_model/batch_policy_table.h"
#include "sim/cli/commands.h"
#include "sim/cli/shell_text.h"
#include "sim/config/unusual_values.h"
#include "sim/models/npu_tables.h"
#include "sim/output/text_table.h"
#include "workloads/io/shipped_files.h"
#include "workloads/models/network_file.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::sim::cli {
namespace {

/// The batch sizes that fit a terminal: powers of two, and the largest.
std::vector<int> shown_batches(int max_batch) {
  std::vector<int> batches;
  for (int b = 1; b < max_batch; b *= 2) batches.push_back(b);
  batches.push_back(max_batch);
  return batches;
}

/// Of all layers together, static energy included.
double network_energy_j(const npu::BatchPolicyTable& table, int batch) {
  double energy_j = table.energies()->static_w * table.latency_s(0, table.layers(), batch);
  for (int l = 0; l < table.layers(); ++l) energy_j += table.dynamic_energy(l, batch).total_j();
  return energy_j;
}

void table_text(const npu::BatchPolicyTable& table, const npu::ControlBlock& block,
                const std::string& network) {
  const std::vector<int> batches = shown_batches(table.max_batch());
  std::vector<std::string> header{"layer"};
  for (const int b : batches) header.push_back(fmt::format("B={}", b));
  TextTable text(header);
  const auto row = [&](const std::string& name, const auto& value) {
    std::vector<std::string> cells{name};
    for (const int b : batches) cells.push_back(rounded(value(b)));
    text.add(cells);
  };
  for (int l = 0; l < table.layers(); ++l) {
    row(table.layer(l).name, [&](int b) { return block.cost(l, b).latency_s * 1000; });
  }
  row("all layers", [&](int b) { return table.latency_s(0, table.layers(), b) * 1000; });
  row("per sample", [&](int b) { return table.latency_s(0, table.layers(), b) * 1000 / b; });
  if (table.energies() != nullptr) {
    row("mJ, all layers", [&](int b) { return network_energy_j(table, b) * 1000; });
    row("mJ per sample", [&](int b) { return network_energy_j(table, b) * 1000 / b; });
    row("average W",
        [&](int b) { return network_energy_j(table, b) / table.latency_s(0, table.layers(), b); });
  }
  fmt::print("{} on {}, mode {}: latency in ms by batch size\n\n{}", network, block.npu().name,
             table.mode_name(), text.text());
}

std::string kilo(double value) { return rounded(value / 1000); }

/// Energy of the chosen policy, and what takes it.
void energy_text(const std::vector<ExplainedPolicy>& rows, const npu::Npu& npu) {
  const auto chosen =
      std::find_if(rows.begin(), rows.end(), [](const ExplainedPolicy& row) { return row.chosen; });
  if (!npu.energy || chosen == rows.end()) return;
  const npu::DynamicEnergy dynamic = npu::dynamic_energy(chosen->accesses, *npu.energy);
  const double latency_s = chosen->cost.latency_s;
  const double total_j = npu::energy_j(dynamic, *npu.energy, latency_s);
  const auto percent = [&](double joules) { return rounded(total_j > 0 ? 100 * joules / total_j : 0, 3); };
  fmt::print("energy of *: {} mJ, {} W\nof this MAC {} %, buffers {} %, DRAM {} %, static {} %\n",
             rounded(total_j * 1000), rounded(latency_s > 0 ? total_j / latency_s : 0),
             percent(dynamic.mac_j), percent(dynamic.buffers_j()), percent(dynamic.dram_j),
             percent(npu.energy->static_w * latency_s));
}

void explain_text(const std::vector<ExplainedPolicy>& rows, const npu::Npu& npu) {
  TextTable table({"policy", "compute", "mem", "latency", "in", "wt", "chip", "bound", "waste"});
  for (const ExplainedPolicy& row : rows) {
    const npu::LayerCost& c = row.cost;
    const std::string packing = c.packed_groups > 1 ? fmt::format(" x{}", c.packed_groups) : "";
    table.add({fmt::format("{} <{}, {}, {}, {}>{}",
                           row.chosen   ? "*"
                           : c.feasible ? " "
                                        : "-",
                           row.policy.b_r, row.policy.b_p, row.policy.k, npu::name_of(row.policy.residency),
                           packing),
               kilo(static_cast<double>(c.compute_cycles)), kilo(c.memory_cycles), kilo(c.latency_cycles),
               kilo(static_cast<double>(c.input_words)), kilo(static_cast<double>(c.weight_words)),
               std::to_string((c.on_chip_bytes + 1023) / 1024), std::string(npu::name_of(c.bound)),
               rounded(100 * edge_waste(c, npu), 3)});
  }
  fmt::print(
      "{}\npolicy: <B_R, B_P, k, residency>; compute, memory, latency in 1,000 cycles;\n"
      "input, weights in 1,000 words; chip in kB; waste in % of the engine's cycles\n"
      "* chosen   - not feasible: the chip does not hold what B_P blocks need to share\n"
      "weights, or what stays\n",
      table.text());
  if (std::any_of(rows.begin(), rows.end(),
                  [](const ExplainedPolicy& row) { return row.cost.packed_groups > 1; })) {
    fmt::print("xG: G groups of the depthwise layer in each product\n");
  }
  energy_text(rows, npu);
}

}  // namespace

void npu_list() {
  for (const std::string& name : io::shipped_names("npus")) {
    const npu::Npu npu = workloads::load_npu(argument("npu", name));
    fmt::print("{:<16} <{}, {}, {}> k <= {}, {} MHz, {} GB/s{}\n{}", name, npu.t_r, npu.t_p, npu.t_c,
               npu.k_max, rounded(npu.clock_hz / 1e6), rounded(npu.input_bandwidth_bytes_per_s / 1e9),
               npu.board.empty() ? "" : ", " + npu.board,
               npu.description.empty() ? "" : hanging("    ", npu.description));
  }
}

void npu_table(const NpuTableArguments& arguments) {
  const workloads::Network network = workloads::load_network(argument("--network", arguments.network));
  const npu::Npu npu = workloads::load_npu(argument("--npu", arguments.npu));
  print_warnings(unusual_values(npu));
  const npu::BatchPolicyTable table = workloads::table_of(
      network.layers, npu, workloads::read_mode(argument("--mode", arguments.mode)), arguments.max_batch);
  const npu::ControlBlock& block = *table.control_block();  // not a measured table
  if (arguments.csv || arguments.json) return fmt::print("{}", table_text(arguments, latency_columns(table)));
  table_text(table, block, network.name);
}

void npu_explain(const NpuExplainArguments& arguments) {
  const workloads::Network network = workloads::load_network(argument("--network", arguments.network));
  const npu::Npu npu = workloads::load_npu(argument("--npu", arguments.npu));
  print_warnings(unusual_values(npu));
  const npu::Mode mode = workloads::read_mode(argument("--mode", arguments.mode));
  const npu::Layer& layer = find_layer(network, argument("--layer", arguments.layer));
  const std::vector<ExplainedPolicy> rows = explain(layer, npu, mode, arguments.batch);
  if (arguments.csv) return fmt::print("{}", explained_columns(rows, npu).csv());
  const npu::Gemm& gemm = layer.gemm;
  fmt::print("{} of {}: {}, {} x (R {} x P {}) (P x C {}), {} samples\n", layer.name, network.name,
             npu::name_of(layer.kind), gemm.groups, gemm.r, gemm.p, gemm.c, arguments.batch);
  fmt::print("{} <{}, {}, {}>, mode {}\n\n", npu.name, npu.t_r, npu.t_p, npu.t_c, npu::name_of(mode));
  explain_text(rows, npu);
}

}  // namespace fluidbatch::sim::cli
