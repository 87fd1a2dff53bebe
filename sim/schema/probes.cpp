#include "sim/schema/probes.h"

#include <fmt/format.h>

#include "scheduler/registry.h"
#include "sim/measure/precision.h"
#include "sim/measure/statistic.h"
#include "workloads/io/shipped_files.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

/// A file that exists, and is none that a key here takes.
std::string some_file() {
  std::string quoted = "'";
  for (const char c : (io::shipped_folder() / "npus" / "zu7ev_large.yaml").string()) {
    quoted += c;
    if (c == '\'') quoted += c;
  }
  return quoted + "'";
}

/// A run, in parts that are maps or lists in YAML.
struct Run {
  std::string length = "requests: 1000\nwarmup_requests: 0";
  std::string slo = "{latency_ms: 60, measured: server}";
  std::string npu = "zu7ev_large";  ///< of the reference
  std::string arrivals = "{kind: poisson, rate_hz: 1}";
  std::string uplink = "{model: none}";
  std::string exits = "{kind: none}";
  std::string system = "{policy: {name: serial}}";
  std::string more = {};

  [[nodiscard]] std::string text() const {
    return fmt::format(
        "seed: 1\n{}\nnetwork: ee_resnet18\nslo: {}\nreference: {{npu: {}, npu_mode: r, max_batch: 2}}\n"
        "workload:\n  arrivals: {}\n  uplink: {}\n  exits: {}\nsystems: [{}]\n"
        "outputs: {{requests_csv: true, bounds: true}}\n{}",
        length, slo, npu, arrivals, uplink, exits, system, more);
  }
};

std::vector<std::string> lengths() {
  std::string until;
  for (const StatisticId id : statistics_with_interval()) {
    until += fmt::format("{}{}: 0.1", until.empty() ? "" : ", ",
                         all_statistics()[static_cast<std::size_t>(id)].name);
  }
  return {"duration_s: 10\nwarmup_requests: 0",
          fmt::format("until: {{{}}}\nmax_requests: 1000\nwarmup_requests: auto", until)};
}

/// Of every kind, with each of the rates that it takes.
std::vector<std::string> arrivals() {
  std::vector<std::string> all{
      "{kind: periodic, period_ms: 1.0e+12, phase_ms: 0, jitter_ms: 0}",
      "{kind: closed_loop, clients: 1, think_time_ms: 1, think: constant}",
      fmt::format("{{kind: trace, path: {}, time_unit: s, origin: 0, time_scale: 1, from_s: 0, to_s: 1}}",
                  some_file()),
      fmt::format("{{kind: trace, path: {}, origin: first_row}}", some_file())};
  for (const char* rate : {"rho", "rate_hz", "load"}) {
    all.push_back(fmt::format("{{kind: poisson, {}: 1}}", rate));
    all.push_back(fmt::format("{{kind: periodic, {}: 1, phase_ms: random, jitter_ms: 0}}", rate));
    all.push_back(fmt::format("{{kind: gamma, {}: 1, cv: 1}}", rate));
    all.push_back(fmt::format("{{kind: mmpp, states: [{{{}: 1, mean_duration_s: 1}}]}}", rate));
    all.push_back(fmt::format("{{kind: spike, profile: [{{{}: 1, duration_s: 1}}], repeat: true}}", rate));
  }
  return all;
}

std::vector<std::string> exits() {
  const std::string file = some_file();
  return {"{kind: none}",
          "{kind: rates, rates: [0, 0, 0]}",
          "{kind: correlated, rates: [0, 0, 0], correlation: 0}",
          fmt::format("{{kind: trace, path: {}, rates: [0, 0, 0]}}", file),
          fmt::format("{{kind: confidences, path: {}, threshold: 0.5}}", file),
          fmt::format("{{kind: confidences, path: {}, thresholds: [0, 0, 0]}}", file)};
}

std::vector<std::string> uplinks() {
  std::vector<std::string> all;
  for (const char* model : {"none", "analytic"}) {
    all.push_back(
        fmt::format("{{model: {}, sample_bytes: 1, access_point_bandwidth_bytes_per_s: 1, "
                    "device_bandwidth_bytes_per_s: 1, "
                    "latency_ms: 0, answer_latency_ms: 0}}",
                    model));
  }
  return all;
}

