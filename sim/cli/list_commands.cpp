// The listings: policies, networks, NPUs, statistics.
#include <fmt/format.h>

#include "scheduler/policy_registry.h"
#include "sim/cli/commands.h"
#include "sim/config/npu_file.h"
#include "sim/output/text_table.h"
#include "sim/statistics.h"
#include "workloads/io/shipped_files.h"
#include "workloads/io/text_number.h"
#include "workloads/network.h"

namespace fluidbatch::sim::cli {
namespace {

/// A name from the command line: paths in it are relative to the current folder.
io::Node argument(const std::string& option, const std::string& value) {
  io::Node node = io::Node::text(value);
  node.mark = {option, 0, 0};
  return node;
}

std::string millions(std::int64_t value) { return rounded(static_cast<double>(value) / 1e6, 5); }

void network_csv(const workloads::Network& network) {
  fmt::print("layer,kind,groups,r,p,c,segment\n");
  for (const npu::Layer& layer : network.layers) {
    fmt::print("{},{},{},{},{},{},{}\n", layer.name, npu::name_of(layer.kind), layer.gemm.groups,
               layer.gemm.r, layer.gemm.p, layer.gemm.c, layer.segment);
  }
}

void table_csv(const npu::BatchPolicyTable& table) {
  fmt::print(
      "layer,batch,mode,b_r,b_p,k,compute_cycles,input_words,weight_words,output_words,latency_s,roofline_s,"
      "mac_utilisation\n");
  for (int l = 0; l < table.layers(); ++l) {
    for (int b = 1; b <= table.max_batch(); ++b) {
      const npu::LayerCost& cost = table.cost(l, b);
      const npu::BatchPolicy& policy = table.policy(l, b);
      fmt::print("{},{},{},{},{},{},{},{},{},{},{},{},{}\n", table.layer(l).name, b,
                 table.mode_name(), policy.b_r, policy.b_p, policy.k, cost.compute_cycles,
                 cost.input_words, cost.weight_words, cost.output_words, io::shortest(cost.latency_s),
                 io::shortest(cost.roofline_s), io::shortest(cost.mac_utilisation));
    }
  }
}

/// The batch sizes that fit a terminal: powers of two, and the largest.
std::vector<int> shown_batches(int max_batch) {
  std::vector<int> batches;
  for (int b = 1; b < max_batch; b *= 2) batches.push_back(b);
  batches.push_back(max_batch);
  return batches;
}

void table_text(const npu::BatchPolicyTable& table, const std::string& network) {
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
    row(table.layer(l).name, [&](int b) { return table.cost(l, b).latency_s * 1000; });
  }
  row("all layers", [&](int b) { return table.latency_s(0, table.layers(), b) * 1000; });
  row("per sample", [&](int b) { return table.latency_s(0, table.layers(), b) * 1000 / b; });
  fmt::print("{} on {}, mode {}: latency in ms by batch size\n\n{}", network, table.npu()->name,
             table.mode_name(), text.text());
}

}  // namespace

void policy_list() {
  for (const scheduler::PolicyInfo& info : scheduler::all_policies()) {
    fmt::print("{:<18} {}\n", info.name, info.summary);
    for (const scheduler::Parameter& parameter : info.parameters) {
      fmt::print("    {:<20} {} (default {}, from {} to {})\n", parameter.name, parameter.meaning,
                 io::shortest(parameter.default_value), io::shortest(parameter.min),
                 io::shortest(parameter.max));
    }
  }
}

void network_list() {
  for (const std::string& name : io::shipped_names("networks")) {
    const workloads::Network network = workloads::load_network(argument("network", name));
    fmt::print("{:<18} {:>7} MMAC {:>7} M weights  {} exit{}  {}\n", name, millions(network.macs()),
               millions(network.weights()), network.exit_count(), network.exit_count() == 1 ? " " : "s",
               network.description);
  }
}

void network_show(const std::string& name, bool csv) {
  const workloads::Network network = workloads::load_network(argument("network", name));
  if (csv) return network_csv(network);
  fmt::print("{}: {}\n", network.name, network.description);
  if (!network.source.empty()) fmt::print("source: {}\n", network.source);
  TextTable table({"layer", "kind", "groups", "R", "P", "C", "segment", "MMAC"});
  for (const npu::Layer& layer : network.layers) {
    table.add({layer.name, npu::name_of(layer.kind), std::to_string(layer.gemm.groups),
               std::to_string(layer.gemm.r), std::to_string(layer.gemm.p), std::to_string(layer.gemm.c),
               std::to_string(layer.segment), millions(layer.useful_macs())});
  }
  fmt::print("\n{}\n{} layers ({} more fused), {} MMAC, {} M weights\nexits:", table.text(),
             network.layers.size(), network.fused.size(), millions(network.macs()),
             millions(network.weights()));
  for (std::size_t i = 0; i < network.exits.size(); ++i) fmt::print(" {} {}", i, network.exits[i]);
  fmt::print("\n");
}

void npu_list() {
  for (const std::string& name : io::shipped_names("npus")) {
    const npu::Npu npu = load_npu(argument("npu", name));
    fmt::print("{:<16} <{}, {}, {}> k <= {}, {} MHz, {} GB/s{}  {}\n", name, npu.t_r, npu.t_p, npu.t_c,
               npu.k_max, rounded(npu.clock_hz / 1e6), rounded(npu.input_bandwidth_bytes_per_s / 1e9),
               npu.board.empty() ? "" : ", " + npu.board, npu.description);
  }
}

void npu_table(const NpuTableArguments& arguments) {
  const workloads::Network network = workloads::load_network(argument("--network", arguments.network));
  const npu::BatchPolicyTable table(network.layers, load_npu(argument("--npu", arguments.npu)),
                                    read_mode(argument("--mode", arguments.mode)), arguments.max_batch);
  if (arguments.csv) return table_csv(table);
  table_text(table, network.name);
}

void metric_list(bool markdown) {
  if (markdown) fmt::print("| name | unit | meaning |\n|---|---|---|\n");
  for (const Statistic& statistic : all_statistics()) {
    fmt::print(fmt::runtime(markdown ? "| `{}` | {} | {} |\n" : "{:<26} {:<9} {}\n"), statistic.name,
               statistic.unit, statistic.meaning);
  }
}

}  // namespace fluidbatch::sim::cli
