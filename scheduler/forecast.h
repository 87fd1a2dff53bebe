// What a preemption is expected to cost and gain, for policies that weigh one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "scheduler/expected_latency.h"
#include "scheduler/view.h"

namespace fluidbatch::scheduler {

/// q: the probability to go on past each exit, for the rates of the early ones.
inline std::vector<double> go_on_of(const std::vector<double>& exit_rates) {
  std::vector<double> go_on;
  go_on.reserve(exit_rates.size() + 1);
  for (const double rate : exit_rates) go_on.push_back(1 - rate);
  go_on.push_back(1);  // after the last segment: never asked for anything that matters
  return go_on;
}

/// Expected course of a group of samples through layers.
struct Course {
  double duration_s = 0;  ///< T: until the last layer has run
  double mean_s = 0;      ///< F: expected time in it of one sample of the group
  double left = 0;        ///< e: expected number of samples that go on after it
};

/// The expectations of one decision: a function of how many samples reach each segment.
class Forecast {
 public:
  Forecast(const npu::BatchPolicyTable& table, const std::vector<double>& go_on)
      : table_(table), go_on_(go_on) {}

  /// `count` samples through layers first .. last - 1, leaving at the known rates at the ends of segments.
  [[nodiscard]] Course run(double count, int first, int last) const {
    Course course{.duration_s = 0, .mean_s = 0, .left = count};
    double share = 1;
    for_each_segment(first, last, [&](int segment, int begin, int end, bool whole_end) {
      add(course, begin, end, share);
      if (!whole_end) return;
      course.left *= go_on_[static_cast<std::size_t>(segment)];
      share *= go_on_[static_cast<std::size_t>(segment)];
    });
    return course;
  }

  /// The same for samples whose exits are known.
  [[nodiscard]] Course run(const std::vector<int>& exits, int first, int last) const {
    const auto count = static_cast<double>(exits.size());
    Course course{.duration_s = 0, .mean_s = 0, .left = count};
    for_each_segment(first, last, [&](int segment, int begin, int end, bool whole_end) {
      if (count > 0) add(course, begin, end, course.left / count);
      if (!whole_end) return;
      course.left = static_cast<double>(
          std::count_if(exits.begin(), exits.end(), [segment](int exit) { return exit > segment; }));
    });
    return course;
  }

 private:
  /// Calls `visit` with each segment's part of layers first .. last - 1, and whether it goes to the segment's
  /// end.
  template <typename Visit>
  void for_each_segment(int first, int last, const Visit& visit) const {
    while (first < last) {
      const int segment = table_.segment_of(first);
      const int end = table_.segment_begin(segment + 1);
      visit(segment, first, std::min(end, last), end <= last);
      first = end;
    }
  }

  void add(Course& course, int begin, int end, double share) const {
    const double latency_s = expected_latency_s(table_, begin, end, course.left);
    course.duration_s += latency_s;
    course.mean_s += share * latency_s;
  }

  const npu::BatchPolicyTable& table_;
  const std::vector<double>& go_on_;
};

/// Expected courses of whole samples, by the distribution of how many are left: where latencies climb in
/// steps, they are not those of the expected number.
class ExactForecast {
 public:
  /// Probabilities of 0, 1, .. samples.
  using Counts = std::vector<double>;

  ExactForecast(const npu::BatchPolicyTable& table, const std::vector<double>& go_on)
      : table_(table), go_on_(go_on) {}

  /// So many, for sure.
  static Counts exactly(std::size_t samples) {
    Counts counts(samples + 1);
    counts.back() = 1;
    return counts;
  }
  /// Of both together.
  static Counts sum(const Counts& a, const Counts& b) {
    Counts sum(a.size() + b.size() - 1);
    for (std::size_t i = 0; i < a.size(); ++i) {
      for (std::size_t j = 0; j < b.size(); ++j) sum[i + j] += a[i] * b[j];
    }
    return sum;
  }

