#include "scheduler/optimum/decision_process.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace fluidbatch::scheduler::smdp {
namespace {

constexpr double kNegligible = 1e-18;

/// Samples that wait before segments 1, 2, ..
using Waiting = std::vector<int>;

/// Segments that are yet to be run if nobody leaves, added over the samples.
int remaining(const Waiting& waiting, int segments) {
  int sum = 0;
  for (std::size_t i = 0; i < waiting.size(); ++i) sum += waiting[i] * (segments - 1 - static_cast<int>(i));
  return sum;
}

int remaining(const FbeConfiguration& c, int segments) {
  return c.active * (segments - c.segment) + c.suspended * (segments - c.suspended_segment);
}

/// Makes a process of configurations of any kind that have an order and `remaining`.
template <typename Meaning>
class ProcessBuilder {
 public:
  ProcessBuilder(const Rates& rates, std::vector<Meaning> configurations,
                 const WhileComputing& while_computing)
      : rates_(rates), while_computing_(while_computing), meaning_(std::move(configurations)) {
    const int segments = rates.segments();
    std::sort(meaning_.begin(), meaning_.end(), [segments](const Meaning& a, const Meaning& b) {
      return std::pair(remaining(a, segments), a) < std::pair(remaining(b, segments), b);
    });
    for (std::size_t c = 0; c < meaning_.size(); ++c) numbers_[meaning_[c]] = static_cast<std::uint32_t>(c);
    process_.max_batch = rates.max_batch;
    for (int s = 0; s < segments; ++s) {
      for (int b = 1; b <= rates.max_batch; ++b) {
        const int begin = rates.table.segment_begin(s);
        const int end = rates.table.segment_begin(s + 1);
        process_.runs.push_back(run_of(rates.rate_hz * rates.table.latency_s(begin, end, b)));
        survivors_.push_back(survivors(b, rates.exit_rate(s)));
      }
    }
  }

  [[nodiscard]] const std::vector<Meaning>& meaning() const { return meaning_; }
  /// The next configuration, whose actions are then added.
  void begin(int in_flight) {
    if (while_computing_) while_computing_();
    process_.configurations.push_back({.in_flight = in_flight,
                                       .first_action = static_cast<std::uint32_t>(process_.actions.size()),
                                       .actions = 0});
  }
  void add_wait() {
    process_.actions.push_back({});
    ++process_.configurations.back().actions;
  }
  /// `after(n)`: the configuration when n of the batch are left.
  template <typename After>
  void add_run(int segment, int batch, int taken, const After& after) {
    const auto first = static_cast<std::uint32_t>(process_.successors.size());
    const auto run = static_cast<std::size_t>(segment * rates_.max_batch + batch - 1);
    for (int left = 0; left <= batch; ++left) {
      const double probability = survivors_[run][static_cast<std::size_t>(left)];
      if (probability > 0) {
        process_.successors.push_back(
            {.configuration = numbers_.at(after(left)), .probability = probability});
      }
    }
    process_.actions.push_back(
        {.segment = segment,
         .batch = batch,
         .taken = taken,
         .first_successor = first,
         .successors = static_cast<std::uint32_t>(process_.successors.size()) - first});
    ++process_.configurations.back().actions;
  }
  [[nodiscard]] DecisionProcess take() { return std::move(process_); }

 private:
  const Rates& rates_;
  const WhileComputing& while_computing_;
  std::vector<Meaning> meaning_;
  std::map<Meaning, std::uint32_t> numbers_;
  std::vector<std::vector<double>> survivors_;  // as runs
  DecisionProcess process_;
};

/// All ways in which at most `room` samples can wait before `segments` segments.
std::vector<Waiting> all_waiting(int segments, int room) {
  std::vector<Waiting> all{{}};
  for (int s = 0; s < segments; ++s) {
    std::vector<Waiting> longer;
    for (const Waiting& waiting : all) {
      const int most = room - std::accumulate(waiting.begin(), waiting.end(), 0);
      for (int n = 0; n <= most; ++n) {
        longer.push_back(waiting);
        longer.back().push_back(n);
      }
    }
    all.swap(longer);
  }
  return all;
}

std::vector<FbeConfiguration> all_fbe_configurations(int segments, int max_batch) {
  std::vector<FbeConfiguration> all{{}};
  for (int s = 1; s < segments; ++s) {
    for (int b = 1; b <= max_batch; ++b) {
      all.push_back({.active = b, .segment = s, .suspended = 0, .suspended_segment = 0});
      for (int s2 = s + 1; s2 < segments; ++s2) {
        for (int b2 = 1; b + b2 <= max_batch; ++b2) {
          all.push_back({.active = b, .segment = s, .suspended = b2, .suspended_segment = s2});
        }
      }
    }
  }
  return all;
}

/// The registers when `left` samples of a batch stand before `segment`, where `below` may be suspended.
FbeConfiguration fbe_after(int left, int segment, FbeConfiguration below) {
  if (left == 0) return below;
  if (below.active > 0 && below.segment == segment) {
    below.active += left;
    return below;
  }
  return {.active = left,
          .segment = segment,
          .suspended = below.active,
          .suspended_segment = below.active > 0 ? below.segment : 0};
}

/// Bytes of actions, at most max_batch + 1 a configuration, and of their successors.
double process_bytes(double configurations, int max_batch) {
  const double successors = max_batch * (max_batch + 3.0) / 2;
  return configurations * (100 + (max_batch + 1.0) * static_cast<double>(sizeof(Action)) +
                           successors * static_cast<double>(sizeof(Successor)));
}

}  // namespace

