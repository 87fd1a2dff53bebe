// What the devices send: all their streams merged in order of date.
#pragma once

#include <memory>
#include <vector>

#include "workloads/traffic/devices.h"
#include "workloads/traffic/exit_source.h"
#include "workloads/traffic/request_stream.h"
#include "workloads/traffic/winner_tree.h"

namespace fluidbatch::workloads {

/// Requests of equal date are in order of device number. Each has its exit drawn. Memory grows with the
/// devices, not with the requests.
class SentRequests final : public RequestStream {
 public:
  /// All references must outlive the stream. An answer takes `answer_latency_s` to get to its device.
  SentRequests(const Devices& devices, const ExitSpec& exits, std::uint64_t seed, const RunLength& length,
               double answer_latency_s = 0);

  [[nodiscard]] double next_event_s() const override { return next_event_s_; }
  std::size_t read(std::span<Arrival> block) override;
  [[nodiscard]] bool listens() const override { return !stream_of_device_.empty(); }
  void answered(std::uint32_t device, double date_s) override;
  [[nodiscard]] std::unique_ptr<RequestStream> clone() const override {
    return std::make_unique<SentRequests>(*this);
  }
  void split(std::uint64_t branch) override;
  bool restart(double now_s, std::size_t unread) override;

  SentRequests(const SentRequests& other);
  SentRequests& operator=(const SentRequests&) = delete;
  ~SentRequests() override = default;

 private:
  struct Source {
    std::unique_ptr<ArrivalStream> stream;
    std::uint32_t first_device = 0;
    bool has_details = false;
    // One of many, which is asked for nothing but dates, and no answer changes those.
    bool drawn_ahead = false;
    double next_s = 0;  // where drawn ahead: the date after the one in the tree

    double draw() {
      if (!drawn_ahead) return stream->next_s();
      const double date_s = next_s;
      // Nobody waits for the one after it, so that the machine draws it while it goes on.
      if (date_s < kNever) next_s = stream->next_s();
      return date_s;
    }
  };

  void fetch(std::uint32_t source) { tree_.set(source, sources_[source].draw()); }
  void look_ahead();
  void read_one(Arrival& request);
  std::size_t read_many(std::span<Arrival> block);

  std::unique_ptr<ExitStream> exits_;
  bool restarts_;
  RunLength length_;
  double answer_latency_s_;
  std::vector<Source> sources_;
  WinnerTree tree_;
  std::vector<std::uint32_t> stream_of_device_;  // empty where nobody listens
  std::uint64_t given_ = 0;
  double next_event_s_ = kNever;
};

}  // namespace fluidbatch::workloads
