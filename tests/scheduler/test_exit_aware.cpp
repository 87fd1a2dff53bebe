// The rule of exit_aware against cases worked by hand, and against two models written from its definition:
// one that follows every sample through both courses, one with the expectations as they are defined.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>

#include <catch2/catch.hpp>

#include "scheduler/registry.h"
#include "tests/support/examples.h"

using namespace fluidbatch;
using scheduler::Decision;

namespace {

constexpr double kNoSlo = std::numeric_limits<double>::infinity();
constexpr int kNever = 99;  ///< exit of a sample of which none is known

/// What a policy is asked about: a batch that waits before a segment, and a queue. Segments have one layer.
struct Question {
  Eigen::ArrayXXd latencies_s;  ///< segments x batch sizes
  int segment = 1;              ///< that the active batch waits before
  std::vector<int> active;      ///< exits
  std::vector<int> queue;       ///< exits, oldest first
  std::vector<double> rates;    ///< conditional, of each early exit
  double rate_hz = 0;           ///< of the arrivals
  double elapsed_s = 0;         ///< of each active sample
  double slo_s = kNoSlo;

  [[nodiscard]] int segments() const { return static_cast<int>(latencies_s.rows()); }
  [[nodiscard]] int max_batch() const { return static_cast<int>(latencies_s.cols()); }
  [[nodiscard]] std::size_t most_newcomers() const {
    return std::min(queue.size(), static_cast<std::size_t>(max_batch()) - active.size());
  }
};

Decision answer(const Question& question, std::map<std::string, double> settings) {
  const scheduler::PolicyInfo* info = scheduler::find_policy("exit_aware");
  REQUIRE(info != nullptr);
  settings["max_batch"] = question.max_batch();
  std::vector<double> values;
  for (const scheduler::Parameter& parameter : info->parameters) {
    const auto given = settings.find(parameter.name);
    values.push_back(given == settings.end() ? parameter.default_value : given->second);
  }
  const auto policy = info->make(scheduler::ParameterValues(info->parameters, std::move(values)),
                                 {.exit_rates = question.rates, .rate_hz = question.rate_hz});
  std::vector<npu::Layer> layers;
  layers.reserve(static_cast<std::size_t>(question.segments()));
  for (int s = 0; s < question.segments(); ++s) {
    layers.push_back(test::gemm_layer(std::to_string(s), {.groups = 1, .r = 1, .p = 1, .c = 1}, s));
  }
  const npu::BatchPolicyTable table(layers, question.latencies_s);
  scheduler::RequestWindow window;
  const auto push = [&](double arrival_s, int exit) {
    scheduler::Request request;
    request.arrival_s = arrival_s;
    request.exit = exit;
    return window.push(request);
  };
  scheduler::Batch batch;
  batch.next_layer = question.segment;
  for (const int exit : question.active) batch.samples.push_back(push(0, exit));
  std::vector<scheduler::RequestId> queue;
  for (const int exit : question.queue) queue.push_back(push(0, exit));
  const std::vector<scheduler::Batch> stack{batch};
  return policy->decide({.now_s = question.elapsed_s,
                         .slo = {.latency_s = question.slo_s},
                         .table = table,
                         .requests = scheduler::KnownRequests(window),
                         .queue = queue,
                         .stack = stack,
                         .oracle = scheduler::ExitOracle(window)});
}

/// What a number of newcomers leads to, by whichever model.
struct Weighed {
  double gain_s = 0;  ///< J_c - J_p
  bool forbidden = false;
};

/// Newcomers that win, 0 for none; nothing where rounding decides.
template <typename Model>
std::optional<std::size_t> best_newcomers(const Question& question, const Model& weigh) {
  constexpr double kClose = 1e-9;
  double largest_s = 0;
  std::size_t best = 0;
  for (std::size_t n = 1; n <= question.most_newcomers(); ++n) {
    const Weighed weighed = weigh(n);
    if (weighed.forbidden) continue;
    if (std::abs(weighed.gain_s - largest_s) < kClose) return std::nullopt;
    if (weighed.gain_s < largest_s) continue;
    largest_s = weighed.gain_s;
    best = n;
  }
  return best;
}

/// Where active requests would be late with the preemption and not without.
bool breaks_deadline(const Question& question, double preempted_s, double continued_s) {
  return question.elapsed_s + preempted_s > question.slo_s + 1e-9 &&
         question.elapsed_s + continued_s <= question.slo_s + 1e-9;
}

/// Follows samples whose exits are known, one by one.
class SampleBySample {
 public:
  explicit SampleBySample(const Question& question) : question_(question) {}

