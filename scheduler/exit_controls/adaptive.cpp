// Thresholds that fall with the queue, with exits before a deadline is missed, and a controller that holds an
// accuracy: docs/model.md, "Exits decided at run time".
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Settings {
  double queue_gain = 0;
  double floor = 0;
  bool deadline = false;
  double accuracy_target = std::numeric_limits<double>::quiet_NaN();  // NaN: none
  double step = 0;
  std::uint64_t window = 1;
};

/// How often an exit is right at a given confidence, by bins of equally many recorded samples.
class Calibration {
 public:
  explicit Calibration(std::vector<JudgedExit> rows) {
    std::stable_sort(rows.begin(), rows.end(),
                     [](const JudgedExit& a, const JudgedExit& b) { return a.confidence < b.confidence; });
    for (std::size_t bin = 0; bin < kBins; ++bin) {
      const std::size_t begin = rows.size() * bin / kBins;
      const std::size_t end = rows.size() * (bin + 1) / kBins;
      if (begin == end) continue;  // there are fewer rows than bins
      std::size_t correct = 0;
      for (std::size_t row = begin; row < end; ++row) correct += rows[row].correct ? 1U : 0U;
      firsts_.push_back(rows[begin].confidence);
      shares_.push_back(static_cast<double>(correct) / static_cast<double>(end - begin));
    }
  }

  /// The share of right answers in the last bin that begins at or below `confidence`, or else in the first.
  [[nodiscard]] double share_correct(double confidence) const {
    const auto above = std::upper_bound(firsts_.begin(), firsts_.end(), confidence) - firsts_.begin();
    return shares_[static_cast<std::size_t>(std::max<std::ptrdiff_t>(above, 1) - 1)];
  }

 private:
  static constexpr std::size_t kBins = 20;

  std::vector<double> firsts_;  // the least confidence of each bin
  std::vector<double> shares_;
};

class AdaptiveExits final : public ExitControl {
 public:
  AdaptiveExits(const Settings& settings, const ExitControlContext& context)
      : settings_(settings), thresholds_(context.thresholds) {
    for (const double threshold : thresholds_) {
      least_delta_ = std::max(least_delta_, -threshold);
      most_delta_ = std::min(most_delta_, 1 - threshold);
    }
    for (const auto& rows : context.calibration) calibration_.emplace_back(rows);
  }

  ExitRule rule(const ExitView& view) const override {
    const double threshold = thresholds_[static_cast<std::size_t>(view.exit)] + delta_ -
                             settings_.queue_gain * static_cast<double>(view.queued);
    return {.threshold = std::min(1.0, std::max(settings_.floor, threshold)),
            .by_deadline = settings_.deadline};
  }

  void taken(const ExitTaken& exit) override {
    if (std::isnan(settings_.accuracy_target)) return;
    correct_in_window_ += calibration_[static_cast<std::size_t>(exit.exit)].share_correct(exit.confidence);
    if (++taken_in_window_ < settings_.window) return;
    const double mean = correct_in_window_ / static_cast<double>(settings_.window);
    delta_ += settings_.step * (settings_.accuracy_target - mean);
    delta_ = std::clamp(delta_, least_delta_, most_delta_);
    taken_in_window_ = 0;
    correct_in_window_ = 0;
  }

  std::unique_ptr<ExitControl> clone() const override { return std::make_unique<AdaptiveExits>(*this); }

 private:
  Settings settings_;
  std::vector<double> thresholds_;
  // So that every threshold plus delta stays within 0 and 1.
  double least_delta_ = -kInfinity;
  double most_delta_ = kInfinity;
  std::vector<Calibration> calibration_;  // by exit; only where there is a target

  double delta_ = 0;
  std::uint64_t taken_in_window_ = 0;
  double correct_in_window_ = 0;
};

const ExitControlRegistration kRegistration(
    {.name = "adaptive",
     .summary = "thresholds fall with the queue, and are steered to an accuracy",
     .parameters =
         {{.name = "queue_gain",
           .default_value = 0.06,
           .min = 0,
           .max = 1e9,
           .meaning = "what each request in the queue takes off the thresholds"},
          {.name = "floor", .default_value = 0, .min = 0, .max = 1, .meaning = "least threshold"},
          flag_parameter(
              "deadline", true,
              "a sample leaves too where one more segment would make it late, at whatever confidence"),
          {.name = "accuracy_target",
           .default_value = std::numeric_limits<double>::quiet_NaN(),
           .min = 0,
           .max = 1,
           .meaning =
               "accuracy that the thresholds are steered to; even rows of the file calibrate, odd rows "
               "are served"},
          {.name = "step",
           .default_value = 0.5,
           .min = 0,
           .max = 1000,
           .meaning =
               "what a window moves all thresholds by, times the accuracy that it was short of the target"},
          {.name = "window",
           .default_value = 256,
           .min = 1,
           .max = 1'000'000'000,
           .integer = true,
           .meaning = "requests after which the thresholds are moved"}},
     .traits =
         [](const ParameterValues& values) {
           return ExitControlTraits{.needs_confidences = true,
                                    .accuracy_target = values.number("accuracy_target")};
         },
     .make =
         [](const ParameterValues& values, const ExitControlContext& context) {
           return std::make_unique<AdaptiveExits>(
               Settings{.queue_gain = values.number("queue_gain"),
                        .floor = values.number("floor"),
                        .deadline = values.flag("deadline"),
                        .accuracy_target = values.number("accuracy_target"),
                        .step = values.number("step"),
                        .window = static_cast<std::uint64_t>(values.number("window"))},
               context);
         }});

}  // namespace
}  // namespace fluidbatch::scheduler
