// The listings: policies and what else is registered by name, networks, statistics.
#include <algorithm>
#include <list>
#include <string>
#include <type_traits>
#include <vector>

#include <fmt/format.h>

#include "scheduler/registry.h"
#include "sim/cli/commands.h"
#include "sim/cli/exit_codes.h"
#include "sim/cli/shell_text.h"
#include "sim/config/plugins.h"
#include "sim/measure/statistic.h"
#include "sim/models/npu_tables.h"
#include "sim/output/requests_csv.h"
#include "sim/output/series.h"
#include "sim/output/text_table.h"
#include "workloads/io/shipped_files.h"
#include "workloads/io/text_number.h"
#include "workloads/models/network_file.h"

namespace fluidbatch::sim::cli {
namespace {

void column_list(const std::vector<ColumnDeclaration>& columns, bool markdown) {
  if (markdown) fmt::print("| column | unit | type | meaning |\n|---|---|---|---|\n");
  for (const ColumnDeclaration& column : columns) {
    if (markdown) {
      fmt::print("| `{}` | {} | {} | {} |\n", column.name, column.unit, name_of(column.type), column.meaning);
      continue;
    }
    fmt::print("{}",
               hanging(fmt::format("{:<15} {:<3} {:<12} ", column.name, column.unit, name_of(column.type)),
                       column.meaning));
  }
}

/// Of a parameter: its words or range, and what it is where it is not given.
std::string values_of(const scheduler::Parameter& parameter) {
  if (parameter.flag) {
    return fmt::format("true or false; default {}", parameter.default_value != 0);
  }
  if (parameter.table) return "a path";
  if (!parameter.words.empty()) {
    return fmt::format("{}; default {}", fmt::join(parameter.words, ", "),
                       parameter.words[static_cast<std::size_t>(parameter.default_value)]);
  }
  return fmt::format("default {}, from {} to {}",
                     parameter.optional() ? "none" : io::shortest(parameter.default_value),
                     io::shortest(parameter.min), io::shortest(parameter.max));
}

void print_parameter(const scheduler::Parameter& parameter) {
  fmt::print("{}", hanging(fmt::format("    {:<20} ", parameter.name),
                           parameter.meaning + " (" + values_of(parameter) + ")"));
}

/// A policy, exit control, arbiter or router, whose name takes `width`.
template <typename Info>
void print_with_parameters(const Info& info, std::size_t width) {
  fmt::print("{}", hanging(fmt::format("{:<{}} ", info.name, width), info.summary));
  for (const scheduler::Parameter& parameter : info.parameters) print_parameter(parameter);
  if constexpr (std::is_same_v<Info, scheduler::ArbiterInfo>) {
    if (!info.may_preempt) return;
    print_parameter(scheduler::flag_parameter(
        "preemptive", false, "who goes strictly before all of a running batch pushes it off the NPU"));
  }
}

/// Those of `infos`, a registry, when `plugins` have been loaded.
template <typename Info>
void print_all(const std::list<Info>& infos, const std::vector<std::string>& plugins) {
  for (const std::string& plugin : plugins) load_plugin(argument("--plugin", plugin));
  std::size_t width = 18;
  for (const Info& info : infos) width = std::max(width, info.name.size());
  for (const Info& info : infos) print_with_parameters(info, width);
}

}  // namespace

io::Node argument(const std::string& option, const std::string& value) {
  io::Node node = io::Node::text(value);
  node.mark = {option, 0, 0};
  return node;
}

void print_warnings(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) fmt::print(stderr, "warning: {}\n", warning);
}

void print_notes(const std::vector<std::string>& notes) {
  for (const std::string& text : notes) note("note: {}\n", text);
}

void policy_list(const std::vector<std::string>& plugins) { print_all(scheduler::all_policies(), plugins); }

void exit_control_list(const std::vector<std::string>& plugins) {
  print_all(scheduler::all_exit_controls(), plugins);
}

void arbiter_list(const std::vector<std::string>& plugins) { print_all(scheduler::all_arbiters(), plugins); }

void router_list(const std::vector<std::string>& plugins) { print_all(scheduler::all_routers(), plugins); }

void network_list() {
  for (const std::string& name : io::shipped_names("networks")) {
    const workloads::Network network = workloads::load_network(argument("network", name));
    fmt::print("{:<18} {:>7} MMAC {:>7} M weights  {} exit{}\n{}", name, millions(network.macs()),
               millions(network.weights()), network.exit_count(), network.exit_count() == 1 ? "" : "s",
               network.description.empty() ? "" : hanging("    ", network.description));
  }
}

void network_show(const std::string& name, bool csv) {
  const workloads::Network network = workloads::load_network(argument("network", name));
  if (csv) return fmt::print("{}", layer_columns(network).csv());
  fmt::print("{}\n", in_lines(network.name + ": " + network.description, kTerminalColumns));
  if (!network.source.empty()) fmt::print("{}\n", in_lines("source: " + network.source, kTerminalColumns));
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

std::vector<std::string> files_with_columns() { return {"requests.csv", "series.csv"}; }

void metric_list(const std::string& table, bool markdown) {
  if (table == "requests.csv") return column_list(request_columns(), markdown);
  if (table == "series.csv") return column_list(series_columns(), markdown);
  if (markdown) fmt::print("| name | unit | meaning |\n|---|---|---|\n");
  for (const Statistic& statistic : all_statistics()) {
    if (markdown) {
      fmt::print("| `{}` | {} | {} |\n", statistic.name, statistic.unit, statistic.meaning);
      continue;
    }
    fmt::print("{}",
               hanging(fmt::format("{:<27} {:<8} ", statistic.name, statistic.unit), statistic.meaning));
  }
}

}  // namespace fluidbatch::sim::cli
