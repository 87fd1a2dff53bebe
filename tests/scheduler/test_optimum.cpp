// The optimum against closed forms of queueing theory, against simulation, and against itself: what may only
// be better is.
#include <algorithm>
#include <cmath>
#include <complex>
#include <functional>
#include <limits>
#include <memory>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler/optimum/optimum.h"
#include "scheduler/policy_error.h"
#include "scheduler/registry.h"
#include "sim/run/simulation.h"
#include "sim/scenario/policy_parameters.h"
#include "tests/support/measured_table.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using scheduler::FbeState;
using scheduler::Optimum;
using scheduler::OptimumProblem;

namespace {

/// As many as there are, up to `most`, when the NPU is idle.
scheduler::FbeDecision greedy(int most) {
  return [most](const FbeState& state) { return state.active > 0 ? 0 : std::min(state.queue, most); };
}

/// What a registered policy does with an SLO that is never missed.
class RegisteredPolicy {
 public:
  RegisteredPolicy(const std::string& name, const OptimumProblem& problem, sim::PolicyArguments arguments)
      : table_(problem.table) {
    const scheduler::PolicyInfo* info = scheduler::find_policy(name);
    REQUIRE(info != nullptr);
    const bool has_batch = std::any_of(info->parameters.begin(), info->parameters.end(),
                                       [](const auto& parameter) { return parameter.name == "max_batch"; });
    if (has_batch) arguments["max_batch"] = problem.max_batch;
    const auto parameters = sim::parameter_values(name, info->parameters, arguments);
    boundary_ = info->traits(parameters).boundary;
    scheduler::PolicyContext context{.exit_rates = problem.exit_rates,
                                     .rate_hz = problem.rate_hz,
                                     .latencies = &problem.table,
                                     .decisions = nullptr};
    if (info->decisions) context.decisions = info->decisions(parameters, context);
    policy_ = info->make(parameters, context);
  }

  int operator()(const FbeState& state) {
    if (state.active > 0 && boundary_ == scheduler::Boundary::batch) return 0;
    while (queue_.size() < static_cast<std::size_t>(state.queue)) queue_.push_back(requests_.push({}));
    while (requests_.end() < static_cast<std::size_t>(state.active)) requests_.push({});
    scheduler::Batch batch;
    for (int i = 0; i < state.active; ++i) batch.samples.push_back(static_cast<scheduler::RequestId>(i));
    batch.next_layer = table_.segment_begin(state.segment);
    std::vector<scheduler::Batch> stack;
    if (state.active > 0) stack.push_back(batch);
    const scheduler::Decision decision =
        policy_->decide({.now_s = 0,
                         .slo = {.latency_s = std::numeric_limits<double>::infinity()},
                         .table = table_,
                         .requests = scheduler::KnownRequests(requests_),
                         .queue = std::span(queue_).first(static_cast<std::size_t>(state.queue)),
                         .stack = stack});
    return decision.action == scheduler::Decision::Action::wait_until ? 0
                                                                      : static_cast<int>(decision.samples);
  }

 private:
  const npu::BatchPolicyTable& table_;
  scheduler::Boundary boundary_ = scheduler::Boundary::batch;
  std::unique_ptr<scheduler::Policy> policy_;
  scheduler::RequestWindow requests_;
  std::vector<scheduler::RequestId> queue_;
};

double mean_of(const std::string& policy, const OptimumProblem& problem,
               const sim::PolicyArguments& arguments = {}) {
  RegisteredPolicy registered(policy, problem, arguments);
  return scheduler::evaluate_fbe(problem, std::ref(registered)).mean_latency_s;
}

/// EE-ResNet-50 on the NPU that configurations have by default, at most 8 in flight.
struct Shipped {
  npu::BatchPolicyTable table{test::shipped_network("ee_resnet50").layers, test::shipped_npu("zu7ev_large"),
                              npu::Mode::fluid_stacked, 8};
  double reference_s = npu::BatchPolicyTable(test::shipped_network("ee_resnet50").layers,
                                             test::shipped_npu("zu7ev_large"), npu::Mode::r, 1)
                           .single_sample_latency_s();

