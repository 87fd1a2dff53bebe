#include "tests/support/tile_loop.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <stdexcept>

#include "tests/support/channel_arbiter.h"

namespace fluidbatch::test {
namespace {

using npu::Residency;

std::int64_t tiles_in(std::int64_t extent, std::int64_t tile) { return (extent + tile - 1) / tile; }

/// A step of the walk, in tiles.
struct Step {
  std::int64_t group = 0;
  std::int64_t r = 0;
  std::int64_t c = 0;
  std::int64_t p = 0;
  std::int64_t block = 0;
  std::int64_t number = 0;
};

/// The layer as steps: how many, in which order, and what belongs to each.
class Walk {
 public:
  Walk(const npu::Layer& layer, const npu::Npu& npu, const npu::BatchPolicy& policy, std::int64_t packed)
      : tile_r_(npu.t_r / policy.k),
        tile_p_(npu.t_p * policy.k),
        tile_c_(npu.t_c / policy.k),
        packed_(static_cast<double>(packed)),
        padded_(npu.edge_rows == npu::EdgeRows::pad),
        fill_cycles_(npu.fill_cycles) {
    const bool own_products = layer.kind == npu::LayerKind::matmul;
    const npu::Gemm& gemm = layer.gemm;
    groups = tiles_in(gemm.groups, packed) * (own_products ? policy.b_r * policy.b_p : 1);
    blocks = own_products ? 1 : policy.b_p;
    rows_ = (own_products ? 1 : policy.b_r) * gemm.r;
    depth_ = packed * gemm.p;
    channels_ = packed * gemm.c;
    n_r = tiles_in(rows_, tile_r_);
    n_p = tiles_in(depth_, tile_p_);
    n_c = tiles_in(channels_, tile_c_);
    rows_outside = policy.residency == Residency::row || policy.residency == Residency::weights;
    const auto matrix_words = static_cast<double>(gemm.r * gemm.p);
    if (npu.input_path == npu::InputPath::line_buffer && layer.distinct_input_words > 0) {
      crossing_share_ = std::min(1.0, static_cast<double>(layer.distinct_input_words) / matrix_words);
    }
  }

  void advance(Step& at) const {
    ++at.number;
    if (++at.block < blocks) return;
    at.block = 0;
    if (++at.p < n_p) return;
    at.p = 0;
    std::int64_t& inner = rows_outside ? at.c : at.r;
    if (++inner < (rows_outside ? n_c : n_r)) return;
    inner = 0;
    std::int64_t& outer = rows_outside ? at.r : at.c;
    if (++outer < (rows_outside ? n_r : n_c)) return;
    outer = 0;
    ++at.group;
  }

  [[nodiscard]] std::int64_t steps() const { return groups * n_r * n_c * steps_of_output_tile(); }
  [[nodiscard]] std::int64_t steps_of_output_tile() const { return n_p * blocks; }
  [[nodiscard]] bool ends_output_tile(const Step& at) const {
    return at.p == n_p - 1 && at.block == blocks - 1;
  }

  [[nodiscard]] std::int64_t cycles(const Step& at) const {
    return (padded_ ? tile_r_ : rows(at)) + (ends_output_tile(at) ? fill_cycles_ : 0);
  }
  [[nodiscard]] double input_words(const Step& at) const {
    return static_cast<double>(rows(at) * depth(at)) * crossing_share_;
  }
  [[nodiscard]] double weight_words(const Step& at) const {
    return static_cast<double>(depth(at) * channels(at)) / packed_;
  }
  [[nodiscard]] std::int64_t output_words(const Step& at) const { return rows(at) * channels(at) * blocks; }

  std::int64_t groups = 1;
  std::int64_t blocks = 1;
  std::int64_t n_r = 1;
  std::int64_t n_p = 1;
  std::int64_t n_c = 1;
  bool rows_outside = false;  // row tiles around column tiles

 private:
  [[nodiscard]] std::int64_t rows(const Step& at) const { return std::min(tile_r_, rows_ - at.r * tile_r_); }
  [[nodiscard]] std::int64_t depth(const Step& at) const {
    return std::min(tile_p_, depth_ - at.p * tile_p_);
  }
  [[nodiscard]] std::int64_t channels(const Step& at) const {
    return std::min(tile_c_, channels_ - at.c * tile_c_);
  }

