#include "sim/sweep/sweep_run.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <ctime>
#include <limits>
#include <map>
#include <queue>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "sim/child_process.h"
#include "sim/config/model_cache.h"
#include "sim/config/overrides.h"
#include "sim/simulation.h"
#include "sim/statistics_transfer.h"
#include "sim/sweep/confidence.h"
#include "sim/sweep/results_file.h"

namespace fluidbatch::sim {
namespace {

/// One system under one setting: the same point but for its replications.
struct Pair {
  std::size_t setting = 0;
  std::size_t system = 0;  ///< of the configuration
  std::string label;
  std::uint64_t seed = 0;  ///< of the configuration
  std::int64_t first_point = 0;
  double requests = 0;         ///< expected
  double cost = 0;             ///< expected, in any unit
  std::vector<double> values;  ///< of the statistic that `until` looks at, replication by replication
};

/// Steps of the server per request, roughly, by what its policy wants to see.
double cost_per_request(const RunConfig& config, const SystemConfig& system) {
  constexpr double kBatch = 1;
  constexpr double kSegment = 2;
  constexpr double kLayer = 4;
  switch (system.policy->make(system.parameters, config.policy_context())->boundary()) {
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

/// All pairs of all settings in their order, with the numbers of their points; then only those of the shard.
std::vector<Pair> plan(const Sweep& sweep, const Shard& shard, ModelCache& cache) {
  std::vector<Pair> pairs;
  std::int64_t point = 0;
  std::size_t number = 0;
  for (std::size_t s = 0; s < sweep.settings.size(); ++s) {
    const RunConfig config = read_run_config(sweep.configuration(s), cache);
    const double requests = expected_requests(config);
    for (std::size_t i = 0; i < config.systems.size(); ++i) {
      if (number++ % shard.count == shard.index) {
        const double cost =
            (std::isnan(requests) ? 1 : requests) * cost_per_request(config, config.systems[i]);
        pairs.push_back({.setting = s,
                         .system = i,
                         .label = config.systems[i].label,
                         .seed = config.seed,
                         .first_point = point,
                         .requests = requests,
                         .cost = cost,
                         .values = {}});
      }
      point += sweep.replications.most;
    }
  }
  return pairs;
}

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

/// Runs one point, in a child; what it sends back.
std::string simulate_point(const Sweep& sweep, const Pair& pair, int replication, Driver driver,
                           ModelCache& cache) {
  const auto begin = std::chrono::steady_clock::now();
  io::Node document = sweep.configuration(pair.setting);
  const std::uint64_t seed = replication_seed(pair.seed, replication);
  set_value(document, "seed", io::Node::integer(static_cast<long long>(seed)), {"replication", 0, 0});
  const RunConfig config = read_run_config(document, cache);
  const SystemConfig& system = config.systems[pair.system];
  const RunStatistics statistics = simulate(config, system, driver, {}, nullptr);
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  const std::array<double, 2> times{
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
      seconds(usage.ru_utime) + seconds(usage.ru_stime)};
  std::string bytes(sizeof times, '\0');
  std::memcpy(bytes.data(), times.data(), sizeof times);
  for (const std::string& text :
       {system.policy->name, system.npu_name, std::string(system.table->mode_name()), config.network.name,
        io::to_yaml(config.resolved_for(system)), to_bytes(statistics)}) {
    bytes += with_length(text);
  }
  return bytes;
}

PointResult result_from(const ChildOutcome& outcome, PointRun& run) {
  PointResult result;
  if (outcome.kind != ChildOutcome::Kind::done) {
    result.error = outcome.text;
    return result;
  }
  std::array<double, 2> times{};
  std::memcpy(times.data(), outcome.text.data(), sizeof times);
  run.wall_s = times[0];
  run.processor_s = times[1];
  std::size_t position = sizeof times;
  result.policy = take_text(outcome.text, position);
  result.npu = take_text(outcome.text, position);
  result.npu_mode = take_text(outcome.text, position);
  result.network = take_text(outcome.text, position);
  result.configuration = take_text(outcome.text, position);
  result.statistics = from_bytes(take_text(outcome.text, position));
  return result;
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

/// The points that are still to run, and those at work.
class Schedule {
 public:
  Schedule(const Sweep& sweep, std::vector<Pair> pairs, const SweepOptions& options)
      : sweep_(sweep), pairs_(std::move(pairs)), options_(options) {}

  /// Takes over what the file has, and queues what it lacks.
  void begin(const std::map<std::int64_t, double>& finished) {
    for (std::size_t p = 0; p < pairs_.size(); ++p) {
      for (int r = 0; r < sweep_.replications.most; ++r) {
        const auto found = finished.find(pairs_[p].first_point + r);
        if (found == finished.end()) continue;
        value_of(p, r) = found->second;
        ++outcome_.before;
      }
      queue_missing(p);
    }
  }

  SweepOutcome run(ResultsFile& file, ModelCache& cache) {
    constexpr int kWaitMilliseconds = 200;
    ChildPool pool;
    while (!ready_.empty() || pool.size() > 0) {
      while (!ready_.empty() && pool.size() < static_cast<std::size_t>(options_.jobs) && !limit_reached()) {
        start(pool, cache);
      }
      if (pool.size() == 0) break;  // the limit
      for (const auto& [number, outcome] : pool.wait(kWaitMilliseconds)) record(file, number, outcome);
      report();
    }
    outcome_.left = ready_.size();
    return outcome_;
  }

 private:
  struct Ready {
    double cost;
    std::int64_t point;
    std::size_t pair;
    int replication;
    /// The longest first; of equal ones the first.
    bool operator<(const Ready& other) const {
      return cost != other.cost ? cost < other.cost : point > other.point;
    }
  };

  static constexpr double kNotRun = std::numeric_limits<double>::infinity();

  double& value_of(std::size_t pair, int replication) {
    std::vector<double>& values = pairs_[pair].values;
    if (values.size() <= static_cast<std::size_t>(replication)) {
      values.resize(static_cast<std::size_t>(replication) + 1, kNotRun);
    }
    return values[static_cast<std::size_t>(replication)];
  }

  /// How many replications are known to be needed, from the values that there are without a gap. It hangs on
  /// them alone, not on who was first.
  [[nodiscard]] int needed(std::size_t pair) const {
    const Replications& replications = sweep_.replications;
    const std::vector<double>& values = pairs_[pair].values;
    for (int n = replications.least; n < replications.most; ++n) {
      const auto count = static_cast<std::size_t>(n);
      const auto begin = values.begin();
      const bool all = values.size() >= count && std::find(begin, begin + n, kNotRun) == begin + n;
      if (!all) return n;
      const Interval interval = mean_interval(std::span(values).first(count));
      if (interval.half_width <= replications.relative_ci * std::abs(interval.mean)) return n;
    }
    return replications.most;
  }

  void queue_missing(std::size_t pair) {
    const int wanted = needed(pair);
    for (int r = queued_[pair]; r < wanted; ++r) {
      queued_[pair] = r + 1;
      if (value_of(pair, r) != kNotRun) continue;
      ready_.push({pairs_[pair].cost, pairs_[pair].first_point + r, pair, r});
      cost_planned_ += pairs_[pair].cost;
      ++planned_;
    }
  }

  [[nodiscard]] bool limit_reached() const { return options_.limit && started_ >= *options_.limit; }

  void start(ChildPool& pool, ModelCache& cache) {
    const Ready next = ready_.top();
    ready_.pop();
    ++started_;
    at_work_.emplace(static_cast<std::size_t>(next.point), std::pair(next, utc_now()));
    const Pair& pair = pairs_[next.pair];
    pool.start(static_cast<std::size_t>(next.point), [this, &pair, &cache, r = next.replication] {
      std::string bytes = simulate_point(sweep_, pair, r, options_.driver, cache);
      const std::int64_t process = ::getpid();
      bytes.append(reinterpret_cast<const char*>(&process), sizeof process);
      return bytes;
    });
  }

  void record(ResultsFile& file, std::size_t number, const ChildOutcome& outcome) {
    const auto found = at_work_.find(number);
    const Ready& ready = found->second.first;
    const Pair& pair = pairs_[ready.pair];
    PointRun run{.host = host_, .process = 0, .started = found->second.second, .wall_s = 0, .processor_s = 0};
    if (outcome.kind == ChildOutcome::Kind::done) {
      std::memcpy(&run.process, outcome.text.data() + outcome.text.size() - sizeof run.process,
                  sizeof run.process);
    }
    const PointResult result = result_from(outcome, run);
    file.add({.number = ready.point,
              .setting = pair.setting,
              .system = pair.label,
              .replication = ready.replication,
              .seed = replication_seed(pair.seed, ready.replication)},
             result, run);
    ++outcome_.run;
    cost_done_ += pair.cost;
    if (result.error.empty()) {
      value_of(ready.pair, ready.replication) =
          result.statistics[sweep_.replications.of.value_or(StatisticId::requests)];
      queue_missing(ready.pair);
    } else {
      ++outcome_.failed;
    }
    at_work_.erase(found);
  }

  void report() const {
    if (!options_.progress) return;
    options_.progress({.done = outcome_.run,
                       .planned = planned_,
                       .failed = outcome_.failed,
                       .cost_done = cost_planned_ > 0 ? cost_done_ / cost_planned_ : 1});
  }

  const Sweep& sweep_;
  std::vector<Pair> pairs_;
  const SweepOptions& options_;
  std::string host_ = host_name();
  std::priority_queue<Ready> ready_;
  std::vector<int> queued_ = std::vector<int>(pairs_.size());
  std::map<std::size_t, std::pair<Ready, std::string>> at_work_;
  std::size_t started_ = 0;
  std::size_t planned_ = 0;
  double cost_planned_ = 0;
  double cost_done_ = 0;
  SweepOutcome outcome_;
};

}  // namespace

SweepPlan plan_sweep(const Sweep& sweep, const Shard& shard) {
  ModelCache cache;
  SweepPlan result;
  const std::vector<Pair> pairs = plan(sweep, shard, cache);
  result.settings = sweep.settings.size();
  result.pairs = pairs.size();
  result.points = pairs.size() * static_cast<std::size_t>(sweep.replications.least);
  for (const Pair& pair : pairs) result.requests += pair.requests * sweep.replications.least;
  return result;
}

SweepOutcome run_sweep(const Sweep& sweep, const std::filesystem::path& file, const SweepOptions& options) {
  ModelCache cache;  // filled by the plan, so that children find in it all that they need
  Schedule schedule(sweep, plan(sweep, options.shard, cache), options);
  const bool there = options.resume && std::filesystem::exists(file);
  ResultsFile results = there ? ResultsFile::open(file, sweep) : ResultsFile::create(file, sweep);
  schedule.begin(results.finished(sweep.replications.of.value_or(StatisticId::requests)));
  const SweepOutcome outcome = schedule.run(results, cache);
  results.close();
  return outcome;
}

}  // namespace fluidbatch::sim
