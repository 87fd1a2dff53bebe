#include "sim/sweep/capacity.h"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "sim/config/overrides.h"
#include "sim/config/run_config.h"
#include "sim/drive/child_process.h"
#include "sim/drive/driver_choice.h"
#include "sim/drive/message.h"
#include "sim/measure/confidence.h"
#include "sim/run/settle.h"
#include "sim/run/simulation.h"
#include "sim/scenario/checks.h"
#include "sim/sweep/capacity_key.h"
#include "sim/sweep/replications.h"
#include "sim/sweep/service_latencies.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

using io::InputError;
using io::Node;
using Verdict = CapacityProbe::Verdict;

/// What a child sends back of one run.
struct ProbeRun {
  std::vector<ServiceRun> services;
  double throughput_hz = 0;
  double energy_per_request_j = 0;
  double average_power_w = 0;
  double mean_latency_s = 0;
  double requests = 0;
  bool saturated = false;
};

template <typename Self, typename Visit>
requires std::same_as<std::remove_const_t<Self>, ProbeRun>
void fields(Self& run, Visit& visit) {
  auto& [services, throughput_hz, energy_per_request_j, average_power_w, mean_latency_s, requests,
         saturated] = run;
  visit(services, throughput_hz, energy_per_request_j, average_power_w, mean_latency_s, requests, saturated);
}

/// Runs are looked at when there are 1, 2, 4 .. `most_runs` of them.
int looks(int most_runs) {
  int count = 1;
  for (int runs = 1; runs < most_runs; runs *= 2) ++count;
  return count;
}

double confidence_of_a_look(const CapacityOptions& options) {
  return 1 - (1 - options.confidence) / looks(options.most_runs);
}

/// The runs of one load, and the verdict on it.
class Probe {
 public:
  Probe(double value, const CapacityOptions& options) : options_(options), value_(value) {}

  [[nodiscard]] double value() const { return value_; }
  /// How many runs the next look needs.
  [[nodiscard]] std::size_t wanted() const { return wanted_; }

  /// What counts as a long latency, of each service: the first run says it, for all of them.
  [[nodiscard]] std::vector<double> long_s() const {
    std::vector<double> levels_s;
    if (runs_.empty()) return levels_s;
    for (const ServiceRun& service : runs_.front().services) levels_s.push_back(service.long_s);
    return levels_s;
  }

  void take(std::size_t number, const ProbeRun& run) {
    if (runs_.size() <= number) runs_.resize(number + 1);
    runs_[number] = run;
    ++arrived_;
  }

  /// The verdict, once all wanted runs have arrived and more would not help.
  std::optional<CapacityProbe> judge() {
    if (arrived_ < wanted_) return std::nullopt;
    CapacityProbe probe = pooled();
    const bool last = wanted_ == static_cast<std::size_t>(options_.most_runs) || repeats_itself();
    if (probe.verdict != Verdict::open || last) return probe;
    wanted_ = std::min(2 * wanted_, static_cast<std::size_t>(options_.most_runs));
    return std::nullopt;
  }

 private:
  /// Other seeds change nothing, as with a trace that says it all: more runs are worth no more than one.
  [[nodiscard]] bool repeats_itself() const {
    return runs_.size() > 1 && runs_[0].mean_latency_s == runs_[1].mean_latency_s &&
           runs_[0].requests == runs_[1].requests;
  }

  [[nodiscard]] CapacityProbe pooled() const {
    const std::size_t runs = repeats_itself() ? 1 : runs_.size();
    CapacityProbe probe{.value = value_, .runs = runs, .services = {}};
    std::size_t saturated = 0;
    for (std::size_t i = 0; i < runs; ++i) {
      probe.throughput_hz += runs_[i].throughput_hz / static_cast<double>(runs);
      probe.energy_per_request_j += runs_[i].energy_per_request_j / static_cast<double>(runs);
      probe.average_power_w += runs_[i].average_power_w / static_cast<double>(runs);
      if (runs_[i].saturated) ++saturated;
    }
    const bool mostly_saturated = 2 * saturated > runs;
    constexpr std::size_t kRunsToTellSaturation = 4;
    const std::size_t services = runs_.front().services.size();
    const double confidence = confidence_of_a_look(options_);
    const double confidence_of_one = 1 - (1 - confidence) / static_cast<double>(services);
    bool holds = !mostly_saturated;
    bool fails = mostly_saturated && runs >= kRunsToTellSaturation;
    for (std::size_t s = 0; s < services; ++s) {
      LateShare share;
      for (std::size_t i = 0; i < runs; ++i) share.add(runs_[i].services[s].counts);
      probe.services.push_back({.service = {},
                                .requests = share.requests(),
                                .late = share.late(),
                                .independent_requests = share.independent_requests()});
      fails = fails || share.surely_above(options_.violation_rate, confidence_of_one);
      holds = holds && share.surely_below(options_.violation_rate, confidence);
    }
    if (fails) {
      probe.verdict = Verdict::fails;
    } else if (holds) {
      probe.verdict = Verdict::holds;
    }
    return probe;
  }

