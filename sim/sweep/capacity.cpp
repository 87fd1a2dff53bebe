#include "sim/sweep/capacity.h"

#include <cmath>
#include <cstring>
#include <stdexcept>

#include "sim/child_process.h"
#include "sim/config/overrides.h"
#include "sim/config/run_config.h"
#include "sim/simulation.h"
#include "sim/statistics_transfer.h"
#include "sim/sweep/confidence.h"
#include "workloads/io/map_reader.h"

namespace fluidbatch::sim {
namespace {

using io::InputError;
using io::Node;

/// The search of one system, a probe at a time.
class Search {
 public:
  Search(std::string system, double start, const CapacityOptions& options) : options_(options), next_(start) {
    result_.system = std::move(system);
  }

  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] double next() const { return next_; }
  [[nodiscard]] const Capacity& result() const { return result_; }

  void take(const CapacityProbe& probe) {
    result_.probes.push_back(probe);
    if (probe.holds) {
      low_ = probe.value;
    } else {
      high_ = probe.value;
    }
    result_.value = low_;
    if (high_ == 0) {  // never failed yet
      next_ = low_ * 2;
      result_.open = ended_ = result_.probes.size() >= kMostDoublings;
    } else if (low_ == 0) {  // never held yet
      next_ = options_.whole ? std::floor(high_ / 2) : high_ / 2;
      ended_ = result_.probes.size() >= kMostDoublings || next_ == 0;
    } else {
      next_ = low_ + (high_ - low_) / 2;
      if (options_.whole) next_ = std::floor(next_);
      ended_ = options_.whole ? high_ - low_ <= 1 : high_ - low_ <= options_.tolerance * low_;
    }
  }

 private:
  static constexpr std::size_t kMostDoublings = 30;

  const CapacityOptions& options_;
  double low_ = 0;   // the highest that held
  double high_ = 0;  // the lowest that did not
  double next_;
  bool ended_ = false;
  Capacity result_;
};

Node number_of(double value, bool whole) {
  return whole ? Node::integer(static_cast<long long>(value)) : Node::number(value);
}

Node with_value(const Node& document, const CapacityOptions& options, double value) {
  Node changed = document;
  set_value(changed, options.key, number_of(value, options.whole), {"--over " + options.key, 0, 0});
  return changed;
}

/// The value that the configuration has under the key.
double start_value(const Node& document, const CapacityOptions& options) {
  Node changed = document;
  const Node& node = value_at(changed, options.key, {"--over " + options.key, 0, 0});
  return options.whole ? static_cast<double>(io::read_integer(node, options.key, 1, 1'000'000))
                       : io::read_number(node, options.key, io::Range::positive());
}

CapacityProbe probe_from(const RunStatistics& statistics, double value, const CapacityOptions& options) {
  CapacityProbe probe{.value = value};
  const double requests = statistics[StatisticId::requests];
  probe.requests = static_cast<std::uint64_t>(requests);
  probe.late =
      static_cast<std::uint64_t>(std::llround(statistics[StatisticId::slo_violation_rate] * requests));
  probe.holds = !statistics.saturated &&
                surely_holds(probe.requests, probe.late, options.violation_rate, options.confidence);
  probe.throughput_hz = statistics[StatisticId::throughput];
  return probe;
}

void check(const RunConfig& config, const CapacityOptions& options) {
  if (std::isinf(config.slo.latency_s)) {
    throw InputError("capacity needs an SLO: slo.latency_ms or slo.unloaded_multiple");
  }
  const auto requests = config.known_requests();
  const std::uint64_t least = least_requests(0, options.violation_rate, options.confidence);
  if (requests && *requests < least + config.warmup_requests) {
    throw InputError("capacity: " + std::to_string(*requests - config.warmup_requests) +
                     " measured requests can show nothing; at least " + std::to_string(least) +
                     " are needed");
  }
}

}  // namespace

std::vector<Capacity> find_capacities(const Node& document, const CapacityOptions& options) {
  ModelCache cache;
  const RunConfig config = read_run_config(document, cache);
  check(config, options);
  const double start = start_value(document, options);
  std::vector<Search> searches;
  for (const SystemConfig& system : config.systems) searches.emplace_back(system.label, start, options);
  ChildPool pool;
  std::vector<bool> at_work(searches.size());
  const auto simulate_next = [&](std::size_t i) {
    at_work[i] = true;
    pool.start(i, [&, i] {
      const RunConfig probe = read_run_config(with_value(document, options, searches[i].next()), cache);
      return to_bytes(simulate(probe, probe.systems[i], options.driver, {}, nullptr));
    });
  };
  while (true) {
    for (std::size_t i = 0; i < searches.size(); ++i) {
      const bool free = pool.size() < static_cast<std::size_t>(options.jobs);
      if (free && !at_work[i] && !searches[i].ended()) simulate_next(i);
    }
    if (pool.size() == 0) break;
    constexpr int kWaitMilliseconds = 200;
    for (const auto& [number, outcome] : pool.wait(kWaitMilliseconds)) {
      if (outcome.kind == ChildOutcome::Kind::input_error) throw InputError(outcome.text);
      if (outcome.kind == ChildOutcome::Kind::failed) throw std::runtime_error(outcome.text);
      at_work[number] = false;
      searches[number].take(probe_from(from_bytes(outcome.text), searches[number].next(), options));
    }
  }
  std::vector<Capacity> results;
  results.reserve(searches.size());
  for (const Search& search : searches) results.push_back(search.result());
  return results;
}

std::string default_capacity_key(const Node& document) {
  if (const Node* workload = document.find("workload")) {
    if (const Node* arrivals = workload->find("arrivals")) {
      for (const char* key : {"rho", "rate_hz"}) {
        if (arrivals->find(key) != nullptr) return std::string("workload.arrivals.") + key;
      }
    }
  }
  throw InputError(
      "capacity: neither workload.arrivals.rho nor .rate_hz is there to raise; say which with --over KEY");
}

}  // namespace fluidbatch::sim