  [[nodiscard]] OptimumProblem at(double rho) const {
    return {.table = table, .exit_rates = test::kExampleRates, .rate_hz = rho / reference_s, .max_batch = 8};
  }
};

/// Mean number in an M/D^[1,b]/1 queue whose service takes `a` mean times between arrivals: Bailey's chain of
/// those whom a service leaves, N' = max(N - b, 0) + A, by the roots of z^b = e^(a (z - 1)).
double in_bulk_queue(double a, int b) {
  using Complex = std::complex<double>;
  Complex sum = 0;
  Complex product = 1;
  for (int k = 1; k < b; ++k) {
    const Complex turn = std::polar(1.0, 2 * std::numbers::pi * k / b);
    Complex z = 0;
    for (int i = 0; i < 2000; ++i) z = turn * std::exp(a / b * (z - 1.0));
    sum += 1.0 / (1.0 - z);
    product *= -z / (1.0 - z);
  }
  const double spare = b - a;
  const double left = sum.real() - (spare * spare - b) / (2 * spare);
  const double empty = spare * product.real();
  return (left * a + a * a / 2 + empty * a) / (a + empty);
}

/// What is given to larger batches, to shorter latencies and to freer schedules is never worse.
void check_dominance(int tables, unsigned seed) {
  int carried_by_exit_aware = 0;
  std::mt19937 random(seed);
  const auto draw = [&](double low, double high) {
    return low + (high - low) * static_cast<double>(random()) / 4294967296.0;
  };
  for (int i = 0; i < tables; ++i) {
    const int segments = 1 + static_cast<int>(random() % 3);
    const int max_batch = 2 + static_cast<int>(random() % 3);
    Eigen::ArrayXXd latencies_s(segments, max_batch);
    std::vector<double> exit_rates;
    for (int s = 0; s < segments; ++s) {
      if (s > 0) exit_rates.push_back(std::clamp(draw(-0.2, 1.2), 0.0, 1.0));
      latencies_s(s, 0) = draw(0.2, 2);
      for (int b = 1; b < max_batch; ++b) {
        latencies_s(s, b) = latencies_s(s, b - 1) + draw(0, 1) * latencies_s(s, 0);
      }
    }
    const npu::BatchPolicyTable table = test::measured_table(latencies_s);
    OptimumProblem problem{.table = table, .exit_rates = exit_rates, .rate_hz = 1, .max_batch = max_batch};
    problem.rate_hz = draw(0.1, 0.75) * scheduler::fbe_capacity_hz(problem);
    INFO(segments << " segments, rate " << problem.rate_hz << ", latencies\n" << latencies_s);
    const Optimum free = scheduler::free_optimum(problem);
    const Optimum fbe = scheduler::fbe_optimum(problem).optimum;
    // Different queues have to be allowed for.
    const auto at_least = [](double s) { return s * (1 - 2e-5); };
    CHECK(fbe.upper_s >= at_least(free.lower_s));
    try {
      CHECK(mean_of("exit_aware", problem) >= at_least(fbe.lower_s));
      ++carried_by_exit_aware;
      CHECK(mean_of("dynamic_batching", problem) >= at_least(fbe.lower_s));
    } catch (const scheduler::UnstableLoad&) {
      CHECK(problem.rate_hz > 0.3 * scheduler::fbe_capacity_hz(problem));
    }
    const auto slower_segment = static_cast<Eigen::Index>(random() % static_cast<unsigned>(segments));
    latencies_s(slower_segment, static_cast<Eigen::Index>(random() % 2)) *= draw(1, 1.1);
    const npu::BatchPolicyTable slower = test::measured_table(latencies_s);
    const OptimumProblem slower_problem{
        .table = slower, .exit_rates = exit_rates, .rate_hz = problem.rate_hz, .max_batch = max_batch};
    if (scheduler::free_capacity_hz(slower_problem) > 1.1 * problem.rate_hz) {
      CHECK(scheduler::free_optimum(slower_problem).upper_s >= at_least(free.lower_s));
    }
    --problem.max_batch;
    if (scheduler::free_capacity_hz(problem) > 1.1 * problem.rate_hz) {
      CHECK(scheduler::free_optimum(problem).upper_s >= at_least(free.lower_s));
    }
  }
  CHECK(carried_by_exit_aware >= 0.8 * tables);
}

}  // namespace