  const CapacityOptions& options_;
  double value_;
  std::size_t wanted_ = 1;
  std::size_t arrived_ = 0;
  std::vector<ProbeRun> runs_;
};

/// The search of one system with one seed, a probe at a time.
class Search {
 public:
  Search(std::size_t system, std::string label, int seed, double start, const CapacityOptions& options)
      : options_(options), system_(system), probe_(std::in_place, start, options) {
    result_.system = std::move(label);
    result_.seed = seed;
  }

  [[nodiscard]] bool wants_run() const { return !ended_ && started_ < probe_->wanted(); }
  [[nodiscard]] std::size_t system() const { return system_; }
  [[nodiscard]] double value() const { return probe_->value(); }
  [[nodiscard]] std::vector<double> long_s() const { return probe_->long_s(); }
  [[nodiscard]] const Capacity& result() const { return result_; }

  /// The number of the run that is to start now.
  std::size_t start_run() { return started_++; }

  void take(std::size_t number, const ProbeRun& run) {
    probe_->take(number, run);
    const std::optional<CapacityProbe> judged = probe_->judge();
    if (!judged) return;
    const double next = take(*judged);
    probe_.emplace(next, options_);
    started_ = 0;
  }

 private:
  static constexpr std::size_t kMostDoublings = 30;

  /// The value to try next.
  double take(const CapacityProbe& probe) {
    result_.probes.push_back(probe);
    (probe.verdict == Verdict::holds ? low_ : high_) = probe.value;
    result_.value = low_;
    if (high_ == 0) {  // never failed yet
      result_.open = ended_ = result_.probes.size() >= kMostDoublings;
      return low_ * 2;
    }
    if (low_ == 0) {  // never held yet
      const double next = options_.whole ? std::floor(high_ / 2) : high_ / 2;
      ended_ = result_.probes.size() >= kMostDoublings || next == 0;
      return next;
    }
    ended_ = options_.whole ? high_ - low_ <= 1 : high_ - low_ <= options_.tolerance * low_;
    const double next = low_ + (high_ - low_) / 2;
    return options_.whole ? std::floor(next) : next;
  }

  const CapacityOptions& options_;
  std::size_t system_;
  std::optional<Probe> probe_;
  std::size_t started_ = 0;
  double low_ = 0;   // the highest that held
  double high_ = 0;  // the lowest that did not
  bool ended_ = false;
  Capacity result_;
};

/// All searches, their runs side by side.
class Searches {
 public:
  Searches(const Node& document, const RunConfig& config, double start, const CapacityOptions& options,
           ModelCache& cache)
      : document_(document), seed_(config.seed), options_(options), cache_(cache) {
    for (const Service& service : config.services) {
      if (has_slo(service)) services_.push_back(service.name);
    }
    searches_.reserve(config.systems.size() * static_cast<std::size_t>(options.seeds));
    for (std::size_t i = 0; i < config.systems.size(); ++i) {
      for (int seed = 0; seed < options.seeds; ++seed) {
        searches_.emplace_back(i, config.systems[i].label, seed, start, options);
      }
    }
  }

  std::vector<Capacity> run() {
    ChildPool pool;
    while (true) {
      for (std::size_t i = 0; i < searches_.size(); ++i) {
        while (pool.size() < static_cast<std::size_t>(options_.jobs) && searches_[i].wants_run()) {
          start(pool, i);
        }
      }
      if (pool.size() == 0) break;
      constexpr int kWaitMilliseconds = 50;
      if (options_.while_waiting) options_.while_waiting();
      for (const auto& [number, outcome] : pool.wait(kWaitMilliseconds)) {
        outcome.throw_failure();
        const auto most = static_cast<std::size_t>(options_.most_runs);
        searches_[number / most].take(number % most, from_message<ProbeRun>(outcome.text));
      }
    }
    std::vector<Capacity> results;
    results.reserve(searches_.size());
    for (const Search& search : searches_) {
      Capacity& result = results.emplace_back(search.result());
      for (CapacityProbe& probe : result.probes) {
        for (std::size_t s = 0; s < services_.size(); ++s) probe.services[s].service = services_[s];
      }
    }
    return results;
  }

 private:
  void start(ChildPool& pool, std::size_t i) {
    const std::size_t number = searches_[i].start_run();
    pool.start(i * static_cast<std::size_t>(options_.most_runs) + number, [this, i, number] {
      return to_message(simulate_run(searches_[i], static_cast<int>(number)));
    });
  }

