// The exit-aware preemptive scheduler of Fluid Batching (arXiv 2209.13443); the rule is ours where the paper
// is silent (docs/model.md). At a segment boundary the shrunken batch may wait while newcomers catch up with
// it, where the expected sum of latencies gets smaller by that and no deadline is broken for it.
#include <algorithm>
#include <optional>
#include <utility>

#include "scheduler/expected_latency.h"
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

enum class Trigger { exit_boundary, exit_event };
enum class SlackEstimate { expected, worst_case };
enum class ExitKnowledge { rates, oracle, none };
enum class DecideAt { segment, layer };

constexpr Words<Trigger, 2> kTriggers{
    {{"exit_boundary", Trigger::exit_boundary}, {"exit_event", Trigger::exit_event}}};
constexpr Words<SlackEstimate, 2> kSlackEstimates{
    {{"expected", SlackEstimate::expected}, {"worst_case", SlackEstimate::worst_case}}};
constexpr Words<ExitKnowledge, 3> kExitKnowledge{
    {{"rates", ExitKnowledge::rates}, {"oracle", ExitKnowledge::oracle}, {"none", ExitKnowledge::none}}};
constexpr Words<DecideAt, 2> kDecideAt{{{"segment", DecideAt::segment}, {"layer", DecideAt::layer}}};

struct Settings {
  std::size_t max_batch = 8;
  Trigger trigger = Trigger::exit_boundary;
  SlackEstimate slack_estimate = SlackEstimate::expected;
  ExitKnowledge exit_knowledge = ExitKnowledge::rates;
  std::size_t preemption_depth = 1;
  DecideAt decide_at = DecideAt::segment;
};

/// Expected course of a group of samples through layers.
struct Course {
  double duration_s = 0;  ///< T: until the last layer has run
  double mean_s = 0;      ///< F: expected time in it of one sample of the group
  double left = 0;        ///< e: expected number of samples that go on after it
};

/// The expectations of one decision: a function of how many samples reach each segment.
class Forecast {
 public:
  Forecast(const npu::BatchPolicyTable& table, const std::vector<double>& go_on)
      : table_(table), go_on_(go_on) {}

  /// `count` samples through layers first .. last - 1, leaving at the known rates at the ends of segments.
  [[nodiscard]] Course run(double count, int first, int last) const {
    Course course{.duration_s = 0, .mean_s = 0, .left = count};
    double share = 1;
    for_each_segment(first, last, [&](int segment, int begin, int end, bool whole_end) {
      add(course, begin, end, share);
      if (!whole_end) return;
      course.left *= go_on_[static_cast<std::size_t>(segment)];
      share *= go_on_[static_cast<std::size_t>(segment)];
    });
    return course;
  }

  /// The same for samples whose exits are known.
  [[nodiscard]] Course run(const std::vector<int>& exits, int first, int last) const {
    const auto count = static_cast<double>(exits.size());
    Course course{.duration_s = 0, .mean_s = 0, .left = count};
    for_each_segment(first, last, [&](int segment, int begin, int end, bool whole_end) {
      if (count > 0) add(course, begin, end, course.left / count);
      if (!whole_end) return;
      course.left = static_cast<double>(
          std::count_if(exits.begin(), exits.end(), [segment](int exit) { return exit > segment; }));
    });
    return course;
  }

 private:
  /// Calls `visit` with each segment's part of layers first .. last - 1, and whether it goes to the segment's
  /// end.
  template <typename Visit>
  void for_each_segment(int first, int last, const Visit& visit) const {
    while (first < last) {
      const int segment = table_.segment_of(first);
      const int end = table_.segment_begin(segment + 1);
      visit(segment, first, std::min(end, last), end <= last);
      first = end;
    }
  }

  void add(Course& course, int begin, int end, double share) const {
    const double latency_s = expected_latency_s(table_, begin, end, course.left);
    course.duration_s += latency_s;
    course.mean_s += share * latency_s;
  }

  const npu::BatchPolicyTable& table_;
  const std::vector<double>& go_on_;
};

/// The courses that one number of newcomers leads to.
struct Courses {
  Course continued;    ///< C: the active batch runs on
  Course newcomers;    ///< N: the newcomers run alone, to the end
  Course catching_up;  ///< P: the newcomers run to the boundary
  Course merged;       ///< M: both together, from the boundary
};

/// Courses by expectation, which depend on nothing but the boundary, the active batch and the newcomers: each
/// is computed when it is first asked for, and kept while there is room.
class ExpectedCourses {
 public:
  /// `go_on`: the probability to go on past each exit.
  ExpectedCourses(std::vector<double> go_on, std::size_t max_batch)
      : go_on_(std::move(go_on)), max_batch_(max_batch) {}

