// The lengths that a run to a precision may have.
#pragma once

#include <cstdint>

namespace fluidbatch::sim {

/// Stages of a run that goes on until its statistics are known well enough: 10,000, 20,000, 40,000 ..
/// requests beside the warm-up, the last one being of `most` requests in all. Sizes are fixed, so that where
/// a run stops depends on what it measured and on nothing else.
class Stages {
 public:
  /// Requests of the first stage that are measured: more than 300 for each of the 32 batches that intervals
  /// are made of (run_intervals.h).
  static constexpr std::uint64_t kFirst = 10'000;

  /// At the first stage, of at most `most` requests; `warmup_requests` of each stage are not measured.
  Stages(std::uint64_t warmup_requests, std::uint64_t most);

  /// All requests of this stage.
  [[nodiscard]] std::uint64_t requests() const;
  [[nodiscard]] bool is_last() const { return requests() == most_; }

  /// To the next stage, past all of which it is clear that they won't do: those that measure fewer than half
  /// of the `needed` requests, which are an estimate. Not to be called at the last stage.
  void advance(double needed);

 private:
  std::uint64_t warmup_requests_;
  std::uint64_t most_;
  std::uint64_t measured_ = kFirst;
};

}  // namespace fluidbatch::sim
