// The exits that the workload has drawn, by its own thresholds: nothing is decided at run time.
#include "scheduler/registry.h"

namespace fluidbatch::scheduler {
namespace {

const ExitControlRegistration kRegistration(
    {.name = "fixed",
     .summary = "each sample leaves at the exit that the workload has drawn, by its own thresholds",
     .parameters = {},
     .traits = [](const ParameterValues&) { return ExitControlTraits{}; },
     .make = {}});

}  // namespace
}  // namespace fluidbatch::scheduler
