// The interface between a server of several services, which acts, and the arbiter, which says whose turn it
// is.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "scheduler/view.h"

namespace fluidbatch::scheduler {

/// A service as it stands on the server that asks.
struct ServiceView {
  int priority = 0;       ///< the larger, the more urgent
  double weight = 1;      ///< of its share of the NPU
  double npu_time_s = 0;  ///< that it has had the NPU so far: sums of its stays, all of which have ended
  ServerSlo slo;          ///< of its requests
  const npu::BatchPolicyTable* table = nullptr;  ///< of its network on this NPU
  std::span<const RequestId> queue = {};         ///< oldest first
};

/// Who could have the NPU: the head of a service's queue, or a request in flight.
struct Contender {
  std::size_t service = 0;
  double arrival_s = 0;   ///< at the server
  double deadline_s = 0;  ///< the date by which it is to be answered; may be infinite
  double served_s = 0;    ///< how long it has been on the NPU so far; 0 while it is queued
  double done_s = 0;      ///< single-sample latency of the layers that it has run; 0 while it is queued
};

/// The state after all events of a date have been applied, made for one question: nothing in it is good after
/// the answer.
struct ArbiterView {
  double now_s = 0;
  std::span<const ServiceView> services;  ///< in the order of the configuration
  std::size_t last_served = 0;  ///< the service that last started a batch; their number: none has yet
  KnownRequests requests;
};

/// Says in which order the services get the NPU.
///
/// Contract: once for each date at which the order is asked for, `consider` is called, and then `rank` for as
/// many contenders as matter. The smaller rank goes first; ranks that differ by kDeadlineTolerance_s or less
/// are ties, which go to the one that arrived earlier and then to the service that stands earlier in the
/// configuration. One goes strictly before another only where its rank is smaller by more than that. An
/// arbiter must be a pure function of these calls, so that runs can be repeated.
class Arbiter {
 public:
  Arbiter() = default;
  Arbiter& operator=(const Arbiter&) = delete;
  virtual ~Arbiter() = default;

  /// `heads`: the oldest request of each queue that is not empty, in the order of the services.
  virtual void consider(const ArbiterView& /*view*/, std::span<const Contender> /*heads*/) {}

  /// How urgent it is: any number but NaN, the smaller the sooner.
  [[nodiscard]] virtual double rank(const ArbiterView& view, const Contender& contender) const = 0;

  /// An arbiter in the same state, which goes its own way from here.
  [[nodiscard]] virtual std::unique_ptr<Arbiter> clone() const = 0;

 protected:
  Arbiter(const Arbiter&) = default;
};

}  // namespace fluidbatch::scheduler
