#include "sim/config/system_reader.h"

#include <algorithm>

#include "sim/config/exit_control_reader.h"
#include "sim/config/npu_choice_reader.h"
#include "sim/config/parameters_reader.h"
#include "sim/config/unusual_values.h"
#include "sim/scenario/checks.h"

namespace fluidbatch::sim {
namespace {

using io::InputError;
using io::MapReader;
using io::Node;

/// Where the cost stood at first.
void refuse_preemption_cost(const Node& policy) {
  for (const Node::Entry& entry : policy.entries) {
    if (entry.key != "preemption_cost_s") continue;
    throw InputError(entry.key_mark,
                     "preemption_cost_s is a property of the hardware, not of the policy: it is a key of the "
                     "system, beside 'policy' and 'npu'");
  }
}

/// The one of `all` that `node` names.
template <typename Infos>
const auto& read_name(const Node& node, const std::string& what, const Infos& all) {
  std::vector<std::string> names;
  for (const auto& info : all) names.push_back(info.name);
  return *std::next(all.begin(), static_cast<std::ptrdiff_t>(io::read_kind(node, what, "name", names)));
}

/// Fills in the policy of `system`; the map with its defaults is returned.
Node read_policy(const Node& node, System& system) {
  system.policy = &read_name(node, "policy", scheduler::all_policies());
  refuse_preemption_cost(node);
  const auto& parameters = system.policy->parameters;
  MapReader reader(node, "policy " + system.policy->name, keys_of("name", parameters));
  reader.text("name");
  system.parameters = read_parameters(reader, parameters);
  return reader.resolved();
}

/// `arbiter`; it counts where there are several services, and is resolved there, or where it is given.
void read_arbiter(MapReader& owner, System& system, const Scenario& scenario) {
  const bool counts = scenario.services.size() > 1;
  if (!counts && !owner.has("arbiter")) return;
  Node by_default = Node::map();
  by_default.put("name", Node::text("oldest_first"));
  const Node& node = owner.has("arbiter") ? owner.required("arbiter") : by_default;
  const scheduler::ArbiterInfo& info = read_name(node, "arbiter", scheduler::all_arbiters());
  std::vector<std::string> keys = keys_of("name", info.parameters);
  keys.emplace_back("preemptive");
  MapReader reader(node, "arbiter " + info.name, keys);
  reader.text("name");
  const bool preemptive = reader.boolean("preemptive", false);
  if (const auto objection = objection_to_preemptive(info, preemptive)) {
    throw InputError(reader.mark_of("preemptive"), *objection);
  }
  const scheduler::ParameterValues parameters = read_parameters(reader, info.parameters);
  if (counts) system.arbiter = {.info = &info, .parameters = parameters, .preemptive = preemptive};
  owner.resolve("arbiter", reader.resolved());
}

/// Likewise `router`, which counts where there are several NPUs.
void read_router(MapReader& owner, System& system) {
  const bool counts = system.npus.size() > 1;
  if (!counts && !owner.has("router")) return;
  Node by_default = Node::map();
  by_default.put("name", Node::text("round_robin"));
  const Node& node = owner.has("router") ? owner.required("router") : by_default;
  const scheduler::RouterInfo& info = read_name(node, "router", scheduler::all_routers());
  MapReader reader(node, "router " + info.name, keys_of("name", info.parameters));
  reader.text("name");
  const scheduler::ParameterValues parameters = read_parameters(reader, info.parameters);
  if (counts) system.router = {.info = &info, .parameters = parameters};
  owner.resolve("router", reader.resolved());
}

/// `exit_control`, that of the services that have none of their own. Resolved only where it is given, since
/// without it there is nothing to control.
void read_exit_controls(MapReader& owner, System& system, const SystemContext& context) {
  ExitControlChoice choice;
  if (owner.has("exit_control")) {
    Node resolved;
    choice = read_exit_control(owner.required("exit_control"), resolved);
    owner.resolve("exit_control", std::move(resolved));
  }
  system.exit_controls.clear();
  for (std::size_t i = 0; i < context.scenario.services.size(); ++i) {
    const auto& own = context.services.exit_control(i);
    system.exit_controls.push_back(own.value_or(choice));
    if (own) continue;
    if (const auto objection = objection_to_exit_control(choice, context.scenario.services[i])) {
      throw InputError(owner.mark_of("exit_control"), *objection);
    }
  }
}

/// The NPU that `npu` and `npu_mode` of `reader` say.
SystemNpu read_npu(MapReader& reader, int max_batch, const SystemContext& context) {
  const NpuChoice choice = read_npu_choice(reader, context.npu, context.cache, context.services.names());
  SystemNpu npu{.name = choice.name, .tables = {}};
  for (std::size_t i = 0; i < context.scenario.services.size(); ++i) {
    const NpuChoice its = choice.of_service(i);
    npu.tables.push_back(context.cache.table(context.services.network(i), its, max_batch));
    context.budget.add(*npu.tables.back(), reader.mark());
    warn_of(its, *npu.tables.back(), reader.mark_of("npu"), context.warnings);
  }
  return npu;
}

/// `npus`, or the only one.
void read_npus(MapReader& owner, System& system, const SystemContext& context) {
  if (owner.one_of({"npu", "npus"}) != "npus") {
    system.npus.push_back(read_npu(owner, system.max_batch(), context));
    return;
  }
  if (owner.one_of({"npu_mode", "npus"}) != "npus") {
    throw InputError(owner.mark_of("npu_mode"), "each of 'npus' has npu_mode of its own: give it there");
  }
  const Node& list = owner.required("npus");
  io::read_filled_list(list, "npus", "entry");
  Node resolved = Node::sequence();
  for (const Node& node : list.items) {
    MapReader reader(node, "one of npus", {"npu", "npu_mode", "count"});
    const SystemNpu npu = read_npu(reader, system.max_batch(), context);
    const auto count = static_cast<std::size_t>(reader.integer("count", 1, kMostNpus, 1));
    system.npus.insert(system.npus.end(), count, npu);
    if (const auto objection = objection_to_npus(system.npus.size())) throw InputError(node.mark, *objection);
    resolved.items.push_back(reader.resolved());
  }
  owner.resolve("npus", std::move(resolved));
}

}  // namespace

std::pair<System, Node> read_system(const Node& node, const SystemContext& context) {
  MapReader reader(node, "a system",
                   {"label", "policy", "drop", "preemption_cost_s", "exit_control", "npu", "npu_mode", "npus",
                    "arbiter", "router"});
  System system;
  Node policy = read_policy(reader.required("policy"), system);
  if (const auto objection = objection_to_policy(*system.policy, context.scenario.services)) {
    throw InputError(reader.mark_of("policy"), *objection);
  }
  system.label = reader.text("label", system.policy->name);
  if (const auto objection = objection_to_label(system.label)) {
    throw InputError(reader.mark_of("label"), *objection);
  }
  reader.resolve("policy", std::move(policy));
  system.drop_hopeless = reader.choice("drop", {"none", "hopeless"}, 0) == 1;
  system.preemption_cost_s = reader.number("preemption_cost_s", kPreemptionCosts_s, 0);
  read_exit_controls(reader, system, context);
  read_arbiter(reader, system, context.scenario);
  read_npus(reader, system, context);
  read_router(reader, system);
  if (const auto objection = add_decisions(system, context.scenario)) {
    throw InputError(reader.mark_of("policy"), *objection);
  }
  return {std::move(system), reader.resolved()};
}

}  // namespace fluidbatch::sim