  [[nodiscard]] ProbeRun simulate_run(const Search& search, int number) const {
    Node document = with_capacity_value(document_, options_.key, search.value(), options_.whole);
    const std::uint64_t seed = replication_seed(replication_seed(seed_, search.result().seed), number);
    set_value(document, "seed", Node::integer(static_cast<long long>(seed)), {"the run's seed", 0, 0});
    RunConfig config = read_run_config(document, cache_);
    config.compute_bounds = false;
    settle(config, config.systems[search.system()]);  // its warm-up may be automatic
    MeasuredLatencies measured(config);
    const RunStatistics statistics =
        simulate(config, config.systems[search.system()],
                 {.driver = bulk_driver(options_.driver, config.uplink), .observers = {&measured}});
    const bool any_saturated =
        statistics.saturated || std::ranges::any_of(statistics.services, &RunStatistics::saturated);
    return {.services = measured.runs(search.long_s(), options_.violation_rate),
            .throughput_hz = statistics[StatisticId::throughput],
            .energy_per_request_j = statistics[StatisticId::energy_per_request],
            .average_power_w = statistics[StatisticId::average_power],
            .mean_latency_s = statistics[StatisticId::mean_latency],
            .requests = statistics[StatisticId::requests],
            .saturated = any_saturated};
  }

  const Node& document_;
  std::uint64_t seed_;
  const CapacityOptions& options_;
  ModelCache& cache_;
  std::vector<std::string> services_;  // with an SLO
  std::vector<Search> searches_;
};

/// The part of all requests that are for the service of those with an SLO that has the least; 1 where it is
/// not known before the run.
double least_share(const RunConfig& config) {
  double least = 1;
  for (std::size_t service = 0; service < config.services.size(); ++service) {
    if (!has_slo(config.services[service])) continue;
    least = std::fmin(least, config.devices.mean_rate_hz(service) / config.devices.mean_rate_hz());
  }
  return least;
}

void check(const RunConfig& config, const CapacityOptions& options) {
  if (!any_slo(config.services)) {
    throw InputError("capacity needs an SLO: slo.latency_ms or slo.unloaded_multiple");
  }
  bulk_driver(options.driver, config.uplink);  // throws where it can't be
  const auto requests = config.known_requests();
  if (!requests) return;
  const std::uint64_t least = least_requests(0, options.violation_rate, confidence_of_a_look(options));
  const std::uint64_t measured = *requests - std::min(*requests, config.warmup_requests);
  const double of_a_service = static_cast<double>(measured) * least_share(config);
  if (of_a_service * options.most_runs < static_cast<double>(least)) {
    throw InputError("capacity: " + std::to_string(options.most_runs) + " runs of " +
                     io::shortest(std::floor(of_a_service)) + " measured requests " +
                     (config.services.size() > 1 ? "of a service " : "") + "can show nothing; at least " +
                     std::to_string(least) + " requests are needed in all");
  }
}

}  // namespace

const ServiceLateness& CapacityProbe::worst() const {
  return *std::ranges::max_element(services, {}, &ServiceLateness::late_share);
}

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::holds:
      return "holds";
    case Verdict::fails:
      return "fails";
    case Verdict::open:
      return "open";
  }
  return "";
}

const CapacityProbe* Capacity::best() const {
  for (const CapacityProbe& probe : probes) {
    if (probe.verdict == Verdict::holds && probe.value == value) return &probe;
  }
  return nullptr;
}

double Capacity::fails_from() const {
  double lowest = std::numeric_limits<double>::quiet_NaN();
  for (const CapacityProbe& probe : probes) {
    if (probe.verdict == Verdict::fails) lowest = std::fmin(lowest, probe.value);
  }
  return lowest;
}

std::size_t Capacity::open_loads() const {
  return static_cast<std::size_t>(std::ranges::count(probes, Verdict::open, &CapacityProbe::verdict));
}

std::size_t Capacity::runs() const {
  std::size_t runs = 0;
  for (const CapacityProbe& probe : probes) runs += probe.runs;
  return runs;
}

std::vector<Capacity> find_capacities(const Node& document, const CapacityOptions& options) {
  ModelCache cache;
  check_capacity_key(document, options.key);
  const RunConfig config = read_run_config(document, cache);
  if (!config.until.empty()) {
    throw InputError(
        document.find("until")->mark,
        "capacity has no use for 'until': it runs each load again until its verdict is sure. Give "
        "the length of one run instead, such as --set requests=100000");
  }
  check(config, options);
  const double start = capacity_start(document, options.key, options.whole);
  return Searches(document, config, start, options, cache).run();
}

}  // namespace fluidbatch::sim
