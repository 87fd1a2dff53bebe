// The devices of a workload, in groups of the same kind.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "workloads/traffic/arrivals.h"

namespace fluidbatch::workloads {

/// Devices that are alike.
struct DeviceGroup {
  std::uint32_t count = 1;  ///< times that the arrivals stand there, each with draws of its own
  std::shared_ptr<const ArrivalSpec> arrivals;
  std::size_t service = 0;           ///< that they send for: its place in the list of services
  double sample_bytes = 0;           ///< of one sample, over the uplink
  double bandwidth_bytes_per_s = 0;  ///< of each device's own link
  std::uint32_t first_device = 0;    ///< number of the group's first device
  std::uint32_t devices = 1;

  [[nodiscard]] std::uint32_t streams() const { return count * arrivals->streams(); }
};

inline constexpr std::int64_t kMostSampleBytes = std::int64_t{1} << 50;

/// What a group's `sample_bytes` and `bandwidth_bytes_per_s` are where it does not say.
struct DeviceDefaults {
  double sample_bytes = 0;
  double bandwidth_bytes_per_s = std::numeric_limits<double>::infinity();
};

/// Devices are numbered from 0, group by group.
class Devices {
 public:
  Devices() = default;
  explicit Devices(std::vector<DeviceGroup> groups);

  [[nodiscard]] const std::vector<DeviceGroup>& groups() const { return groups_; }
  [[nodiscard]] std::uint32_t size() const { return size_; }
  /// Names a device's streams of random draws. It is made of the group's place in the list and the device's
  /// place in the group, so that a group that grows leaves the draws of all other devices alone.
  [[nodiscard]] static std::uint64_t key(std::size_t group, std::uint32_t index) {
    return (static_cast<std::uint64_t>(group) << 32) | index;
  }
  /// `key` of each device, by number.
  [[nodiscard]] std::vector<std::uint64_t> keys() const;

  /// Whether any group sends on being answered.
  [[nodiscard]] bool listen() const;
  /// The service that each device sends for, by number.
  [[nodiscard]] std::vector<std::size_t> services() const;
  /// Long-run sendings per second of all; NaN where those of a group are not known before the run.
  [[nodiscard]] double mean_rate_hz() const;
  /// The same of those that send for one service.
  [[nodiscard]] double mean_rate_hz(std::size_t service) const;
  /// As ArrivalSpec::is_steady, of all groups.
  [[nodiscard]] bool is_steady() const;
  /// Whether any group draws dates at random (ArrivalSpec::is_random).
  [[nodiscard]] bool are_random() const;
  /// As ArrivalSpec::splits, of all groups.
  [[nodiscard]] bool split() const;
  /// As ArrivalSpec::restarts, of all groups.
  [[nodiscard]] bool restart() const;
  /// Whether all groups together send as a Poisson process: each does.
  [[nodiscard]] bool are_poisson() const;
  /// As ArrivalSpec::last_arrival_s: the last one of any group.
  [[nodiscard]] double last_arrival_s() const;
  /// As ArrivalSpec::bound: 0 where one group is not bounded.
  [[nodiscard]] std::uint64_t bound() const;
  /// The same of those that send for one service.
  [[nodiscard]] std::uint64_t bound(std::size_t service) const;
  /// As ArrivalSpec::exits, of those that send for one service; only where that is one group.
  [[nodiscard]] std::vector<int> exits(int exits, const io::Mark& asked_at, std::size_t service) const;

 private:
  std::vector<DeviceGroup> groups_;
  std::uint32_t size_ = 0;
};

/// What speaks against a group of a program's or a file's, or nothing: a trace that is repeated.
std::optional<std::string> objection_to_repetition(const DeviceGroup& group);
/// Likewise, too many devices of one group, or of all up to it.
std::optional<std::string> objection_to_group_size(std::uint64_t devices);
std::optional<std::string> objection_to_size(std::uint64_t devices);

/// `groups` as devices. Throws std::invalid_argument where something speaks against one.
Devices make_devices(std::vector<DeviceGroup> groups);

/// What devices send for.
struct Destination {
  std::string service;     ///< its name; empty where there is one, and it has none
  ArrivalContext context;  ///< of those that send for it
};

/// Reads `arrivals` (one group) or `devices` (a list of groups) of the map `workload`, and adds it to what
/// the reader has resolved. `destinations`: by service. Throws InputError.
Devices read_devices(io::MapReader& workload, const std::vector<Destination>& destinations,
                     const DeviceDefaults& defaults);

}  // namespace fluidbatch::workloads
