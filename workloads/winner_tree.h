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
      nodes_[node] = {kNever, static_cast<std::uint32_t>((node - depth_width) * (first_leaf_ / depth_width))};
    }
  }

  [[nodiscard]] double date_s() const { return nodes_[1].date_s; }
  [[nodiscard]] std::uint32_t leaf() const { return nodes_[1].leaf; }

  [[nodiscard]] double date_of(std::uint32_t leaf) const { return nodes_[first_leaf_ + leaf].date_s; }

  void set(std::uint32_t leaf, double date_s) {
    std::size_t node = first_leaf_ + leaf;
    Node winner{date_s, leaf};
    nodes_[node] = winner;
    while (node > 1) {
      const Node other = nodes_[node ^ 1];
      const bool loses =
          other.date_s < winner.date_s || (other.date_s == winner.date_s && other.leaf < winner.leaf);
      winner = loses ? other : winner;
      node >>= 1;
      nodes_[node] = winner;
    }
  }

 private:
  struct Node {
    double date_s = kNever;
    std::uint32_t leaf = 0;
  };

  std::size_t first_leaf_;
  std::vector<Node> nodes_;  // the root is 1, the children of n are 2n and 2n + 1
};

}  // namespace fluidbatch::workloads
