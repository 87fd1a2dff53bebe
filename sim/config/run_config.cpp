#include "sim/config/run_config.h"

#include <cmath>
#include <optional>
#include <utility>

#include "sim/config/file_kind.h"
#include "sim/config/npu_choice_reader.h"
#include "sim/config/overrides.h"
#include "sim/config/plugins.h"
#include "sim/config/run_length_reader.h"
#include "sim/config/services_reader.h"
#include "sim/config/system_reader.h"
#include "sim/config/table_budget.h"
#include "sim/config/unusual_values.h"
#include "sim/scenario/checks.h"
#include "sim/scenario/expected_length.h"
#include "workloads/io/map_reader.h"

namespace fluidbatch::sim {
namespace {

using io::InputError;
using io::MapReader;
using io::Node;

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
               "services", "reference", "workload", "plugins", "systems", "outputs"}) {}

  RunConfig run() {
    config_.seed = static_cast<std::uint64_t>(root_.integer("seed", 0, kLargestSeed, 1));
    read_run_length(root_, config_);
    services_.emplace(root_, config_, cache_);
    read_reference();
    services_->read_slos();
    check_precisions(root_, config_);
    read_workload();
    read_systems();
    read_outputs();
    check_warmup();
    check_digits();
    config_.resolved = root_.resolved();
    if (load_asked_ && !max_batch_given_) {
      config_.resolved.find("reference")->put("max_batch", Node::integer(config_.reference_max_batch));
    }
    return std::move(config_);
  }

 private:
  void read_reference() {
    const Node none = as_if_written(Node::map(), root_.mark());
    MapReader reader(root_.has("reference") ? root_.required("reference") : none, "reference",
                     {"npu", "npu_mode", "max_batch"});
    config_.reference_choice =
        read_npu_choice(reader, default_npu_choice(cache_), cache_, services_->names());
    reference_mark_ = reader.mark_of("npu");
    for (std::size_t i = 0; i < config_.services.size(); ++i) {
      config_.references.push_back(
          cache_.table(services_->network(i), config_.reference_choice.of_service(i), 1));
      config_.services[i].reference_latency_s = config_.references[i]->single_sample_latency_s();
      budget_.add(*config_.references[i], reader.mark());
      warn(i, *config_.references[i]);
    }
    // Where no load asks for it, it is resolved only where it is given.
    max_batch_given_ = reader.has("max_batch");
    if (max_batch_given_) {
      const scheduler::Parameter max_batch = scheduler::max_batch_parameter();
      config_.reference_max_batch = static_cast<int>(reader.integer(
          "max_batch", static_cast<std::int64_t>(max_batch.min), static_cast<std::int64_t>(max_batch.max)));
    }
    root_.resolve("reference", reader.resolved());
  }

  /// And, after the exits, which are a part of it, what may depend on these.
  void read_workload() {
    MapReader reader(root_.required("workload"), "workload", {"arrivals", "devices", "uplink", "exits"});
    services_->use_workload(reader);
    const workloads::UplinkConfig uplink = workloads::read_uplink(reader);
    config_.uplink = uplink.spec;
    std::vector<workloads::Destination> destinations;
    for (std::size_t i = 0; i < config_.services.size(); ++i) {
      Service& service = config_.services[i];
      service.slo.answer_latency_s = uplink.spec.answer_latency_s;
      destinations.push_back(
          {.service = service.name,
           .context = {.reference_latency_s = service.reference_latency_s,
                       .least_npu_time_s = [this, i] { return least_npu_time_s(i); },
                       .uplink = uplink.spec.model != workloads::UplinkSpec::Model::none}});
    }
    config_.devices = workloads::read_devices(reader, destinations, uplink.devices);
    if (const auto objection = objection_to_devices(config_)) {
      throw InputError(reader.mark_of("devices"), *objection);
    }
    for (std::size_t i = 0; i < config_.services.size(); ++i) services_->read_exits(i, &config_.devices);
    if (!services_->are_named()) reader.resolve("exits", services_->resolved_exits());
    const Node plugins = read_plugins();  // exit controls may be among them
    services_->read_exit_controls();
    services_->resolve();
    root_.resolve("workload", reader.resolved());
    if (plugins.kind != Node::Kind::null) root_.resolve("plugins", plugins);
  }

  /// As RunConfig::least_npu_time, from the cache.
  double least_npu_time_s(std::size_t service) {
    services_->read_exits(service, nullptr);
    const auto table = reference_table(service);
    budget_.add(*table, reference_mark_);
    warn(service, *table);
    load_asked_ = true;
    return sim::least_npu_time(*table, config_.services[service].exits->rates()).request_s;
  }

  /// That of all batch sizes that a load is relative to.
  std::shared_ptr<const npu::BatchPolicyTable> reference_table(std::size_t service) {
    const int most = config_.reference_max_batch;
    try {
      return cache_.table(services_->network(service), config_.reference_choice.of_service(service), most);
    } catch (const InputError& error) {  // a measured one of fewer batch sizes
      throw InputError(reference_mark_, "a load takes batches up to reference.max_batch, which is " +
                                            std::to_string(most) + ": " + error.what());
    }
  }

  void warn(std::size_t service, const npu::BatchPolicyTable& table) {
    warn_of(config_.reference_choice.of_service(service), table, reference_mark_, config_.warnings);
  }

  /// What shared objects bring, which services and systems may have; the absolute paths, or nothing.
  Node read_plugins() { return root_.has("plugins") ? load_plugins(root_.required("plugins")) : Node(); }

  void read_systems() {
    const Node& list = root_.required("systems");
    io::read_filled_list(list, "systems", "entry");
    const SystemContext context{.scenario = config_,
                                .services = *services_,
                                .npu = config_.reference_choice,
                                .cache = cache_,
                                .warnings = config_.warnings,
                                .budget = budget_};
    Node resolved = Node::sequence();
    for (const Node& node : list.items) {
      auto [system, resolved_system] = read_system(node, context);
      if (const auto objection = objection_to_second_label(config_.systems, system.label)) {
        throw InputError(node.mark, *objection);
      }
      resolved.items.push_back(std::move(resolved_system));
      config_.systems.push_back(std::move(system));
    }
    root_.resolve("systems", std::move(resolved));
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
      if (const auto objection = objection_to_latencies(system)) {
        throw InputError(root_.mark_of("systems"), *objection);
      }
      if (std::isnan(last_s)) continue;
      if (const auto objection = objection_to_dates(last_s, system)) {
        throw InputError(root_.mark_of("duration_s"), *objection);
      }
    }
  }

  ModelCache& cache_;
  MapReader root_;
  RunConfig config_;
  std::optional<ServicesReader> services_;
  TableBudget budget_;
  io::Mark reference_mark_;
  bool max_batch_given_ = false;  // of the reference
  bool load_asked_ = false;       // for it
};

}  // namespace

LeastNpuTime RunConfig::least_npu_time(std::size_t service) const {
  const Service& its = services[service];
  return sim::least_npu_time(
      *reference_choice.of_service(service).table(its.network.layers, reference_max_batch),
      its.exits->rates());
}

RunConfig load_run_config(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                          const std::vector<std::string>& plugins) {
  Node document = load_document(file, FileKind::run);
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
