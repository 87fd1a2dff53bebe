#include "sim/config/run_config.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "sim/config/file_kind.h"
#include "sim/config/npu_choice_reader.h"
#include "sim/config/overrides.h"
#include "sim/config/parameters_reader.h"
#include "sim/config/plugins.h"
#include "sim/config/run_length_reader.h"
#include "sim/config/unusual_values.h"
#include "sim/scenario/checks.h"
#include "sim/scenario/expected_length.h"
#include "workloads/exits/exits.h"
#include "workloads/io/map_reader.h"
#include "workloads/io/shipped_files.h"

namespace fluidbatch::sim {
namespace {

using io::InputError;
using io::MapReader;
using io::Node;
using io::Range;

/// A node for what is not given: reads as if the user had written `value` there.
Node as_if_written(Node value, const io::Mark& mark) {
  value.mark = mark;
  return value;
}

class Reader {
 public:
  Reader(const Node& document, ModelCache& cache)
      : cache_(cache),
        root_(document, "a run",
              {"seed", "requests", "duration_s", "until", "max_requests", "warmup_requests", "network", "slo",
               "reference", "workload", "plugins", "systems", "outputs"}) {}

  RunConfig run() {
    config_.seed = static_cast<std::uint64_t>(root_.integer("seed", 0, kLargestSeed, 1));
    read_run_length(root_, config_);
    read_network();
    read_reference();
    read_slo();
    check_precisions(root_, config_);
    read_workload();
    read_plugins();
    read_systems();
    read_outputs();
    check_warmup();
    check_digits();
    config_.resolved = root_.resolved();
    if (least_npu_time_ && !max_batch_given_) {
      config_.resolved.find("reference")->put("max_batch", Node::integer(config_.reference_max_batch));
    }
    return std::move(config_);
  }

 private:
  void read_network() {
    const Node& network = root_.required("network");
    io::read_text(network, "network");
    network_ = &cache_.network(network);
    config_.service().network = *network_;
    root_.resolve("network", Node::text(io::portable_name("networks", network)));
  }

  void read_reference() {
    const Node none = as_if_written(Node::map(), root_.mark());
    MapReader reader(root_.has("reference") ? root_.required("reference") : none, "reference",
                     {"npu", "npu_mode", "max_batch"});
    config_.reference_choice = read_npu_choice(reader, default_npu_choice(cache_), cache_);
    config_.reference = cache_.table(*network_, config_.reference_choice, 1);
    reference_mark_ = reader.mark_of("npu");
    warn(config_.reference_choice, *config_.reference, reference_mark_);
    // Where no load asks for it, it is resolved only where it is given.
    max_batch_given_ = reader.has("max_batch");
    if (max_batch_given_) {
      const scheduler::Parameter max_batch = scheduler::max_batch_parameter();
      config_.reference_max_batch = static_cast<int>(reader.integer(
          "max_batch", static_cast<std::int64_t>(max_batch.min), static_cast<std::int64_t>(max_batch.max)));
    }
    config_.service().reference_latency_s = config_.reference->single_sample_latency_s();
    root_.resolve("reference", reader.resolved());
  }

  void read_slo() {
    const Node none = as_if_written(Node::map(), root_.mark());
    MapReader reader(root_.has("slo") ? root_.required("slo") : none, "slo",
                     {"latency_ms", "unloaded_multiple", "measured", "on"});
    if (reader.one_of({"latency_ms", "unloaded_multiple"}) == "unloaded_multiple") {
      const double multiple = reader.number("unloaded_multiple", Range::non_negative_or_infinite());
      config_.service().slo.latency_s = multiple * config_.service().reference_latency_s;
    } else {
      constexpr double kNone = std::numeric_limits<double>::infinity();
      config_.service().slo.latency_s =
          reader.number("latency_ms", Range::non_negative_or_infinite(), kNone) / 1000;
    }
    // `on` is what the key was called at first, which readers of YAML 1.1 take for a boolean.
    const std::string key = reader.one_of({"measured", "on"}).value_or("measured");
    config_.service().slo.end_to_end = reader.choice(key, {"server", "end_to_end"}, 0) == 1;
    Node resolved = reader.resolved();
    resolved.entries.back().key = "measured";
    root_.resolve("slo", std::move(resolved));
  }

