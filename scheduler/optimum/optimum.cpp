#include "scheduler/optimum/optimum.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "scheduler/optimum/policy_iteration.h"
#include "scheduler/policy_error.h"

namespace fluidbatch::scheduler {
namespace {

using smdp::DecisionProcess;
using smdp::GainBounds;
using smdp::PolicyIteration;
using smdp::Queue;

constexpr double kGainTolerance = 1e-6;   // relative
constexpr double kQueueTolerance = 1e-5;  // relative: what doubling the queue may change
constexpr double kMostBytes = 1e9;
constexpr int kShortestQueue = 32;
constexpr int kLongestQueueOfUnstablePolicy = 4096;  // one that carries the load only then is given up

/// By configuration and queue, the number of an action.
using Choice = std::function<std::size_t(std::size_t, int)>;

smdp::Rates checked(const OptimumProblem& problem) {
  const npu::BatchPolicyTable& table = problem.table;
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw std::invalid_argument(std::string("the optimum needs ") + what);
  };
  require(static_cast<int>(problem.exit_rates.size()) == table.segments() - 1, "a rate for each early exit");
  require(std::all_of(problem.exit_rates.begin(), problem.exit_rates.end(),
                      [](double rate) { return rate >= 0 && rate <= 1; }),
          "exit rates from 0 to 1");
  require(problem.rate_hz > 0 && std::isfinite(problem.rate_hz), "a finite arrival rate above 0");
  require(problem.max_batch >= 1 && problem.max_batch <= table.max_batch(),
          "a largest batch of which the latency is known");
  for (int s = 0; s < table.segments(); ++s) {
    for (int b = 1; b <= problem.max_batch; ++b) {
      require(table.latency_s(table.segment_begin(s), table.segment_begin(s + 1), b) > 0,
              "segments that take some time");
    }
  }
  const auto last = std::find(problem.exit_rates.begin(), problem.exit_rates.end(), 1.0);
  return {.table = table,
          .exit_rates = {problem.exit_rates.begin(), last},
          .rate_hz = problem.rate_hz,
          .max_batch = problem.max_batch};
}

void require_room(double configurations, double process_bytes, int queue) {
  const double bytes = process_bytes + PolicyIteration::bytes(configurations, queue);
  if (bytes <= kMostBytes) return;
  throw OptimumTooLarge("the optimum would take " + std::to_string(std::llround(bytes / 1e6)) +
                        " MB, more than 1000, with queues of up to " + std::to_string(queue));
}

/// Greedy batching: an idle NPU starts as many as it can, and a batch runs to its end.
std::size_t greedy(const DecisionProcess& process, std::size_t configuration, int queued) {
  std::size_t best = 0;  // without newcomers, where somebody is in flight
  if (configuration > 0) return best;
  int most = -1;
  for (std::size_t a = 0; a < process.configurations[0].actions; ++a) {
    const smdp::Action& action = process.action(0, a);
    if (action.taken > queued || action.batch <= most) continue;
    most = action.batch;
    best = a;
  }
  return best;
}

/// Newcomers per mean time between arrivals when the queue is endless: of the best policy, or of a fixed one.
struct Saturated {
  std::unique_ptr<PolicyIteration> solution;
  double load_carried = 0;  ///< above 1: queues stay short
};

Saturated saturate(const DecisionProcess& process, const WhileComputing& while_computing,
                   const Choice& fixed = nullptr) {
  auto solution = std::make_unique<PolicyIteration>(process, Queue::endless, 0, while_computing);
  solution->choose(
      [&](std::size_t c, int) { return fixed ? fixed(c, 0) : greedy(process, c, process.max_batch); });
  const double load_carried = -solution->solve(kGainTolerance, fixed != nullptr).upper;
  return {.solution = std::move(solution), .load_carried = load_carried};
}

/// Policy iterations for queues of twice the length each, until the last doubling hardly mattered.
class Doubling {
 public:
  Doubling(const DecisionProcess& process, double process_bytes, double rate_hz,
           const WhileComputing& while_computing)
      : process_(process),
        process_bytes_(process_bytes),
        rate_hz_(rate_hz),
        while_computing_(while_computing) {}

  Optimum best() {
    const Saturated saturated = saturate(process_, while_computing_);
    if (!(saturated.load_carried > 1)) {
      throw UnstableLoad("no policy carries " + std::to_string(rate_hz_) +
                         " requests per second: the limit is " +
                         std::to_string(rate_hz_ * saturated.load_carried));
    }
    // One that is stable, also where greedy batching is not.
    const auto first = [&](std::size_t c, int queued) {
      return queued < process_.max_batch ? greedy(process_, c, queued) : saturated.solution->choice(c, 0);
    };
    for (int queue = shortest();; queue *= 2) {
      prepare(queue);
      if (!solution_) next_->choose(first);
      if (add(next_->solve(kGainTolerance, false))) return result();
    }
  }

  Optimum of(const Choice& policy) {
    for (int queue = shortest();; queue *= 2) {
      prepare(queue);
      next_->choose(policy);
      if (!carries(queue, policy)) {
        if (queue >= kLongestQueueOfUnstablePolicy) {
          throw UnstableLoad("the policy does not carry " + std::to_string(rate_hz_) +
                             " requests per second");
        }
        next_.reset();
        continue;
      }
      if (add(next_->solve(kGainTolerance, true))) return result();
    }
  }

  [[nodiscard]] const PolicyIteration& solution() const { return *solution_; }

 private:
  [[nodiscard]] int shortest() const { return std::max(kShortestQueue, 2 * process_.max_batch); }

