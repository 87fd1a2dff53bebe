#include "sim/sweep/sweep_point.h"

#include <array>
#include <chrono>
#include <cstring>
#include <sys/resource.h>
#include <unistd.h>

#include "sim/config/overrides.h"
#include "sim/output/resolved_part.h"
#include "sim/run/simulation.h"
#include "sim/run/statistics_transfer.h"
#include "sim/scenario/expected_length.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

std::string with_length(const std::string& text) {
  const std::uint64_t length = text.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + text;
}

std::string take_text(const std::string& bytes, std::size_t& position) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data() + position, sizeof length);
  position += sizeof length;
  std::string text = bytes.substr(position, length);
  position += length;
  return text;
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

}  // namespace

std::string simulate_point(const PointTask& task, ModelCache& cache) {
  const auto begin = std::chrono::steady_clock::now();
  io::Node document = task.sweep.configuration(task.pair.setting);
  const std::uint64_t seed = replication_seed(task.pair.seed, task.replication);
  set_value(document, "seed", io::Node::integer(static_cast<long long>(seed)), {"replication", 0, 0});
  const io::FilesRead files;
  const RunConfig config = read_run_config(document, cache);
  require_unchanged(files.hashes(), task.files);
  check_expected_dates(config);
  const System& system = config.systems[task.pair.system];
  const RunStatistics statistics = simulate(config, system, {.driver = task.driver});
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  const std::array<double, 2> times{
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
      seconds(usage.ru_utime) + seconds(usage.ru_stime)};
  const std::int64_t process = ::getpid();
  std::string bytes(reinterpret_cast<const char*>(times.data()), sizeof times);
  bytes.append(reinterpret_cast<const char*>(&process), sizeof process);
  for (const std::string& text :
       {system.policy->name, system.npu_name, std::string(system.table->mode_name()), config.network.name,
        io::to_yaml(resolved_part(config.resolved, task.pair.system)), to_bytes(statistics)}) {
    bytes += with_length(text);
  }
  return bytes;
}

PointResult point_result(const ChildOutcome& outcome, PointRun& run) {
  PointResult result;
  if (outcome.kind != ChildOutcome::Kind::done) {
    result.error = outcome.text;
    return result;
  }
  const std::string& bytes = outcome.text;
  std::array<double, 2> times{};
  std::memcpy(times.data(), bytes.data(), sizeof times);
  run.wall_s = times[0];
  run.processor_s = times[1];
  std::memcpy(&run.process, bytes.data() + sizeof times, sizeof run.process);
  std::size_t position = sizeof times + sizeof run.process;
  result.policy = take_text(bytes, position);
  result.npu = take_text(bytes, position);
  result.npu_mode = take_text(bytes, position);
  result.network = take_text(bytes, position);
  result.configuration = take_text(bytes, position);
  result.statistics = from_bytes(take_text(bytes, position));
  return result;
}

}  // namespace fluidbatch::sim
