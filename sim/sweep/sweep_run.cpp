#include "sim/sweep/sweep_run.h"

#include <array>
#include <cmath>
#include <ctime>
#include <map>
#include <queue>
#include <span>
#include <unistd.h>
#include <utility>
#include <vector>

#include "sim/config/model_cache.h"
#include "sim/drive/child_process.h"
#include "sim/drive/stop_signals.h"
#include "sim/sweep/results_file.h"
#include "sim/sweep/sweep_point.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

/// A pair takes some 150 bytes until it has been run.
constexpr std::size_t kMostPairs = 20'000'000;

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

/// What a plan has found, and all that children need.
struct Plan {
  Plan(const Sweep& sweep_to_run, const SweepOptions& options)
      : sweep(sweep_to_run), reader(sweep, cache, options.driver) {
    const io::FilesRead read;
    const auto keep = [this](const Pair& pair) {
      if (pairs.size() == kMostPairs) {
        throw io::InputError("the sweep has more than " + std::to_string(kMostPairs) +
                             " pairs of setting and system, the most that one process can run; run it in "
                             "parts, such as --shard 1/10");
      }
      pairs.push_back(pair);
    };
    provenance.sweep = sweep.identity();
    provenance.pairs = for_each_pair(sweep, options.shard, reader, keep, options.planning);
    files = read.hashes();
    provenance.files = portable_names(files);
  }

  [[nodiscard]] const std::string& label(const Pair& pair) {
    return (*reader.read(pair.setting).systems)[pair.system].label;
  }

  const Sweep& sweep;
  ModelCache cache;
  SettingReader reader;
  std::vector<Pair> pairs;
  io::FileHashes files;
  Provenance provenance;
};

/// The points that are still to run, and those at work.
class Schedule {
 public:
  Schedule(Plan& plan, const SweepOptions& options) : plan_(plan), options_(options) {}

  /// Takes over what the file has, and queues what it lacks.
  void begin(const std::map<std::int64_t, double>& finished) {
    const int most = plan_.sweep.replications.most;
    for (std::size_t p = 0; p < plan_.pairs.size(); ++p) {
      const std::int64_t first = plan_.pairs[p].first_point;
      for (auto point = finished.lower_bound(first); point != finished.end() && point->first < first + most;
           ++point) {
        value_of(p, static_cast<int>(point->first - first)) = point->second;
        ++outcome_.before;
      }
      queue_missing(p);
    }
  }