TEST_CASE("the optimum of one server without batches is Pollaczek and Khinchine's mean", "[optimum]") {
  const npu::BatchPolicyTable table = test::measured_table(Eigen::ArrayXXd::Constant(1, 1, 0.02));
  for (const double load : {0.3, 0.6, 0.9}) {
    const OptimumProblem problem{.table = table, .exit_rates = {}, .rate_hz = load / 0.02, .max_batch = 1};
    const double theory_s = 0.02 + load * 0.02 / (2 * (1 - load));
    for (const Optimum& optimum : {scheduler::free_optimum(problem), scheduler::fbe_optimum(problem).optimum,
                                   scheduler::evaluate_fbe(problem, greedy(1))}) {
      CHECK(optimum.mean_latency_s == Approx(theory_s).epsilon(1e-5).margin(0));
      CHECK(optimum.upper_s - optimum.lower_s <= 1e-6 * optimum.upper_s);
    }
  }
}

TEST_CASE("the mean of `serial` with exits is Pollaczek and Khinchine's", "[optimum]") {
  Eigen::ArrayXXd latencies_s(3, 4);
  latencies_s << 2, 3, 4, 5, 1, 2, 3, 4, 3, 4, 5, 6;
  const npu::BatchPolicyTable table = test::measured_table(latencies_s);
  const std::vector<double> leaves{0.3, 0.7 * 0.5, 0.7 * 0.5};
  const double mean_s = leaves[0] * 2 + leaves[1] * 3 + leaves[2] * 6;
  const double square = leaves[0] * 4 + leaves[1] * 9 + leaves[2] * 36;
  for (const double load : {0.2, 0.8}) {
    const double rate_hz = load / mean_s;
    const OptimumProblem problem{
        .table = table, .exit_rates = {0.3, 0.5}, .rate_hz = rate_hz, .max_batch = 4};
    const double theory_s = mean_s + rate_hz * square / (2 * (1 - load));
    CHECK(mean_of("serial", problem) == Approx(theory_s).epsilon(1e-5).margin(0));
  }
}

TEST_CASE("greedy batches of constant time: the bulk queue M/D^[1,b]/1 by its roots", "[optimum]") {
  CHECK(in_bulk_queue(0.6, 1) == Approx(0.6 + 0.36 / 0.8));
  for (const int max_batch : {2, 5, 8}) {
    const npu::BatchPolicyTable table = test::measured_table(Eigen::ArrayXXd::Constant(1, max_batch, 0.5));
    for (const double load : {0.2, 0.5, 0.9}) {
      const double rate_hz = load * max_batch / 0.5;
      const OptimumProblem problem{
          .table = table, .exit_rates = {}, .rate_hz = rate_hz, .max_batch = max_batch};
      const double theory_s = in_bulk_queue(load * max_batch, max_batch) / rate_hz;
      INFO("at most " << max_batch << ", load " << load);
      CHECK(scheduler::evaluate_fbe(problem, greedy(max_batch)).mean_latency_s ==
            Approx(theory_s).epsilon(1e-5).margin(0));
      CHECK(scheduler::free_optimum(problem).lower_s <= theory_s * (1 + 1e-5));
    }
  }
}

TEST_CASE("freer schedules, shorter latencies and larger batches are not worse", "[optimum]") {
  check_dominance(5, 1);
}

TEST_CASE("over a hundred tables freer schedules, shorter latencies and larger batches are not worse",
          "[.release][optimum]") {
  check_dominance(100, 2);
}

TEST_CASE("exit_aware with the outlook goes half of the way to the best", "[.release][optimum]") {
  double present = 0;  // sums of distances
  double outlook = 0;
  for (const char* network : {"ee_resnet18", "ee_resnet50", "ee_mobilenet_v2", "ee_vgg16"}) {
    for (const npu::Mode mode : {npu::Mode::r, npu::Mode::fluid_stacked}) {
      const npu::BatchPolicyTable table(test::shipped_network(network).layers,
                                        test::shipped_npu("zu7ev_large"), mode, 8);
      OptimumProblem problem{.table = table, .exit_rates = test::kExampleRates, .rate_hz = 1, .max_batch = 8};
      const double capacity_hz = scheduler::fbe_capacity_hz(problem);
      for (const double load : {0.3, 0.6, 0.8}) {
        INFO(network << " in mode " << npu::name_of(mode) << " at " << load);
        problem.rate_hz = load * capacity_hz;
        const double best_s = scheduler::fbe_optimum(problem).optimum.mean_latency_s;
        const double of_present = mean_of("exit_aware", problem) / best_s - 1;
        const double of_outlook = mean_of("exit_aware", problem, {{"objective", "outlook"}}) / best_s - 1;
        UNSCOPED_INFO(of_present << " " << of_outlook);
        CHECK(of_outlook < of_present + 0.003);
        present += of_present;
        outlook += of_outlook;
      }
    }
  }
  UNSCOPED_INFO(present << " " << outlook);
  CHECK(outlook < present / 2);
  CHECK(present / 24 > 0.02);  // there is something to gain
}

