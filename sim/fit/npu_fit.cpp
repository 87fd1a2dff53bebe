#include "sim/fit/npu_fit.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <map>
#include <memory>
#include <nlopt.h>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "workloads/io/text_number.h"
#include "workloads/random.h"

namespace fluidbatch::sim {
namespace {

constexpr double kFarthest = 1e4;       // factor from its start to the last value of a key without limits
constexpr double kRefused = 1e30;       // the error of an NPU that can't be built, or can't run a row
constexpr std::size_t kDescents = 8;    // from the best points of the grid
constexpr int kMostEvaluations = 2000;  // of one descent

double exponential(double x) { return x > 0 ? 1 / workloads::portable_exp(-x) : workloads::portable_exp(x); }

/// A free key as the search sees it: a coordinate in which equal steps are equal factors.
class Coordinate {
 public:
  Coordinate(const NpuKey& key, double start) : key_(&key), start_(start) {
    low_ = key.min > 0 || key.whole ? key.min : start / kFarthest;
    high_ = std::min(key.max, key.whole ? key.max : start * kFarthest);
  }

  [[nodiscard]] const NpuKey& key() const { return *key_; }
  [[nodiscard]] double start() const { return start_; }
  [[nodiscard]] double low() const { return low_; }
  [[nodiscard]] double high() const { return high_; }

  [[nodiscard]] double position(double value) const { return workloads::portable_log(value + offset()); }
  [[nodiscard]] double value(double position) const { return allowed(exponential(position) - offset()); }

  /// The nearest value that the key takes: whole, or of six digits, which read well.
  [[nodiscard]] double allowed(double value) const {
    value = std::clamp(value, low_, high_);
    if (key_->whole) return std::round(value);
    return io::parse_number(fmt::format("{:.5e}", value)).value_or(value);
  }

  /// Values over several decades, the start first.
  [[nodiscard]] std::vector<double> grid(bool coarse) const {
    std::vector<double> values{start_};
    const auto add = [&](double value) {
      value = allowed(value);
      if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    };
    if (key_->min == 0 && key_->whole) {
      for (const double each : {0.0, 30.0, 1000.0, 30e3}) add(each);
    } else {
      for (const double factor : {1 / 8.0, 8.0}) add(start_ * factor);
      if (!coarse) {
        for (const double factor : {1 / 64.0, 64.0}) add(start_ * factor);
      }
    }
    return values;
  }

 private:
  /// A key that may be 0 counts from 1.
  [[nodiscard]] double offset() const { return key_->min == 0 && key_->whole ? 1 : 0; }

  const NpuKey* key_;
  double start_;
  double low_;
  double high_;
};

/// The mean square of log(modelled / measured), as a function of the free values.
class Objective {
 public:
  Objective(std::vector<MeasuredLayer> rows, const FitSettings& settings, const npu::Poll& poll)
      : rows_(std::move(rows)), settings_(settings), poll_(poll) {
    for (const NpuKey* key : settings.free) {
      coordinates_.emplace_back(*key, key->get(rows_.front().npu));
      const std::string_view name = key->name;
      if (name == "on_chip_bytes" || name == "weight_buffer_words" || name == "output_tiles") {
        may_be_invalid_ = true;
      }
    }
    if (settings.board) may_be_invalid_ = true;
    for (const MeasuredLayer& row : rows_) {
      std::vector<npu::BatchPolicy>& policies = policies_[{row.batch, row.npu.k_max}];
      if (policies.empty()) policies = npu::candidates(settings.mode, row.npu, row.batch);
      policies_of_row_.push_back(&policies);
    }
  }

  [[nodiscard]] const std::vector<Coordinate>& coordinates() const { return coordinates_; }

  double operator()(const std::vector<double>& values) {
    double sum = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (poll_) poll_();
      MeasuredLayer& row = rows_[i];
      for (std::size_t k = 0; k < values.size(); ++k) settings_.free[k]->set(row.npu, values[k]);
      if (may_be_invalid_ && !is_valid(row.npu)) return kRefused;
      const double cycles =
          npu::choose(settings_.mode, *policies_of_row_[i], row.layer, row.npu, row.batch).latency_cycles;
      if (!std::isfinite(cycles)) return kRefused;
      const double modelled = settings_.unit == LatencyUnit::cycles ? cycles : cycles / row.npu.clock_hz;
      if (modelled <= 0) return kRefused;
      const double error = workloads::portable_log(modelled / row.measured);
      sum += error * error;
    }
    return sum / static_cast<double>(rows_.size());
  }

