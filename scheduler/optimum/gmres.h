// A solver of linear systems of which only the product with a vector is known.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

namespace fluidbatch::scheduler::smdp {

/// GMRES without restarts (Saad and Schultz, 1986). Its memory is kept from one call to the next.
class Gmres {
 public:
  using Vector = std::vector<double>;

  /// `most` products at a time, each with a vector that is kept.
  explicit Gmres(std::size_t most) : most_(most), basis_(most + 1) {}

  /// Adds to `x` what reduces the norm of `residual` = b - A x by `reduction`, or as far as it gets.
  /// `apply(d, result)`: result = A d. The number of products.
  template <typename Apply>
  std::size_t solve(const Vector& residual, double reduction, Vector& x, const Apply& apply) {
    const double norm = std::sqrt(dot(residual, residual));
    if (!(norm > 0)) return 0;
    columns_.clear();
    rotations_.clear();
    basis_[0] = residual;
    scale(basis_[0], 1 / norm);
    Vector rest{norm};  // the residual in the basis, turned by the rotations so far
    std::size_t steps = 0;
    while (steps < most_ && std::abs(rest.back()) > reduction * norm) {
      apply(basis_[steps], basis_[steps + 1]);
      Vector column = orthogonalise(steps);
      const bool exact = !(column.back() > 0);
      if (!exact) scale(basis_[steps + 1], 1 / column.back());
      rotate(column, rest);
      columns_.push_back(std::move(column));
      ++steps;
      if (exact) break;
    }
    add_combination(rest, steps, x);
    return steps;
  }

  void free_memory() { basis_.assign(most_ + 1, {}); }

 private:
  struct Rotation {
    double cosine;
    double sine;
  };

  /// In four sums at a time, since no compiler may reorder one.
  static double dot(const Vector& a, const Vector& b) {
    constexpr std::size_t kSums = 4;
    std::array<double, kSums> sums{};
    std::size_t i = 0;
    for (; i + kSums <= a.size(); i += kSums) {
      for (std::size_t k = 0; k < kSums; ++k) sums[k] += a[i + k] * b[i + k];
    }
    for (; i < a.size(); ++i) sums[0] += a[i] * b[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }
  static void scale(Vector& a, double factor) {
    for (double& value : a) value *= factor;
  }
  static void add(Vector& a, double factor, const Vector& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
  }

  /// Makes the newest vector orthogonal to those before it: their products, then its norm.
  Vector orthogonalise(std::size_t step) {
    Vector column;
    column.reserve(step + 2);
    Vector& newest = basis_[step + 1];
    for (std::size_t i = 0; i <= step; ++i) {
      column.push_back(dot(newest, basis_[i]));
      add(newest, -column.back(), basis_[i]);
    }
    column.push_back(std::sqrt(dot(newest, newest)));
    return column;
  }

  /// Givens rotations take the entry below the diagonal out of the column, and out of the residual.
  void rotate(Vector& column, Vector& rest) {
    for (std::size_t i = 0; i < rotations_.size(); ++i) {
      const auto [cosine, sine] = rotations_[i];
      const double upper = cosine * column[i] + sine * column[i + 1];
      column[i + 1] = cosine * column[i + 1] - sine * column[i];
      column[i] = upper;
    }
    const std::size_t last = column.size() - 2;
    const double length = std::sqrt(column[last] * column[last] + column[last + 1] * column[last + 1]);
    const Rotation rotation =
        length > 0 ? Rotation{column[last] / length, column[last + 1] / length} : Rotation{1, 0};
    column[last] = length;
    column.pop_back();
    rotations_.push_back(rotation);
    rest.push_back(-rotation.sine * rest[last]);
    rest[last] *= rotation.cosine;
  }

  void add_combination(const Vector& rest, std::size_t steps, Vector& x) const {
    Vector factors(steps);
    for (std::size_t i = steps; i-- > 0;) {
      double value = rest[i];
      for (std::size_t j = i + 1; j < steps; ++j) value -= columns_[j][i] * factors[j];
      factors[i] = columns_[i][i] != 0 ? value / columns_[i][i] : 0;
    }
    for (std::size_t i = 0; i < steps; ++i) add(x, factors[i], basis_[i]);
  }

  std::size_t most_;
  std::vector<Vector> basis_;
  std::vector<Vector> columns_;  // of the upper triangle
  std::vector<Rotation> rotations_;
};

}  // namespace fluidbatch::scheduler::smdp
