// The average cost of a semi-Markov decision process, least or of a given policy, with bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "scheduler/optimum/decision_process.h"
#include "scheduler/optimum/gmres.h"

namespace fluidbatch::scheduler::smdp {

/// What is in the queue.
enum class Queue {
  finite,  ///< at most `longest`: who arrives beyond that is forgotten. The cost is the number in the system.
  endless,  ///< always enough: the cost of a run is -1 for each newcomer, so the gain is minus the throughput
};

/// Bounds of the gain, in units of the arrival rate.
struct GainBounds {
  double lower = 0;
  double upper = 0;
};

/// Policy iteration for a process and a longest queue.
///
/// A state has relative value v and the gain is g where (Puterman, Markov Decision Processes, 1994, 11.4)
///
///     v(i) = min over a of c(i, a) - g t(i, a) + sum over j of p(j | i, a) v(j)
///
/// with c the expected cost and t the expected time until the next decision. An action that takes time t with
/// n in the system, among whom nobody leaves before its end, costs n t + t^2 / 2 where one request arrives
/// per unit of time; idling costs n and takes 1. v is 0 in the empty system; its place holds g.
class PolicyIteration {
 public:
  /// `process` must outlive this.
  PolicyIteration(const DecisionProcess& process, Queue queue, int longest,
                  WhileComputing while_computing = {});

  /// Bytes that it takes, with a solution of half the queue that it starts from.
  static double bytes(double configurations, int longest);

  [[nodiscard]] int longest() const { return longest_; }
  [[nodiscard]] std::size_t states() const { return values_.size(); }
  [[nodiscard]] double gain() const { return values_[0]; }
  /// Whether the action is possible with so many in the queue.
  [[nodiscard]] bool may(const Action& action, int queued) const;
  /// The number of the action taken in a configuration with `queued` in the queue.
  [[nodiscard]] std::size_t choice(std::size_t configuration, int queued) const {
    return choices_[index(configuration, queued)];
  }
  /// `choose(configuration, queued)`: the number of an action that is possible there.
  void choose(const std::function<std::size_t(std::size_t, int)>& choose);
  /// Values and choices of a solution for a shorter queue; what lies beyond that goes on as its end does.
  void start_from(const PolicyIteration& shorter);

  /// Iterates until the bounds are `tolerance` apart, relative to the gain. With `fixed` the policy stays as
  /// it was chosen. The last policy's gain lies within the bounds; the lower one, unless `fixed`, is one for
  /// all policies. Throws OptimumTooLarge where the bounds don't meet in time.
  GainBounds solve(double tolerance, bool fixed);
  [[nodiscard]] int iterations() const { return iterations_; }
  [[nodiscard]] int sweeps() const { return sweeps_; }

 private:
  using Vector = std::vector<double>;

  [[nodiscard]] std::size_t width() const { return static_cast<std::size_t>(longest_) + 1; }
  [[nodiscard]] std::size_t index(std::size_t configuration, int queued) const {
    return configuration * width() + static_cast<std::size_t>(queued);
  }
  void pause() const {
    if (while_computing_) while_computing_();
  }
  [[nodiscard]] bool is_chosen(std::size_t configuration, std::size_t number) const;
  [[nodiscard]] double duration(const Action& action) const;
  [[nodiscard]] double cost(const Configuration& configuration, const Action& action, int queued) const;
  void expect(const Vector& values, std::size_t configuration, const Action& action, int first, int last,
              double* result);
  template <bool Homogeneous>
  void sweep(Vector& values);
  GainBounds improve(bool fixed);
  void improve(std::size_t configuration, double gain, bool fixed, GainBounds& bounds);
  [[nodiscard]] bool is_too_long() const;
  void evaluate();

  const DecisionProcess& process_;
  Queue queue_;
  int longest_;
  WhileComputing while_computing_;
  Vector values_;
  std::vector<std::uint16_t> choices_;
  Gmres gmres_;
  Vector residual_;
  Vector mixed_, expected_;                      // of one action, by queue
  Vector least_value_, least_rate_, kept_rate_;  // of one configuration, by queue
  std::vector<std::uint16_t> best_;
  int iterations_ = 0;
  int sweeps_ = 0;
};

}  // namespace fluidbatch::scheduler::smdp