TEST_CASE("EE-ResNet-50: the mean of `exit_aware` is the one that is simulated", "[.release][optimum]") {
  constexpr int kRuns = 8;
  const Shipped shipped;
  for (const double rho : {0.8, 2.4, 2.8}) {
    double sum_s = 0;
    double squares = 0;
    for (int seed = 1; seed <= kRuns; ++seed) {
      const sim::Scenario scenario = sim::ScenarioBuilder()
                                         .table(std::make_shared<npu::BatchPolicyTable>(shipped.table))
                                         .seed(static_cast<std::uint64_t>(seed))
                                         .requests(1'000'000)
                                         .warmup_requests(1000)
                                         .poisson(workloads::Rate::hz(rho / shipped.reference_s))
                                         .exit_rates(test::kExampleRates)
                                         .system({.policy = "exit_aware", .parameters = {{"max_batch", 8}}})
                                         .build();
      const double mean_s = simulate(scenario, scenario.systems[0])[sim::StatisticId::mean_latency];
      sum_s += mean_s;
      squares += mean_s * mean_s;
    }
    const double mean_s = sum_s / kRuns;
    const double error_s = std::sqrt((squares / kRuns - mean_s * mean_s) / (kRuns - 1));
    const double computed_s = mean_of("exit_aware", shipped.at(rho));
    INFO("rho " << rho << ": computed " << computed_s << ", simulated " << mean_s << " +- " << error_s);
    CHECK(std::abs(mean_s - computed_s) < 5.4 * error_s);  // Student's t, 7 degrees of freedom: 0.1 %
    CHECK(error_s < 1e-3 * mean_s);
  }
}

TEST_CASE("EE-ResNet-50: the optima of a prototype, and the table that reaches one", "[.release][optimum]") {
  const Shipped shipped;
  struct Row {
    double rho, greedy_ms, fbe_ms, free_ms;
  };
  for (const Row& row : {Row{0.8, 17.62, 16.877, 16.874}, Row{1.6, 23.75, 21.392, 21.278},
                         Row{2.4, 35.98, 30.101, 29.276}, Row{2.8, 47.95, 38.442, 36.942}}) {
    const OptimumProblem problem = shipped.at(row.rho);
    const auto is = [](double ms) { return Approx(ms / 1e3).epsilon(5e-4).margin(0); };
    INFO("rho " << row.rho);
    CHECK(mean_of("dynamic_batching", problem) == is(row.greedy_ms));
    CHECK(scheduler::free_optimum(problem).mean_latency_s == is(row.free_ms));
    const scheduler::FbeOptimum fbe = scheduler::fbe_optimum(problem);
    CHECK(fbe.optimum.mean_latency_s == is(row.fbe_ms));
    const Optimum by_table =
        scheduler::evaluate_fbe(problem, [&](const FbeState& state) { return fbe.table.newcomers(state); });
    CHECK(by_table.mean_latency_s == Approx(fbe.optimum.mean_latency_s).epsilon(1e-5).margin(0));
    // Whoever resumes, or has many before the last segment, runs on; who is alone lets others catch up.
    CHECK(fbe.table.newcomers(
              {.queue = 40, .active = 1, .segment = 1, .suspended = 1, .suspended_segment = 2}) == 0);
    CHECK(fbe.table.newcomers({.queue = 40, .active = 6, .segment = 3}) == 0);
    CHECK(fbe.table.newcomers({.queue = 1 << 20, .active = 1, .segment = 1}) > 0);
  }
}

TEST_CASE("the policy `optimal` reaches the optimum of an FBE, also by waiting", "[optimum]") {
  Eigen::ArrayXXd latencies_s(2, 4);
  latencies_s << 1, 1.02, 1.04, 1.06, 0.5, 0.6, 0.7, 1.5;
  const npu::BatchPolicyTable table = test::measured_table(latencies_s);
  for (const double rate_hz : {0.3, 2.0}) {
    const OptimumProblem problem{.table = table, .exit_rates = {0.6}, .rate_hz = rate_hz, .max_batch = 4};
    const scheduler::FbeOptimum best = scheduler::fbe_optimum(problem);
    INFO("rate " << rate_hz);
    CHECK(mean_of("optimal", problem) == Approx(best.optimum.mean_latency_s).epsilon(1e-5).margin(0));
    CHECK((best.table.newcomers({.queue = 1}) == 0) == (rate_hz > 1));  // whether one alone waits
  }
}