  /// As Forecast::run; `counts` become those of the samples that are left.
  [[nodiscard]] Course run(Counts& counts, int first, int last) const {
    Course course{.duration_s = 0, .mean_s = 0, .left = mean(counts)};
    double share = 1;
    while (first < last) {
      const int segment = table_.segment_of(first);
      const int end = table_.segment_begin(segment + 1);
      const double latency_s = expected_s(counts, first, std::min(end, last));
      course.duration_s += latency_s;
      course.mean_s += share * latency_s;
      if (end <= last) {
        const double go_on = go_on_[static_cast<std::size_t>(segment)];
        counts = thinned(counts, go_on);
        course.left *= go_on;
        share *= go_on;
      }
      first = end;
    }
    return course;
  }
  /// The same of a known number of samples.
  [[nodiscard]] Course run(std::size_t samples, int first, int last) const {
    Counts counts = exactly(samples);
    return run(counts, first, last);
  }

 private:
  static double mean(const Counts& counts) {
    double mean = 0;
    for (std::size_t i = 1; i < counts.size(); ++i) mean += static_cast<double>(i) * counts[i];
    return mean;
  }
  [[nodiscard]] double expected_s(const Counts& counts, int first, int last) const {
    double latency_s = 0;
    for (std::size_t i = 1; i < counts.size(); ++i)
      latency_s += counts[i] * table_.latency_s(first, last, static_cast<int>(i));
    return latency_s;
  }
  /// Each sample stays with probability `go_on`, one after another.
  static Counts thinned(const Counts& counts, double go_on) {
    Counts left(counts.size());
    Counts binomial{1};  // of the samples that `count` is of
    for (const double count : counts) {
      for (std::size_t j = 0; j < binomial.size(); ++j) left[j] += count * binomial[j];
      binomial = sum(binomial, {1 - go_on, go_on});
    }
    return left;
  }

  const npu::BatchPolicyTable& table_;
  const std::vector<double>& go_on_;
};

/// What those who wait behind a batch cost, and those who come: a fluid of requests. While the batch runs for
/// T, q wait and rate T arrive; then Q = q + rate T are served at the pace of the NPU's best batches, s
/// seconds each, while more arrive, and each spends F in a batch, that of the smallest one whose pace is
/// within a fifth of the best:
///
///     q T + rate T^2 / 2 + s Q^2 / (2 (1 - rate s)) + F Q
class Outlook {
 public:
  /// `rate_hz` of the arrivals.
  Outlook(const npu::BatchPolicyTable& table, const std::vector<double>& go_on, std::size_t max_batch,
          double rate_hz)
      : rate_hz_(rate_hz) {
    const ExactForecast forecast(table, go_on);
    constexpr std::size_t kAllUpTo = 64;  // beyond, every doubling will do
    constexpr double kNearBest = 1.2;
    std::vector<Course> courses;
    std::vector<double> paces_s;
    for (std::size_t b = 1; b <= max_batch; b = b < kAllUpTo ? b + 1 : 2 * b) {
      courses.push_back(forecast.run(b, 0, table.layers()));
      paces_s.push_back(courses.back().duration_s / static_cast<double>(b));
    }
    const double pace_s = *std::min_element(paces_s.begin(), paces_s.end());
    const auto near = std::find_if(paces_s.begin(), paces_s.end(),
                                   [&](double other_s) { return other_s <= kNearBest * pace_s; });
    in_batch_s_ = courses[static_cast<std::size_t>(near - paces_s.begin())].mean_s;
    // Beyond what the NPU carries the fluid has no end; what matters is then the pace alone.
    constexpr double kLeastSpare = 1e-3;
    clearing_s_ = pace_s / (2 * std::max(1 - rate_hz * pace_s, kLeastSpare));
  }

  /// Expected time in the system, from now on, of all who wait and all who come, in request-seconds.
  [[nodiscard]] double cost_s(double queued, double duration_s) const {
    const double after = queued + rate_hz_ * duration_s;
    return duration_s * (queued + rate_hz_ * duration_s / 2) + after * (clearing_s_ * after + in_batch_s_);
  }

