// Which of many streams comes first.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

namespace fluidbatch::workloads {

/// A tournament over a fixed number of leaves, each with a date: the earliest wins, of equal dates the leaf
/// with the smaller number. Changing any leaf's date takes log2(leaves) matches, whose opponents are known
/// beforehand, so that the processor looks them up together. 16 bytes a node.
class WinnerTree {
 public:
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  /// All leaves start at infinity.
  explicit WinnerTree(std::size_t leaves) : first_leaf_(std::bit_ceil(leaves < 1 ? 1 : leaves)) {
    nodes_.resize(2 * first_leaf_);
    for (std::size_t node = 1; node < nodes_.size(); ++node) {
      const std::size_t depth_width = std::bit_floor(node);  // nodes of its depth
      nodes_[node].leaf = (node - depth_width) * (first_leaf_ / depth_width);
    }
  }

  [[nodiscard]] double date_s() const { return std::bit_cast<double>(nodes_[1].date_bits); }
  [[nodiscard]] std::uint32_t leaf() const { return static_cast<std::uint32_t>(nodes_[1].leaf); }

  /// The date of a leaf.
  [[nodiscard]] double date_of(std::uint32_t leaf) const {
    return std::bit_cast<double>(nodes_[first_leaf_ + leaf].date_bits);
  }

  /// `date_s` must not be negative.
  void set(std::uint32_t leaf, double date_s) {
    std::size_t node = first_leaf_ + leaf;
    Node winner{std::bit_cast<std::uint64_t>(date_s), leaf};
    nodes_[node] = winner;
    while (node > 1) {
      const Node other = nodes_[node ^ 1];
      // Who wins is a coin toss to the processor, so a mask (all ones where the other one does), not a
      // branch.
      const std::uint64_t other_wins =
          std::uint64_t{other.date_bits < winner.date_bits} |
          (std::uint64_t{other.date_bits == winner.date_bits} & std::uint64_t{other.leaf < winner.leaf});
      const std::uint64_t mask = 0 - other_wins;
      winner.date_bits ^= (winner.date_bits ^ other.date_bits) & mask;
      winner.leaf ^= (winner.leaf ^ other.leaf) & mask;
      node >>= 1;
      nodes_[node] = winner;
    }
  }

 private:
  /// Dates that are not negative are in the same order as their bits.
  struct Node {
    std::uint64_t date_bits = std::bit_cast<std::uint64_t>(kNever);
    std::uint64_t leaf = 0;
  };

  std::size_t first_leaf_;
  std::vector<Node> nodes_;  // the root is 1, the children of n are 2n and 2n + 1
};

}  // namespace fluidbatch::workloads
