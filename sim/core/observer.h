// What the serving core tells of a run while it goes on.
#pragma once

#include <cstddef>
#include <vector>

#include "scheduler/policy.h"
#include "scheduler/request.h"
#include "sim/core/batch_stack.h"

namespace fluidbatch::sim {

/// One step of the NPU: a batch through layers first_layer .. end_layer - 1, at whose inner boundaries nobody
/// left, nothing merged and no decision was asked for.
struct Step {
  double begin_s = 0;
  double end_s = 0;
  int first_layer = 0;
  int end_layer = 0;
  int batch = 0;
};

/// Contract: calls come in order of date, but for `completed`, which comes in order of request number (a
/// request that overtakes another is held back until the other's stay has ended). Observers never change a
/// run. What an observer does not care for it need not override.
class Observer {
 public:
  Observer() = default;
  Observer& operator=(const Observer&) = delete;
  virtual ~Observer() = default;

  /// A request has come to the server.
  virtual void admitted(scheduler::RequestId /*id*/, const scheduler::Request& /*request*/) {}
  /// Samples have been taken from the queue: as a batch on an idle NPU, or by a preemption.
  virtual void started(double /*date_s*/, int /*samples*/, bool /*preempting*/) {}
  /// The active batch has been suspended; the registers after that.
  virtual void suspended(double /*date_s*/, const FbeRegisters& /*registers*/) {}
  /// In a site: what is told next is of this NPU and this service, but for `completed`, and for what its
  /// request says.
  virtual void turn_to(std::size_t /*npu*/, std::size_t /*service*/) {}
  /// In a site: the batches of a service, the active one among them, have been pushed off the NPU by another
  /// service; and they have it back.
  virtual void parked(double /*date_s*/) {}
  /// They have it back.
  virtual void came_back(double /*date_s*/) {}
  /// A step has ended.
  virtual void stepped(const Step& /*step*/) {}
  /// An exit control has said at which confidence samples leave at an early exit, at this date and before
  /// anybody has left.
  virtual void exit_decided(double /*date_s*/, int /*exit*/, double /*threshold*/) {}
  /// The stay of a request has ended, at its completion_s: it has left the NPU, or has been dropped.
  virtual void departed(const scheduler::Request& /*request*/) {}
  /// The newcomers have all left, and the suspended batch is active again.
  virtual void resumed(double /*date_s*/) {}
  /// The active batch has caught up with the suspended one.
  virtual void merged(double /*date_s*/) {}
  /// A policy that could have preempted has not: at this date, and for the same reason at the boundaries that
  /// follow, `boundaries` in all.
  virtual void refused(double /*date_s*/, scheduler::Decision::Refusal /*refusal*/, int /*boundaries*/) {}
  /// The next request in order of number, whose stay has ended, and those of all before it.
  virtual void completed(scheduler::RequestId /*id*/, const scheduler::Request& /*request*/) {}

 protected:
  Observer(const Observer&) = default;
};

/// Passes every call on to each of several observers, in their order.
class ObserverList final : public Observer {
 public:
  explicit ObserverList(std::vector<Observer*> observers) : observers_(std::move(observers)) {}

  void admitted(scheduler::RequestId id, const scheduler::Request& request) override {
    for (Observer* observer : observers_) observer->admitted(id, request);
  }
  void started(double date_s, int samples, bool preempting) override {
    for (Observer* observer : observers_) observer->started(date_s, samples, preempting);
  }
  void suspended(double date_s, const FbeRegisters& registers) override {
    for (Observer* observer : observers_) observer->suspended(date_s, registers);
  }
  void turn_to(std::size_t npu, std::size_t service) override {
    for (Observer* observer : observers_) observer->turn_to(npu, service);
  }
  void parked(double date_s) override {
    for (Observer* observer : observers_) observer->parked(date_s);
  }
  void came_back(double date_s) override {
    for (Observer* observer : observers_) observer->came_back(date_s);
  }
  void stepped(const Step& step) override {
    for (Observer* observer : observers_) observer->stepped(step);
  }
  void exit_decided(double date_s, int exit, double threshold) override {
    for (Observer* observer : observers_) observer->exit_decided(date_s, exit, threshold);
  }
  void departed(const scheduler::Request& request) override {
    for (Observer* observer : observers_) observer->departed(request);
  }
  void resumed(double date_s) override {
    for (Observer* observer : observers_) observer->resumed(date_s);
  }
  void merged(double date_s) override {
    for (Observer* observer : observers_) observer->merged(date_s);
  }
  void refused(double date_s, scheduler::Decision::Refusal refusal, int boundaries) override {
    for (Observer* observer : observers_) observer->refused(date_s, refusal, boundaries);
  }
  void completed(scheduler::RequestId id, const scheduler::Request& request) override {
    for (Observer* observer : observers_) observer->completed(id, request);
  }

 private:
  std::vector<Observer*> observers_;
};

}  // namespace fluidbatch::sim