/// `{name: X}` of one that is registered, with the parameters that are asked for only where they are given.
template <typename Info>
std::string named(const char* key, const Info& info) {
  std::string text = fmt::format("{{{}: {}", key, info.name);
  for (const scheduler::Parameter& parameter : info.parameters) {
    if (parameter.table) text += fmt::format(", {}: {}", parameter.name, some_file());
    if (parameter.optional()) text += fmt::format(", {}: {}", parameter.name, io::shortest(parameter.min));
  }
  return text + "}";
}

std::vector<std::string> systems() {
  std::vector<std::string> all{
      "{label: a, policy: {name: serial}, drop: none, preemption_cost_s: 0, npu: zu7ev_large, npu_mode: r}",
      "{policy: {name: serial}, npus: [{npu: zu7ev_large, npu_mode: r, count: 1}]}",
      fmt::format("{{policy: {{name: serial}}, npu: {{table: {}}}}}", some_file()),
      fmt::format("{{policy: {{name: serial}}, npus: [{{npu: {{table: {}}}}}]}}", some_file())};
  for (const auto& info : scheduler::all_policies())
    all.push_back(fmt::format("{{policy: {}}}", named("name", info)));
  for (const auto& info : scheduler::all_exit_controls())
    all.push_back(fmt::format("{{policy: {{name: serial}}, exit_control: {}}}", named("kind", info)));
  for (const auto& info : scheduler::all_arbiters())
    all.push_back(fmt::format("{{policy: {{name: serial}}, arbiter: {}}}", named("name", info)));
  for (const auto& info : scheduler::all_routers())
    all.push_back(fmt::format("{{policy: {{name: serial}}, router: {}}}", named("name", info)));
  return all;
}

/// Of two named services, whose NPU is `npu`.
std::string site(const std::string& npu) {
  return fmt::format(
      "requests: 100\nwarmup_requests: 0\nreference: {{npu: {}}}\nservices:\n"
      "  - {{name: a, network: ee_resnet18, slo: {{latency_ms: 60}}, priority: 0, weight: 1, exits: {{kind: "
      "none}},"
      " exit_control: {{kind: fixed}}}}\n"
      "  - {{name: b, network: ee_resnet18, slo: {{latency_ms: 60}}, exits: {{kind: none}}}}\n"
      "workload:\n  uplink: {{model: none}}\n  devices:\n"
      "    - {{label: c, count: 1, sample_bytes: 1, device_bandwidth_bytes_per_s: 1, service: a,"
      " arrivals: {{kind: poisson, rate_hz: 1}}}}\n"
      "    - {{service: b, arrivals: {{kind: poisson, rate_hz: 1}}}}\n"
      "systems: [{{policy: {{name: serial}}}}]\n",
      npu);
}

std::vector<std::string> runs() {
  std::vector<std::string> all{Run{}.text(), site("zu7ev_large"),
                               site(fmt::format("{{tables: {{a: {0}, b: {0}}}}}", some_file()))};
  // Those of the systems have clients, for whom no policy has to be computed.
  const std::string clients = "{kind: closed_loop, think_time_ms: 1}";
  for (const std::string& length : lengths()) all.push_back(Run{.length = length}.text());
  for (const char* slo : {"{unloaded_multiple: 2}", "{latency_ms: 60, on: server}"})
    all.push_back(Run{.slo = slo}.text());
  all.push_back(Run{.npu = fmt::format("{{table: {}}}", some_file())}.text());
  for (const std::string& text : arrivals()) all.push_back(Run{.arrivals = text}.text());
  for (const std::string& uplink : uplinks()) all.push_back(Run{.uplink = uplink}.text());
  for (const std::string& text : exits()) all.push_back(Run{.exits = text}.text());
  for (const std::string& system : systems())
    all.push_back(Run{.arrivals = clients, .system = system}.text());
  all.push_back(Run{.more = fmt::format("plugins: [{}]\n", some_file())}.text());
  return all;
}

