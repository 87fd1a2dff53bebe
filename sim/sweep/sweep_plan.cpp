#include "sim/sweep/sweep_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "sim/config/run_config.h"
#include "sim/drive/driver_choice.h"
#include "sim/sweep/tail_measure.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

constexpr std::uint64_t kUnreadSeed = std::numeric_limits<std::uint64_t>::max();  // a seed has 63 bits
constexpr double kUnreadRequests = -1;

/// Steps of the server per request, roughly, by what its policy wants to see.
double cost_per_request(const System& system) {
  constexpr double kBatch = 1;
  constexpr double kSegment = 2;
  constexpr double kLayer = 4;
  switch (system.policy->traits(system.parameters).boundary) {
    case scheduler::Boundary::batch:
      return kBatch;
    case scheduler::Boundary::segment:
      return kSegment;
    case scheduler::Boundary::layer:
      return kLayer;
  }
  return kBatch;
}

double expected_requests(const RunConfig& config) {
  const double by_time = config.length.duration_s * config.devices.mean_rate_hz();
  const auto known = config.known_requests();
  if (known) return static_cast<double>(*known);
  return by_time;
}

}  // namespace

SettingReader::Part SettingReader::part_of(const std::string& key) {
  const auto is_below = [&](std::string_view parent) {
    return key == parent || key.starts_with(std::string(parent) + ".");
  };
  if (key == "seed" || key == "slo.latency_ms" || key == "slo.unloaded_multiple") return apart;
  if (key == "requests" || key == "duration_s" || key == "warmup_requests") return load;
  if (is_below("workload.arrivals") || is_below("workload.devices")) return load;
  return is_below("systems") ? systems : rest;
}

SettingReader::Part SettingReader::part_of(const AxisBlock& block) {
  if (block.keys.empty()) return rest;
  const Part part = part_of(block.keys.front());
  const bool all =
      std::ranges::all_of(block.keys, [part](const std::string& key) { return part_of(key) == part; });
  return all ? part : rest;
}

SettingReader::SettingReader(const Sweep& sweep, ModelCache& cache, std::optional<Driver> driver)
    : sweep_(sweep), cache_(cache), driver_(driver) {
  std::array<std::size_t, kParts> rows{1, 1, 1, 1};
  for (const AxisBlock& block : sweep.axes) {
    parts_.push_back(part_of(block));
    rows[parts_.back()] *= block.rows.size();
  }
  seeds_.assign(rows[rest] * rows[apart], kUnreadSeed);
  requests_.assign(rows[rest] * rows[load], kUnreadRequests);
  systems_.assign(rows[rest] * rows[systems], nullptr);
}

/// Numbers the combinations of the rows that the setting has in the blocks of `part` and of `rest`.
std::size_t SettingReader::place(std::size_t setting, Part part) const {
  std::size_t place = 0;
  std::size_t stride = 1;
  for (std::size_t b = parts_.size(); b-- > 0;) {
    const std::size_t rows = sweep_.axes[b].rows.size();
    if (parts_[b] == part || parts_[b] == rest) {
      place += stride * (setting % rows);
      stride *= rows;
    }
    setting /= rows;
  }
  return place;
}

SettingReader::Facts SettingReader::read(std::size_t setting) {
  const std::uint64_t& seed = seeds_[place(setting, apart)];
  const double& requests = requests_[place(setting, load)];
  const auto& known = systems_[place(setting, systems)];
  if (seed == kUnreadSeed || requests == kUnreadRequests || known == nullptr) read_configuration(setting);
  return {.seed = seed, .requests = requests, .systems = known};
}

void SettingReader::read_configuration(std::size_t setting) {
  const io::Node document = sweep_.configuration(setting);
  const RunConfig config = read_run_config(document, cache_);
  if (sweep_.tail) require_splittable(config, document);
  bulk_driver(driver_, config.uplink);  // an uplink is among `rest`, so that each is seen
  std::vector<PlannedSystem> found;
  for (const System& system : config.systems) {
    found.push_back({.label = system.label, .cost_per_request = cost_per_request(system)});
  }
  seeds_[place(setting, apart)] = config.seed;
  requests_[place(setting, load)] = expected_requests(config);
  systems_[place(setting, systems)] = &*known_systems_.insert(std::move(found)).first;
}

std::int64_t for_each_pair(const Sweep& sweep, const Shard& shard, SettingReader& reader,
                           const std::function<void(const Pair&)>& visit,
                           const std::function<void(std::size_t)>& progress) {
  std::int64_t number = 0;
  for (std::size_t s = 0; s < sweep.settings(); ++s) {
    if (progress) progress(s);
    const SettingReader::Facts facts = reader.read(s);
    for (std::size_t i = 0; i < facts.systems->size(); ++i, ++number) {
      if (static_cast<std::size_t>(number) % shard.count != shard.index) continue;
      const double requests = std::isnan(facts.requests) ? 1 : facts.requests;
      visit({.setting = s,
             .system = i,
             .seed = facts.seed,
             .first_point = number * sweep.replications.most,
             .requests = facts.requests,
             .cost = requests * (*facts.systems)[i].cost_per_request});
    }
  }
  return number;
}

}  // namespace fluidbatch::sim