  [[nodiscard]] Weighed weigh(std::size_t n) const {
    const std::vector<int> newcomers(question_.queue.begin(),
                                     question_.queue.begin() + static_cast<std::ptrdiff_t>(n));
    const auto waiting = static_cast<double>(question_.queue.size() - n);
    const int end = question_.segments();
    // One batch after the other.
    double go_on_s = 0;
    double date_s = run(question_.active, question_.segment, end, 0, go_on_s);
    const double continued_s = date_s;
    date_s = run(newcomers, 0, end, date_s, go_on_s);
    go_on_s += waiting * date_s;
    // The newcomers first, up to the boundary; then those that are left, together.
    double preempt_s = 0;
    date_s = run(newcomers, 0, question_.segment, 0, preempt_s);
    std::vector<int> together = question_.active;
    std::copy_if(newcomers.begin(), newcomers.end(), std::back_inserter(together),
                 [&](int exit) { return exit >= question_.segment; });
    date_s = run(together, question_.segment, end, date_s, preempt_s);
    preempt_s += waiting * date_s;
    return {.gain_s = go_on_s - preempt_s, .forbidden = breaks_deadline(question_, date_s, continued_s)};
  }

 private:
  /// Runs samples through segments from `begin_s` on; adds the dates at which they leave to `sum_s`, and
  /// nothing for those that are left. Returns the date of the end.
  [[nodiscard]] double run(std::vector<int> exits, int first, int last, double begin_s, double& sum_s) const {
    double date_s = begin_s;
    for (int s = first; s < last && !exits.empty(); ++s) {
      date_s += question_.latencies_s(s, static_cast<Eigen::Index>(exits.size()) - 1);
      const auto leaves = [&](int exit) { return exit <= s || s + 1 == question_.segments(); };
      sum_s += date_s * static_cast<double>(std::count_if(exits.begin(), exits.end(), leaves));
      std::erase_if(exits, leaves);
    }
    return date_s;
  }

  const Question& question_;
};

/// The expectations, term by term: q is the probability to go on past an exit, Q their product, and a batch
/// of b samples is one of b Q further on.
class Expectations {
 public:
  explicit Expectations(const Question& question) : question_(question) {}

  [[nodiscard]] Weighed weigh(std::size_t newcomers) const {
    const auto n = static_cast<double>(newcomers);
    const auto b = static_cast<double>(question_.active.size());
    const auto w = static_cast<double>(question_.queue.size());
    const int s = question_.segment;
    const int end = question_.segments();
    const double left = batch(n, 0, s);
    const double merged = std::min<double>(question_.max_batch(), b + left);
    const double go_on_s = b * mean(b, s, end) + n * (duration(b, s, end) + mean(n, 0, end)) +
                           (w - n) * (duration(b, s, end) + duration(n, 0, end));
    const double preempted_s = duration(n, 0, s) + duration(merged, s, end);
    const double preempt_s = b * (duration(n, 0, s) + mean(merged, s, end)) + n * mean(n, 0, s) +
                             left * mean(merged, s, end) + (w - n) * preempted_s;
    return {.gain_s = go_on_s - preempt_s,
            .forbidden = breaks_deadline(question_, preempted_s, duration(b, s, end))};
  }

