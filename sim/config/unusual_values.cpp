#include "sim/config/unusual_values.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

/// From the slowest microcontroller to beyond the fastest accelerator: on-chip memories of a wafer have 2e16
/// bytes per second. No network has a layer that takes longer than the last.
struct Usual {
  double least;
  double most;

  [[nodiscard]] bool has(double value) const { return value >= least && value <= most; }
};
constexpr Usual kClockHz{1e6, 1e10};
constexpr Usual kBandwidthBytesPerS{1e6, 1e17};
constexpr Usual kLayerLatencyS{1e-9, 100};

/// A unit that a number without it may have been meant in.
struct Unit {
  const char* name;
  double size;
};

std::string warning(const std::string& npu, const std::string& key, double value, const Usual& usual,
                    const Unit& unit) {
  const std::string head = npu.empty() ? "" : "NPU " + io::in_quotes(npu) + ": ";
  std::string text = head + key + " is " + io::shortest(value) + "; NPUs have from " +
                     io::shortest(usual.least) + " to " + io::shortest(usual.most);
  if (usual.has(value * unit.size)) {
    text += " (" + io::shortest(value) + " " + unit.name + " is " + io::shortest(value * unit.size) + ")";
  }
  return text;
}

/// What a table of latencies in milliseconds, or in another unit, would show: the first long one of many.
std::vector<std::string> unusual_latencies(const std::string& file, const npu::BatchPolicyTable& table) {
  const std::string head = "table " + io::in_quotes(file) + ": ";
  const double sample_s = table.single_sample_latency_s();
  if (sample_s < kLayerLatencyS.least) {
    return {head + fmt::format("a single sample takes {:.6g} s, less than a cycle of any NPU", sample_s)};
  }
  for (int layer = 0; layer < table.layers(); ++layer) {
    for (int batch = 1; batch <= table.max_batch(); ++batch) {
      const double latency_s = table.latency_s(layer, layer + 1, batch);
      if (latency_s <= kLayerLatencyS.most) continue;
      return {head +
              fmt::format("latency_s of layer {} at batch {} is {:.6g}; a layer takes up to {} on an NPU",
                          io::in_quotes(table.layer(layer).name), batch, latency_s, kLayerLatencyS.most)};
    }
  }
  return {};
}

}  // namespace

std::vector<std::string> unusual_values(const npu::Npu& npu) {
  constexpr Unit kMegahertz{"MHz", 1e6};
  constexpr Unit kGigabytesPerS{"GB/s", 1e9};
  std::vector<std::string> texts;
  const auto check = [&](const std::string& key, double value, const Usual& usual, const Unit& unit) {
    if (!usual.has(value)) texts.push_back(warning(npu.name, key, value, usual, unit));
  };
  check("clock_hz", npu.clock_hz, kClockHz, kMegahertz);
  const bool shared = npu.channel == npu::Channel::shared;
  const auto check_bandwidth = [&](const std::string& key, double value) {
    if (!std::isinf(value)) check(key, value, kBandwidthBytesPerS, kGigabytesPerS);  // .inf is an ideal
  };
  check_bandwidth(shared ? "bandwidth_bytes_per_s" : "input_bandwidth_bytes_per_s",
                  npu.input_bandwidth_bytes_per_s);
  if (!shared) check_bandwidth("output_bandwidth_bytes_per_s", npu.output_bandwidth_bytes_per_s);
  return texts;
}

std::vector<std::string> unusual_values(const NpuChoice& choice, const npu::BatchPolicyTable& table) {
  return choice.table_file.empty() ? unusual_values(choice.npu) : unusual_latencies(choice.name, table);
}

void warn_of(const NpuChoice& choice, const npu::BatchPolicyTable& table, const io::Mark& mark,
             std::vector<std::string>& warnings) {
  for (const std::string& text : unusual_values(choice, table)) {
    const bool known = std::any_of(warnings.begin(), warnings.end(),
                                   [&](const std::string& other) { return other.ends_with(": " + text); });
    if (!known) warnings.push_back(io::to_string(mark) + ": " + text);
  }
}

}  // namespace fluidbatch::sim