  void read_workload() {
    MapReader reader(root_.required("workload"), "workload", {"arrivals", "devices", "uplink", "exits"});
    const workloads::UplinkConfig uplink = workloads::read_uplink(reader);
    config_.uplink = uplink.spec;
    config_.service().slo.answer_latency_s = uplink.spec.answer_latency_s;
    Node none = as_if_written(Node::map(), reader.mark());
    none.put("kind", as_if_written(Node::text("none"), reader.mark()));
    const Node& exits = reader.has("exits") ? reader.required("exits") : none;
    Node resolved;
    const auto read_exits = [&](const workloads::Devices* devices) {
      if (config_.service().exits != nullptr) return;
      config_.service().exits = workloads::read_exits(
          exits, {.exits = config_.service().network.exit_count(), .devices = devices}, resolved);
    };
    const auto least_npu_time_s = [&] {
      read_exits(nullptr);
      return least_npu_time().request_s;
    };
    config_.devices =
        workloads::read_devices(reader,
                                {.reference_latency_s = config_.service().reference_latency_s,
                                 .least_npu_time_s = least_npu_time_s,
                                 .uplink = uplink.spec.model != workloads::UplinkSpec::Model::none},
                                uplink.devices);
    read_exits(&config_.devices);
    reader.resolve("exits", resolved);
    root_.resolve("workload", reader.resolved());
  }

  /// As RunConfig::least_npu_time, from the cache and once for all loads.
  const LeastNpuTime& least_npu_time() {
    if (least_npu_time_) return *least_npu_time_;
    const auto table = reference_table();
    warn(config_.reference_choice, *table, reference_mark_);
    least_npu_time_ = sim::least_npu_time(*table, config_.service().exits->rates());
    return *least_npu_time_;
  }

  /// That of all batch sizes that a load is relative to.
  std::shared_ptr<const npu::BatchPolicyTable> reference_table() {
    const int most = config_.reference_max_batch;
    try {
      return cache_.table(*network_, config_.reference_choice, most);
    } catch (const InputError& error) {  // a measured one of fewer batch sizes
      throw InputError(reference_mark_, "a load takes batches up to reference.max_batch, which is " +
                                            std::to_string(most) + ": " + error.what());
    }
  }

  /// Policies of shared objects, which systems may have.
  void read_plugins() {
    if (root_.has("plugins")) root_.resolve("plugins", load_plugins(root_.required("plugins")));
  }

  void read_systems() {
    const Node& list = root_.required("systems");
    if (io::read_list(list, "systems").empty())
      throw InputError(list.mark, "systems needs at least one entry");
    Node resolved = Node::sequence();
    for (const Node& node : list.items) {
      auto [system, resolved_system] = read_system(node);
      if (const auto objection = objection_to_second_label(config_.systems, system.label)) {
        throw InputError(node.mark, *objection);
      }
      resolved.items.push_back(std::move(resolved_system));
      config_.systems.push_back(std::move(system));
    }
    root_.resolve("systems", std::move(resolved));
  }

  /// A system, and its map with the defaults.
  std::pair<System, Node> read_system(const Node& node) {
    MapReader reader(node, "a system",
                     {"label", "policy", "drop", "preemption_cost_s", "exit_control", "npu", "npu_mode"});
    System system;
    Node policy = read_policy(reader.required("policy"), system);
    if (const auto objection = objection_to_policy(*system.policy, config_.service().slo)) {
      throw InputError(reader.mark_of("policy"), *objection);
    }
    system.label = reader.text("label", system.policy->name);
    if (const auto objection = objection_to_label(system.label)) {
      throw InputError(reader.mark_of("label"), *objection);
    }
    reader.resolve("policy", std::move(policy));
    system.drop_hopeless = reader.choice("drop", {"none", "hopeless"}, 0) == 1;
    system.preemption_cost_s = reader.number("preemption_cost_s", kPreemptionCosts_s, 0);
    // Resolved only where it is given, since without it there is nothing to control.
    if (reader.has("exit_control")) {
      reader.resolve("exit_control", read_exit_control(reader.required("exit_control"), system));
      if (const auto objection = objection_to_exit_control(system.exit_control(), *config_.service().exits)) {
        throw InputError(reader.mark_of("exit_control"), *objection);
      }
    }
    const NpuChoice choice = read_npu_choice(reader, config_.reference_choice, cache_);
    system.npus.push_back(
        {.name = choice.name, .tables = {cache_.table(*network_, choice, system.max_batch())}});
    warn(choice, *system.table(), reader.mark_of("npu"));
    if (const auto objection = add_decisions(system, config_)) {
      throw InputError(reader.mark_of("policy"), *objection);
    }
    return {std::move(system), reader.resolved()};
  }

