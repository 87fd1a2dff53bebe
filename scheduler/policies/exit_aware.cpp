// The exit-aware preemptive scheduler of Fluid Batching (arXiv 2209.13443); the rule is ours where the paper
// is silent (docs/model.md). At a segment boundary the shrunken batch may wait while newcomers catch up with
// it, where the expected sum of latencies gets smaller by that and no deadline is broken for it.
#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "scheduler/forecast.h"
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

enum class Trigger { exit_boundary, exit_event };
enum class SlackEstimate { expected, worst_case };
enum class ExitKnowledge { rates, oracle, none };
enum class DecideAt { segment, layer };
enum class Objective { present, outlook };

constexpr Words<Trigger, 2> kTriggers{
    {{"exit_boundary", Trigger::exit_boundary}, {"exit_event", Trigger::exit_event}}};
constexpr Words<SlackEstimate, 2> kSlackEstimates{
    {{"expected", SlackEstimate::expected}, {"worst_case", SlackEstimate::worst_case}}};
constexpr Words<ExitKnowledge, 3> kExitKnowledge{
    {{"rates", ExitKnowledge::rates}, {"oracle", ExitKnowledge::oracle}, {"none", ExitKnowledge::none}}};
constexpr Words<DecideAt, 2> kDecideAt{{{"segment", DecideAt::segment}, {"layer", DecideAt::layer}}};

constexpr Words<Objective, 2> kObjectives{{{"present", Objective::present}, {"outlook", Objective::outlook}}};

struct Settings {
  std::size_t max_batch = 8;
  Trigger trigger = Trigger::exit_boundary;
  SlackEstimate slack_estimate = SlackEstimate::expected;
  ExitKnowledge exit_knowledge = ExitKnowledge::rates;
  std::size_t preemption_depth = 1;
  DecideAt decide_at = DecideAt::segment;
  Objective objective = Objective::present;
};

class ExitAware final : public Policy {
 public:
  /// `go_on`: what the policy knows of the probability to go on past each exit; `rate_hz`: of the arrivals.
  ExitAware(const Settings& settings, const std::vector<double>& go_on, double rate_hz)
      : settings_(settings),
        go_on_(go_on),
        rate_hz_(rate_hz),
        expected_(go_on, settings.max_batch, settings.objective == Objective::outlook),
        without_exits_(std::vector<double>(go_on.size(), 1), settings.max_batch) {}

  Decision decide(const ServerView& view) override {
    if (view.idle()) return Decision::start(std::min(view.queue.size(), settings_.max_batch));
    if (view.stack.size() > settings_.preemption_depth) return Decision::go_on();
    if (settings_.trigger == Trigger::exit_event && !view.someone_left) return Decision::go_on();
    const std::size_t in_flight = view.in_flight();
    if (in_flight >= settings_.max_batch) return Decision::go_on();
    return weigh(view, std::min(view.queue.size(), settings_.max_batch - in_flight));
  }

  std::unique_ptr<Policy> clone() const override { return std::make_unique<ExitAware>(*this); }

 private:
  /// Preempts with the number of newcomers, up to `most`, that is allowed and gains most.
  Decision weigh(const ServerView& view, std::size_t most) {
    const auto batch = static_cast<double>(view.active().samples.size());
    const auto queued = static_cast<double>(view.queue.size());
    double largest_gain_s = 0;
    std::size_t best = 0;
    bool any_forbidden = false;
    for (std::size_t n = 1; n <= most; ++n) {
      const Courses& c = courses(view, n);
      const double gain_s = settings_.objective == Objective::present
                                ? gain_of_present(c, batch, queued, static_cast<double>(n))
                                : gain_in_outlook(view, c, batch, queued, static_cast<double>(n));
      if (gain_s <= largest_gain_s) continue;
      if (breaks_a_deadline(view, n, c)) {
        any_forbidden = true;
        continue;
      }
      largest_gain_s = gain_s;
      best = n;
    }
    if (best > 0) return Decision::preempt(best);
    return Decision::go_on(any_forbidden ? Decision::Refusal::slo : Decision::Refusal::no_gain);
  }

  /// What the sum of latencies of all who are there gets smaller by.
  static double gain_of_present(const Courses& c, double batch, double queued, double newcomers) {
    const double go_on_s = batch * c.continued.mean_s +
                           newcomers * (c.continued.duration_s + c.newcomers.mean_s) +
                           (queued - newcomers) * (c.continued.duration_s + c.newcomers.duration_s);
    const double preempt_s = batch * (c.catching_up.duration_s + c.merged.mean_s) +
                             newcomers * c.catching_up.mean_s + c.catching_up.left * c.merged.mean_s +
                             (queued - newcomers) * (c.catching_up.duration_s + c.merged.duration_s);
    return go_on_s - preempt_s;
  }

