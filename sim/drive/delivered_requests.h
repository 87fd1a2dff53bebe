// Requests that somebody outside the serving core brings to the server.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "workloads/traffic/request_stream.h"

namespace fluidbatch::sim {

/// What SimGrid's links have delivered. The server can't see ahead: whoever delivers tells it
/// (ServingCore::stream_changed).
class DeliveredRequests final : public workloads::RequestStream {
 public:
  /// Answers go on to `sends`, which must outlive the stream.
  explicit DeliveredRequests(workloads::RequestStream& sends) : sends_(sends) {}

  [[nodiscard]] double next_event_s() const override {
    if (waiting_.empty()) return kNever;
    return waiting_.front().request.date_s;
  }
  [[nodiscard]] bool exhausted() const override {
    return waiting_.empty() && on_the_way_ == 0 && sends_.exhausted();
  }

  /// One at a time: what comes later may still change.
  std::size_t read(std::span<workloads::Arrival> block) override {
    if (waiting_.empty()) return 0;
    block.front() = waiting_.front().request;
    waiting_.pop_front();
    return 1;
  }

  [[nodiscard]] bool foretold() const override { return false; }
  [[nodiscard]] bool listens() const override { return sends_.listens(); }
  void answered(std::uint32_t device, double date_s) override {
    sends_.answered(device, date_s);
    if (on_answer_) on_answer_();
  }
  [[nodiscard]] std::unique_ptr<RequestStream> clone() const override {
    throw std::logic_error("SimGrid's links can't be copied: only SimGrid knows what is on them");
  }
  void split(std::uint64_t branch) override { sends_.split(branch); }
  /// Called after an answer has gone on, since something may be sent sooner now.
  void on_answer(std::function<void()> callback) { on_answer_ = std::move(callback); }

  /// A request has been sent, and will be delivered.
  void sent() { ++on_the_way_; }

  /// `request`, which has been sent, gets to the server at its date_s, not before the ones delivered earlier.
  /// Of one date they are put in order of device, then of `number`, in order of sending, since SimGrid's
  /// order says nothing.
  void deliver(const workloads::Arrival& request, std::uint64_t number) {
    --on_the_way_;
    const Waiting one{request, number};
    const auto rank = [](const Waiting& w) {
      return std::tuple(w.request.date_s, w.request.device, w.number);
    };
    const auto after = [&](const Waiting& other) { return rank(one) < rank(other); };
    waiting_.insert(std::find_if(waiting_.begin(), waiting_.end(), after), one);
  }

 private:
  struct Waiting {
    workloads::Arrival request;
    std::uint64_t number = 0;
  };

  workloads::RequestStream& sends_;
  std::function<void()> on_answer_;
  std::deque<Waiting> waiting_;
  std::size_t on_the_way_ = 0;
};

}  // namespace fluidbatch::sim
