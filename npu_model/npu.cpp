#include "npu_model/npu.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <stdexcept>

namespace fluidbatch::npu {
namespace {

constexpr std::array kOperationEnergyKeys{
    OperationEnergyKey{"mac_pj", &OperationEnergies::mac_pj},
    OperationEnergyKey{"input_buffer_pj_per_word", &OperationEnergies::input_buffer_pj_per_word},
    OperationEnergyKey{"weight_buffer_pj_per_word", &OperationEnergies::weight_buffer_pj_per_word},
    OperationEnergyKey{"output_buffer_pj_per_word", &OperationEnergies::output_buffer_pj_per_word},
    OperationEnergyKey{"dram_pj_per_word", &OperationEnergies::dram_pj_per_word},
    OperationEnergyKey{"static_w", &OperationEnergies::static_w}};
constexpr std::array kResidencies{Residency::stream, Residency::row, Residency::column, Residency::weights};

void require(bool holds, const std::string& message) {
  if (!holds) throw std::invalid_argument(message);
}

void validate(const OperationEnergies& energies) {
  for (const OperationEnergyKey& key : kOperationEnergyKeys) {
    const double value = energies.*key.value;
    require(value >= 0 && std::isfinite(value),
            "energy." + std::string(key.name) + " must be finite and not negative");
  }
}

}  // namespace

std::string_view name_of(Residency residency) {
  switch (residency) {
    case Residency::stream:
      return "stream";
    case Residency::row:
      return "row";
    case Residency::column:
      return "column";
    case Residency::weights:
      return "weights";
  }
  return "?";
}

std::span<const OperationEnergyKey> operation_energy_keys() { return kOperationEnergyKeys; }

std::span<const Residency> all_residencies() { return kResidencies; }

std::int64_t Npu::tile_buffer_bytes() const {
  const std::int64_t weights = std::max(weight_buffer_words, 2 * t_p * t_c);
  const std::int64_t outputs = (output_tiles + std::int64_t{1}) * t_r * t_c;
  return (2 * t_r * t_p + weights) * word_bytes + outputs * accumulator_bytes;
}

void validate(const Npu& npu) {
  require(npu.t_r >= 1, "t_r must be at least 1");
  require(npu.t_p >= 1, "t_p must be at least 1");
  require(npu.t_c >= 1, "t_c must be at least 1");
  require(npu.k_max >= 1 && std::has_single_bit(static_cast<unsigned>(npu.k_max)),
          "k_max must be a power of two");
  require(npu.t_r % npu.k_max == 0,
          "k_max (" + std::to_string(npu.k_max) + ") must divide t_r (" + std::to_string(npu.t_r) + ")");
  require(npu.t_c % npu.k_max == 0,
          "k_max (" + std::to_string(npu.k_max) + ") must divide t_c (" + std::to_string(npu.t_c) + ")");
  require(npu.clock_hz > 0 && std::isfinite(npu.clock_hz), "clock_hz must be positive and finite");
  require(npu.word_bytes >= 1, "word_bytes must be at least 1");
  require(npu.input_bandwidth_bytes_per_s > 0, "the input bandwidth must be positive");
  require(npu.output_bandwidth_bytes_per_s > 0, "the output bandwidth must be positive");
  require(npu.output_tiles >= 1, "output_tiles must be at least 1");
  require(npu.accumulator_bytes >= 1, "accumulator_bytes must be at least 1");
  require(npu.fill_cycles >= 0, "fill_cycles must not be negative");
  require(npu.layer_overhead_cycles >= 0, "layer_overhead_cycles must not be negative");
  require(npu.weight_buffer_words == 0 || npu.weight_buffer_words >= npu.t_p * npu.t_c,
          "weight_buffer_words must hold at least one tile of t_p x t_c words");
  require(npu.on_chip_bytes >= 0, "on_chip_bytes must not be negative");
  require(npu.on_chip_bytes == 0 || npu.tile_buffer_bytes() <= npu.on_chip_bytes,
          "on_chip_bytes must hold the buffers for tiles, which take " +
              std::to_string(npu.tile_buffer_bytes()) + " bytes");
  if (npu.energy) validate(*npu.energy);
}

Resources resources_of(const Npu& npu, int dsps_per_mac) {
  return {.dsps = npu.macs_per_cycle() * dsps_per_mac, .on_chip_bytes = npu.tile_buffer_bytes()};
}

void require_fits(const Npu& npu, const Board& board) {
  const Resources needs = resources_of(npu);
  require(needs.dsps <= board.dsps, "t_p x t_c needs " + std::to_string(needs.dsps) + " DSPs; board '" +
                                        board.name + "' has " + std::to_string(board.dsps));
  require(needs.on_chip_bytes <= board.on_chip_bytes,
          "the tile buffers need " + std::to_string(needs.on_chip_bytes) + " bytes on chip; board '" +
              board.name + "' has " + std::to_string(board.on_chip_bytes));
  require(
      npu.on_chip_bytes <= board.on_chip_bytes,
      "on_chip_bytes is above the " + std::to_string(board.on_chip_bytes) + " of board '" + board.name + "'");
  const double bandwidth = npu.channel == Channel::shared
                               ? npu.input_bandwidth_bytes_per_s
                               : npu.input_bandwidth_bytes_per_s + npu.output_bandwidth_bytes_per_s;
  require(bandwidth <= board.bandwidth_bytes_per_s || std::isinf(bandwidth),
          "the bandwidth is above that of board '" + board.name + "'");
}

}  // namespace fluidbatch::npu