 private:
  [[nodiscard]] bool is_valid(const npu::Npu& npu) const {
    try {
      npu::validate(npu);
      if (settings_.board) npu::require_fits(npu, *settings_.board);
    } catch (const std::invalid_argument&) {
      return false;
    }
    return true;
  }

  std::vector<MeasuredLayer> rows_;
  const FitSettings& settings_;
  const npu::Poll& poll_;
  std::vector<Coordinate> coordinates_;
  std::map<std::pair<int, int>, std::vector<npu::BatchPolicy>> policies_;  // by batch and k_max
  std::vector<const std::vector<npu::BatchPolicy>*> policies_of_row_;
  bool may_be_invalid_ = false;
};

struct Point {
  std::vector<double> values;
  double error = kRefused;
};

/// All combinations of the coordinates' grids, by error; the start is the first of equals.
std::vector<Point> grid_points(Objective& objective) {
  const std::vector<Coordinate>& coordinates = objective.coordinates();
  std::vector<std::vector<double>> grids;
  grids.reserve(coordinates.size());
  for (const Coordinate& each : coordinates) grids.push_back(each.grid(coordinates.size() > 3));
  std::vector<Point> points;
  std::vector<std::size_t> index(grids.size(), 0);
  for (bool more = true; more;) {
    Point point;
    for (std::size_t k = 0; k < grids.size(); ++k) point.values.push_back(grids[k][index[k]]);
    point.error = objective(point.values);
    points.push_back(std::move(point));
    more = false;
    for (std::size_t k = 0; k < grids.size() && !more; ++k) {
      more = ++index[k] < grids[k].size();
      if (!more) index[k] = 0;
    }
  }
  std::stable_sort(points.begin(), points.end(),
                   [](const Point& a, const Point& b) { return a.error < b.error; });
  return points;
}

/// What NLopt calls back for. An exception must not pass through its C: it waits here.
struct Descent {
  Objective& objective;
  nlopt_opt optimizer;
  Point best;
  std::exception_ptr failure;

  static double evaluate(unsigned n, const double* x, double* /*gradient*/, void* data) {
    auto& descent = *static_cast<Descent*>(data);
    try {
      std::vector<double> values;
      for (unsigned k = 0; k < n; ++k) {
        values.push_back(descent.objective.coordinates()[k].value(x[k]));
      }
      const double error = descent.objective(values);
      if (error < descent.best.error) descent.best = {std::move(values), error};
      return error;
    } catch (...) {
      descent.failure = std::current_exception();
      nlopt_force_stop(descent.optimizer);
      return kRefused;
    }
  }
};

/// Downhill from `start` by Rowan's Subplex, which needs no derivatives: the error has kinks where another
/// bound or residency takes over, and steps where values are whole.
Point descend(Objective& objective, const Point& start) {
  const std::vector<Coordinate>& coordinates = objective.coordinates();
  const auto dimensions = static_cast<unsigned>(coordinates.size());
  const std::unique_ptr<nlopt_opt_s, void (*)(nlopt_opt)> optimizer(nlopt_create(NLOPT_LN_SBPLX, dimensions),
                                                                    nlopt_destroy);
  if (optimizer == nullptr) throw std::bad_alloc();
  std::vector<double> low;
  std::vector<double> high;
  std::vector<double> x;
  for (std::size_t k = 0; k < coordinates.size(); ++k) {
    low.push_back(coordinates[k].position(coordinates[k].low()));
    high.push_back(coordinates[k].position(coordinates[k].high()));
    x.push_back(std::clamp(coordinates[k].position(start.values[k]), low.back(), high.back()));
  }
  Descent descent{objective, optimizer.get(), start, nullptr};
  nlopt_set_min_objective(optimizer.get(), Descent::evaluate, &descent);
  nlopt_set_lower_bounds(optimizer.get(), low.data());
  nlopt_set_upper_bounds(optimizer.get(), high.data());
  nlopt_set_initial_step1(optimizer.get(), 0.5);
  nlopt_set_xtol_abs1(optimizer.get(), 1e-7);
  nlopt_set_maxeval(optimizer.get(), kMostEvaluations);
  double least = 0;
  nlopt_optimize(optimizer.get(), x.data(), &least);  // where it ends early, the best point counts
  if (descent.failure) std::rethrow_exception(descent.failure);
  return descent.best;
}

/// Steps along one coordinate at a time, halved until nothing gets better: at the end by 1 where values are
/// whole, and by one in the sixth digit elsewhere.
void polish(Objective& objective, Point& point) {
  constexpr double kFirst = 0.125;
  constexpr double kLast = 1e-6;
  constexpr int kMostRounds = 400;
  double step = kFirst;
  const std::vector<Coordinate>& coordinates = objective.coordinates();
  for (int round = 0; round < kMostRounds && step >= kLast; ++round) {
    bool better = false;
    for (std::size_t k = 0; k < coordinates.size(); ++k) {
      const double value = point.values[k];
      const double width = coordinates[k].key().whole ? std::max(1.0, value * step) : value * step;
      for (const double next : {value - width, value + width}) {
        Point other = point;
        other.values[k] = coordinates[k].allowed(next);
        if (other.values[k] == point.values[k]) continue;
        other.error = objective(other.values);
        if (other.error >= point.error) continue;
        point = std::move(other);
        better = true;
      }
    }
    if (!better) step /= 2;
  }
}

bool matters(Objective& objective, const Point& best, std::size_t k) {
  const Coordinate& coordinate = objective.coordinates()[k];
  const double value = best.values[k];
  const double more = coordinate.key().whole ? 1 : value;
  const auto differs = [&](double other) {
    Point point = best;
    point.values[k] = coordinate.allowed(other);
    return point.values[k] != value && objective(point.values) != best.error;
  };
  return differs(value / 2) || differs(value * 2 + (value == 0 ? more : 0));
}

}  // namespace

