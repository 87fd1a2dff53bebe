#include "sim/sweep/capacity_key.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "sim/config/overrides.h"
#include "sim/sweep/scaled_rates.h"
#include "workloads/io/map_reader.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

using io::InputError;
using io::Node;

/// What makes a workload heavier when it is raised.
constexpr std::array<std::string_view, 7> kLoads{"rho",     "rate_hz", "load",        "count",
                                                 "clients", "cv",      "sample_bytes"};

bool is_load(std::string_view name) { return std::find(kLoads.begin(), kLoads.end(), name) != kLoads.end(); }

/// Adds the keys of all loads at and below `node`, whose own key is `key`.
void find_loads(const Node& node, const std::string& key, std::vector<std::string>& keys) {
  for (const Node::Entry& entry : node.entries) {
    const std::string below = key + "." + entry.key;
    if (is_load(entry.key) && io::parse_number(entry.value.scalar)) keys.push_back(below);
    find_loads(entry.value, below, keys);
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Node* label = node.items[i].find("label");
    find_loads(node.items[i], key + "." + (label != nullptr ? label->scalar : std::to_string(i)), keys);
  }
}

bool stands_for_rates(const Node& document, const std::string& key) {
  const std::vector<std::string> keys = rates_keys(document);
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

std::string offer(const std::vector<std::string>& keys) {
  if (keys.empty()) return "the configuration has no rate, count of devices or number of clients to raise";
  return "can be raised: " + io::quoted_list(keys);
}

}  // namespace

std::vector<std::string> capacity_keys(const Node& document) {
  std::vector<std::string> keys = rates_keys(document);
  const Node* workload = document.find("workload");
  if (workload != nullptr) find_loads(*workload, "workload", keys);
  return keys;
}

std::string default_capacity_key(const Node& document) {
  const std::vector<std::string> keys = capacity_keys(document);
  Node copy = document;
  std::string of_the_file;
  for (const char* key : {"workload.arrivals.rho", "workload.arrivals.rate_hz", "workload.arrivals.load"}) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) continue;
    if (value_at(copy, key, {}).overridden) return key;  // in place of one that the file has
    if (of_the_file.empty()) of_the_file = key;
  }
  if (!of_the_file.empty()) return of_the_file;
  if (!rates_keys(document).empty()) return rates_keys(document).front();
  throw InputError(
      "capacity: the configuration has none of workload.arrivals.rho, .rate_hz and .load; say what to raise "
      "with --over "
      "KEY; " +
      offer(keys));
}

void check_capacity_key(const Node& document, const std::string& key) {
  const std::vector<std::string> keys = capacity_keys(document);
  if (stands_for_rates(document, key)) return check_rates(document, key);
  if (key.starts_with("services."))
    throw InputError("--over " + key + ": is not a service of the configuration" +
                     io::did_you_mean(key, keys) + "; " + offer(keys));
  Node copy = document;
  const Node& node = value_at(copy, key, {"--over " + key, 0, 0});
  const std::string name = key.substr(key.rfind('.') + 1);
  if (key.starts_with("workload.") && is_load(name) && node.kind != Node::Kind::null) return;
  const std::string why = node.kind == Node::Kind::null ? "the configuration does not have it"
                                                        : "raising it does not make the workload heavier";
  throw InputError("--over " + key + ": " + why + io::did_you_mean(key, keys) + "; " + offer(keys));
}

double capacity_start(const Node& document, const std::string& key, bool whole) {
  if (stands_for_rates(document, key)) {
    if (whole) throw InputError("--whole: " + key + " is raised by a factor, which is no whole number");
    return 1;
  }
  Node copy = document;
  const Node& node = value_at(copy, key, {"--over " + key, 0, 0});
  constexpr std::int64_t kMost = 1'000'000;
  return whole ? static_cast<double>(io::read_integer(node, key, 1, kMost))
               : io::read_number(node, key, io::Range::positive());
}

Node with_capacity_value(const Node& document, const std::string& key, double value, bool whole) {
  if (stands_for_rates(document, key)) return with_scaled_rates(document, key, value);
  Node changed = document;
  set_value(changed, key, whole ? Node::integer(static_cast<long long>(value)) : Node::number(value),
            {"--over " + key, 0, 0});
  return changed;
}

}  // namespace fluidbatch::sim