  /// The same with those who are still to come, and the queue served at the pace of full batches.
  double gain_in_outlook(const ServerView& view, const Courses& c, double batch, double queued,
                         double newcomers) {
    if (!outlook_) outlook_.emplace(view.table, go_on_, settings_.max_batch, rate_hz_);
    const double together_s = c.catching_up.duration_s + c.merged.duration_s;
    const double go_on_s = batch * c.continued.mean_s + outlook_->cost_s(queued, c.continued.duration_s);
    const double preempt_s = batch * (c.catching_up.duration_s + c.merged.mean_s) +
                             newcomers * c.catching_up.mean_s + c.catching_up.left * c.merged.mean_s +
                             outlook_->cost_s(queued - newcomers, together_s);
    return go_on_s - preempt_s;
  }

  const Courses& courses(const ServerView& view, std::size_t n) {
    if (settings_.exit_knowledge != ExitKnowledge::oracle) return courses_by(expected_, view, n);
    known_ = known_courses(view, n);
    return known_;
  }

  static const Courses& courses_by(ExpectedCourses& expected, const ServerView& view, std::size_t n) {
    return expected.of(view.table, view.active().next_layer, view.active().samples.size(), n);
  }

  [[nodiscard]] Courses known_courses(const ServerView& view, std::size_t n) const {
    const Forecast forecast(view.table, go_on_);
    const int boundary = view.active().next_layer;
    const int end = view.table.layers();
    std::vector<int> active;
    std::vector<int> newcomers;
    for (const RequestId id : view.active().samples) active.push_back(view.oracle.exit_of(id));
    for (const RequestId id : view.queue.first(n)) newcomers.push_back(view.oracle.exit_of(id));
    Courses c;
    c.continued = forecast.run(active, boundary, end);
    c.newcomers = forecast.run(newcomers, 0, end);
    c.catching_up = forecast.run(newcomers, 0, boundary);
    for (const int exit : newcomers) {
      if (exit >= view.table.segment_of(boundary)) active.push_back(exit);
    }
    c.merged = forecast.run(active, boundary, end);
    return c;
  }

  /// True where an active request that would be in time without the preemption would be late with it.
  [[nodiscard]] bool breaks_a_deadline(const ServerView& view, std::size_t n, const Courses& expected) {
    const bool worst = settings_.slack_estimate == SlackEstimate::worst_case;
    const Courses& c = worst ? courses_by(without_exits_, view, n) : expected;
    return makes_somebody_late(view, c);
  }

  Settings settings_;
  std::vector<double> go_on_;  // q: probability to go on past each exit
  double rate_hz_;
  std::optional<Outlook> outlook_;  // of the table that the first question brings
  ExpectedCourses expected_;
  ExpectedCourses without_exits_;
  Courses known_;  // those of an oracle, until the next question
};

/// q, as far as it is known.
std::vector<double> known_go_on(const std::vector<double>& exit_rates, ExitKnowledge knowledge) {
  if (knowledge != ExitKnowledge::none) return go_on_of(exit_rates);
  std::vector<double> go_on(exit_rates.size() + 1, 1);
  return go_on;
}

Settings settings_of(const ParameterValues& values) {
  return {.max_batch = static_cast<std::size_t>(values.integer("max_batch")),
          .trigger = values.word("trigger", kTriggers),
          .slack_estimate = values.word("slack_estimate", kSlackEstimates),
          .exit_knowledge = values.word("exit_knowledge", kExitKnowledge),
          .preemption_depth = static_cast<std::size_t>(values.integer("preemption_depth")),
          .decide_at = values.word("decide_at", kDecideAt),
          .objective = values.word("objective", kObjectives)};
}

const PolicyRegistration kRegistration(
    {.name = "exit_aware",
     .summary =
         "at exits the shrunken batch waits for newcomers to catch up, where that pays (Fluid Batching)",
     .parameters =
         {max_batch_parameter(),
          word_parameter("trigger", kTriggers,
                         "decide at every segment boundary, or only where a sample has just left"),
          word_parameter("slack_estimate", kSlackEstimates, "whether the test of deadlines counts on exits"),
          word_parameter("exit_knowledge", kExitKnowledge,
                         "what is known of exits: the workload's rates, each sample's own, or nothing"),
          {.name = "preemption_depth",
           .default_value = 1,
           .min = 1,
           .max = 64,
           .integer = true,
           .meaning = "most batches suspended at a time; the FBE has registers for one"},
          word_parameter("decide_at", kDecideAt,
                         "decide at segment boundaries, or, for study, at every layer"),
          word_parameter(
              "objective", kObjectives,
              "what is to be small: the latencies of those who are there, or also of those to come")},
     .traits =
         [](const ParameterValues& values) {
           const Settings settings = settings_of(values);
           return PolicyTraits{
               .max_batch = static_cast<int>(settings.max_batch),
               .boundary = settings.decide_at == DecideAt::layer ? Boundary::layer : Boundary::segment,
               .oracle = settings.exit_knowledge == ExitKnowledge::oracle};
         },
     .make =
         [](const ParameterValues& values, const PolicyContext& context) {
           const Settings settings = settings_of(values);
           // An unknown rate, that of a closed loop, counts as nobody to come.
           const double rate_hz = std::isnan(context.rate_hz) ? 0 : context.rate_hz;
           return std::make_unique<ExitAware>(
               settings, known_go_on(context.exit_rates, settings.exit_knowledge), rate_hz);
         }});

}  // namespace
}  // namespace fluidbatch::scheduler