std::vector<std::string> sweeps() {
  constexpr const char* kCounted = "replications: 3\ndescription: a text\nmeasure: tail\n";
  return {std::string("base: {seed: 1}\naxes:\n  grid: {values: [1, 2]}\n  zip: {values: [1, 2]}\n"
                      "  list: [{values: 1}]\n") +
              kCounted,
          std::string("base: {seed: 1}\naxes:\n  grid: {a: [1, 2]}\n  zip: {b: [1, 2]}\n  list: [{c: 1}]\n") +
              kCounted,
          std::string("base: {seed: 1}\naxes:\n  grid: {values: {from: 1, to: 2, step: 1}}\n"
                      "until: {ci: 0.1, of: mean_latency_s, min: 2, max: 100000}\n"
                      "measure: {kind: tail, precision: 0.1, quantiles: [0.9], max_events: 1000}\n"),
          "base: {seed: 1}\naxes:\n  zip: {values: {from: 1, to: 2, step: 1}}\n",
          "base: " + some_file() + "\n"};
}

/// A layer of every kind that reads `from`, with `window` in its two forms, and a `tail` of lists.
std::vector<std::string> networks() {
  constexpr const char* kHead =
      "name: n\ndescription: d\nsource: s\ninput: [4, 32, 32]\n"
      "exits: [{name: e, after: a, head: [{name: h, kind: dense, out_channels: 2}]}]\nlayers:\n"
      "  - {name: a, kind: conv, out_channels: 4}\n";
  std::vector<std::string> all{"base: resnet18\n"};
  for (const char* one : {"a", "[a]"}) {
    const std::string from = std::string("from: ") + one;
    for (const char* window : {"kernel: 3, stride: 1, padding: 1, dilation: 1",
                               "kernel: [3, 3], stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1]"}) {
      all.push_back(fmt::format(
          "{0}  - {{name: b, kind: conv, out_channels: 4, groups: 1, {1}, {2}}}\n"
          "  - {{name: c, kind: conv_transpose, out_channels: 4, groups: 1, output_padding: {3}, {1}, {2}}}\n"
          "  - {{name: d, kind: pool, fused: true, {1}, {2}}}\n",
          kHead, from, window, window[8] == '[' ? "[0, 0]" : "0"));
    }
    all.push_back(
        fmt::format("{0}  - {{name: b, kind: dense, out_channels: 4, {1}}}\n"
                    "  - {{name: c, kind: global_pool, fused: true, {1}}}\n"
                    "  - {{name: d, kind: resize, size: [16, 16], fused: true, {1}}}\n"
                    "  - {{name: f, kind: concat, fused: true, {1}}}\n"
                    "  - {{name: g, kind: view, shape: [4, 32, 32], {1}}}\n",
                    kHead, from));
  }
  all.push_back(
      fmt::format("{}  - {{name: b, kind: add, from: [a, input], fused: true}}\n"
                  "  - {{name: c, kind: mul, from: [a, input], fused: true}}\n"
                  "  - {{name: d, kind: matmul, from: [a, input], groups: 1, depth: 4}}\n",
                  kHead));
  return all;
}

std::vector<std::string> npus() {
  constexpr const char* kKeys =
      "description: d\nboard: zu7ev\nt_r: 16\nt_p: 16\nt_c: 16\nk_max: 1\nclock_hz: 1.0e+8\nword_bytes: 2\n"
      "edge_rows: pad\nweight_reuse: none\nweight_source: off_chip\nweight_buffer_words: 0\noutput_tiles: 1\n"
      "accumulator_bytes: 4\nfill_cycles: 0\nlayer_overhead_cycles: 0\ninput_path: im2col\n"
      "residency: stream\nrow_weights: once\nfirst_row_block: overlapped\non_chip_bytes: 1000000\n"
      "energy: {mac_pj: 1, input_buffer_pj_per_word: 1, weight_buffer_pj_per_word: 1,"
      " output_buffer_pj_per_word: 1, dram_pj_per_word: 1, static_w: 1}\n";
  return {
      fmt::format("{}channel: shared\nbandwidth_bytes_per_s: 1.0e+9\n", kKeys),
      fmt::format(
          "{}channel: separate\ninput_bandwidth_bytes_per_s: 1.0e+9\noutput_bandwidth_bytes_per_s: 1.0e+9\n",
          kKeys)};
}

}  // namespace

std::vector<std::string> probes_of(FileKind kind) {
  switch (kind) {
    case FileKind::run:
      return runs();
    case FileKind::sweep:
      return sweeps();
    case FileKind::network:
      return networks();
    case FileKind::npu:
      return npus();
    case FileKind::board:
      break;
  }
  return {"description: d\nsource: s\ndsps: 1\non_chip_bytes: 1\nbandwidth_bytes_per_s: 1\nclock_hz: 1\n"};
}

}  // namespace fluidbatch::sim
