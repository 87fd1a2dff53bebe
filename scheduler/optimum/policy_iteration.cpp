#include "scheduler/optimum/policy_iteration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "scheduler/optimum/optimum_error.h"

namespace fluidbatch::scheduler::smdp {
namespace {

constexpr double kMostKrylovBytes = 6e8;
constexpr double kReduction = 1e-3;  ///< of the residual in one evaluation
constexpr int kMostCycles = 20;
constexpr int kMostIterations = 500;
constexpr double kMostWork = 1e9;  ///< values renewed in sweeps: tens of seconds
constexpr double kTie = 1e-11;     ///< relative: a gain below this is rounding
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Products of GMRES between two restarts: more converge in fewer sweeps, but each has a vector.
std::size_t products(double states) {
  return static_cast<std::size_t>(std::clamp(kMostKrylovBytes / (sizeof(double) * states), 12.0, 60.0));
}

}  // namespace

PolicyIteration::PolicyIteration(const DecisionProcess& process, Queue queue, int longest,
                                 WhileComputing while_computing)
    : process_(process),
      queue_(queue),
      longest_(longest),
      while_computing_(std::move(while_computing)),
      values_(process.configurations.size() * width()),
      choices_(values_.size()),
      gmres_(products(static_cast<double>(values_.size()))) {}

double PolicyIteration::bytes(double configurations, int longest) {
  const double states = configurations * (longest + 1.0);
  // Values, residual, GMRES's basis; and the values of half the queue, which it starts from.
  const double vectors = 2 + static_cast<double>(products(states)) + 1 + 0.5;
  return states * (vectors * sizeof(double) + 1.5 * sizeof(std::uint16_t));
}

bool PolicyIteration::may(const Action& action, int queued) const {
  if (action.batch == 0) return queue_ == Queue::finite && queued < longest_;
  return queue_ == Queue::endless || action.taken <= queued;
}

bool PolicyIteration::is_chosen(std::size_t configuration, std::size_t number) const {
  const auto begin = choices_.begin() + static_cast<std::ptrdiff_t>(index(configuration, 0));
  const auto end = begin + static_cast<std::ptrdiff_t>(width());
  return std::find(begin, end, static_cast<std::uint16_t>(number)) != end;
}

void PolicyIteration::choose(const std::function<std::size_t(std::size_t, int)>& choose) {
  for (std::size_t c = 0; c < process_.configurations.size(); ++c) {
    for (int w = 0; w <= longest_; ++w) choices_[index(c, w)] = static_cast<std::uint16_t>(choose(c, w));
  }
}

void PolicyIteration::start_from(const PolicyIteration& shorter) {
  // The forgotten arrivals bend the values near the end of the queue. Far from both ends they are nearly a
  // parabola: a long queue shrinks at a constant rate.
  const int sound = shorter.longest_ / 2;
  for (std::size_t c = 0; c < process_.configurations.size(); ++c) {
    const double* known = shorter.values_.data() + shorter.index(c, 0);
    const int half = sound / 2;
    const double step = known[sound] - known[sound - 1];
    const double bend = (step - (known[half] - known[half - 1])) / (sound - half);
    for (int w = 0; w <= longest_; ++w) {
      const double beyond = std::max(w - sound, 0);
      values_[index(c, w)] = known[std::min(w, sound)] + beyond * (step + (beyond + 1) / 2 * bend);
      choices_[index(c, w)] = shorter.choices_[shorter.index(c, std::min(w, sound))];
    }
  }
}

double PolicyIteration::duration(const Action& action) const {
  return action.batch == 0 ? 1 : process_.run(action).duration;
}

double PolicyIteration::cost(const Configuration& configuration, const Action& action, int queued) const {
  if (queue_ == Queue::endless) return -action.taken;
  const double in_system = queued + configuration.in_flight;
  if (action.batch == 0) return in_system;
  const double t = process_.run(action).duration;
  return (in_system + t / 2) * t;
}

/// Expected values of the states that an action leads to, for queues first .. last: first over the exits,
/// which don't depend on the queue, then over the arrivals.
void PolicyIteration::expect(const Vector& values, std::size_t configuration, const Action& action, int first,
                             int last, double* result) {
  const int count = last - first + 1;
  if (action.batch == 0) {
    for (int w = first; w <= last; ++w) {
      result[w - first] = values[index(configuration, std::min(w + 1, longest_))];
    }
    return;
  }
  const Run& run = process_.run(action);
  const int least = queue_ == Queue::endless ? 0 : first - action.taken + run.least;
  const auto needed = static_cast<std::size_t>(count) + run.probabilities.size() - 1;
  mixed_.assign(needed, 0);
  const int sound = std::min(static_cast<int>(needed), longest_ + 1 - least);
  for (std::uint32_t s = 0; s < action.successors; ++s) {
    const Successor& successor = process_.successors[action.first_successor + s];
    const double p = successor.probability;
    const double* row = values.data() + successor.configuration * width();
    for (int i = 0; i < sound; ++i) mixed_[static_cast<std::size_t>(i)] += p * row[least + i];
    if (sound < static_cast<int>(needed)) {
      const auto from = static_cast<std::size_t>(std::max(sound, 0));
      for (std::size_t i = from; i < needed; ++i) mixed_[i] += p * row[longest_];
    }
  }
  std::fill_n(result, count, 0.0);
  for (std::size_t k = 0; k < run.probabilities.size(); ++k) {
    const double p = run.probabilities[k];
    const double* from = mixed_.data() + k;
    for (int i = 0; i < count; ++i) result[i] += p * from[i];
  }
}

/// Puts c - g t + P v of the policy in the place of each value, in order of the configurations, so that those
/// before are new already; `Homogeneous`: without c. The gain becomes the one that keeps the empty system's
/// value at 0.
template <bool Homogeneous>
void PolicyIteration::sweep(Vector& values) {
  ++sweeps_;
  double gain = values[0];
  values[0] = 0;
  expected_.resize(width());
  for (std::size_t c = 0; c < process_.configurations.size(); ++c) {
    pause();
    double next_gain = gain;
    for (int first = 0, last = 0; first <= longest_; first = last + 1) {
      const std::uint16_t number = choices_[index(c, first)];
      last = first;
      while (last < longest_ && choices_[index(c, last + 1)] == number) ++last;
      const Action& action = process_.action(c, number);
      const double time = duration(action);
      expect(values, c, action, first, last, expected_.data() + first);
      for (int w = first; w <= last; ++w) {
        double& value = expected_[static_cast<std::size_t>(w)];
        if constexpr (!Homogeneous) value += cost(process_.configurations[c], action, w);
        if (c == 0 && w == 0) {
          next_gain = value / time;
          value = 0;
        } else {
          value -= gain * time;
        }
      }
    }
    std::copy_n(expected_.data(), width(), values.data() + index(c, 0));
    gain = next_gain;
  }
  values[0] = gain;
}

/// Takes in every state the action of least c - g t + P v, and bounds the gain: for any v, with
/// r(i, a) = (c + P v - v(i)) / t, min over i and a of r <= g* <= g(policy) <= max over i of r(i, policy).
/// These are the bounds of value iteration after the data transformation that makes all times equal (Tijms, A
/// First Course in Stochastic Models, 2003, 7.4).
GainBounds PolicyIteration::improve(bool fixed) {
  ++iterations_;
  GainBounds bounds{.lower = kInfinity, .upper = -kInfinity};
  const double gain = std::exchange(values_[0], 0);
  for (std::size_t c = 0; c < process_.configurations.size(); ++c) improve(c, gain, fixed, bounds);
  values_[0] = gain;
  return bounds;
}

void PolicyIteration::improve(std::size_t c, double gain, bool fixed, GainBounds& bounds) {
  pause();
  const Configuration& configuration = process_.configurations[c];
  least_value_.assign(width(), kInfinity);
  least_rate_.assign(width(), kInfinity);
  kept_rate_.assign(width(), kInfinity);
  expected_.resize(width());
  best_.assign(width(), 0);
  for (std::uint32_t number = 0; number < configuration.actions; ++number) {
    const Action& action = process_.action(c, number);
    const double time = duration(action);
    const int first = queue_ == Queue::endless ? 0 : action.taken;
    if (first > longest_ || (fixed && !is_chosen(c, number))) continue;
    expect(values_, c, action, first, longest_, expected_.data());
    for (int w = first; w <= longest_; ++w) {
      const auto i = static_cast<std::size_t>(w);
      const bool chosen = choices_[index(c, w)] == number;
      if (fixed ? !chosen : !may(action, w)) continue;
      const double value = expected_[i - static_cast<std::size_t>(first)] + cost(configuration, action, w);
      const double rate = (value - values_[index(c, w)]) / time;
      least_rate_[i] = std::min(least_rate_[i], rate);
      // Who is as good as the action of before, up to rounding, does not take its place.
      const double slack = chosen ? kTie * (1 + std::abs(value)) : 0;
      if (value - gain * time - slack < least_value_[i]) {
        least_value_[i] = value - gain * time - slack;
        kept_rate_[i] = rate;
        best_[i] = static_cast<std::uint16_t>(number);
      }
    }
  }
  for (std::size_t i = 0; i < width(); ++i) {
    bounds.lower = std::min(bounds.lower, least_rate_[i]);
    bounds.upper = std::max(bounds.upper, kept_rate_[i]);
  }
  std::copy(best_.begin(), best_.end(), choices_.begin() + static_cast<std::ptrdiff_t>(index(c, 0)));
}

bool PolicyIteration::is_too_long() const { return sweeps_ * static_cast<double>(states()) >= kMostWork; }

/// Moves the values towards those of the policy.
void PolicyIteration::evaluate() {
  residual_.resize(values_.size());
  double goal = 0;
  for (int cycle = 0; cycle < kMostCycles && !is_too_long(); ++cycle) {
    residual_ = values_;
    sweep<false>(residual_);
    double squares = 0;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      residual_[i] -= values_[i];
      squares += residual_[i] * residual_[i];
    }
    const double norm = std::sqrt(squares);
    if (cycle == 0) goal = kReduction * norm;
    if (norm <= goal) return;
    gmres_.solve(residual_, goal / norm, values_, [&](const Vector& direction, Vector& result) {
      result = direction;
      sweep<true>(result);
      for (std::size_t i = 0; i < result.size(); ++i) result[i] = direction[i] - result[i];
    });
  }
}

GainBounds PolicyIteration::solve(double tolerance, bool fixed) {
  for (int i = 0; i < kMostIterations && !is_too_long(); ++i) {
    evaluate();
    const GainBounds bounds = improve(fixed);
    if (bounds.upper - bounds.lower <= tolerance * std::abs(bounds.upper)) {
      gmres_.free_memory();
      return bounds;
    }
  }
  throw OptimumTooLarge("the bounds of the mean don't meet in " + std::to_string(sweeps_) +
                        " sweeps with queues of up to " + std::to_string(longest_));
}

}  // namespace fluidbatch::scheduler::smdp
