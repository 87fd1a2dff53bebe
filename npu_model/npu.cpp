#include "npu_model/npu.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>

namespace fluidbatch::npu {
namespace {

void require(bool holds, const std::string& message) {
  if (!holds) throw std::invalid_argument(message);
}

}  // namespace

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
  require(npu.fill_cycles >= 0, "fill_cycles must not be negative");
  require(npu.weight_buffer_words == 0 || npu.weight_buffer_words >= npu.t_p * npu.t_c,
          "weight_buffer_words must hold at least one tile of t_p x t_c words");
}

Resources resources_of(const Npu& npu, int dsps_per_mac, int accumulator_bytes) {
  const std::int64_t weights = std::max(npu.weight_room_words(), 2 * npu.t_p * npu.t_c);
  const std::int64_t inputs = 2 * npu.t_r * npu.t_p;
  const std::int64_t accumulators = npu.output_tiles * npu.t_r * npu.t_c;
  return {.dsps = npu.macs_per_cycle() * dsps_per_mac,
          .on_chip_bytes = (inputs + weights) * npu.word_bytes + accumulators * accumulator_bytes};
}

void require_fits(const Npu& npu, const Board& board) {
  const Resources needs = resources_of(npu);
  require(needs.dsps <= board.dsps, "t_p x t_c needs " + std::to_string(needs.dsps) + " DSPs; board '" +
                                        board.name + "' has " + std::to_string(board.dsps));
  require(needs.on_chip_bytes <= board.on_chip_bytes,
          "the tile buffers need " + std::to_string(needs.on_chip_bytes) + " bytes on chip; board '" +
              board.name + "' has " + std::to_string(board.on_chip_bytes));
  const double bandwidth = npu.channel == Channel::shared
                               ? npu.input_bandwidth_bytes_per_s
                               : npu.input_bandwidth_bytes_per_s + npu.output_bandwidth_bytes_per_s;
  require(bandwidth <= board.bandwidth_bytes_per_s || std::isinf(bandwidth),
          "the bandwidth is above that of board '" + board.name + "'");
}

}  // namespace fluidbatch::npu
