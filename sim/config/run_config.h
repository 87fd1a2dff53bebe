// The configuration of a run, read strictly and complete: after this, nothing of the user's can be wrong.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "npu_model/batch_policy_table.h"
#include "scheduler/policy_registry.h"
#include "sim/config/model_cache.h"
#include "sim/least_npu_time.h"
#include "sim/slo.h"
#include "workloads/exits.h"
#include "workloads/network.h"
#include "workloads/request_stream.h"
#include "workloads/uplink.h"

namespace fluidbatch::sim {

/// One policy on one NPU: what is compared.
struct SystemConfig {
  std::string label;
  const scheduler::PolicyInfo* policy = nullptr;
  scheduler::ParameterValues parameters;
  bool drop_hopeless = false;
  std::string npu_name;
  std::shared_ptr<const npu::BatchPolicyTable> table;
  io::Node resolved;
};

struct RunConfig {
  std::uint64_t seed = 1;
  workloads::RunLength length;
  std::uint64_t warmup_requests = 0;
  workloads::Network network;
  Slo slo;
  std::shared_ptr<const npu::BatchPolicyTable> reference;  ///< at batch 1
  NpuChoice reference_choice;                              ///< that `reference` is the table of
  int reference_max_batch = 8;                             ///< largest batch of what loads are relative to
  double reference_latency_s = 0;                          ///< of a single sample that takes no exit
  workloads::Devices devices;
  workloads::UplinkSpec uplink;
  std::shared_ptr<const workloads::ExitSpec> exits;
  std::vector<SystemConfig> systems;
  bool write_requests_csv = true;
  bool compute_bounds = true;
  std::vector<std::string> warnings;  ///< what is legal and yet unlikely to be meant, each with its place
  io::Node resolved;  ///< the whole configuration with every default; running it gives the same run

  /// Number of requests, where it is known before the run.
  [[nodiscard]] std::optional<std::uint64_t> known_requests() const;
  /// What policies may know of the workload.
  [[nodiscard]] scheduler::PolicyContext policy_context() const;
  /// What loads are relative to. Makes a table of the reference for all its batch sizes. Throws InputError
  /// where a measured one lacks a cell.
  [[nodiscard]] LeastNpuTime least_npu_time() const;
  /// `resolved` with the one system only.
  [[nodiscard]] io::Node resolved_for(const SystemConfig& system) const;
};

/// Reads a configuration and all files that it names. Keys: docs/configuration.md. Throws InputError.
RunConfig load_run_config(const std::filesystem::path& file, const std::vector<std::string>& overrides);
RunConfig read_run_config(const io::Node& document);
/// As above, taking networks and tables from `cache`.
RunConfig read_run_config(const io::Node& document, ModelCache& cache);

}  // namespace fluidbatch::sim