  /// Warns of what is unusual about an NPU, once for all systems that it has.
  void warn(const NpuChoice& choice, const npu::BatchPolicyTable& table, const io::Mark& mark) {
    for (const std::string& text : unusual_values(choice, table)) {
      const bool known = std::any_of(config_.warnings.begin(), config_.warnings.end(),
                                     [&](const std::string& other) { return other.ends_with(": " + text); });
      if (!known) config_.warnings.push_back(io::to_string(mark) + ": " + text);
    }
  }

  /// Fills in the policy of `system`; the map with its defaults is returned.
  static Node read_policy(const Node& node, System& system) {
    std::vector<std::string> names;
    for (const auto& info : scheduler::all_policies()) names.push_back(info.name);
    system.policy = scheduler::find_policy(names[io::read_kind(node, "policy", "name", names)]);
    refuse_preemption_cost(node);
    const auto& parameters = system.policy->parameters;
    MapReader reader(node, "policy " + system.policy->name, keys_of("name", parameters));
    reader.text("name");
    system.parameters = read_parameters(reader, parameters);
    return reader.resolved();
  }

  /// Likewise the exit control.
  static Node read_exit_control(const Node& node, System& system) {
    std::vector<std::string> kinds;
    for (const auto& info : scheduler::all_exit_controls()) kinds.push_back(info.name);
    const scheduler::ExitControlInfo& control =
        *scheduler::find_exit_control(kinds[io::read_kind(node, "exit_control", "kind", kinds)]);
    MapReader reader(node, "exit_control " + control.name, keys_of("kind", control.parameters));
    reader.text("kind");
    ExitControlChoice& choice = system.exit_controls.front();
    choice.parameters = read_parameters(reader, control.parameters);
    if (control.make) choice.info = &control;
    return reader.resolved();
  }

  /// Where it stood at first.
  static void refuse_preemption_cost(const Node& policy) {
    for (const Node::Entry& entry : policy.entries) {
      if (entry.key != "preemption_cost_s") continue;
      throw InputError(
          entry.key_mark,
          "preemption_cost_s is a property of the hardware, not of the policy: it is a key of the "
          "system, beside 'policy' and 'npu'");
    }
  }

  void read_outputs() {
    const Node none = as_if_written(Node::map(), root_.mark());
    MapReader reader(root_.has("outputs") ? root_.required("outputs") : none, "outputs",
                     {"requests_csv", "bounds"});
    config_.write_requests_csv = reader.boolean("requests_csv", true);
    config_.compute_bounds = reader.boolean("bounds", true);
    root_.resolve("outputs", reader.resolved());
  }

  void check_warmup() {
    if (const auto objection = objection_to_warmup(config_)) {
      throw InputError(root_.mark_of("warmup_requests"), *objection);
    }
  }

  /// Whether doubles hold the latencies, and the dates up to `duration_s`.
  void check_digits() const {
    const bool has_duration = std::isfinite(config_.length.duration_s);
    const double last_s = has_duration ? expected_length(config_).last_arrival_s : 0;
    for (const System& system : config_.systems) {
      if (const auto objection = objection_to_latencies(*system.table())) {
        throw InputError(root_.mark_of("systems"), "system '" + system.label + "': " + *objection);
      }
      if (std::isnan(last_s)) continue;
      if (const auto objection = objection_to_dates(last_s, *system.table())) {
        throw InputError(root_.mark_of("duration_s"), *objection);
      }
    }
  }

  ModelCache& cache_;
  MapReader root_;
  RunConfig config_;
  const workloads::Network* network_ = nullptr;  // in the cache
  io::Mark reference_mark_;
  bool max_batch_given_ = false;                // of the reference
  std::optional<LeastNpuTime> least_npu_time_;  // where a load has asked for it
};

}  // namespace

LeastNpuTime RunConfig::least_npu_time() const {
  return sim::least_npu_time(*reference_choice.table(service().network.layers, reference_max_batch),
                             service().exits->rates());
}

RunConfig load_run_config(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                          const std::vector<std::string>& plugins) {
  Node document = io::load_yaml(file);
  require_kind(document, FileKind::run, file);
  for (const std::string& assignment : overrides) apply_override(document, assignment);
  add_plugins(document, plugins);
  return read_run_config(document);
}

RunConfig read_run_config(const Node& document) {
  ModelCache cache;
  return read_run_config(document, cache);
}

RunConfig read_run_config(const Node& document, ModelCache& cache) { return Reader(document, cache).run(); }

}  // namespace fluidbatch::sim
