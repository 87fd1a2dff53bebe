// The schedule of least mean latency that a Fluid Batching Engine can carry out, for Poisson arrivals and
// independent exits: it acts by the table that scheduler/optimum computes.
#include <cmath>
#include <limits>
#include <stdexcept>

#include "scheduler/optimum/fbe_policy.h"
#include "scheduler/optimum/optimum.h"
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

std::shared_ptr<const FbeTable> best_decisions(const ParameterValues& values, const PolicyContext& context) {
  const double given_hz = values.number("rate_hz");
  const double rate_hz = std::isnan(given_hz) ? context.rate_hz : given_hz;
  if (std::isnan(rate_hz)) {
    throw std::invalid_argument("the workload has no mean rate of arrivals; give rate_hz");
  }
  try {
    FbeOptimum best = fbe_optimum({.table = *context.latencies,
                                   .exit_rates = context.exit_rates,
                                   .rate_hz = rate_hz,
                                   .max_batch = values.integer("max_batch")});
    return std::make_shared<const FbeTable>(std::move(best.table));
  } catch (const UnstableLoad& error) {
    throw std::invalid_argument(std::string(error.what()) + "; a lower rate_hz has a table");
  } catch (const OptimumTooLarge& error) {
    throw std::invalid_argument(error.what());
  }
}

const PolicyRegistration kRegistration(
    {.name = "optimal",
     .summary =
         "the least mean latency that an FBE can reach with Poisson arrivals, by a table computed before",
     .parameters = {max_batch_parameter(),
                    {.name = "rate_hz",
                     .default_value = std::numeric_limits<double>::quiet_NaN(),
                     .min = 1e-6,
                     .max = 1e9,
                     .meaning = "rate of arrivals that the table is computed for; the workload's mean rate "
                                "where it is not given"},
                    flag_parameter("deadline_guard", false,
                                   "preempt only where exit_aware's test of deadlines allows it")},
     .traits =
         [](const ParameterValues& values) {
           return PolicyTraits{.max_batch = values.integer("max_batch"), .boundary = Boundary::segment};
         },
     .make =
         [](const ParameterValues& values, const PolicyContext& context) {
           return values.flag("deadline_guard")
                      ? make_guarded_fbe_policy(context.decisions, context.exit_rates)
                      : make_fbe_policy(context.decisions);
         },
     .decisions = best_decisions});

}  // namespace
}  // namespace fluidbatch::scheduler
