#include "sim/run/run_outputs.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

#include "sim/output/resolved_part.h"
#include "sim/scenario/scenario.h"

namespace fluidbatch::sim {
namespace {

namespace fs = std::filesystem;

io::Node with_found_length(const io::Node& resolved, const Scenario& scenario) {
  io::Node found = io::Node::map();
  for (const io::Node::Entry& entry : resolved.entries) {
    if (entry.key == "until") {
      found.put("requests", io::Node::integer(static_cast<long long>(scenario.length.requests)));
    } else if (entry.key == "warmup_requests") {
      found.put(entry.key, io::Node::integer(static_cast<long long>(scenario.warmup_requests)));
    } else if (entry.key != "max_requests") {
      found.put(entry.key, entry.value);
    }
  }
  return found;
}

bool has_confidences(const Scenario& scenario) {
  return std::ranges::any_of(scenario.services,
                             [](const Service& service) { return service.exits->confidences() != nullptr; });
}

/// Adds the files that a resolved configuration names: their paths are absolute in it, and nothing else is.
void add_paths(const io::Node& node, std::vector<fs::path>& paths) {
  if (node.scalar.starts_with('/')) paths.emplace_back(node.scalar);
  for (const io::Node& item : node.items) add_paths(item, paths);
  for (const io::Node::Entry& entry : node.entries) add_paths(entry.value, paths);
}

}  // namespace

std::vector<scheduler::Slo> slos_of(const Scenario& scenario) {
  std::vector<scheduler::Slo> slos;
  for (const Service& service : scenario.services) slos.push_back(service.slo);
  return slos;
}

RequestsCsvShape csv_shape(const Scenario& scenario, const System& system) {
  RequestsCsvShape shape{.sample = has_confidences(scenario), .npu = system.npus.size() > 1};
  if (scenario.services.size() == 1) return shape;
  for (const Service& service : scenario.services) shape.services.push_back(service.name);
  shape.service_of_device = scenario.devices.services();
  return shape;
}

Series::Exits series_exits(const Scenario& scenario, const System& system) {
  Series::Exits exits{.told = system.decides_exits() || has_confidences(scenario),
                      .fixed_thresholds = {},
                      .service_of_device = scenario.devices.services()};
  for (std::size_t service = 0; service < scenario.services.size(); ++service) {
    const workloads::RecordedConfidences* confidences = scenario.services[service].exits->confidences();
    const bool fixed = confidences != nullptr && !system.exit_controls[service].decides();
    exits.fixed_thresholds.push_back(fixed ? confidences->thresholds() : std::vector<double>());
  }
  return exits;
}

TimelineShape timeline_shape(const Scenario& scenario, std::size_t index) {
  const System& system = scenario.systems[index];
  TimelineShape shape{.system = system.label,
                      .process = {.index = index, .of = scenario.systems.size()},
                      .tables = {},
                      .service_of_device = scenario.devices.services()};
  for (const SystemNpu& npu : system.npus) {
    auto& of_npu = shape.tables.emplace_back();
    for (const auto& table : npu.tables) of_npu.push_back(table.get());
    if (system.npus.size() > 1) shape.npus.push_back(npu.name);
  }
  for (const Service& service : scenario.services) {
    if (scenario.services.size() > 1) shape.services.push_back(service.name);
  }
  return shape;
}

io::Node resolved_system(const io::Node& resolved, const Scenario& scenario, std::size_t index) {
  return resolved_part(with_found_length(resolved, scenario), index);
}

RunFolder::Request folder_request(const Scenario& scenario, const RunFiles& files) {
  RunFolder::Request request{.folder = files.folder, .labels = {}, .inputs = {}, .named_after = {}};
  for (const System& system : scenario.systems) request.labels.push_back(system.label);
  if (!files.configuration.empty()) request.inputs.push_back(files.configuration);
  add_paths(files.resolved, request.inputs);
  return request;
}

}  // namespace fluidbatch::sim