 private:
  /// Q: the share of a group before `first` that gets to segment `s`.
  [[nodiscard]] double share(int first, int s) const {
    double product = 1;
    for (int exit = first; exit < s; ++exit) product *= 1 - question_.rates[static_cast<std::size_t>(exit)];
    return product;
  }
  [[nodiscard]] double batch(double count, int first, int s) const { return count * share(first, s); }
  /// L: linear between whole batch sizes, and proportional below one.
  [[nodiscard]] double latency(int s, double count) const {
    if (count < 1) return count * question_.latencies_s(s, 0);
    const auto below = static_cast<Eigen::Index>(count);
    const auto above = std::min<Eigen::Index>(below + 1, question_.max_batch());
    const double part = count - static_cast<double>(below);
    return (1 - part) * question_.latencies_s(s, below - 1) + part * question_.latencies_s(s, above - 1);
  }
  [[nodiscard]] double duration(double count, int first, int last) const {
    double sum = 0;
    for (int s = first; s < last; ++s) sum += latency(s, batch(count, first, s));
    return sum;
  }
  [[nodiscard]] double mean(double count, int first, int last) const {
    double sum = 0;
    for (int s = first; s < last; ++s) sum += share(first, s) * latency(s, batch(count, first, s));
    return sum;
  }

  const Question& question_;
};

Question random_question(std::mt19937_64& random) {
  const auto pick = [&](int low, int high) {
    return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
  };
  Question question;
  const int segments = pick(2, 5);
  question.latencies_s.resize(segments, pick(2, 8));
  for (int s = 0; s < segments; ++s) {
    const double first = pick(1, 40) / 8.0;
    const double more = first * pick(0, 9) / 8.0;  // from free batches to ones that do not pay
    for (int b = 0; b < question.max_batch(); ++b) question.latencies_s(s, b) = first + more * b;
  }
  question.segment = pick(1, segments - 1);
  const int active = pick(1, question.max_batch() - 1);
  for (int i = 0; i < active; ++i) question.active.push_back(pick(question.segment, segments - 1));
  const int queued = pick(1, 10);
  for (int i = 0; i < queued; ++i) question.queue.push_back(pick(0, segments - 1));
  for (int s = 0; s + 1 < segments; ++s) question.rates.push_back(pick(0, 8) / 8.0);
  question.elapsed_s = pick(1, 20);
  if (pick(0, 2) > 0) question.slo_s = question.elapsed_s + pick(0, 400) / 8.0;
  return question;
}

/// Asks `count` random questions, and compares.
template <typename Model>
void compare(int count, double exit_knowledge, const std::function<void(Question&)>& change) {
  std::mt19937_64 random(7);
  int preempted = 0;
  int refused_for_slo = 0;
  for (int i = 0; i < count; ++i) {
    INFO("case " << i);
    Question question = random_question(random);
    change(question);
    const Model model(question);
    const auto best = best_newcomers(question, [&](std::size_t n) { return model.weigh(n); });
    if (!best) continue;
    const Decision decision = answer(question, {{"exit_knowledge", exit_knowledge}});
    REQUIRE((decision.action == Decision::Action::preempt) == (*best > 0));
    if (*best > 0) {
      REQUIRE(decision.samples == *best);
      ++preempted;
    } else if (decision.refusal == Decision::Refusal::slo) {
      ++refused_for_slo;
    }
  }
  CHECK(preempted > count / 20);  // or the cases would show nothing
  CHECK(refused_for_slo > count / 100);
}

constexpr double kRates = 0;
constexpr double kOracle = 1;
constexpr double kNone = 2;

}  // namespace

