#include "sim/schema/relations.h"

#include <algorithm>
#include <vector>

namespace fluidbatch::sim {
namespace {

struct Relation {
  FileKind kind;
  std::string_view map;
  std::string_view json;
};

const std::vector<Relation>& relations() {
  static const std::vector<Relation> all{
      {FileKind::run, "a run",
       R"({"if":{"required":["services"]},
           "then":{"not":{"anyOf":[{"required":["network"]},{"required":["slo"]}]},
                   "properties":{"workload":{"not":{"required":["exits"]}}}},
           "else":{"required":["network"]}},
          {"dependentRequired":{"max_requests":["until"]}})"},
      {FileKind::run, "until", R"({"minProperties":1})"},
      // The rule of objection_to_label.
      {FileKind::run, "a system", R"({"properties":{"label":{"pattern":"^[A-Za-z0-9_-]+$"}}})"},
      {FileKind::run, "a service", R"({"properties":{"name":{"pattern":"^[A-Za-z0-9_-]+$"}}})"},
      {FileKind::run, "workload", R"({"anyOf":[{"required":["arrivals"]},{"required":["devices"]}]})"},
      {FileKind::run, "a measured npu", R"({"anyOf":[{"required":["table"]},{"required":["tables"]}]})"},
      {FileKind::run, "uplink",
       R"({"if":{"properties":{"model":{"const":"none"}}},
           "else":{"required":["sample_bytes","access_point_bandwidth_bytes_per_s"]}})"},
      {FileKind::sweep, "a sweep", R"({"not":{"required":["replications","until"]}})"},
      {FileKind::sweep, "measure", R"({"properties":{"quantiles":{"minItems":1,"maxItems":32}}})"},
      {FileKind::network, "a network",
       R"({"if":{"required":["base"]},
           "then":{"not":{"anyOf":[{"required":["input"]},{"required":["layers"]}]}},
           "else":{"required":["input","layers"]}})"},
      {FileKind::network, "a layer of kind add",
       R"({"required":["from"],"properties":{"from":{"minItems":2}}})"},
      {FileKind::network, "a layer of kind mul",
       R"({"required":["from"],"properties":{"from":{"minItems":2}}})"},
      {FileKind::network, "a layer of kind matmul",
       R"({"required":["from"],"properties":{"from":{"minItems":2,"maxItems":2}}})"},
      {FileKind::npu, "an NPU",
       R"({"if":{"properties":{"channel":{"const":"separate"}},"required":["channel"]},
           "then":{"required":["input_bandwidth_bytes_per_s","output_bandwidth_bytes_per_s"],
                   "not":{"required":["bandwidth_bytes_per_s"]}},
           "else":{"required":["bandwidth_bytes_per_s"],
                   "not":{"anyOf":[{"required":["input_bandwidth_bytes_per_s"]},
                                   {"required":["output_bandwidth_bytes_per_s"]}]}}},
          {"if":{"properties":{"residency":{"const":"auto"}},"required":["residency"]},
           "then":{"anyOf":[{"required":["on_chip_bytes"]},{"required":["board"]}]}})"}};
  return all;
}

}  // namespace

std::string_view relations_of(FileKind kind, std::string_view map) {
  const auto found = std::ranges::find_if(
      relations(), [&](const Relation& relation) { return relation.kind == kind && relation.map == map; });
  return found == relations().end() ? std::string_view() : found->json;
}

std::string_view keys_of_the_user(std::string_view map) {
  return map == "tables"
             ? R"({"type":"object","additionalProperties":{"type":["string","number","boolean"]}})"
             : std::string_view();
}

}  // namespace fluidbatch::sim