  /// `batch` samples wait before layer `boundary`, for `newcomers` that start at layer 0.
  const Courses& of(const npu::BatchPolicyTable& table, int boundary, std::size_t batch,
                    std::size_t newcomers) {
    const auto compute_it = [&] {
      return compute(table, boundary, static_cast<double>(batch), static_cast<double>(newcomers));
    };
    const auto layer = static_cast<std::size_t>(boundary);
    if (known_.size() <= layer) known_.resize(layer + 1);
    if (known_[layer].empty()) known_[layer].resize(max_batch_);
    Row& row = known_[layer][batch - 1];
    if (row.empty()) {
      const std::size_t most = max_batch_ - batch;  // newcomers that a batch of this size leaves room for
      if (most > room_) return not_kept_ = compute_it();
      room_ -= most;
      row.resize(most);
    }
    std::optional<Courses>& courses = row[newcomers - 1];
    if (!courses) courses = compute_it();
    return *courses;
  }

 private:
  [[nodiscard]] Courses compute(const npu::BatchPolicyTable& table, int boundary, double batch,
                                double newcomers) const {
    const Forecast forecast(table, go_on_);
    const int end = table.layers();
    Courses c;
    c.continued = forecast.run(batch, boundary, end);
    c.newcomers = forecast.run(newcomers, 0, end);
    c.catching_up = forecast.run(newcomers, 0, boundary);
    c.merged =
        forecast.run(std::min(static_cast<double>(max_batch_), batch + c.catching_up.left), boundary, end);
    return c;
  }

  std::vector<double> go_on_;
  std::size_t max_batch_;

  using Row = std::vector<std::optional<Courses>>;  // by newcomers
  std::vector<std::vector<Row>> known_;             // by boundary, then active batch
  // Courses that may still be kept, of all boundaries: 100 MB, which batches of hundreds at every layer of a
  // deep network exceed many times over.
  std::size_t room_ = 1'000'000;
  Courses not_kept_;
};

class ExitAware final : public Policy {
 public:
  /// `go_on`: what the policy knows of the probability to go on past each exit.
  ExitAware(const Settings& settings, const std::vector<double>& go_on)
      : settings_(settings),
        go_on_(go_on),
        expected_(go_on, settings.max_batch),
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
      const auto newcomers = static_cast<double>(n);
      const double go_on_s = batch * c.continued.mean_s +
                             newcomers * (c.continued.duration_s + c.newcomers.mean_s) +
                             (queued - newcomers) * (c.continued.duration_s + c.newcomers.duration_s);
      const double preempt_s = batch * (c.catching_up.duration_s + c.merged.mean_s) +
                               newcomers * c.catching_up.mean_s + c.catching_up.left * c.merged.mean_s +
                               (queued - newcomers) * (c.catching_up.duration_s + c.merged.duration_s);
      const double gain_s = go_on_s - preempt_s;
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
    const auto& samples = view.active().samples;
    return std::any_of(samples.begin(), samples.end(), [&](RequestId id) {
      const double elapsed_s = view.elapsed_s(id);
      return view.slo.is_missed_by(elapsed_s + c.catching_up.duration_s + c.merged.duration_s) &&
             !view.slo.is_missed_by(elapsed_s + c.continued.duration_s);
    });
  }

  Settings settings_;
  std::vector<double> go_on_;  // q: probability to go on past each exit
  ExpectedCourses expected_;
  ExpectedCourses without_exits_;
  Courses known_;  // those of an oracle, until the next question
};

/// q: the probability to go on past each exit.
std::vector<double> go_on_of(const std::vector<double>& exit_rates, ExitKnowledge knowledge) {
  std::vector<double> go_on;
  go_on.reserve(exit_rates.size() + 1);
  for (const double rate : exit_rates) go_on.push_back(knowledge == ExitKnowledge::none ? 1 : 1 - rate);
  go_on.push_back(1);  // after the last segment: never asked for anything that matters
  return go_on;
}

Settings settings_of(const ParameterValues& values) {
  return {.max_batch = static_cast<std::size_t>(values.integer("max_batch")),
          .trigger = values.word("trigger", kTriggers),
          .slack_estimate = values.word("slack_estimate", kSlackEstimates),
          .exit_knowledge = values.word("exit_knowledge", kExitKnowledge),
          .preemption_depth = static_cast<std::size_t>(values.integer("preemption_depth")),
          .decide_at = values.word("decide_at", kDecideAt)};
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
                         "decide at segment boundaries, or, for study, at every layer")},
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
           return std::make_unique<ExitAware>(settings,
                                              go_on_of(context.exit_rates, settings.exit_knowledge));
         }});

}  // namespace
}  // namespace fluidbatch::scheduler
