// Follows a site from outside, by what observers are told, and objects to what must not be.
#pragma once

#include <cstddef>
#include <deque>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "sim/core/observer.h"
#include "sim/core/site.h"
#include "sim/scenario/scenario.h"

namespace fluidbatch::test {

/// Keeps queues, batches and shares of time of its own, and works the arbiters' orders out anew. What must
/// hold is told by the objections in the .cpp.
class SiteWitness final : public sim::Observer {
 public:
  /// Of the only system.
  explicit SiteWitness(const sim::Scenario& scenario);

  void turn_to(std::size_t npu, std::size_t service) override;
  void admitted(scheduler::RequestId id, const scheduler::Request& request) override;
  void started(double date_s, int samples, bool preempting) override;
  void stepped(const sim::Step& step) override;
  void departed(const scheduler::Request& request) override;
  void merged(double date_s) override;
  void parked(double date_s) override;
  void came_back(double date_s) override;
  void completed(scheduler::RequestId id, const scheduler::Request& request) override;

  /// To be called when all events of a date have been applied.
  void look_at(const sim::SiteCore& core, double date_s);
  /// To be called at the end.
  void end();

  std::vector<std::string> objections;
  int orders = 0;  ///< compared
  int parks = 0;
  int drops = 0;
  int merges = 0;
  int suspensions = 0;

 private:
  using Id = scheduler::RequestId;
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  struct Guest {
    scheduler::Request request;
    std::size_t service = 0;
    double served_s = 0;  ///< on the NPU, in spans that have ended
    double since_s = 0;   ///< of the span that has not
    bool on_npu = false;
  };
  struct Batch {
    std::vector<Id> ids;
    int next_layer = 0;
  };
  using Stack = std::vector<Batch>;
  struct Parked {
    std::size_t service = 0;
    Stack stack;
  };
  struct Lane {
    std::deque<Id> queue;
    Stack stack;
    double npu_time_s = 0;
  };
  struct Npu {
    std::vector<Lane> lanes;
    std::vector<Parked> parked;
    std::size_t active = kNone;
    std::size_t last_served = kNone;
    double stay_begin_s = 0;
    double last_end_s = 0;     ///< of its last step
    double pushed_off_s = -1;  ///< when a stack was parked, until another batch has started
    double cost_s = 0;         ///< that its next step begins with
    std::size_t in_system = 0;
  };

  void object(bool holds, const std::string& what);
  [[nodiscard]] Npu& npu() { return npus_[npu_]; }
  [[nodiscard]] Lane& lane() { return npu().lanes[service_]; }
  [[nodiscard]] const npu::BatchPolicyTable& table(std::size_t service) const {
    return *system_.npus[npu_].tables[service];
  }
  void get_on(const Batch& batch, double date_s);
  void get_off(const Batch& batch, double date_s);
  void give_up(double date_s);
  void drop(const scheduler::Request& request);
  void check_route(std::size_t chosen);
  void check_start(double date_s);
  void check_passed_over(const sim::Step& step);
  void check_lane(const sim::SiteServerState& state, std::size_t service);
  void check_at_work(double date_s);

  [[nodiscard]] bool is_hopeless(Id id, double now_s) const;
  [[nodiscard]] double rank(Id id, int next_layer, double now_s) const;
  [[nodiscard]] double prema_rank(const Guest& guest, int next_layer, double now_s) const;
  [[nodiscard]] bool strictly_before(Id head, const Stack& stack, double now_s) const;
  [[nodiscard]] std::vector<std::size_t> heads_before(const Stack* stack, std::size_t but,
                                                      double now_s) const;

  const sim::Scenario& scenario_;
  const sim::System& system_;
  const std::vector<std::size_t> service_of_device_;
  const std::string arbiter_;  ///< whose order is worked out; empty: none's
  const bool never_waits_;     ///< the policy: an idle NPU with a queue starts a batch
  std::vector<Npu> npus_;
  std::map<Id, Guest> guests_;  ///< all that have been admitted and not completed
  Id admitted_ = 0;
  Id completed_ = 0;
  std::size_t npu_ = 0;
  std::size_t service_ = 0;
};

}  // namespace fluidbatch::test
