// The services of a configuration: a list, or the only one, whose keys stand at the top.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "sim/config/model_cache.h"
#include "sim/scenario/scenario.h"
#include "workloads/io/map_reader.h"

namespace fluidbatch::sim {

/// Reads `services`, or `network`, `slo` and `workload.exits`, part by part, since each part needs what
/// others have found meanwhile. All throw InputError.
class ServicesReader {
 public:
  /// Makes the services of `scenario`, with their names, networks, priorities and weights. All three must
  /// outlive this.
  ServicesReader(io::MapReader& run, Scenario& scenario, ModelCache& cache);

  /// Whether the configuration names its services.
  [[nodiscard]] bool are_named() const { return !named_.empty(); }
  /// Their names; empty where they have none.
  [[nodiscard]] std::vector<std::string> names() const;
  /// That of a service, in the cache.
  [[nodiscard]] const workloads::Network& network(std::size_t service) const { return *networks_[service]; }
  /// The exit control that a service has in every system; nothing where the system says.
  [[nodiscard]] const std::optional<ExitControlChoice>& exit_control(std::size_t service) const {
    return exit_controls_[service];
  }

  /// The bounds, where all have their `reference_latency_s`.
  void read_slos();
  /// `workload`: the map in which the exits of a service without a name stand.
  void use_workload(const io::MapReader& workload);
  /// The exits of a service, where they have not been read yet; `devices`: nullptr where these are not known
  /// yet.
  void read_exits(std::size_t service, const workloads::Devices* devices);
  /// What remains, where the exits of all are known.
  void read_exit_controls();
  /// Of the only service, for the map of `workload`.
  [[nodiscard]] const io::Node& resolved_exits() const { return resolved_exits_.front(); }
  /// Adds `services` to what the run has resolved, where they are named.
  void resolve();

 private:
  void read_named(const io::Node& list, ModelCache& cache);
  [[nodiscard]] const io::Mark& mark_of_exits(std::size_t service) const;

  io::MapReader& run_;
  Scenario& scenario_;
  std::vector<io::MapReader> named_;  // by service; empty: there is one without a name
  std::vector<const workloads::Network*> networks_;
  std::vector<const io::Node*> exits_;    // as configured; nullptr: none
  std::vector<io::Node> resolved_exits_;  // likewise by service
  std::vector<std::optional<ExitControlChoice>> exit_controls_;
  io::Mark workload_mark_;
};

}  // namespace fluidbatch::sim
