// Any table of a Fluid Batching Engine's decisions, from a file.
#include <stdexcept>

#include "scheduler/optimum/fbe_policy.h"
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

std::shared_ptr<const FbeTable> fitting_decisions(const ParameterValues& values,
                                                  const PolicyContext& context) {
  const FbeTable& table = *values.table();
  const int segments = context.latencies->segments();
  if (table.segments() != segments) {
    throw std::invalid_argument("the table is for " + std::to_string(table.segments()) +
                                (table.segments() == 1 ? " segment" : " segments") +
                                ", and the network has " + std::to_string(segments));
  }
  return values.table();
}

const PolicyRegistration kRegistration(
    {.name = "table",
     .summary = "acts by a table of decisions from a file, such as that of `optimal`",
     .parameters = {{.name = "path",
                     .meaning = "CSV with a row for each state: queue,active,segment,newcomers",
                     .table = true}},
     .traits =
         [](const ParameterValues& values) {
           return PolicyTraits{.max_batch = values.table()->max_batch(), .boundary = Boundary::segment};
         },
     .make = [](const ParameterValues& /*values*/,
                const PolicyContext& context) { return make_fbe_policy(context.decisions); },
     .decisions = fitting_decisions});

}  // namespace
}  // namespace fluidbatch::scheduler
