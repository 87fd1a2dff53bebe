#include "workloads/traffic/devices.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "workloads/traffic/trace_file.h"

namespace fluidbatch::workloads {
namespace {

std::uint64_t devices_of(const DeviceGroup& group) {
  return std::uint64_t{group.count} * group.arrivals->streams() * group.arrivals->devices_per_stream();
}

/// Place of the service that a group names, or of the only one.
std::size_t read_service(io::MapReader& group, const std::vector<Destination>& destinations) {
  const std::string& only = destinations.front().service;
  if (only.empty()) {
    if (!group.has("service")) return 0;
    throw io::InputError(group.mark_of("service"), "there is no list of 'services' in which this could be");
  }
  std::vector<std::string> names;
  names.reserve(destinations.size());
  for (const Destination& destination : destinations) names.push_back(destination.service);
  if (names.size() > 1 && !group.has("service")) {
    throw io::InputError(group.mark(),
                         "a group of devices needs the key 'service': one of " + io::quoted_list(names));
  }
  return group.choice("service", names, 0);
}

DeviceGroup read_group(const io::Node& node, const std::vector<Destination>& destinations,
                       const DeviceDefaults& defaults, io::Node& resolved) {
  io::MapReader reader(
      node, "a group of devices",
      {"label", "count", "arrivals", "sample_bytes", "device_bandwidth_bytes_per_s", "service"});
  DeviceGroup group;
  if (reader.has("label")) reader.text("label");
  group.service = read_service(reader, destinations);
  group.count = static_cast<std::uint32_t>(reader.integer("count", 1, kMostDevices, 1));
  io::Node arrivals;
  group.arrivals = read_arrivals(reader.required("arrivals"), destinations[group.service].context, arrivals);
  reader.resolve("arrivals", arrivals);
  if (const auto objection = objection_to_repetition(group)) {
    throw io::InputError(reader.mark_of("count"), *objection);
  }
  group.sample_bytes = static_cast<double>(
      reader.integer("sample_bytes", 0, kMostSampleBytes, static_cast<std::int64_t>(defaults.sample_bytes)));
  group.bandwidth_bytes_per_s = reader.number(
      "device_bandwidth_bytes_per_s", io::Range::positive_or_infinite(), defaults.bandwidth_bytes_per_s);
  const std::uint64_t devices = devices_of(group);
  if (const auto objection = objection_to_group_size(devices)) throw io::InputError(node.mark, *objection);
  group.devices = static_cast<std::uint32_t>(devices);
  resolved = reader.resolved();
  return group;
}

/// Labels are parts of the paths of --set, which must tell the groups apart.
void require_distinct_labels(const io::Node& list) {
  std::set<std::string_view> labels;
  for (const io::Node& group : list.items) {
    const io::Node* label = group.find("label");
    if (label == nullptr || label->kind != io::Node::Kind::scalar || labels.insert(label->scalar).second)
      continue;
    throw io::InputError(label->mark, "two groups of devices are labelled " + io::in_quotes(label->scalar));
  }
}

}  // namespace

std::optional<std::string> objection_to_repetition(const DeviceGroup& group) {
  if (group.arrivals->bound() == 0 || group.count == 1) return std::nullopt;
  return "a trace can't be repeated: its count must be 1";
}

std::optional<std::string> objection_to_group_size(std::uint64_t devices) {
  if (devices <= kMostDevices) return std::nullopt;
  return "a group must not have more than " + std::to_string(kMostDevices) + " devices, found " +
         std::to_string(devices);
}

std::optional<std::string> objection_to_size(std::uint64_t devices) {
  if (devices <= kMostDevices) return std::nullopt;
  return "there must not be more than " + std::to_string(kMostDevices) +
         " devices; with this group there are " + std::to_string(devices);
}

Devices make_devices(std::vector<DeviceGroup> groups) {
  if (groups.empty()) throw std::invalid_argument("devices need at least one group");
  std::uint64_t all = 0;
  for (const DeviceGroup& group : groups) {
    io::require_in({.min = 1, .max = kMostDevices}, group.count, "the count of a group of devices");
    io::require_in({.min = 0, .max = static_cast<double>(kMostSampleBytes)}, group.sample_bytes,
                   "the bytes of a sample");
    io::require_in(io::Range::positive_or_infinite(), group.bandwidth_bytes_per_s, "a device's bandwidth");
    all += devices_of(group);
    for (const auto& objection : {objection_to_repetition(group), objection_to_group_size(devices_of(group)),
                                  objection_to_size(all)}) {
      if (objection) throw std::invalid_argument(*objection);
    }
  }
  return Devices(std::move(groups));
}

Devices::Devices(std::vector<DeviceGroup> groups) : groups_(std::move(groups)) {
  for (DeviceGroup& group : groups_) {
    group.first_device = size_;
    group.devices = group.streams() * group.arrivals->devices_per_stream();
    size_ += group.devices;
  }
}

std::vector<std::uint64_t> Devices::keys() const {
  std::vector<std::uint64_t> keys;
  keys.reserve(size_);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (std::uint32_t i = 0; i < groups_[g].devices; ++i) keys.push_back(key(g, i));
  }
  return keys;
}

