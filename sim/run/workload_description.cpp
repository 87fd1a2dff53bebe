#include "sim/run/workload_description.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>
#include <utility>

#include "sim/scenario/workload.h"
#include "workloads/traffic/exits_by_service.h"
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

/// A request up to each exit, alone on the reference.
struct WorkToExits {
  std::vector<double> work_s;
  std::vector<double> macs;
};

WorkToExits work_to_exits(const npu::BatchPolicyTable& reference) {
  WorkToExits work;
  for (int exit = 0; exit < reference.segments(); ++exit) {
    work.work_s.push_back(reference.latency_s(0, reference.segment_begin(exit + 1), 1));
    work.macs.push_back(reference.macs(0, reference.segment_begin(exit + 1)));
  }
  return work;
}

/// Those of all services, as configured.
std::shared_ptr<const workloads::ExitSpec> exits_of(const Scenario& scenario) {
  if (scenario.services.size() == 1) return scenario.service().exits;
  std::vector<std::shared_ptr<const workloads::ExitSpec>> all;
  for (const Service& service : scenario.services) all.push_back(service.exits);
  return workloads::make_exits_by_service(std::move(all), scenario.devices);
}

/// Brings the requests of a workload one after another; answers each after the work of its exit.
class Requests {
 public:
  Requests(const Scenario& scenario, const std::vector<WorkToExits>& work)
      : exits_(exits_of(scenario)),
        stream_(arriving_requests(scenario, *exits_)),
        work_(work),
        service_of_device_(scenario.devices.services()) {}

  [[nodiscard]] std::size_t service_of(const workloads::Arrival& request) const {
    return service_of_device_[request.device];
  }

  bool next(workloads::Arrival& request) {
    while (true) {
      const double answer_s = next_answer_s();
      if (stream_->next_event_s() == kNever && answer_s == kNever) return false;
      if (answer_s <= stream_->next_event_s()) {
        stream_->answered(answers_.top().second, answer_s);
        answers_.pop();
      } else if (stream_->advance(request)) {
        if (stream_->listens()) {
          const std::vector<double>& work_s = work_[service_of(request)].work_s;
          answers_.emplace(request.date_s + work_s[static_cast<std::size_t>(request.exit)], request.device);
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

  std::shared_ptr<const workloads::ExitSpec> exits_;
  std::unique_ptr<workloads::RequestStream> stream_;
  const std::vector<WorkToExits>& work_;
  std::vector<std::size_t> service_of_device_;
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

/// Adds up what is counted alike of one service's requests and of all.
class Counts {
 public:
  void add(const workloads::Arrival& request, double work_s, double macs) {
    if (requests_++ > 0) gaps_.add(request.date_s - last_s_);
    last_s_ = request.date_s;
    if (request.correct >= 0) correct_.add(request.correct);
    macs_ += macs;
    work_s_ += work_s;
  }

  /// Fills in what `d` says of them.
  template <typename Description>
  void describe(Description& d) const {
    const auto n = static_cast<double>(requests_);
    d.requests = requests_;
    d.rate_hz = 1 / gaps_.mean();
    d.gap_cv = std::sqrt(gaps_.variance()) / gaps_.mean();
    d.accuracy = correct_.mean();
    d.mean_macs = macs_ / n;
    d.mean_work_s = work_s_ / n;
  }
  [[nodiscard]] double last_s() const { return last_s_; }

 private:
  std::uint64_t requests_ = 0;
  double last_s_ = 0;
  Moments gaps_;
  Moments correct_;
  double macs_ = 0;
  double work_s_ = 0;
};

/// Fills in what follows from the rate and the exits of `service`.
void add_loads(const Service& service, const std::vector<double>& work_s, ServiceDescription& d) {
  for (double& share : d.exit_shares) share /= static_cast<double>(d.requests);
  d.offered_load = d.rate_hz * service.reference_latency_s;
  if (const workloads::RecordedConfidences* recorded = service.exits->confidences()) {
    for (const double threshold : {kUndefined, 0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0})
      d.at_thresholds.push_back(at_thresholds(*recorded, threshold, work_s));
  }
  d.load = d.least_npu_time ? d.rate_hz * d.least_npu_time->request_s : kUndefined;
  d.load_after_exits = d.rate_hz * d.mean_work_s;
}

}  // namespace

WorkloadDescription describe_workload(
    const Scenario& scenario, const References& references,
    const std::function<LeastNpuTime(std::size_t service)>& least_npu_time) {
  WorkloadDescription d;
  d.services.resize(scenario.services.size());
  std::vector<WorkToExits> work;
  for (std::size_t i = 0; i < references.size(); ++i) {
    work.push_back(work_to_exits(*references[i]));
    d.services[i].exit_shares.resize(work[i].work_s.size());
  }
  std::array<WindowCounter, 3> windows{WindowCounter(0.1), WindowCounter(1), WindowCounter(10)};
  const std::vector<double> sample_bytes = workloads::sample_bytes(scenario.devices);
  Counts all;
  std::vector<Counts> by_service(scenario.services.size());
  Requests requests(scenario, work);
  workloads::Arrival request;
  while (requests.next(request)) {
    const std::size_t service = requests.service_of(request);
    const auto exit = static_cast<std::size_t>(request.exit);
    for (Counts* counts : {&all, &by_service[service]}) {
      counts->add(request, work[service].work_s[exit], work[service].macs[exit]);
    }
    for (WindowCounter& window : windows) window.add(request.date_s);
    ++d.services[service].exit_shares[exit];
    d.mean_uplink_s += request.date_s - request.sent_s;
    d.sent_bytes_per_s += sample_bytes[request.device];
  }
  all.describe(d);
  d.duration_s = all.last_s();
  d.mean_uplink_s /= static_cast<double>(d.requests);
  d.sent_bytes_per_s /= d.duration_s;
  d.configured_rate_hz = scenario.devices.mean_rate_hz();
  for (std::size_t i = 0; i < d.services.size(); ++i) {
    ServiceDescription& its = d.services[i];
    by_service[i].describe(its);
    its.configured_rate_hz = scenario.devices.mean_rate_hz(i);
    // A measured reference of fewer batch sizes is not an error here: nothing else needs the others.
    try {
      its.least_npu_time = least_npu_time(i);
    } catch (const io::InputError& error) {
      its.why_no_load = error.what();
    }
    add_loads(scenario.services[i], work[i].work_s, its);
    d.offered_load += its.offered_load;
    d.load += its.load;
    d.load_after_exits += its.load_after_exits;
  }
  for (std::size_t i = 0; i < windows.size(); ++i) d.windows[i] = windows[i].result();
  return d;
}

}  // namespace fluidbatch::sim
