#include "sim/tail/feasibility.h"

#include <algorithm>

#include "sim/scenario/scenario.h"

namespace fluidbatch::sim {

std::optional<NoTail> objection_to_tail(const Scenario& scenario) {
  const auto objection = [](const char* key, const char* reason) {
    return NoTail{.reason = reason, .key = key};
  };
  const auto& groups = scenario.devices.groups();
  if (std::ranges::any_of(groups, [](const auto& group) { return group.arrivals->bound() > 0; })) {
    return objection("arrivals", "recorded arrivals have one future only: there is nothing to split on");
  }
  if (scenario.devices.listen()) {
    return objection("arrivals",
                     "in a closed loop whoever waits sends nothing meanwhile, so that late answers are not "
                     "rare events of its arrivals; give rates instead");
  }
  if (!scenario.devices.are_random()) {
    return objection("arrivals",
                     "cameras that keep their beat have one future only: there is nothing to split on; give "
                     "them a jitter_ms");
  }
  if (!scenario.devices.split()) {
    return objection(
        "arrivals",
        "dates that an iterator gives have one future only: there is nothing to split on; arrivals "
        "of a shipped kind have others");
  }
  if (!scenario.devices.is_steady()) {
    return objection("arrivals", "the rate changes for good, so that there is no rate of late requests");
  }
  const auto& services = scenario.services;
  if (std::ranges::any_of(services, [](const Service& service) { return service.exits->bound() > 0; })) {
    return objection("exits", "recorded exits have one future only: there is nothing to split on");
  }
  if (std::ranges::any_of(services, [](const Service& service) { return !service.exits->splits(); })) {
    return objection(
        "exits",
        "exits that an iterator gives have one future only: there is nothing to split on; exits of "
        "kind 'rates' or 'correlated' have others");
  }
  if (scenario.uplink.model == workloads::UplinkSpec::Model::simgrid) {
    return objection("uplink", "SimGrid's links can't be copied; the model 'analytic' gives the same dates");
  }
  return std::nullopt;
}

}  // namespace fluidbatch::sim
