// An exit control: the more samples share the NPU, the less sure they need to be.
#include <algorithm>
#include <limits>

#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

class Crowded final : public ExitControl {
 public:
  Crowded(std::vector<double> thresholds, double per_sample)
      : thresholds_(std::move(thresholds)), per_sample_(per_sample) {}

  ExitRule rule(const ExitView& view) const override {
    const double others = static_cast<double>(view.batch) - 1;
    const double threshold = thresholds_[static_cast<std::size_t>(view.exit)] - per_sample_ * others;
    return {.threshold = std::max(threshold, 0.0), .by_deadline = false};
  }

  std::unique_ptr<ExitControl> clone() const override { return std::make_unique<Crowded>(*this); }

 private:
  std::vector<double> thresholds_;
  double per_sample_;
};

const ExitControlRegistration kRegistration(
    {.name = "crowded",
     .summary = "thresholds fall with the batch",
     .parameters = {{.name = "per_sample",
                     .default_value = 0.05,
                     .min = 0,
                     .max = 1,
                     .integer = false,
                     .meaning = "what each other sample of the batch takes off the thresholds"}},
     .traits =
         [](const ParameterValues&) {
           return ExitControlTraits{.needs_confidences = true,
                                    .accuracy_target = std::numeric_limits<double>::quiet_NaN()};
         },
     .make =
         [](const ParameterValues& values, const ExitControlContext& context) {
           return std::make_unique<Crowded>(context.thresholds, values.number("per_sample"));
         }});

}  // namespace
}  // namespace fluidbatch::scheduler