 private:
  double rate_hz_;
  double in_batch_s_ = 0;
  double clearing_s_ = 0;
};

/// The courses that one number of newcomers leads to.
struct Courses {
  Course continued;    ///< C: the active batch runs on
  Course newcomers;    ///< N: the newcomers run alone, to the end
  Course catching_up;  ///< P: the newcomers run to the boundary
  Course merged;       ///< M: both together, from the boundary
};

/// Courses by expectation, which depend on nothing but the boundary, the active batch and the newcomers: each
/// is computed when it is first asked for, and kept while there is room. Copies share what they keep, so that
/// a policy and its clones belong to one thread.
class ExpectedCourses {
 public:
  /// `go_on`: the probability to go on past each exit. `exact`: by distributions, not by expected numbers.
  ExpectedCourses(std::vector<double> go_on, std::size_t max_batch, bool exact = false)
      : go_on_(std::move(go_on)), max_batch_(max_batch), exact_(exact) {}

  /// `batch` samples wait before layer `boundary`, for `newcomers` that start at layer 0.
  const Courses& of(const npu::BatchPolicyTable& table, int boundary, std::size_t batch,
                    std::size_t newcomers) {
    const auto compute_it = [&] {
      if (exact_) return compute_exactly(table, boundary, batch, newcomers);
      return compute(table, boundary, static_cast<double>(batch), static_cast<double>(newcomers));
    };
    const auto layer = static_cast<std::size_t>(boundary);
    Kept& kept = *kept_;
    if (kept.rows.size() <= layer) kept.rows.resize(layer + 1);
    if (kept.rows[layer].empty()) kept.rows[layer].resize(max_batch_);
    Row& row = kept.rows[layer][batch - 1];
    if (row.empty()) {
      const std::size_t most = max_batch_ - batch;  // newcomers that a batch of this size leaves room for
      if (most > kept.room) return kept.last = compute_it();
      kept.room -= most;
      row.resize(most);
    }
    std::optional<Courses>& courses = row[newcomers - 1];
    if (!courses) courses = compute_it();
    return *courses;
  }

 private:
  [[nodiscard]] Courses compute(const npu::BatchPolicyTable& table, int boundary, double batch,
                                double newcomers) const {
    const Forecast forecast(table, go_on_);
    const int end = table.layers();
    Courses c;
    c.continued = forecast.run(batch, boundary, end);
    c.newcomers = forecast.run(newcomers, 0, end);
    c.catching_up = forecast.run(newcomers, 0, boundary);
    c.merged =
        forecast.run(std::min(static_cast<double>(max_batch_), batch + c.catching_up.left), boundary, end);
    return c;
  }

  [[nodiscard]] Courses compute_exactly(const npu::BatchPolicyTable& table, int boundary, std::size_t batch,
                                        std::size_t newcomers) const {
    const ExactForecast forecast(table, go_on_);
    const int end = table.layers();
    Courses c;
    c.continued = forecast.run(batch, boundary, end);
    c.newcomers = forecast.run(newcomers, 0, end);
    ExactForecast::Counts caught_up = ExactForecast::exactly(newcomers);
    c.catching_up = forecast.run(caught_up, 0, boundary);
    ExactForecast::Counts both = ExactForecast::sum(ExactForecast::exactly(batch), caught_up);
    c.merged = forecast.run(both, boundary, end);
    return c;
  }

  std::vector<double> go_on_;
  std::size_t max_batch_;
  bool exact_;

  using Row = std::vector<std::optional<Courses>>;  // by newcomers
  struct Kept {
    std::vector<std::vector<Row>> rows;  // by boundary, then active batch
    // Courses that may still be kept, of all boundaries: 100 MB, which batches of hundreds at every layer of
    // a deep network exceed many times over.
    std::size_t room = 1'000'000;
    Courses last;  // for which there was no room
  };
  std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();
};

/// True where an active request that would be in time without the preemption would be late with it, by the
/// courses `c` of the active batch and the newcomers.
inline bool makes_somebody_late(const ServerView& view, const Courses& c) {
  const auto& samples = view.active().samples;
  return std::any_of(samples.begin(), samples.end(), [&](RequestId id) {
    const double elapsed_s = view.elapsed_s(id);
    return view.slo.is_missed_by(elapsed_s + c.catching_up.duration_s + c.merged.duration_s) &&
           !view.slo.is_missed_by(elapsed_s + c.continued.duration_s);
  });
}

}  // namespace fluidbatch::scheduler
