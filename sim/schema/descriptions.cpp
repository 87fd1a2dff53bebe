#include "sim/schema/descriptions.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "scheduler/registry.h"
#include "sim/measure/statistic.h"

namespace fluidbatch::sim {
namespace {

struct Described {
  std::string summary;
  const std::vector<scheduler::Parameter>* parameters = nullptr;
};

/// The one of `infos`, a registry, that a map called `what` and its name configures.
template <typename Info>
std::optional<Described> described(std::string_view what, const std::list<Info>& infos,
                                   std::string_view map) {
  if (!map.starts_with(what)) return std::nullopt;
  const auto found = std::ranges::find(infos, map.substr(what.size()), &Info::name);
  if (found == infos.end()) return std::nullopt;
  return Described{.summary = found->summary, .parameters = &found->parameters};
}

std::optional<Described> described(std::string_view map) {
  if (auto policy = described("policy ", scheduler::all_policies(), map)) return policy;
  if (auto control = described("exit_control ", scheduler::all_exit_controls(), map)) return control;
  if (auto arbiter = described("arbiter ", scheduler::all_arbiters(), map)) return arbiter;
  return described("router ", scheduler::all_routers(), map);
}

}  // namespace

std::string description_of(std::string_view map) {
  const auto found = described(map);
  return found ? std::string(map) + ": " + found->summary : std::string(map);
}

std::string description_of_key(std::string_view map, std::string_view key) {
  if (map == "until") {
    const auto statistic = std::ranges::find(
        all_statistics(), key, [](const Statistic& each) { return std::string_view(each.name); });
    return statistic == all_statistics().end() ? "" : statistic->meaning;
  }
  const auto found = described(map);
  if (!found) return "";
  const auto parameter = std::ranges::find(*found->parameters, key, &scheduler::Parameter::name);
  return parameter == found->parameters->end() ? "" : parameter->meaning;
}

}  // namespace fluidbatch::sim