  /// `signals` may be null.
  SweepOutcome run(ResultsFile& file, const StopSignals* signals) {
    constexpr int kWaitMilliseconds = 50;
    const auto received = [signals] { return signals == nullptr ? 0 : signals->received(); };
    ChildPool pool;
    while ((!ready_.empty() || pool.size() > 0) && received() == 0) {
      while (!ready_.empty() && pool.size() < static_cast<std::size_t>(options_.jobs) && !limit_reached()) {
        if (!start(pool)) break;
      }
      if (pool.size() == 0) break;  // the limit
      for (const auto& [number, outcome] : pool.wait(kWaitMilliseconds)) record(file, number, outcome);
      report();
    }
    outcome_.left = ready_.size() + at_work_.size();
    outcome_.stopped_by = received();
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

  double& value_of(std::size_t pair, int replication) {
    std::vector<double>& values = values_[pair];
    if (values.size() <= static_cast<std::size_t>(replication)) {
      values.resize(static_cast<std::size_t>(replication) + 1, kNotRun);
    }
    return values[static_cast<std::size_t>(replication)];
  }

  void queue_missing(std::size_t pair) {
    const double cost = plan_.pairs[pair].cost;
    const int wanted = needed_replications(plan_.sweep.replications, values_[pair]);
    for (int r = queued_[pair]; r < wanted; ++r) {
      queued_[pair] = r + 1;
      if (static_cast<std::size_t>(r) < values_[pair].size() && value_of(pair, r) != kNotRun) continue;
      ready_.push({cost, plan_.pairs[pair].first_point + r, pair, r});
      cost_planned_ += cost;
      ++planned_;
    }
  }

  [[nodiscard]] bool limit_reached() const { return options_.limit && started_ >= *options_.limit; }

  /// False where the system has no room for one more process now.
  bool start(ChildPool& pool) {
    const Ready next = ready_.top();
    const auto number = static_cast<std::size_t>(next.point);
    const bool started = pool.try_start(number, [&] {
      return simulate_point({.sweep = plan_.sweep,
                             .pair = plan_.pairs[next.pair],
                             .replication = next.replication,
                             .driver = options_.driver,
                             .files = plan_.files},
                            plan_.cache);
    });
    if (!started) return false;
    ready_.pop();
    ++started_;
    at_work_.emplace(number, std::pair(next, utc_now()));
    return true;
  }

  void record(ResultsFile& file, std::size_t number, const ChildOutcome& outcome) {
    const auto found = at_work_.find(number);
    const Ready ready = found->second.first;
    const Pair& pair = plan_.pairs[ready.pair];
    PointRun run{.host = host_, .process = 0, .started = found->second.second, .wall_s = 0, .processor_s = 0};
    const PointResult result = point_result(outcome, run);
    file.add({.number = ready.point,
              .setting = pair.setting,
              .system = plan_.label(pair),
              .replication = ready.replication,
              .seed = replication_seed(pair.seed, ready.replication)},
             result, run);
    at_work_.erase(found);
    ++outcome_.run;
    cost_done_ += pair.cost;
    if (!result.error.empty()) {
      ++outcome_.failed;
      return;
    }
    value_of(ready.pair, ready.replication) =
        result.statistics[plan_.sweep.replications.of.value_or(StatisticId::requests)];
    queue_missing(ready.pair);
  }

  void report() const {
    if (!options_.progress) return;
    options_.progress({.done = outcome_.run,
                       .planned = planned_,
                       .failed = outcome_.failed,
                       .cost_done = cost_planned_ > 0 ? cost_done_ / cost_planned_ : 1});
  }

  Plan& plan_;
  const SweepOptions& options_;
  std::string host_ = host_name();
  std::priority_queue<Ready> ready_;
  std::vector<std::vector<double>> values_{plan_.pairs.size()};  // of `until`, replication by replication
  std::vector<int> queued_ = std::vector<int>(plan_.pairs.size());
  std::map<std::size_t, std::pair<Ready, std::string>> at_work_;
  std::size_t started_ = 0;
  std::size_t planned_ = 0;
  double cost_planned_ = 0;
  double cost_done_ = 0;
  SweepOutcome outcome_;
};

}  // namespace

SweepPlan plan_sweep(const Sweep& sweep, const SweepOptions& options) {
  ModelCache cache;
  SettingReader reader(sweep, cache, options.driver);
  SweepPlan result{.settings = sweep.settings(), .pairs = 0, .points = 0, .requests = 0};
  const auto replications = static_cast<std::size_t>(sweep.replications.least);
  const auto count = [&](const Pair& pair) {
    ++result.pairs;
    result.points += replications;
    result.requests += pair.requests * static_cast<double>(replications);
  };
  for_each_pair(sweep, options.shard, reader, count, options.planning);
  return result;
}

void require_place_for_results(const std::filesystem::path& file, bool resume, const OutWords& words) {
  std::error_code ignored;  // what can't be looked at can't be opened either, which says why
  const std::filesystem::file_status status = std::filesystem::status(file, ignored);
  if (std::filesystem::is_directory(status)) {
    throw io::InputError({.source = words.out, .line = 0, .column = 0},
                         file.string() + " is a folder; a file is needed");
  }
  if (!resume && std::filesystem::exists(status)) {
    throw io::InputError(file.string() + ": already exists; " + words.resume + " goes on with it");
  }
}

SweepOutcome run_sweep(const Sweep& sweep, const std::filesystem::path& file, const SweepOptions& options) {
  Plan plan(sweep, options);  // reads all that children need, so that they find it in memory
  Schedule schedule(plan, options);
  std::optional<StopSignals> signals;
  if (options.answers_signals) signals.emplace();  // before there is a file that they could leave unfinished
  std::error_code ignored;                         // what is wrong with the file is said where it is opened
  const bool is_there = options.resume && std::filesystem::exists(file, ignored);
  ResultsFile results = is_there ? ResultsFile::open(file, sweep, plan.provenance)
                                 : ResultsFile::create(file, sweep, plan.provenance);
  schedule.begin(results.finished(sweep.replications.of.value_or(StatisticId::requests)));
  try {
    const SweepOutcome outcome = schedule.run(results, signals ? &*signals : nullptr);
    results.close();
    return outcome;
  } catch (...) {
    try {
      results.close();
    } catch (const io::InputError&) {  // what has gone wrong first counts
    }
    throw;
  }
}

}  // namespace fluidbatch::sim
