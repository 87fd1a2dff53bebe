// The optimum against all stationary policies of tiny processes, which are written down again here and solved
// as linear equations.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <Eigen/LU>
#include <catch2/catch.hpp>

#include "scheduler/optimum/policy_iteration.h"
#include "tests/support/measured_table.h"

using namespace fluidbatch;

namespace {

/// One action of a tiny process.
struct TinyAction {
  double cost, time;
  std::vector<double> probabilities;  ///< by state
};

/// Least gain over all policies, each by its linear equations; v of state 0 is 0.
double least_gain(const std::vector<std::vector<TinyAction>>& actions) {
  const auto n = static_cast<Eigen::Index>(actions.size());
  std::vector<std::size_t> policy(actions.size());
  double least = std::numeric_limits<double>::infinity();
  for (;;) {
    Eigen::MatrixXd equations = Eigen::MatrixXd::Identity(n, n);
    Eigen::VectorXd costs(n);
    for (Eigen::Index i = 0; i < n; ++i) {
      const TinyAction& action = actions[static_cast<std::size_t>(i)][policy[static_cast<std::size_t>(i)]];
      for (Eigen::Index j = 0; j < n; ++j)
        equations(i, j) -= action.probabilities[static_cast<std::size_t>(j)];
      equations(i, 0) = action.time;
      costs(i) = action.cost;
    }
    const Eigen::PartialPivLU<Eigen::MatrixXd> solver(equations);
    // Nearly singular: there are several gains, of which that of no use is left out.
    if (std::abs(solver.determinant()) > 1e-12) least = std::min(least, solver.solve(costs)(0));
    std::size_t i = 0;
    while (i < policy.size() && ++policy[i] == actions[i].size()) policy[i++] = 0;
    if (i == policy.size()) return least;
  }
}

/// Index of the state with n before segment 1 and w in the queue.
std::size_t state_of(int n, int w) { return static_cast<std::size_t>(n) * 4 + static_cast<std::size_t>(w); }

/// Two segments, at most two in flight, a queue of at most three; state 4 n + w has n before segment 1 and w
/// in the queue. In the FBE's form n waits as one batch, and the NPU idles only while n = 0.
std::vector<std::vector<TinyAction>> tiny_process(const Eigen::Array22d& t, double exit_rate, bool fbe) {
  constexpr int kLongest = 3;
  std::vector<std::vector<TinyAction>> all;
  const auto arrive = [](std::vector<double>& to, int n, int w, double time, double share) {
    double term = std::exp(-time);
    double rest = 1;
    for (int k = 0; w + k < kLongest; ++k) {
      to[state_of(n, w + k)] += share * term;
      rest -= term;
      term *= time / (k + 1);
    }
    to[state_of(n, kLongest)] += share * rest;
  };
  for (int state = 0; state < 12; ++state) {
    const int n = state / 4;
    const int w = state % 4;
    std::vector<TinyAction> actions;
    const auto act = [&](double time) -> std::vector<double>& {
      actions.push_back(
          {.cost = (n + w) * time + time * time / 2, .time = time, .probabilities = std::vector<double>(12)});
      return actions.back().probabilities;
    };
    if (w < kLongest && (!fbe || (n == 0))) {
      act(1)[state_of(n, w + 1)] = 1;
      actions.back().cost = n + w;
    }
    for (int b = fbe ? std::max(n, 1) : 1; b <= n; ++b) arrive(act(t(1, b - 1)), n - b, w, t(1, b - 1), 1);
    for (int b = 1; b <= std::min(w, 2 - n); ++b) {
      const double time = t(0, b - 1);
      std::vector<double>& to = act(time);
      const double stay = 1 - exit_rate;
      if (b == 1) {
        arrive(to, n, w - 1, time, exit_rate);
        arrive(to, n + 1, w - 1, time, stay);
      } else {
        arrive(to, n, w - 2, time, exit_rate * exit_rate);
        arrive(to, n + 1, w - 2, time, 2 * exit_rate * stay);
        arrive(to, n + 2, w - 2, time, stay * stay);
      }
    }
    all.push_back(std::move(actions));
  }
  return all;
}

double solved_gain(const scheduler::smdp::DecisionProcess& process) {
  scheduler::smdp::PolicyIteration iteration(process, scheduler::smdp::Queue::finite, 3);
  iteration.choose([&](std::size_t c, int w) {
    std::size_t a = 0;
    while (!iteration.may(process.action(c, a), w)) ++a;
    return a;
  });
  const auto bounds = iteration.solve(1e-9, false);
  CHECK(bounds.lower <= bounds.upper);
  return bounds.upper;
}

void check_tiny_processes(int count, bool fbe) {
  std::mt19937 random(fbe ? 1 : 2);
  const auto draw = [&](double low, double high) {
    return low + (high - low) * static_cast<double>(random()) / 4294967296.0;
  };
  for (int i = 0; i < count; ++i) {
    Eigen::Array22d t;
    for (int s = 0; s < 2; ++s) {
      t(s, 0) = draw(0.1, 1);
      t(s, 1) = t(s, 0) * draw(1, 2);
    }
    const double exit_rate = draw(0, 1);
    const npu::BatchPolicyTable table = test::measured_table(t);
    const scheduler::smdp::Rates rates{
        .table = table, .exit_rates = {exit_rate}, .rate_hz = 1, .max_batch = 2};
    INFO("latencies\n" << t << "\nexit rate " << exit_rate);
    const double gain = fbe ? solved_gain(scheduler::smdp::fbe_process(rates).process)
                            : solved_gain(scheduler::smdp::free_process(rates));
    CHECK(gain == Approx(least_gain(tiny_process(t, exit_rate, fbe))).epsilon(1e-7).margin(0));
  }
}

}  // namespace

TEST_CASE("no policy of a tiny process is better", "[optimum]") { check_tiny_processes(20, true); }

TEST_CASE("no free policy of a tiny process is better", "[.release][optimum]") {
  check_tiny_processes(10, false);
}