  void prepare(int queue) {
    require_room(static_cast<double>(process_.configurations.size()), process_bytes_, queue);
    next_ = std::make_unique<PolicyIteration>(process_, Queue::finite, queue, while_computing_);
    if (solution_) next_->start_from(*solution_);
  }

  /// Whether the policy, as it is with `queue`, is stable.
  [[nodiscard]] bool carries(int queue, const Choice& policy) const {
    if (process_.action(0, policy(0, queue)).batch == 0) return false;
    const auto at_end = [&](std::size_t c, int) { return policy(c, queue); };
    return saturate(process_, while_computing_, at_end).load_carried > 1;
  }

  /// Whether this is the last one.
  bool add(const GainBounds& bounds) {
    const double before = (bounds_.lower + bounds_.upper) / 2;
    const bool first = !solution_;
    bounds_ = bounds;
    iterations_ += next_->iterations();
    solution_ = std::move(next_);
    const double now = (bounds.lower + bounds.upper) / 2;
    return !first && std::abs(now - before) <= kQueueTolerance * now;
  }

  [[nodiscard]] Optimum result() const {
    return {.mean_latency_s = (bounds_.lower + bounds_.upper) / 2 / rate_hz_,
            .lower_s = bounds_.lower / rate_hz_,
            .upper_s = bounds_.upper / rate_hz_,
            .queue = solution_->longest(),
            .states = solution_->states(),
            .iterations = iterations_};
  }

  const DecisionProcess& process_;
  double process_bytes_;
  double rate_hz_;
  const WhileComputing& while_computing_;
  std::unique_ptr<PolicyIteration> solution_, next_;
  GainBounds bounds_;
  int iterations_ = 0;
};

DecisionProcess free_process_of(const smdp::Rates& rates, const WhileComputing& while_computing) {
  require_room(smdp::free_configurations(rates.segments(), rates.max_batch),
               smdp::free_process_bytes(rates.segments(), rates.max_batch), kShortestQueue);
  return smdp::free_process(rates, while_computing);
}

smdp::FbeProcess fbe_process_of(const smdp::Rates& rates, const WhileComputing& while_computing) {
  require_room(smdp::fbe_configurations(rates.segments(), rates.max_batch),
               smdp::fbe_process_bytes(rates.segments(), rates.max_batch), kShortestQueue);
  return smdp::fbe_process(rates, while_computing);
}

}  // namespace

Optimum free_optimum(const OptimumProblem& problem, const WhileComputing& while_computing) {
  const smdp::Rates rates = checked(problem);
  const DecisionProcess process = free_process_of(rates, while_computing);
  const double bytes = smdp::free_process_bytes(rates.segments(), rates.max_batch);
  return Doubling(process, bytes, rates.rate_hz, while_computing).best();
}

FbeOptimum fbe_optimum(const OptimumProblem& problem, const WhileComputing& while_computing) {
  const smdp::Rates rates = checked(problem);
  const smdp::FbeProcess fbe = fbe_process_of(rates, while_computing);
  const double bytes = smdp::fbe_process_bytes(rates.segments(), rates.max_batch);
  Doubling doubling(fbe.process, bytes, rates.rate_hz, while_computing);
  const Optimum optimum = doubling.best();
  // The forgotten arrivals spoil decisions near the end of the queue: there it pays to keep it full.
  FbeTable table(problem.table.segments(), rates.max_batch, optimum.queue / 2);
  for (std::size_t c = 0; c < fbe.meaning.size(); ++c) {
    if (fbe.meaning[c].suspended > 0) continue;
    for (int w = 0; w <= table.longest_queue(); ++w) {
      const smdp::Action& action = fbe.process.action(c, doubling.solution().choice(c, w));
      table.set_newcomers({.queue = w,
                           .active = fbe.meaning[c].active,
                           .segment = fbe.meaning[c].segment,
                           .suspended = 0,
                           .suspended_segment = 0},
                          action.taken);
    }
  }
  return {.optimum = optimum, .table = std::move(table)};
}

Optimum evaluate_fbe(const OptimumProblem& problem, const FbeDecision& decide) {
  const smdp::Rates rates = checked(problem);
  const WhileComputing uninterrupted;
  const smdp::FbeProcess fbe = fbe_process_of(rates, uninterrupted);
  const Choice policy = [&](std::size_t c, int queued) -> std::size_t {
    const smdp::FbeConfiguration& now = fbe.meaning[c];
    const int room = std::min(queued, rates.max_batch - now.active - now.suspended);
    if (now.suspended > 0 || room == 0) return 0;
    const int newcomers = decide({.queue = queued,
                                  .active = now.active,
                                  .segment = now.segment,
                                  .suspended = 0,
                                  .suspended_segment = 0});
    if (newcomers < 0 || newcomers > room) {
      throw PolicyError(std::to_string(newcomers) + " newcomers, where at most " + std::to_string(room) +
                        " can start");
    }
    return static_cast<std::size_t>(newcomers);
  };
  const double bytes = smdp::fbe_process_bytes(rates.segments(), rates.max_batch);
  return Doubling(fbe.process, bytes, rates.rate_hz, uninterrupted).of(policy);
}

double free_capacity_hz(const OptimumProblem& problem) {
  const WhileComputing uninterrupted;
  const DecisionProcess process = free_process_of(checked(problem), uninterrupted);
  return problem.rate_hz * saturate(process, uninterrupted).load_carried;
}

double fbe_capacity_hz(const OptimumProblem& problem) {
  const WhileComputing uninterrupted;
  const smdp::FbeProcess fbe = fbe_process_of(checked(problem), uninterrupted);
  return problem.rate_hz * saturate(fbe.process, uninterrupted).load_carried;
}

}  // namespace fluidbatch::scheduler
