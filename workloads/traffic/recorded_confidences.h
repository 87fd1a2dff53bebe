// Recorded samples of a network with early exits, and how sure and how right each exit is of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fluidbatch::workloads {

/// A recorded sample: for each exit its confidence, from 0 to 1, and whether it is right.
struct JudgedSample {
  std::vector<double> confidences;
  std::vector<int> correct;  ///< 1 or 0
};

/// The rows of a file of confidences, and the thresholds at which their samples leave unless a control
/// decides otherwise at run time.
class RecordedConfidences {
 public:
  /// `thresholds`, from 0 to 1, of each early exit.
  explicit RecordedConfidences(std::vector<double> thresholds) : thresholds_(std::move(thresholds)) {}

  /// Adds a row. Precondition: it has one confidence and one verdict for each exit.
  void add(const JudgedSample& sample) {
    confidences_.insert(confidences_.end(), sample.confidences.begin(), sample.confidences.end());
    correct_.insert(correct_.end(), sample.correct.begin(), sample.correct.end());
  }

  [[nodiscard]] std::size_t exits() const { return thresholds_.size() + 1; }
  [[nodiscard]] std::size_t rows() const { return correct_.size() / exits(); }
  [[nodiscard]] const std::vector<double>& thresholds() const { return thresholds_; }

  /// Of a row at an exit, from 0 to 1.
  [[nodiscard]] double confidence(std::size_t row, std::size_t exit) const {
    return confidences_[row * exits() + exit];
  }
  /// 1 or 0.
  [[nodiscard]] std::int8_t correct(std::size_t row, std::size_t exit) const {
    return correct_[row * exits() + exit];
  }
  /// The first exit that is sure enough, by `thresholds` of each early exit.
  [[nodiscard]] std::size_t exit_at(std::size_t row, std::span<const double> thresholds) const {
    std::size_t exit = 0;
    while (exit < thresholds.size() && confidence(row, exit) < thresholds[exit]) ++exit;
    return exit;
  }

 private:
  std::vector<double> thresholds_;
  std::vector<double> confidences_;  // row by row
  std::vector<std::int8_t> correct_;
};

}  // namespace fluidbatch::workloads
