#include "tests/support/tile_loop.h"

#include <algorithm>
#include <array>
#include <deque>

namespace fluidbatch::test {
namespace {

/// A memory channel. Times of the calls to `load` never fall.
class Line {
 public:
  explicit Line(double words_per_cycle) : words_per_cycle_(words_per_cycle) {}

  /// Date at which the words are there.
  double load(double asked_at, double words) {
    while (!background_.empty() && free_at_ < asked_at) {
      Transfer& first = background_.front();
      const double begin = std::max(free_at_, first.asked_at);
      if (begin >= asked_at) break;
      const double end = begin + first.words / words_per_cycle_;
      if (end <= asked_at) {
        free_at_ = end;
        background_.pop_front();
      } else {
        first.words -= (asked_at - begin) * words_per_cycle_;
        free_at_ = asked_at;
      }
    }
    free_at_ = std::max(free_at_, asked_at) + words / words_per_cycle_;
    return free_at_;
  }

  /// Asks for a transfer in the gaps; its number.
  std::int64_t ask(double asked_at, double words) {
    background_.push_back({asked_at, words, next_id_});
    return next_id_++;
  }

  /// Date at which transfer `id` ends, which goes before all others from now on; 0 where it has ended in a
  /// gap, hence before anything that may wait for it.
  double wait_for(std::int64_t id) {
    const auto place =
        std::find_if(background_.begin(), background_.end(), [&](const Transfer& t) { return t.id == id; });
    if (place == background_.end()) return 0;
    free_at_ = std::max(free_at_, place->asked_at) + place->words / words_per_cycle_;
    background_.erase(place);
    return free_at_;
  }

 private:
  struct Transfer {
    double asked_at;
    double words;
    std::int64_t id;
  };

  double words_per_cycle_;
  double free_at_ = 0;
  std::int64_t next_id_ = 0;
  std::deque<Transfer> background_;
};

/// The order of the walk: one position for each (group, column tile, row tile, tile along P).
struct Position {
  std::int64_t group = 0;
  std::int64_t c = 0;
  std::int64_t r = 0;
  std::int64_t p = 0;
};

class Walk {
 public:
  Walk(const npu::Gemm& gemm, const npu::Npu& npu, const npu::BatchPolicy& policy, std::int64_t packed_groups)
      : gemm_{.groups = (gemm.groups + packed_groups - 1) / packed_groups,
              .r = gemm.r,
              .p = packed_groups * gemm.p,
              .c = packed_groups * gemm.c},
        nonzero_(1.0 / static_cast<double>(packed_groups)),
        npu_(npu),
        blocks_(policy.b_p),
        rows_(policy.b_r * gemm.r),
        tile_r_(npu.t_r / policy.k),
        tile_p_(npu.t_p * policy.k),
        tile_c_(npu.t_c / policy.k),
        load_line_(npu.input_bandwidth_bytes_per_s / (npu.word_bytes * npu.clock_hz)),
        own_store_line_(npu.output_bandwidth_bytes_per_s / (npu.word_bytes * npu.clock_hz)),
        store_line_(npu.channel == npu::Channel::shared ? load_line_ : own_store_line_) {}

  TileLoopResult run() {
    fetch_ahead(0);
    fetch_ahead(0);
    for (Position at; at.group < gemm_.groups; advance(at)) {
      for (std::int64_t block = 0; block < blocks_; ++block) step(at, block);
      if (at.p + tile_p_ >= gemm_.p) end_output_tile(at);
    }
    double end = computed_;
    for (const std::int64_t id : stores_) {
      if (id >= 0) end = std::max(end, store_line_.wait_for(id));
    }
    result_.latency_cycles = end;
    return result_;
  }

 private:
  void advance(Position& at) const {
    at.p += tile_p_;
    if (at.p < gemm_.p) return;
    at.p = 0;
    at.r += tile_r_;
    if (at.r < rows_) return;
    at.r = 0;
    at.c += tile_c_;
    if (at.c < gemm_.c) return;
    at.c = 0;
    ++at.group;
  }

