#include "tests/support/tile_loop.h"

#include <algorithm>
#include <array>
#include <deque>

namespace fluidbatch::test {
namespace {

struct Store {
  double ready_at;
  double words;
};

/// A memory channel. Times of the calls to `load` never fall.
class Line {
 public:
  explicit Line(double words_per_cycle) : words_per_cycle_(words_per_cycle) {}

  /// Date at which the words are there.
  double load(double asked_at, double words) {
    while (!stores_.empty() && free_at_ < asked_at) {
      Store& store = stores_.front();
      const double begin = std::max(free_at_, store.ready_at);
      if (begin >= asked_at) break;
      const double end = begin + store.words / words_per_cycle_;
      if (end <= asked_at) {
        finish_store(end);
      } else {
        store.words -= (asked_at - begin) * words_per_cycle_;
        free_at_ = asked_at;
      }
    }
    free_at_ = std::max(free_at_, asked_at) + words / words_per_cycle_;
    return free_at_;
  }

  void add_store(double ready_at, double words) { stores_.push_back({ready_at, words}); }

  /// Date at which all stores but the last `but` have ended; serves what is left of them.
  double drain(std::size_t but) {
    while (stores_.size() > but) {
      finish_store(std::max(free_at_, stores_.front().ready_at) + stores_.front().words / words_per_cycle_);
    }
    return stored_at_;
  }

 private:
  void finish_store(double date) {
    free_at_ = stored_at_ = date;
    stores_.pop_front();
  }

  double words_per_cycle_;
  double free_at_ = 0;
  double stored_at_ = 0;  // when the last store that has ended did
  std::deque<Store> stores_;
};

class Walk {
 public:
  Walk(const npu::Gemm& gemm, const npu::Npu& npu, const npu::BatchPolicy& policy)
      : gemm_(gemm),
        npu_(npu),
        policy_(policy),
        load_line_(npu.input_bandwidth_bytes_per_s / (npu.word_bytes * npu.clock_hz)),
        own_store_line_(npu.output_bandwidth_bytes_per_s / (npu.word_bytes * npu.clock_hz)),
        store_line_(npu.channel == npu::Channel::shared ? load_line_ : own_store_line_) {}

  TileLoopResult run() {
    const std::int64_t tile_r = npu_.t_r / policy_.k;
    const std::int64_t tile_c = npu_.t_c / policy_.k;
    const std::int64_t rows = policy_.b_r * gemm_.r;
    for (std::int64_t g = 0; g < gemm_.groups; ++g) {
      for (std::int64_t c = 0; c < gemm_.c; c += tile_c) {
        const std::int64_t channels = std::min(tile_c, gemm_.c - c);
        for (std::int64_t r = 0; r < rows; r += tile_r) {
          output_tile(std::min(tile_r, rows - r), channels, r == 0);
        }
      }
    }
    result_.latency_cycles = std::max(computed_, store_line_.drain(0));
    return result_;
  }

 private:
  void output_tile(std::int64_t rows, std::int64_t channels, bool first_of_column) {
    const std::int64_t tile_p = policy_.k * npu_.t_p;
    const bool one_deep = gemm_.p <= tile_p;
    for (std::int64_t p = 0; p < gemm_.p; p += tile_p) {
      const std::int64_t depth = std::min(tile_p, gemm_.p - p);
      for (std::int64_t block = 0; block < policy_.b_p; ++block) {
        bool fetch = one_deep ? first_of_column && block == 0
                              : block == 0 || npu_.weight_reuse == npu::WeightReuse::none;
        if (npu_.weight_source == npu::WeightSource::on_chip) fetch = false;
        step(rows, depth, fetch ? depth * channels : 0, p == 0 && block == 0);
      }
    }
    computed_ += static_cast<double>(npu_.fill_cycles);
    result_.compute_cycles += npu_.fill_cycles;
    const std::int64_t words = rows * channels * policy_.b_p;
    result_.output_words += words;
    store_line_.add_store(computed_, static_cast<double>(words));
  }

  void step(std::int64_t rows, std::int64_t depth, std::int64_t weight_words, bool first_of_tile) {
    result_.input_words += rows * depth;
    result_.weight_words += weight_words;
    const double loaded = load_line_.load(buffer_free_[0], static_cast<double>(rows * depth + weight_words));
    double begin = std::max(loaded, computed_);
    if (first_of_tile) begin = std::max(begin, store_line_.drain(1));
    const std::int64_t cycles = npu_.edge_rows == npu::EdgeRows::pad ? npu_.t_r / policy_.k : rows;
    result_.compute_cycles += cycles;
    computed_ = begin + static_cast<double>(cycles);
    buffer_free_[0] = buffer_free_[1];
    buffer_free_[1] = computed_;
  }

  const npu::Gemm& gemm_;
  const npu::Npu& npu_;
  const npu::BatchPolicy& policy_;
  Line load_line_;
  Line own_store_line_;
  Line& store_line_;
  std::array<double, 2> buffer_free_{};  // when the two input buffers were last read to the end, older first
  double computed_ = 0;
  TileLoopResult result_;
};

}  // namespace

TileLoopResult run_tile_loop(const npu::Gemm& gemm, const npu::Npu& npu, const npu::BatchPolicy& policy) {
  return Walk(gemm, npu, policy).run();
}

}  // namespace fluidbatch::test
