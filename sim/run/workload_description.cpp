#include "sim/run/workload_description.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>
#include <utility>

#include "sim/scenario/workload.h"
#include "workloads/uplink/analytic_uplink.h"

namespace fluidbatch::sim {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

/// Mean and variance of a stream of numbers (Welford).
class Moments {
 public:
  void add(double value) {
    ++count_;
    const double delta = value - mean_;
    mean_ += delta / static_cast<double>(count_);
    squares_ += delta * (value - mean_);
  }
  /// The same number many times, at once (Chan's rule for two samples, of which one has no variance).
  void add(double value, std::uint64_t times) {
    if (times == 0) return;
    const auto before = static_cast<double>(count_);
    const auto added = static_cast<double>(times);
    const double delta = value - mean_;
    count_ += times;
    mean_ += delta * (added / (before + added));
    squares_ += delta * delta * (before * added / (before + added));
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] double mean() const { return count_ > 0 ? mean_ : kUndefined; }
  [[nodiscard]] double variance() const {
    return count_ > 1 ? squares_ / static_cast<double>(count_ - 1) : kUndefined;
  }

 private:
  std::uint64_t count_ = 0;
  double mean_ = 0;
  double squares_ = 0;
};

class WindowCounter {
 public:
  explicit WindowCounter(double window_s) : window_s_(window_s) {}

  void add(double date_s) {
    if (date_s >= end_of(counts_.count())) {
      counts_.add(in_window_);
      most_ = std::max(most_, in_window_);
      in_window_ = 0;
      counts_.add(0, windows_before(date_s) - counts_.count());
    }
    ++in_window_;
  }

  [[nodiscard]] WindowCounts result() const {
    const bool any = counts_.count() > 0;
    return {.window_s = window_s_,
            .windows = counts_.count(),
            .mean = counts_.mean(),
            .dispersion = counts_.variance() / counts_.mean(),
            .peak_rate_hz = any ? most_ / window_s_ : kUndefined};
  }

 private:
  [[nodiscard]] double end_of(std::uint64_t window) const {
    return static_cast<double>(window + 1) * window_s_;
  }

  /// Windows that have ended by `date_s`.
  [[nodiscard]] std::uint64_t windows_before(double date_s) const {
    constexpr double kMost = 1e15;  // beyond, a double no longer tells them apart
    auto ended = static_cast<std::uint64_t>(std::min(date_s / window_s_, kMost));
    while (ended > counts_.count() && date_s < end_of(ended - 1)) --ended;  // the quotient was rounded up
    while (date_s >= end_of(ended) && static_cast<double>(ended) < kMost) ++ended;
    return std::max(ended, counts_.count());
  }

  double window_s_;
  double in_window_ = 0;
  double most_ = 0;
  Moments counts_;
};

/// Brings the requests of a workload one after another; answers each after `work_s` of its exit.
class Requests {
 public:
  Requests(const Scenario& scenario, std::vector<double> work_s)
      : stream_(arriving_requests(scenario, *scenario.service().exits)), work_s_(std::move(work_s)) {}

  bool next(workloads::Arrival& request) {
    while (true) {
      const double answer_s = next_answer_s();
      if (stream_->next_event_s() == kNever && answer_s == kNever) return false;
      if (answer_s <= stream_->next_event_s()) {
        stream_->answered(answers_.top().second, answer_s);
        answers_.pop();
      } else if (stream_->advance(request)) {
        if (stream_->listens()) {
          answers_.emplace(request.date_s + work_s_[static_cast<std::size_t>(request.exit)], request.device);
        }
        return true;
      }
    }
  }

 private:
  static constexpr double kNever = workloads::RequestStream::kNever;

  [[nodiscard]] double next_answer_s() const {
    if (answers_.empty()) return kNever;
    return answers_.top().first;
  }

  using Answer = std::pair<double, std::uint32_t>;

