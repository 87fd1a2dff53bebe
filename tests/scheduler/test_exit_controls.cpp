// Exit controls: the rule of each, by hand.
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler/registry.h"
#include "sim/scenario/policy_parameters.h"
#include "tests/support/examples.h"

using namespace fluidbatch;
using namespace fluidbatch::scheduler;

namespace {

std::unique_ptr<ExitControl> adaptive(const sim::PolicyArguments& arguments,
                                      const ExitControlContext& context) {
  const ExitControlInfo& info = *find_exit_control("adaptive");
  return info.make(sim::parameter_values("adaptive", info.parameters, arguments), context);
}

npu::BatchPolicyTable two_segments() {
  std::vector<npu::Layer> layers(2);
  layers[0].name = "a";
  layers[1].name = "b";
  layers[1].segment = 1;
  for (npu::Layer& layer : layers) layer.gemm = {.groups = 1, .r = 1, .p = 1, .c = 1};
  return {layers, Eigen::ArrayXXd::Ones(2, 4)};
}

/// The threshold of exit `exit` with `queued` requests in the queue.
double threshold(const ExitControl& control, std::size_t queued, int exit = 0) {
  const npu::BatchPolicyTable table = two_segments();
  return control
      .rule({.now_s = 1, .exit = exit, .batch = 1, .queued = queued, .slo = {.latency_s = 1}, .table = table})
      .threshold;
}

/// Rows of one exit, the confidences in rising order: those of `correct` with a 1 are right.
std::vector<JudgedExit> rows_of(const std::string& correct) {
  std::vector<JudgedExit> rows;
  for (std::size_t i = 0; i < correct.size(); ++i) {
    rows.push_back({.confidence = static_cast<double>(i) / static_cast<double>(correct.size()),
                    .correct = correct[i] == '1'});
  }
  return rows;
}

}  // namespace

TEST_CASE("thresholds fall with the queue, down to the floor and up to 1", "[exit_control]") {
  const ExitControlContext context{.thresholds = {0.75, 1}, .calibration = {}};
  const auto control = adaptive({{"queue_gain", 0.125}, {"floor", 0.3}}, context);
  CHECK(threshold(*control, 0) == 0.75);
  CHECK(threshold(*control, 2) == 0.5);
  CHECK(threshold(*control, 100) == 0.3);
  CHECK(threshold(*control, 2, 1) == 0.75);
  CHECK(threshold(*adaptive({{"floor", 1}}, context), 7) == 1);
  CHECK(threshold(*adaptive({{"queue_gain", 1e9}}, context), 1) == 0);
}

TEST_CASE("whether deadlines force exits is the control's to say", "[exit_control]") {
  const ExitControlContext context{.thresholds = {0.75}, .calibration = {}};
  const npu::BatchPolicyTable table = two_segments();
  const ExitView view{.slo = {.latency_s = 1}, .table = table};
  CHECK(adaptive({}, context)->rule(view).by_deadline);
  CHECK_FALSE(adaptive({{"deadline", false}}, context)->rule(view).by_deadline);
}

TEST_CASE("every window moves the thresholds towards the target", "[exit_control]") {
  // 40 rows in 20 bins of two: of the first ten bins half the rows are right, of the others all.
  std::string correct;
  for (int i = 0; i < 10; ++i) correct += "10";
  correct += std::string(20, '1');
  const ExitControlContext context{.thresholds = {0.5}, .calibration = {rows_of(correct), rows_of("01")}};
  const auto control =
      adaptive({{"queue_gain", 0}, {"accuracy_target", 0.875}, {"step", 0.5}, {"window", 2}}, context);
  control->taken({.exit = 0, .confidence = 0.4});
  CHECK(threshold(*control, 0) == 0.5);  // the window goes on
  const auto copy = control->clone();
  control->taken({.exit = 0, .confidence = 0});
  CHECK(threshold(*control, 0) == 0.5 + 0.5 * (0.875 - 0.5));
  copy->taken({.exit = 0, .confidence = 0.5});  // half of the window is known to the copy
  CHECK(threshold(*copy, 0) == 0.5 + 0.5 * (0.875 - 0.75));
  // The last exit has two rows, hence two bins that are not empty: from 0 on wrong, from 0.5 on right.
  copy->taken({.exit = 1, .confidence = 0.499});
  copy->taken({.exit = 1, .confidence = 0.1});
  CHECK(threshold(*copy, 0) == 0.5625 + 0.5 * 0.875);
  for (int i = 0; i < 2; ++i) copy->taken({.exit = 1, .confidence = 1});
  CHECK(threshold(*copy, 0) == 1 - 0.5 * 0.125);  // from 1, which the thresholds had been held at
}

TEST_CASE("no threshold leaves 0 to 1, whatever is asked for", "[exit_control]") {
  const ExitControlContext context{.thresholds = {0.25, 0.75},
                                   .calibration = {rows_of("1"), rows_of("0"), rows_of("1")}};
  const auto high =
      adaptive({{"queue_gain", 0}, {"accuracy_target", 1}, {"step", 1000}, {"window", 1}}, context);
  high->taken({.exit = 1, .confidence = 0.5});
  CHECK(threshold(*high, 0, 0) == 0.5);
  CHECK(threshold(*high, 0, 1) == 1);
  const auto low =
      adaptive({{"queue_gain", 0}, {"accuracy_target", 0}, {"step", 1000}, {"window", 1}}, context);
  low->taken({.exit = 0, .confidence = 0.5});
  CHECK(threshold(*low, 0, 0) == 0);
  CHECK(threshold(*low, 0, 1) == 0.5);
}

TEST_CASE("equal confidences belong to the last bin that begins with them", "[exit_control]") {
  // 20 rows, 20 bins: all at 0.5 but the last; the rows' order decides which bins are right.
  std::vector<JudgedExit> rows(20, {.confidence = 0.5, .correct = false});
  rows[18].correct = true;
  rows[19] = {.confidence = 0.9, .correct = false};
  const ExitControlContext context{.thresholds = {0.5}, .calibration = {rows, rows}};
  const auto shift_after = [&](double confidence) {
    const auto control =
        adaptive({{"queue_gain", 0}, {"accuracy_target", 0.5}, {"step", 0.5}, {"window", 1}}, context);
    control->taken({.exit = 0, .confidence = confidence});
    return threshold(*control, 0) - 0.5;
  };
  CHECK(shift_after(0.5) == -0.25);
  CHECK(shift_after(0.89) == -0.25);
  CHECK(shift_after(0.9) == 0.25);
  CHECK(shift_after(0.1) == 0.25);  // below all: the first bin
}

TEST_CASE("exit controls are found by name, and registered once", "[exit_control]") {
  CHECK(find_exit_control("fixed")->make == nullptr);
  CHECK(find_exit_control("adaptiv") == nullptr);
  CHECK_THROWS_AS(add_exit_control(*find_exit_control("adaptive")), std::logic_error);
  const LoadedPlugin loaded =
      registered_by([] { const ExitControlRegistration again(*find_exit_control("adaptive")); });
  REQUIRE(loaded.exit_controls.size() == 1);
  CHECK(loaded.exit_controls[0].name == "adaptive");
}