TEST_CASE("exit-aware: how many newcomers, worked by hand", "[scheduler]") {
  // One sample waits before segment 1, two are queued; nobody exits early. A batch of any size takes 10 s in
  // segment 1; in segment 0 one sample takes 1 s, and two as the sections say. T_C = F_C = 10.
  //     n = 1:  N = 11, P = 1, M = 10     J_c = 10 + (10 + 11) + (10 + 11)   = 52
  //                                       J_p = (1 + 10) + 1 + 10 + (1 + 10) = 33      gain 19
  Question question{.latencies_s = Eigen::ArrayXXd(2, 4), .active = {1}, .queue = {1, 1}, .rates = {0}};
  question.latencies_s.row(1) = 10;
  SECTION("both, where two are faster than one") {
    // n = 2:  N = 10.5, P = 0.5    J_c = 10 + 2 (10 + 10.5) = 51    J_p = 10.5 + 2 x 0.5 + 2 x 10 = 31.5
    question.latencies_s.row(0) << 1, 0.5, 1, 1;
    CHECK(answer(question, {}).samples == 2);
  }
  SECTION("one, where the second costs more than it gains") {
    // n = 2:  N = 11.5, P = 1.5    J_c = 10 + 2 (10 + 11.5) = 53    J_p = 11.5 + 2 x 1.5 + 2 x 10 = 34.5
    question.latencies_s.row(0) << 1, 1.5, 1, 1;
    CHECK(answer(question, {}).samples == 1);
  }
  SECTION("the smaller number on a tie") {
    // n = 2:  N = 11, P = 1        J_c = 10 + 2 (10 + 11) = 52      J_p = 11 + 2 x 1 + 2 x 10 = 33
    question.latencies_s.row(0) << 1, 1, 1, 1;
    CHECK(answer(question, {}).samples == 1);
  }
  SECTION("the one that is allowed, where the better one breaks a deadline") {
    // The first section's with 2 s in segment 0 for one sample and 1 s for two: T_P + T_M is 12 or 11.
    question.latencies_s.row(0) << 2, 1, 1, 1;
    question.slo_s = 11;
    const Decision decision = answer(question, {});
    CHECK(decision.action == Decision::Action::preempt);
    CHECK(decision.samples == 2);
    question.slo_s = 10.5;  // neither
    CHECK(answer(question, {}).refusal == Decision::Refusal::slo);
  }
}

TEST_CASE("exit-aware with known exits: every sample followed", "[scheduler]") {
  compare<SampleBySample>(4000, kOracle, [](Question&) {});
}

TEST_CASE("exit-aware without exits: every sample followed", "[scheduler]") {
  compare<SampleBySample>(2000, kNone, [](Question& question) {
    std::fill(question.active.begin(), question.active.end(), kNever);
    std::fill(question.queue.begin(), question.queue.end(), kNever);
  });
}

TEST_CASE("exit-aware by rates: the expectations as defined", "[scheduler]") {
  compare<Expectations>(4000, kRates, [](Question&) {});
}

TEST_CASE("exit_aware by hand: the outlook on those who are still to come", "[scheduler]") {
  // Nobody exits. Two segments of 3 and 12 s, half as much again for each further sample. Two samples wait
  // before the second one, for one in the queue: C takes 18 s, P 3 s, M 24 s. Batches of three have the best
  // pace, 10 s a request; those of two, which take 22.5 s, are within a fifth of it.
  Question question;
  question.latencies_s = Eigen::ArrayXXd(2, 3);
  question.latencies_s << 3, 4.5, 6, 12, 18, 24;
  question.active = {kNever, kNever};
  question.queue = {kNever};
  question.rates = {0};
  const auto cost_s = [&](double queued, double duration_s) {
    const double after = queued + question.rate_hz * duration_s;
    return queued * duration_s + question.rate_hz * duration_s * duration_s / 2 +
           10 * after * after / (2 * (1 - 10 * question.rate_hz)) + 22.5 * after;
  };
  const auto gain_s = [&] { return 2 * 18 + cost_s(1, 18) - (2 * (3 + 24) + 3 + 24 + cost_s(0, 3 + 24)); };
  for (const auto& [rate_hz, preempts] :
       std::map<double, bool>{{0, true}, {0.01, false}, {0.06, false}, {0.09, true}}) {
    INFO(rate_hz);
    question.rate_hz = rate_hz;
    CHECK((gain_s() > 0) == preempts);
    const Decision decision = answer(question, {{"objective", 1}});
    CHECK((decision.action == Decision::Action::preempt) == preempts);
    CHECK(decision.samples == (preempts ? 1 : 0));
  }
  question.rate_hz = std::numeric_limits<double>::quiet_NaN();  // of a closed loop: as if nobody came
  CHECK(answer(question, {{"objective", 1}}).samples == 1);
}
