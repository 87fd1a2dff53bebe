#include "sim/fit/npu_key.h"

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>
#include <utility>

namespace fluidbatch::sim {
namespace {

using npu::Npu;

constexpr double kMostTile = 1 << 20;
constexpr double kMostWords = 1LL << 40;
constexpr double kMostOverheadCycles = 1LL << 40;
constexpr double kMostOutputTiles = 1024;
constexpr double kInfinite = std::numeric_limits<double>::infinity();

template <auto member>
double get(const Npu& npu) {
  return static_cast<double>(npu.*member);
}

template <auto member>
void set(Npu& npu, double value) {
  npu.*member = static_cast<std::decay_t<decltype(npu.*member)>>(value);
}

template <auto member>
constexpr NpuKey key(const char* name, bool may_be_free, double min, double max) {
  constexpr bool kWhole = std::is_integral_v<std::decay_t<decltype(std::declval<Npu>().*member)>>;
  return {name, may_be_free, kWhole, min, max, get<member>, set<member>};
}

void set_shared_bandwidth(Npu& npu, double value) {
  npu.input_bandwidth_bytes_per_s = npu.output_bandwidth_bytes_per_s = value;
}

constexpr NpuKey kSharedBandwidth{
    "bandwidth_bytes_per_s", true, false, 0, kInfinite, get<&Npu::input_bandwidth_bytes_per_s>,
    set_shared_bandwidth};

// The ranges are those of the YAML (config/npu_file.cpp).
constexpr std::array kKeys{
    kSharedBandwidth,
    key<&Npu::input_bandwidth_bytes_per_s>("input_bandwidth_bytes_per_s", true, 0, kInfinite),
    key<&Npu::output_bandwidth_bytes_per_s>("output_bandwidth_bytes_per_s", true, 0, kInfinite),
    key<&Npu::clock_hz>("clock_hz", true, 0, kInfinite),
    key<&Npu::fill_cycles>("fill_cycles", true, 0, kMostTile),
    key<&Npu::layer_overhead_cycles>("layer_overhead_cycles", true, 0, kMostOverheadCycles),
    key<&Npu::on_chip_bytes>("on_chip_bytes", true, 1, kMostWords),
    key<&Npu::weight_buffer_words>("weight_buffer_words", true, 1, kMostWords),
    key<&Npu::output_tiles>("output_tiles", true, 1, kMostOutputTiles),
    key<&Npu::t_r>("t_r", false, 1, kMostTile),
    key<&Npu::t_p>("t_p", false, 1, kMostTile),
    key<&Npu::t_c>("t_c", false, 1, kMostTile),
    key<&Npu::k_max>("k_max", false, 1, kMostTile),
    key<&Npu::word_bytes>("word_bytes", false, 1, 16),
    key<&Npu::accumulator_bytes>("accumulator_bytes", false, 1, 16)};

}  // namespace

const NpuKey* find_npu_key(std::string_view name) {
  const auto* const found = std::find_if(kKeys.begin(), kKeys.end(),
                                         [&](const NpuKey& candidate) { return candidate.name == name; });
  return found == kKeys.end() ? nullptr : found;
}

std::vector<std::string> npu_key_names(bool free_only) {
  std::vector<std::string> names;
  for (const NpuKey& each : kKeys) {
    if (each.may_be_free || !free_only) names.emplace_back(each.name);
  }
  return names;
}

bool goes_with(const NpuKey& key, npu::Channel channel) {
  const std::string_view name = key.name;
  if (name == kSharedBandwidth.name) return channel == npu::Channel::shared;
  return channel == npu::Channel::separate || !name.ends_with("_bandwidth_bytes_per_s");
}

}  // namespace fluidbatch::sim