  std::unique_ptr<workloads::RequestStream> stream_;
  std::vector<double> work_s_;
  std::priority_queue<Answer, std::vector<Answer>, std::greater<>> answers_;
};

AtThresholds at_thresholds(const workloads::RecordedConfidences& recorded, double threshold,
                           const std::vector<double>& work_s) {
  const std::vector<double> same(recorded.exits() - 1, threshold);
  const std::vector<double>& thresholds = std::isnan(threshold) ? recorded.thresholds() : same;
  AtThresholds at{.threshold = threshold, .exit_shares = std::vector<double>(recorded.exits())};
  for (std::size_t row = 0; row < recorded.rows(); ++row) {
    const std::size_t exit = recorded.exit_at(row, thresholds);
    ++at.exit_shares[exit];
    at.accuracy += recorded.correct(row, exit);
    at.mean_work_s += work_s[exit];
  }
  const auto n = static_cast<double>(recorded.rows());
  for (double& share : at.exit_shares) share /= n;
  at.accuracy /= n;
  at.mean_work_s /= n;
  return at;
}

/// Fills in the load, from the rate. A measured reference of fewer batch sizes is not an error here: nothing
/// else needs the others.
void add_load(const std::function<LeastNpuTime()>& least_npu_time, WorkloadDescription& d) {
  try {
    d.least_npu_time = least_npu_time();
  } catch (const io::InputError& error) {
    d.why_no_load = error.what();
  }
  d.load = d.least_npu_time ? d.rate_hz * d.least_npu_time->request_s : kUndefined;
}

}  // namespace

WorkloadDescription describe_workload(const Scenario& scenario, const npu::BatchPolicyTable& reference,
                                      const std::function<LeastNpuTime()>& least_npu_time) {
  std::vector<double> work_s;
  std::vector<double> macs;
  for (int exit = 0; exit < reference.segments(); ++exit) {
    work_s.push_back(reference.latency_s(0, reference.segment_begin(exit + 1), 1));
    macs.push_back(reference.macs(0, reference.segment_begin(exit + 1)));
  }
  WorkloadDescription d;
  d.exit_shares.resize(work_s.size());
  std::array<WindowCounter, 3> windows{WindowCounter(0.1), WindowCounter(1), WindowCounter(10)};
  const std::vector<double> sample_bytes = workloads::sample_bytes(scenario.devices);
  Moments gaps;
  Moments correct;
  Requests requests(scenario, work_s);
  workloads::Arrival request;
  while (requests.next(request)) {
    const auto exit = static_cast<std::size_t>(request.exit);
    if (d.requests++ > 0) gaps.add(request.date_s - d.duration_s);
    d.duration_s = request.date_s;
    for (WindowCounter& window : windows) window.add(request.date_s);
    ++d.exit_shares[exit];
    if (request.correct >= 0) correct.add(request.correct);
    d.mean_macs += macs[exit];
    d.mean_work_s += work_s[exit];
    d.mean_uplink_s += request.date_s - request.sent_s;
    d.sent_bytes_per_s += sample_bytes[request.device];
  }
  const auto n = static_cast<double>(d.requests);
  for (double& share : d.exit_shares) share /= n;
  d.mean_macs /= n;
  d.mean_work_s /= n;
  d.mean_uplink_s /= n;
  d.sent_bytes_per_s /= d.duration_s;
  d.rate_hz = 1 / gaps.mean();
  d.configured_rate_hz = scenario.devices.mean_rate_hz();
  d.gap_cv = std::sqrt(gaps.variance()) / gaps.mean();
  d.accuracy = correct.mean();
  d.offered_load = d.rate_hz * scenario.service().reference_latency_s;
  if (const workloads::RecordedConfidences* recorded = scenario.service().exits->confidences()) {
    for (const double threshold : {kUndefined, 0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0})
      d.at_thresholds.push_back(at_thresholds(*recorded, threshold, work_s));
  }
  add_load(least_npu_time, d);
  d.load_after_exits = d.rate_hz * d.mean_work_s;
  for (std::size_t i = 0; i < windows.size(); ++i) d.windows[i] = windows[i].result();
  return d;
}

}  // namespace fluidbatch::sim