Prediction predict(const MeasuredLayer& row, npu::Mode mode, LatencyUnit unit) {
  const std::vector<npu::BatchPolicy> policies = npu::candidates(mode, row.npu, row.batch);
  const npu::Choice choice = npu::choose(mode, policies, row.layer, row.npu, row.batch);
  const npu::LayerCost cost = npu::layer_cost(row.layer, row.npu, row.batch, choice.policy);
  return {.modelled =
              unit == LatencyUnit::cycles ? choice.latency_cycles : choice.latency_cycles / row.npu.clock_hz,
          .bound = cost.bound,
          .residency = choice.policy.residency};
}

std::int64_t candidates_of(std::span<const MeasuredLayer> rows, npu::Mode mode) {
  std::map<std::pair<int, int>, std::size_t> known;
  std::int64_t all = 0;
  for (const MeasuredLayer& row : rows) {
    const auto [entry, is_new] = known.try_emplace({row.batch, row.npu.k_max}, 0);
    if (is_new) entry->second = npu::candidates(mode, row.npu, row.batch).size();
    all += static_cast<std::int64_t>(entry->second);
  }
  return all;
}

bool may_start(const NpuKey& key, double value) {
  constexpr double kMost = 1e100;
  return key.whole ? value >= key.min && value <= key.max : value >= 1 / kMost && value <= kMost;
}

Fit fit_npu(std::vector<MeasuredLayer> rows, const FitSettings& settings, const npu::Poll& poll) {
  Objective objective(std::move(rows), settings, poll);
  std::vector<Point> starts = grid_points(objective);
  Point start;
  for (const Coordinate& each : objective.coordinates()) start.values.push_back(each.start());
  start.error = objective(start.values);
  starts.resize(std::min(starts.size(), kDescents));
  starts.push_back(start);

  Point best = start;
  for (const Point& each : starts) {
    if (each.error >= kRefused) continue;
    const Point found = descend(objective, each);
    if (found.error < best.error) best = found;
  }
  polish(objective, best);

  Fit fit{.values = best.values,
          .rms_log_error = std::sqrt(best.error),
          .rms_log_error_at_start = std::sqrt(start.error),
          .matters = {},
          .at_limit = {}};
  for (std::size_t k = 0; k < best.values.size(); ++k) {
    const Coordinate& coordinate = objective.coordinates()[k];
    fit.matters.push_back(matters(objective, best, k));
    fit.at_limit.push_back(best.values[k] == coordinate.allowed(coordinate.low()) ||
                           best.values[k] == coordinate.allowed(coordinate.high()));
  }
  return fit;
}

}  // namespace fluidbatch::sim
