// What a preemption is expected to cost and gain, for policies that weigh one.
#pragma once

#include <algorithm>
#include <cstddef>
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

/// The courses that one number of newcomers leads to.
struct Courses {
  Course continued;    ///< C: the active batch runs on
  Course newcomers;    ///< N: the newcomers run alone, to the end
  Course catching_up;  ///< P: the newcomers run to the boundary
  Course merged;       ///< M: both together, from the boundary
};

/// Courses by expectation, which depend on nothing but the boundary, the active batch and the newcomers: each
/// is computed when it is first asked for, and kept while there is room.
class ExpectedCourses {
 public:
  /// `go_on`: the probability to go on past each exit.
  ExpectedCourses(std::vector<double> go_on, std::size_t max_batch)
      : go_on_(std::move(go_on)), max_batch_(max_batch) {}

  /// `batch` samples wait before layer `boundary`, for `newcomers` that start at layer 0.
  const Courses& of(const npu::BatchPolicyTable& table, int boundary, std::size_t batch,
                    std::size_t newcomers) {
    const auto compute_it = [&] {
      return compute(table, boundary, static_cast<double>(batch), static_cast<double>(newcomers));
    };
    const auto layer = static_cast<std::size_t>(boundary);
    if (known_.size() <= layer) known_.resize(layer + 1);
    if (known_[layer].empty()) known_[layer].resize(max_batch_);
    Row& row = known_[layer][batch - 1];
    if (row.empty()) {
      const std::size_t most = max_batch_ - batch;  // newcomers that a batch of this size leaves room for
      if (most > room_) return not_kept_ = compute_it();
      room_ -= most;
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

  std::vector<double> go_on_;
  std::size_t max_batch_;

  using Row = std::vector<std::optional<Courses>>;  // by newcomers
  std::vector<std::vector<Row>> known_;             // by boundary, then active batch
  // Courses that may still be kept, of all boundaries: 100 MB, which batches of hundreds at every layer of a
  // deep network exceed many times over.
  std::size_t room_ = 1'000'000;
  Courses not_kept_;
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