  [[nodiscard]] std::int64_t depth(const Position& at) const { return std::min(tile_p_, gemm_.p - at.p); }
  [[nodiscard]] std::int64_t channels(const Position& at) const { return std::min(tile_c_, gemm_.c - at.c); }
  [[nodiscard]] std::int64_t rows(const Position& at) const { return std::min(tile_r_, rows_ - at.r); }

  /// Whether weights are fetched for this block of this position.
  [[nodiscard]] bool fetches(const Position& at, std::int64_t block) const {
    if (npu_.weight_source == npu::WeightSource::on_chip) return false;
    if (gemm_.p <= tile_p_) return at.r == 0 && block == 0;  // one tile along P: it stays for the column
    return block == 0 || npu_.weight_reuse == npu::WeightReuse::none;
  }

  /// Asks for the next weight tile that will be needed; `free_at` is when its buffer is.
  void fetch_ahead(double free_at) {
    while (next_fetch_.group < gemm_.groups) {
      const Position at = next_fetch_;
      const std::int64_t block = next_fetch_block_;
      if (++next_fetch_block_ == blocks_) {
        next_fetch_block_ = 0;
        advance(next_fetch_);
      }
      if (!fetches(at, block)) continue;
      const double words = static_cast<double>(depth(at) * channels(at)) * nonzero_;
      result_.weight_words += words;
      fetched_.push_back(load_line_.ask(free_at, words));
      return;
    }
  }

  void step(const Position& at, std::int64_t block) {
    const std::int64_t words = rows(at) * depth(at);
    result_.input_words += words;
    double begin = std::max(load_line_.load(buffer_free_[0], static_cast<double>(words)), computed_);
    if (fetches(at, block)) {
      begin = std::max(begin, load_line_.wait_for(fetched_.front()));
      fetched_.pop_front();
      if (!first_fetch_) fetch_ahead(computed_);  // the tile before this one has been used for the last time
      first_fetch_ = false;
    }
    if (at.p == 0 && block == 0 && stores_[0] >= 0) begin = std::max(begin, store_line_.wait_for(stores_[0]));
    const std::int64_t cycles = npu_.edge_rows == npu::EdgeRows::pad ? tile_r_ : rows(at);
    result_.compute_cycles += cycles;
    computed_ = begin + static_cast<double>(cycles);
    buffer_free_[0] = buffer_free_[1];
    buffer_free_[1] = computed_;
  }

  void end_output_tile(const Position& at) {
    computed_ += static_cast<double>(npu_.fill_cycles);
    result_.compute_cycles += npu_.fill_cycles;
    const std::int64_t words = rows(at) * channels(at) * blocks_;
    result_.output_words += words;
    stores_[0] = stores_[1];
    stores_[1] = store_line_.ask(computed_, static_cast<double>(words));
  }

  npu::Gemm gemm_;
  double nonzero_;
  const npu::Npu& npu_;
  std::int64_t blocks_;
  std::int64_t rows_;
  std::int64_t tile_r_;
  std::int64_t tile_p_;
  std::int64_t tile_c_;
  Line load_line_;
  Line own_store_line_;
  Line& store_line_;
  Position next_fetch_;
  std::int64_t next_fetch_block_ = 0;
  std::deque<std::int64_t> fetched_;  // weight tiles asked for and not used yet
  bool first_fetch_ = true;
  std::array<double, 2> buffer_free_{};  // when the two input buffers were last read to the end, older first
  std::array<std::int64_t, 2> stores_{-1, -1};  // of the last two output tiles, older first
  double computed_ = 0;
  TileLoopResult result_;
};

}  // namespace

TileLoopResult run_tile_loop(const npu::Gemm& gemm, const npu::Npu& npu, const npu::BatchPolicy& policy,
                             std::int64_t packed_groups) {
  return Walk(gemm, npu, policy, packed_groups).run();
}

}  // namespace fluidbatch::test
