#include "sim/config/services_reader.h"

#include <limits>
#include <string>
#include <utility>

#include "sim/config/exit_control_reader.h"
#include "sim/scenario/checks.h"
#include "workloads/exits/exits.h"
#include "workloads/io/shipped_files.h"

namespace fluidbatch::sim {
namespace {

using io::InputError;
using io::MapReader;
using io::Mark;
using io::Node;
using io::Range;

/// A map for what is not given: reads as if the user had written it at `mark`.
Node empty_map(const Mark& mark) {
  Node map = Node::map();
  map.mark = mark;
  return map;
}

/// Reads `network` of a run or a service.
const workloads::Network& read_network(MapReader& owner, ModelCache& cache) {
  const Node& network = owner.required("network");
  io::read_text(network, "network");
  const workloads::Network& found = cache.network(network);
  owner.resolve("network", Node::text(io::portable_name("networks", network)));
  return found;
}

/// Likewise `slo`. The way of the answer is not known yet.
scheduler::Slo read_slo(MapReader& owner, double reference_latency_s) {
  const Node none = empty_map(owner.mark());
  MapReader reader(owner.has("slo") ? owner.required("slo") : none, "slo",
                   {"latency_ms", "unloaded_multiple", "measured", "on"});
  scheduler::Slo slo;
  if (reader.one_of({"latency_ms", "unloaded_multiple"}) == "unloaded_multiple") {
    const double multiple = reader.number("unloaded_multiple", Range::non_negative_or_infinite());
    slo.latency_s = multiple * reference_latency_s;
  } else {
    constexpr double kNone = std::numeric_limits<double>::infinity();
    slo.latency_s = reader.number("latency_ms", Range::non_negative_or_infinite(), kNone) / 1000;
  }
  // `on` is what the key was called at first, which readers of YAML 1.1 take for a boolean.
  const std::string key = reader.one_of({"measured", "on"}).value_or("measured");
  slo.end_to_end = reader.choice(key, {"server", "end_to_end"}, 0) == 1;
  Node resolved = reader.resolved();
  resolved.entries.back().key = "measured";
  owner.resolve("slo", std::move(resolved));
  return slo;
}

/// `key` stands beside `services`.
void refuse_beside_services(const MapReader& map, const std::string& key) {
  if (!map.has(key)) return;
  throw InputError(map.mark_of(key), "each of 'services' has " + key + " of its own: give it there");
}

}  // namespace

ServicesReader::ServicesReader(MapReader& run, Scenario& scenario, ModelCache& cache)
    : run_(run), scenario_(scenario) {
  if (const Node* services = run.child("services")) {
    refuse_beside_services(run, "network");
    refuse_beside_services(run, "slo");
    read_named(*services, cache);
  } else {
    networks_.push_back(&read_network(run, cache));
    scenario.service().network = *networks_.front();
    exits_.push_back(nullptr);
  }
  resolved_exits_.resize(networks_.size());
  exit_controls_.resize(networks_.size());
}

void ServicesReader::read_named(const Node& list, ModelCache& cache) {
  const std::size_t count = io::read_filled_list(list, "services", "entry").size();
  if (const auto objection = objection_to_services(count)) throw InputError(list.mark, *objection);
  scenario_.services.clear();
  for (const Node& node : list.items) {
    MapReader reader(node, "a service",
                     {"name", "network", "slo", "priority", "weight", "exits", "exit_control"});
    Service service;
    service.name = reader.text("name");
    if (const auto objection = objection_to_service_name(scenario_.services, service.name)) {
      throw InputError(reader.mark_of("name"), *objection);
    }
    networks_.push_back(&read_network(reader, cache));
    service.network = *networks_.back();
    exits_.push_back(reader.child("exits"));
    scenario_.services.push_back(std::move(service));
    named_.push_back(std::move(reader));
  }
}

std::vector<std::string> ServicesReader::names() const {
  std::vector<std::string> names;
  if (!are_named()) return names;
  for (const Service& service : scenario_.services) names.push_back(service.name);
  return names;
}

void ServicesReader::read_slos() {
  if (!are_named()) {
    Service& only = scenario_.service();
    only.slo = read_slo(run_, only.reference_latency_s);
    return;
  }
  for (std::size_t i = 0; i < named_.size(); ++i) {
    Service& service = scenario_.services[i];
    service.slo = read_slo(named_[i], service.reference_latency_s);
    service.priority =
        static_cast<int>(named_[i].integer("priority", -kLargestPriority, kLargestPriority, 0));
    service.weight = named_[i].number("weight", kWeights, 1);
  }
}

void ServicesReader::use_workload(const MapReader& workload) {
  workload_mark_ = workload.mark();
  if (are_named()) {
    refuse_beside_services(workload, "exits");
  } else {
    exits_.front() = workload.child("exits");
  }
}

void ServicesReader::read_exits(std::size_t service, const workloads::Devices* devices) {
  if (scenario_.services[service].exits != nullptr) return;
  Node none = empty_map(mark_of_exits(service));
  none.put("kind", Node::text("none")).mark = none.mark;
  scenario_.services[service].exits =
      workloads::read_exits(exits_[service] == nullptr ? none : *exits_[service],
                            {.exits = network(service).exit_count(), .devices = devices, .service = service},
                            resolved_exits_[service]);
}

void ServicesReader::read_exit_controls() {
  for (std::size_t i = 0; i < named_.size(); ++i) {
    MapReader& reader = named_[i];
    reader.resolve("exits", resolved_exits_[i]);
    if (const auto objection = objection_to_exit_list(scenario_, i)) {
      throw InputError(mark_of_exits(i), *objection);
    }
    if (!reader.has("exit_control")) continue;
    Node resolved;
    exit_controls_[i] = read_exit_control(reader.required("exit_control"), resolved);
    reader.resolve("exit_control", std::move(resolved));
    if (const auto objection = objection_to_exit_control(*exit_controls_[i], scenario_.services[i])) {
      throw InputError(reader.mark_of("exit_control"), *objection);
    }
  }
}

void ServicesReader::resolve() {
  if (!are_named()) return;
  Node resolved = Node::sequence();
  for (const MapReader& reader : named_) resolved.items.push_back(reader.resolved());
  run_.resolve("services", std::move(resolved));
}

const Mark& ServicesReader::mark_of_exits(std::size_t service) const {
  if (exits_[service] != nullptr) return exits_[service]->mark;
  return are_named() ? named_[service].mark() : workload_mark_;
}

}  // namespace fluidbatch::sim
