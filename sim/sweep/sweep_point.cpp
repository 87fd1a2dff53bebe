#include "sim/sweep/sweep_point.h"

#include <chrono>
#include <concepts>
#include <sys/resource.h>
#include <type_traits>
#include <unistd.h>
#include <utility>

#include "sim/config/overrides.h"
#include "sim/config/run_config.h"
#include "sim/drive/driver_choice.h"
#include "sim/drive/message.h"
#include "sim/output/resolved_part.h"
#include "sim/run/settle.h"
#include "sim/run/simulation.h"
#include "sim/scenario/expected_length.h"
#include "sim/sweep/tail_measure.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

/// What a child sends. `result.error` stays empty: a child that fails sends its message instead.
struct PointMessage {
  std::int64_t process = 0;
  double wall_s = 0;
  double processor_s = 0;
  PointResult result;
};

template <typename Self, typename Visit>
requires std::same_as<std::remove_const_t<Self>, PointMessage>
void fields(Self& message, Visit& visit) {
  auto& [process, wall_s, processor_s, result] = message;
  auto& [error, policy, npu, npu_mode, network, configuration, statistics, tail, services, npus] = result;
  visit(process, wall_s, processor_s, error, policy, npu, npu_mode, network, configuration, statistics, tail,
        services, npus);
}

/// What has been read must be what the sweep was planned with. Networks and NPUs are those of the plan, from
/// memory; traces are read again.
void require_unchanged(const io::FileHashes& read, const io::FileHashes& planned) {
  for (const auto& [file, hash] : read) {
    const auto found = planned.find(file);
    if (found == planned.end() || found->second == hash) continue;
    throw io::InputError(file + ": has changed since the sweep began");
  }
}

/// Of the sweep's tail columns; none where there is no tail: a saturated system has none, and keeps its
/// statistics.
std::vector<double> measured_tail(const Sweep& sweep, const RunConfig& config, const System& system) {
  if (!sweep.tail) return {};
  try {
    return tail_values(estimate_tail(config, system, *sweep.tail), config.least_slo_s());
  } catch (const Saturated&) {
    return {};
  }
}

}  // namespace

std::string simulate_point(const PointTask& task, ModelCache& cache) {
  const auto begin = std::chrono::steady_clock::now();
  io::Node document = task.sweep.configuration(task.pair.setting);
  const std::uint64_t seed = replication_seed(task.pair.seed, task.replication);
  set_value(document, "seed", io::Node::integer(static_cast<long long>(seed)), {"replication", 0, 0});
  const io::FilesRead files;
  RunConfig config = read_run_config(document, cache);
  require_unchanged(files.hashes(), task.files);
  check_expected_dates(config);
  const System& system = config.systems[task.pair.system];
  settle(config, system);
  PointMessage message{
      .process = ::getpid(),
      .result = {.error = {},
                 .policy = system.policy->name,
                 .npu = system.npu_names(),
                 .npu_mode = system.npu_mode_names(),
                 .network = config.network_names(),
                 .configuration = io::to_yaml(resolved_part(config.resolved, task.pair.system)),
                 .statistics = simulate(config, system, {.driver = bulk_driver(task.driver, config.uplink)}),
                 .tail = measured_tail(task.sweep, config, system)}};
  for (const Service& service : config.services) message.result.services.push_back(service.name);
  for (const SystemNpu& npu : system.npus) message.result.npus.push_back(npu.name);
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  message.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  message.processor_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  return to_message(message);
}

PointResult point_result(const ChildOutcome& outcome, PointRun& run) {
  if (outcome.kind != ChildOutcome::Kind::done) {
    PointResult failure;
    failure.error = outcome.text;
    return failure;
  }
  auto message = from_message<PointMessage>(outcome.text);
  run.process = message.process;
  run.wall_s = message.wall_s;
  run.processor_s = message.processor_s;
  return std::move(message.result);
}

}  // namespace fluidbatch::sim
