#include "sim/sweep/scaled_rates.h"

#include <algorithm>

#include "workloads/io/input_error.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

using io::InputError;
using io::Node;

constexpr const char* kAll = "services";

std::string text_under(const Node& map, const char* key) {
  const Node* value = map.find(key);
  return value == nullptr ? "" : value->scalar;
}

std::vector<std::string> services_of(const Node& document) {
  std::vector<std::string> names;
  if (const Node* services = document.find(kAll)) {
    for (const Node& service : services->items) names.push_back(text_under(service, "name"));
  }
  return names;
}

/// The arrivals of all groups that `key` speaks of.
std::vector<Node*> arrivals_of(Node& document, const std::string& key) {
  const std::vector<std::string> services = services_of(document);
  std::vector<Node*> found;
  const auto add = [&](Node& group) {
    std::string service = text_under(group, "service");
    if (service.empty() && !services.empty()) service = services.front();  // the only one
    Node* arrivals = group.find("arrivals");
    if (arrivals != nullptr && (key == kAll || key == kAll + ("." + service))) found.push_back(arrivals);
  };
  Node* workload = document.find("workload");
  if (workload == nullptr) return found;
  Node* devices = workload->find("devices");
  if (devices == nullptr) {
    add(*workload);
  } else {
    for (Node& group : devices->items) add(group);
  }
  return found;
}

/// Multiplies the rates at and below `node`; how many there were.
int scale(Node& node, double factor) {
  int rates = 0;
  for (Node::Entry& entry : node.entries) {
    const bool is_rate = entry.key == "rho" || entry.key == "rate_hz" || entry.key == "load";
    const bool is_period = entry.key == "period_ms";
    const auto value = io::parse_number(entry.value.scalar);
    if (value && (is_rate || is_period)) {
      const io::Mark mark = entry.value.mark;
      entry.value = Node::number(is_rate ? *value * factor : *value / factor);
      entry.value.mark = mark;
      ++rates;
    } else {
      rates += scale(entry.value, factor);
    }
  }
  for (Node& item : node.items) rates += scale(item, factor);
  return rates;
}

}  // namespace

std::vector<std::string> rates_keys(const Node& document) {
  std::vector<std::string> keys;
  for (const std::string& name : services_of(document)) keys.push_back(kAll + ("." + name));
  if (!keys.empty()) keys.insert(keys.begin(), kAll);
  return keys;
}

void check_rates(const Node& document, const std::string& key) {
  const std::vector<std::string> keys = rates_keys(document);
  if (std::find(keys.begin(), keys.end(), key) == keys.end()) return;
  Node copy = document;
  for (Node* arrivals : arrivals_of(copy, key)) {
    if (scale(*arrivals, 1) > 0) continue;
    throw InputError(arrivals->mark, "--over " + key + ": arrivals of kind '" +
                                         text_under(*arrivals, "kind") + "' have no rate to raise");
  }
}

Node with_scaled_rates(const Node& document, const std::string& key, double factor) {
  Node changed = document;
  for (Node* arrivals : arrivals_of(changed, key)) scale(*arrivals, factor);
  return changed;
}

}  // namespace fluidbatch::sim