  std::int64_t tile_r_;
  std::int64_t tile_p_;
  std::int64_t tile_c_;
  double packed_;  // groups of which one has a weight where the packed matrix has a place
  bool padded_;
  std::int64_t fill_cycles_;
  std::int64_t rows_ = 0;
  std::int64_t depth_ = 0;
  std::int64_t channels_ = 0;
  double crossing_share_ = 1;  // of the words of the input matrix: those that are not in a line buffer
};

/// The tiles of one operand, in order of their first use: which step that is, and how long each keeps its
/// place.
class Tiles {
 public:
  /// A tile is brought where the steps named are at their first; it stays for the others of these.
  struct Reuse {
    bool over_rows = false;
    bool over_columns = false;
    bool over_blocks = false;
  };

  Tiles(const Walk& walk, Reuse reuse, std::int64_t places) : walk_(walk), reuse_(reuse), places_(places) {
    const std::int64_t inner = walk.steps_of_output_tile();
    if (reuse.over_rows) kept_for_ += (walk.n_r - 1) * inner * (walk.rows_outside ? walk.n_c : 1);
    if (reuse.over_columns) kept_for_ += (walk.n_c - 1) * inner * (walk.rows_outside ? 1 : walk.n_r);
    if (reuse.over_blocks) kept_for_ += walk.blocks - 1;
    find_first_use();
  }

  /// Whether the next tile has a place once `computed` steps are computed.
  [[nodiscard]] bool may_cross(std::int64_t computed) const {
    if (first_use_.group == walk_.groups) return false;
    return static_cast<std::int64_t>(in_place_.size()) < places_ || in_place_.front() < computed;
  }
  /// The step that uses the next tile first.
  [[nodiscard]] const Step& first_use() const { return first_use_; }

  void go_on() {
    if (static_cast<std::int64_t>(in_place_.size()) == places_) in_place_.pop_front();
    in_place_.push_back(first_use_.number + kept_for_);
    walk_.advance(first_use_);
    find_first_use();
  }

 private:
  void find_first_use() {
    while ((reuse_.over_rows && first_use_.r > 0) || (reuse_.over_columns && first_use_.c > 0) ||
           (reuse_.over_blocks && first_use_.block > 0)) {
      walk_.advance(first_use_);
    }
  }

  const Walk& walk_;
  Reuse reuse_;
  std::int64_t places_;
  std::int64_t kept_for_ = 0;  // steps from the first use to the last one
  Step first_use_;
  std::deque<std::int64_t> in_place_;  // by tile, the step of the last use
};

Tiles input_tiles(const Walk& walk) {
  if (walk.rows_outside) return {walk, {.over_columns = true}, 2 * walk.n_p * walk.blocks};
  return {walk, {}, 2};
}

Tiles weight_tiles(const Walk& walk, Residency residency, npu::WeightReuse reuse) {
  switch (residency) {
    case Residency::column:
      return {walk, {.over_rows = true, .over_blocks = true}, 2 * walk.n_p};
    case Residency::weights:
      return {walk, {.over_rows = true, .over_blocks = true}, walk.n_p * walk.n_c + 2};
    case Residency::stream:
    case Residency::row:
      break;
  }
  const bool one_tile_deep = walk.n_p == 1;
  const bool blocks_share = one_tile_deep || reuse == npu::WeightReuse::interleaved;
  const bool rows_follow = !walk.rows_outside || walk.n_c == 1;  // no other column comes in between
  return {walk, {.over_rows = one_tile_deep && rows_follow, .over_blocks = blocks_share}, 2};
}

/// The engine and its channels: a clock that goes from event to event.
class Run {
 public:
  Run(const Walk& walk, const npu::Npu& npu, Residency residency, bool weights_cross, TileLoopOptions options)
      : walk_(walk),
        inputs_(input_tiles(walk)),
        weights_(weight_tiles(walk, residency, npu.weight_reuse)),
        weights_cross_(weights_cross),
        output_tiles_(options.output_tiles),
        cycles_per_load_(npu.clock_hz * npu.word_bytes / npu.input_bandwidth_bytes_per_s),
        cycles_per_store_(npu.clock_hz * npu.word_bytes / npu.output_bandwidth_bytes_per_s),
        loads_(options.arbiter),
        own_stores_(options.arbiter),
        stores_(npu.channel == npu::Channel::shared ? loads_ : own_stores_),
        now_(static_cast<double>(npu.layer_overhead_cycles)) {}