TEST_CASE("a load that nobody carries, or that a policy doesn't, is refused", "[optimum]") {
  Eigen::ArrayXXd latencies_s(1, 3);
  latencies_s << 1, 1.25, 2;  // 1, 1.6 and 1.5 a second
  const npu::BatchPolicyTable table = test::measured_table(latencies_s);
  OptimumProblem problem{.table = table, .exit_rates = {}, .rate_hz = 1.61, .max_batch = 3};
  CHECK(scheduler::free_capacity_hz(problem) == Approx(1.6));
  CHECK(scheduler::fbe_capacity_hz(problem) == Approx(1.6));
  CHECK_THROWS_AS(scheduler::free_optimum(problem), scheduler::UnstableLoad);
  CHECK_THROWS_AS(scheduler::fbe_optimum(problem), scheduler::UnstableLoad);
  problem.rate_hz = 1.55;
  CHECK(scheduler::fbe_optimum(problem).optimum.mean_latency_s > 0);
  CHECK_THROWS_AS(scheduler::evaluate_fbe(problem, greedy(3)), scheduler::UnstableLoad);
  CHECK_THROWS_AS(scheduler::evaluate_fbe(problem, [](const FbeState&) { return 0; }),
                  scheduler::UnstableLoad);
}

TEST_CASE("what can't be computed is refused", "[optimum]") {
  const npu::BatchPolicyTable table = test::measured_table(Eigen::ArrayXXd::Constant(8, 32, 1));
  const std::vector<double> rates(7, 0.1);
  const auto optimum = [&](std::vector<double> exit_rates, double rate_hz, int max_batch) {
    return scheduler::free_optimum(
        {.table = table, .exit_rates = std::move(exit_rates), .rate_hz = rate_hz, .max_batch = max_batch});
  };
  CHECK_THROWS_AS(optimum(rates, 0.01, 32), scheduler::OptimumTooLarge);
  CHECK_THROWS_AS(optimum({0.1}, 0.01, 2), std::invalid_argument);
  CHECK_THROWS_AS(optimum({0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 1.1}, 0.01, 2), std::invalid_argument);
  CHECK_THROWS_AS(optimum(rates, 0, 2), std::invalid_argument);
  CHECK_THROWS_AS(optimum(rates, std::nan(""), 2), std::invalid_argument);
  CHECK_THROWS_AS(optimum(rates, 0.01, 33), std::invalid_argument);
  const npu::BatchPolicyTable idle = test::measured_table(Eigen::ArrayXXd::Zero(1, 1));
  CHECK_THROWS_AS(scheduler::free_optimum({.table = idle, .exit_rates = {}, .rate_hz = 1, .max_batch = 1}),
                  std::invalid_argument);
  const OptimumProblem problem{.table = table, .exit_rates = rates, .rate_hz = 0.01, .max_batch = 2};
  CHECK_THROWS_AS(scheduler::evaluate_fbe(problem, [](const FbeState&) { return 3; }),
                  scheduler::PolicyError);
}

TEST_CASE("what is called while an optimum is computed may end that", "[optimum]") {
  const npu::BatchPolicyTable table = test::measured_table(Eigen::ArrayXXd::Constant(4, 4, 1));
  const OptimumProblem problem{.table = table, .exit_rates = {0.3, 0.3, 0.3}, .rate_hz = 0.3, .max_batch = 4};
  struct Enough {};
  const auto calls_until_its_end = [&](const auto& optimum) {
    int calls = 0;
    optimum([&] { ++calls; });
    int left = calls;
    const auto last = [&] {
      if (--left == 0) throw Enough();
    };
    CHECK_THROWS_AS(optimum(last), Enough);  // as late as it is called
    left = 1;
    CHECK_THROWS_AS(optimum(last), Enough);  // and at once
    return calls;
  };
  CHECK(calls_until_its_end([&](const scheduler::WhileComputing& f) { (void)free_optimum(problem, f); }) >
        100);
  CHECK(calls_until_its_end([&](const scheduler::WhileComputing& f) { (void)fbe_optimum(problem, f); }) >
        100);
}