bool Devices::listen() const {
  return std::any_of(groups_.begin(), groups_.end(),
                     [](const DeviceGroup& group) { return group.arrivals->listens(); });
}

std::vector<std::size_t> Devices::services() const {
  std::vector<std::size_t> services;
  services.reserve(size_);
  for (const DeviceGroup& group : groups_) services.insert(services.end(), group.devices, group.service);
  return services;
}

double Devices::mean_rate_hz() const {
  double rate_hz = 0;
  for (const DeviceGroup& group : groups_) rate_hz += group.streams() * group.arrivals->mean_rate_hz();
  return rate_hz;
}

double Devices::mean_rate_hz(std::size_t service) const {
  double rate_hz = 0;
  for (const DeviceGroup& group : groups_) {
    if (group.service == service) rate_hz += group.streams() * group.arrivals->mean_rate_hz();
  }
  return rate_hz;
}

bool Devices::is_steady() const {
  return std::all_of(groups_.begin(), groups_.end(),
                     [](const DeviceGroup& group) { return group.arrivals->is_steady(); });
}

bool Devices::are_random() const {
  return std::any_of(groups_.begin(), groups_.end(),
                     [](const DeviceGroup& group) { return group.arrivals->is_random(); });
}

bool Devices::split() const {
  return std::all_of(groups_.begin(), groups_.end(),
                     [](const DeviceGroup& group) { return group.arrivals->splits(); });
}

bool Devices::restart() const {
  return std::all_of(groups_.begin(), groups_.end(),
                     [](const DeviceGroup& group) { return group.arrivals->restarts(); });
}

bool Devices::are_poisson() const {
  return std::all_of(groups_.begin(), groups_.end(),
                     [](const DeviceGroup& group) { return group.arrivals->is_poisson(); });
}

double Devices::last_arrival_s() const {
  double last_s = 0;
  for (const DeviceGroup& group : groups_) last_s = std::max(last_s, group.arrivals->last_arrival_s());
  return last_s;
}

std::uint64_t Devices::bound() const {
  std::uint64_t sum = 0;
  for (const DeviceGroup& group : groups_) {
    if (group.arrivals->bound() == 0) return 0;
    sum += group.arrivals->bound();
  }
  return sum;
}

std::uint64_t Devices::bound(std::size_t service) const {
  std::uint64_t sum = 0;
  for (const DeviceGroup& group : groups_) {
    if (group.service != service) continue;
    if (group.arrivals->bound() == 0) return 0;
    sum += group.arrivals->bound();
  }
  return sum;
}

std::vector<int> Devices::exits(int exits, const io::Mark& asked_at, std::size_t service) const {
  const auto its = [&](const DeviceGroup& group) { return group.service == service; };
  if (std::count_if(groups_.begin(), groups_.end(), its) == 1) {
    return std::find_if(groups_.begin(), groups_.end(), its)->arrivals->exits(exits, asked_at);
  }
  throw io::InputError(asked_at, "exits of a trace without a path need one group of devices, the trace");
}

Devices read_devices(io::MapReader& workload, const std::vector<Destination>& destinations,
                     const DeviceDefaults& defaults) {
  std::vector<DeviceGroup> groups;
  if (workload.one_of({"arrivals", "devices"}) != "devices") {
    if (destinations.size() > 1) {
      throw io::InputError(workload.mark_of("arrivals"),
                           "several services need 'devices', in groups that name theirs, and not 'arrivals'");
    }
    io::Node arrivals;
    DeviceGroup group;
    group.arrivals = read_arrivals(workload.required("arrivals"), destinations.front().context, arrivals);
    group.sample_bytes = defaults.sample_bytes;
    group.bandwidth_bytes_per_s = defaults.bandwidth_bytes_per_s;
    groups.push_back(std::move(group));
    workload.resolve("arrivals", std::move(arrivals));
    return Devices(std::move(groups));
  }
  const io::Node& list = workload.required("devices");
  io::read_filled_list(list, "devices", "group");
  require_distinct_labels(list);
  io::Node resolved = io::Node::sequence();
  std::uint64_t all = 0;
  for (const io::Node& node : list.items) {
    io::Node one;
    groups.push_back(read_group(node, destinations, defaults, one));
    resolved.items.push_back(std::move(one));
    all += groups.back().devices;
    if (const auto objection = objection_to_size(all)) throw io::InputError(node.mark, *objection);
  }
  workload.resolve("devices", std::move(resolved));
  return Devices(std::move(groups));
}

}  // namespace fluidbatch::workloads