Run run_of(double duration) {
  // Ratios to the most likely number, then divided by their sum: no exponential is needed, and none under- or
  // overflows.
  const int mode = static_cast<int>(duration);
  std::vector<double> below;
  double term = 1;
  for (int k = mode; k > 0 && (term *= k / duration) > kNegligible; --k) below.push_back(term);
  Run run{.duration = duration,
          .least = mode - static_cast<int>(below.size()),
          .probabilities = {below.rbegin(), below.rend()}};
  term = 1;
  for (int k = mode + 1; term > kNegligible; ++k) {
    run.probabilities.push_back(term);
    term *= duration / k;
  }
  const double sum = std::accumulate(run.probabilities.begin(), run.probabilities.end(), 0.0);
  for (double& p : run.probabilities) p /= sum;
  return run;
}

std::vector<double> survivors(int samples, double exit_rate) {
  std::vector<double> probabilities{1};
  for (int n = 1; n <= samples; ++n) {
    probabilities.push_back(0);
    for (auto left = static_cast<std::size_t>(n); left > 0; --left) {
      probabilities[left] = probabilities[left] * exit_rate + probabilities[left - 1] * (1 - exit_rate);
    }
    probabilities[0] *= exit_rate;
  }
  return probabilities;
}

FbeProcess fbe_process(const Rates& rates, const WhileComputing& while_computing) {
  ProcessBuilder<FbeConfiguration> builder(rates, all_fbe_configurations(rates.segments(), rates.max_batch),
                                           while_computing);
  for (const FbeConfiguration& c : builder.meaning()) {
    builder.begin(c.active + c.suspended);
    if (c.active == 0) {
      builder.add_wait();
    } else {
      const FbeConfiguration below{
          .active = c.suspended, .segment = c.suspended_segment, .suspended = 0, .suspended_segment = 0};
      builder.add_run(c.segment, c.active, 0,
                      [&](int left) { return fbe_after(left, c.segment + 1, below); });
    }
    if (c.suspended > 0) continue;
    for (int n = 1; c.active + n <= rates.max_batch; ++n) {
      builder.add_run(0, n, n, [&](int left) { return fbe_after(left, 1, c); });
    }
  }
  std::vector<FbeConfiguration> meaning = builder.meaning();
  return {.process = builder.take(), .meaning = std::move(meaning)};
}

DecisionProcess free_process(const Rates& rates, const WhileComputing& while_computing) {
  ProcessBuilder<Waiting> builder(rates, all_waiting(rates.segments() - 1, rates.max_batch), while_computing);
  for (const Waiting& waiting : builder.meaning()) {
    const int in_flight = std::accumulate(waiting.begin(), waiting.end(), 0);
    builder.begin(in_flight);
    const auto add_run = [&](int segment, int batch, int taken) {
      builder.add_run(segment, batch, taken, [&](int left) {
        Waiting after = waiting;
        if (segment > 0) after[static_cast<std::size_t>(segment) - 1] -= batch;
        if (left > 0) after[static_cast<std::size_t>(segment)] += left;
        return after;
      });
    };
    for (int s = rates.segments() - 1; s > 0; --s) {
      for (int b = waiting[static_cast<std::size_t>(s) - 1]; b > 0; --b) add_run(s, b, 0);
    }
    for (int n = rates.max_batch - in_flight; n > 0; --n) add_run(0, n, n);
    builder.add_wait();
  }
  return builder.take();
}

double fbe_configurations(int segments, int max_batch) {
  const double early = segments - 1.0;
  return 1 + early * max_batch + early * (early - 1) / 2 * max_batch * (max_batch - 1.0) / 2;
}

double free_configurations(int segments, int max_batch) {
  double count = 1;
  for (int s = 1; s < segments; ++s) count *= static_cast<double>(max_batch + s) / s;
  return count;
}

double fbe_process_bytes(int segments, int max_batch) {
  return process_bytes(fbe_configurations(segments, max_batch), max_batch);
}

double free_process_bytes(int segments, int max_batch) {
  return process_bytes(free_configurations(segments, max_batch), max_batch);
}

}  // namespace fluidbatch::scheduler::smdp