  TileLoopResult to_end() {
    constexpr double kNever = std::numeric_limits<double>::infinity();
    ask_for_tiles();
    bool computing = false;
    double computed_in = kNever;
    while (at_.number < walk_.steps() || !loads_.idle() || !own_stores_.idle()) {
      if (!computing && at_.number < walk_.steps() && awaited(at_.number) == 0) {
        computing = true;
        computed_in = static_cast<double>(walk_.cycles(at_));
      }
      const double load_in = loads_.until_next_end();
      const double store_in = own_stores_.until_next_end();
      const double next = std::min({computed_in, load_in, store_in});
      if (next == kNever) throw std::logic_error("the loop waits for what nobody has asked for");
      now_ += next;
      computed_in -= next;
      loads_.serve(next);
      own_stores_.serve(next);
      if (load_in == next) {
        --awaited(loads_.end_next());
      } else if (store_in == next) {
        --awaited(own_stores_.end_next());
      } else {
        computing = false;
        computed_in = kNever;
        end_step();
      }
    }
    result_.latency_cycles = now_;
    return result_;
  }

 private:
  /// Transfers asked for that have not ended and that step `number`, the current one or a later one, needs.
  int& awaited(std::int64_t number) {
    const auto ahead = static_cast<std::size_t>(number - at_.number);
    if (ahead >= awaited_.size()) awaited_.resize(ahead + 1);
    return awaited_[ahead];
  }

  void ask(ArbitratedChannel& channel, double cycles, std::int64_t needed_by) {
    ++awaited(needed_by);
    channel.ask(cycles, needed_by);
  }

  /// Asks for all tiles that have a place by now, in the order in which they are needed.
  void ask_for_tiles() {
    while (true) {
      const bool weights = weights_cross_ && weights_.may_cross(at_.number);
      const bool inputs = inputs_.may_cross(at_.number);
      if (!weights && !inputs) return;
      if (weights && (!inputs || weights_.first_use().number <= inputs_.first_use().number)) {
        load(weights_, walk_.weight_words(weights_.first_use()), result_.weight_words);
      } else {
        load(inputs_, walk_.input_words(inputs_.first_use()), result_.input_words);
      }
    }
  }

  void load(Tiles& tiles, double words, double& sum) {
    sum += words;
    ask(loads_, words * cycles_per_load_, tiles.first_use().number);
    tiles.go_on();
  }

  void end_step() {
    result_.compute_cycles += walk_.cycles(at_);
    if (walk_.ends_output_tile(at_)) {
      const std::int64_t words = walk_.output_words(at_);
      result_.output_words += words;
      // The first step of the output tile that takes this one's place, or the end.
      const std::int64_t taken_by = at_.number + 1 + (output_tiles_ - 1) * walk_.steps_of_output_tile();
      ask(stores_, static_cast<double>(words) * cycles_per_store_, std::min(taken_by, walk_.steps()));
    }
    walk_.advance(at_);
    if (!awaited_.empty()) awaited_.pop_front();
    ask_for_tiles();
  }

  const Walk& walk_;
  Tiles inputs_;
  Tiles weights_;
  bool weights_cross_;
  int output_tiles_;
  double cycles_per_load_;
  double cycles_per_store_;
  ArbitratedChannel loads_;
  ArbitratedChannel own_stores_;
  ArbitratedChannel& stores_;
  double now_;
  Step at_;                  // being computed or waited for
  std::deque<int> awaited_;  // by step from this one on
  TileLoopResult result_;
};

}  // namespace

TileLoopResult run_tile_loop(const npu::Layer& layer, const npu::Npu& npu, const npu::BatchPolicy& policy,
                             std::int64_t packed_groups, TileLoopOptions options) {
  const Walk walk(layer, npu, policy, packed_groups);
  const bool weights_cross =
      npu.weight_source == npu::WeightSource::off_chip || layer.kind == npu::LayerKind::matmul;
  return Run(walk, npu, policy.residency, weights_cross, options).to_end();
}

}  // namespace fluidbatch::test
