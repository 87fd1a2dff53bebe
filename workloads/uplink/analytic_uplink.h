// Samples cross the uplink inside the serving core.
#pragma once

#include <deque>
#include <vector>

#include "workloads/traffic/sent_requests.h"
#include "workloads/uplink/link_sharing.h"
#include "workloads/uplink/uplink.h"

namespace fluidbatch::workloads {

/// What is sent, as it gets to the server. Of one date, transfers end before others begin.
class AnalyticUplink final : public RequestStream {
 public:
  AnalyticUplink(const UplinkSpec& spec, const Devices& devices, const SentRequests& sends);

  [[nodiscard]] double next_event_s() const override { return next_event_s_; }
  std::size_t read(std::span<Arrival> block) override;
  [[nodiscard]] bool listens() const override { return sends_.listens(); }
  void answered(std::uint32_t device, double date_s) override;
  [[nodiscard]] std::unique_ptr<RequestStream> clone() const override {
    return std::make_unique<AnalyticUplink>(*this);
  }
  void split(std::uint64_t branch) override { sends_.split(branch); }

 private:
  bool apply_next(Arrival& request);
  [[nodiscard]] double delivery_s() const;
  void step(double date_s);
  void look_ahead();
  void leave_link(Arrival sample, double date_s);

  double latency_s_;
  SentRequests sends_;
  std::vector<double> sample_bytes_;  // by device
  LinkSharing sharing_;
  std::deque<Arrival> on_the_way_;  // have left the links; in order of their date at the server
  double next_event_s_ = kNever;
};

/// Bandwidth of each device's own link, and bytes of its samples, by number.
std::vector<double> device_bandwidths_bytes_per_s(const Devices& devices);
std::vector<double> sample_bytes(const Devices& devices);

}  // namespace fluidbatch::workloads
