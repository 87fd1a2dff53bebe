#include "tests/rtl/network.h"

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include "npu_model/batch_policies.h"
#include "tests/rtl/control_words.h"
#include "tests/support/tile_loop.h"

namespace fluidbatch::rtl {
namespace {

constexpr int kShift = 14;

/// A square convolution with a padding of kernel / 2.
struct Convolution {
  int size;  // of its input map
  int input_channels;
  int output_channels;
  int kernel;
  int stride;

  [[nodiscard]] int output_size() const { return (size - 1) / stride + 1; }
  [[nodiscard]] npu::Gemm gemm() const {
    return npu::gemm_of({.input_channels = input_channels,
                         .output_channels = output_channels,
                         .kernel_height = kernel,
                         .kernel_width = kernel,
                         .output_height = output_size(),
                         .output_width = output_size()});
  }
};

/// The first stages of a small residual network, without its additions; the last layer is a dense one.
const std::vector<Convolution> kNetwork = {
    {.size = 32, .input_channels = 3, .output_channels = 16, .kernel = 3, .stride = 1},
    {.size = 32, .input_channels = 16, .output_channels = 16, .kernel = 3, .stride = 1},
    {.size = 32, .input_channels = 16, .output_channels = 32, .kernel = 3, .stride = 2},
    {.size = 16, .input_channels = 32, .output_channels = 16, .kernel = 1, .stride = 1},
    {.size = 16, .input_channels = 16, .output_channels = 48, .kernel = 3, .stride = 2},
    {.size = 8, .input_channels = 48, .output_channels = 10, .kernel = 1, .stride = 8}};

/// Word of a map (positions x channels) at a position that may lie in the padding.
std::int64_t word_at(const Words& map, int size, int y, int x, int channel) {
  return y < 0 || x < 0 || y >= size || x >= size ? 0 : map(y * size + x, channel);
}

Words im2col(const Convolution& layer, const Words& map) {
  const int out = layer.output_size();
  Words matrix(out * out, layer.gemm().p);
  for (int position = 0; position < out * out; ++position) {
    const int y = position / out * layer.stride - layer.kernel / 2;
    const int x = position % out * layer.stride - layer.kernel / 2;
    for (int i = 0; i < matrix.cols(); ++i) {
      const int window = i / layer.input_channels;
      matrix(position, i) = word_at(map, layer.size, y + window / layer.kernel, x + window % layer.kernel,
                                    i % layer.input_channels);
    }
  }
  return matrix;
}

/// The layer by its definition, window by window: shares nothing with im2col but word_at.
Words convolved(const Convolution& layer, const Words& map, const Words& weights) {
  const int out = layer.output_size();
  Words result(out * out, layer.output_channels);
  for (int y = 0; y < out; ++y) {
    for (int x = 0; x < out; ++x) {
      for (int to = 0; to < layer.output_channels; ++to) {
        std::int64_t sum = 0;
        for (int dy = 0; dy < layer.kernel; ++dy) {
          for (int dx = 0; dx < layer.kernel; ++dx) {
            for (int from = 0; from < layer.input_channels; ++from) {
              sum += word_at(map, layer.size, y * layer.stride + dy - layer.kernel / 2,
                             x * layer.stride + dx - layer.kernel / 2, from) *
                     weights((dy * layer.kernel + dx) * layer.input_channels + from, to);
            }
          }
        }
        result(y * out + x, to) = std::clamp<std::int64_t>(sum >> kShift, -32768, 32767);
      }
    }
  }
  return result;
}

npu::BatchPolicy policy_of(const EngineSize& size, Case c) {
  std::vector<npu::BatchPolicy> with_room;
  for (const npu::BatchPolicy& policy : npu::candidates(npu::Mode::fluid_stacked, c.npu, c.batch)) {
    c.policy = policy;
    if (has_room(size, c)) with_room.push_back(policy);
  }
  return npu::choose(npu::Mode::fluid_stacked, with_room, c.layer, c.npu, c.batch).policy;
}

/// Maps of all samples, one matrix for each of the policy's blocks; missing samples are zeros.
std::vector<Words> blocks_of_samples(const Convolution& layer, const std::vector<Words>& maps,
                                     const npu::BatchPolicy& policy) {
  const npu::Gemm gemm = layer.gemm();
  std::vector<Words> blocks(static_cast<std::size_t>(policy.b_p), Words::Zero(policy.b_r * gemm.r, gemm.p));
  for (std::size_t s = 0; s < maps.size(); ++s) {
    const auto b_r = static_cast<std::size_t>(policy.b_r);
    blocks[s / b_r].middleRows(static_cast<Eigen::Index>(s % b_r) * gemm.r, gemm.r) = im2col(layer, maps[s]);
  }
  return blocks;
}

}  // namespace

NetworkRun run_network(Engine& engine, int batch, double words_per_cycle, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Words> maps(static_cast<std::size_t>(batch));
  for (Words& map : maps) map = LayerData::random_words(32 * 32, 3, random);
  std::vector<Words> expected = maps;
  NetworkRun run;
  for (const Convolution& layer : kNetwork) {
    const npu::Gemm gemm = layer.gemm();
    Case c{.npu = npu_of(engine.size()), .layer = {}, .batch = batch, .policy = {}};
    c.npu.residency = std::nullopt;
    if (words_per_cycle > 0) {
      c.npu.input_bandwidth_bytes_per_s = words_per_cycle * c.npu.word_bytes * c.npu.clock_hz;
      c.npu.output_bandwidth_bytes_per_s = c.npu.input_bandwidth_bytes_per_s;
    }
    c.layer.gemm = gemm;
    c.policy = policy_of(engine.size(), c);
    // Weights of a few bits less than a word keep sums from being saturated nearly everywhere.
    const Words weights =
        LayerData::random_words(gemm.p, gemm.c, random).unaryExpr([](std::int64_t w) { return w >> 3; });
    LayerData data(blocks_of_samples(layer, maps, c.policy), {weights}, kShift);
    const npu::LayerCost cost = layer_cost(c.layer, c.npu, batch, c.policy);
    run.closed_form_cycles += cost.latency_cycles;
    if (words_per_cycle > 0)
      run.tile_loop_cycles += test::run_tile_loop(c.layer, c.npu, c.policy).latency_cycles;
    const Counters found = engine.run(control_words_of(c, kShift, words_per_cycle), data,
                                      10'000 + 4 * static_cast<std::int64_t>(cost.latency_cycles));
    run.cycles += found.cycles;
    run.wrong_counts += found.accesses == layer_accesses(c.layer, c.npu, batch, c.policy, cost) ? 0 : 1;
    for (int s = 0; s < batch; ++s) {
      const auto sample = static_cast<std::size_t>(s);
      maps[sample] = data.stored(0, s / c.policy.b_r).middleRows(s % c.policy.b_r * gemm.r, gemm.r);
      expected[sample] = convolved(layer, expected[sample], weights);
    }
  }
  for (std::size_t s = 0; s < maps.size(); ++s)
    run.wrong_words += (maps[s].array() != expected[s].array()).count();
  return run;
}

}  // namespace fluidbatch::rtl
