#include "workloads/uplink/analytic_uplink.h"

#include <algorithm>

namespace fluidbatch::workloads {
namespace {

std::vector<double> by_device(const Devices& devices, double DeviceGroup::*value) {
  std::vector<double> values;
  values.reserve(devices.size());
  for (const DeviceGroup& group : devices.groups()) values.insert(values.end(), group.devices, group.*value);
  return values;
}

}  // namespace

std::vector<double> device_bandwidths_bytes_per_s(const Devices& devices) {
  return by_device(devices, &DeviceGroup::bandwidth_bytes_per_s);
}

std::vector<double> sample_bytes(const Devices& devices) {
  return by_device(devices, &DeviceGroup::sample_bytes);
}

AnalyticUplink::AnalyticUplink(const UplinkSpec& spec, const Devices& devices, const SentRequests& sends)
    : latency_s_(spec.latency_s),
      sends_(sends),
      sample_bytes_(workloads::sample_bytes(devices)),
      sharing_(spec.access_point_bandwidth_bytes_per_s, device_bandwidths_bytes_per_s(devices)) {
  look_ahead();
}

std::size_t AnalyticUplink::read(std::span<Arrival> block) {
  std::size_t filled = 0;
  while (filled < block.size() && next_event_s_ < kNever) {
    filled += std::size_t{apply_next(block[filled])};
    if (!foretold()) break;
  }
  return filled;
}

bool AnalyticUplink::apply_next(Arrival& request) {
  const double date_s = next_event_s_;
  const bool brings = !on_the_way_.empty() && on_the_way_.front().date_s <= date_s;
  if (brings) {
    request = on_the_way_.front();
    on_the_way_.pop_front();
  } else {
    step(date_s);
  }
  look_ahead();
  return brings;
}

void AnalyticUplink::answered(std::uint32_t device, double date_s) {
  sends_.answered(device, date_s);
  look_ahead();
}

/// The event of `date_s`: a transfer ends, or one begins.
void AnalyticUplink::step(double date_s) {
  if (sharing_.next_end_s() <= date_s) {
    leave_link(sharing_.end(), date_s);
    return;
  }
  Arrival sample;
  if (!sends_.advance(sample)) return;
  const double bytes = sample_bytes_[sample.device];
  if (bytes == 0 || sharing_.unlimited(sample.device)) {
    leave_link(sample, date_s);
  } else {
    sharing_.begin(sample, bytes, date_s);
  }
}

void AnalyticUplink::leave_link(Arrival sample, double date_s) {
  sample.date_s = date_s + latency_s_;
  on_the_way_.push_back(sample);
}

double AnalyticUplink::delivery_s() const {
  if (on_the_way_.empty()) return kNever;
  return on_the_way_.front().date_s;
}

void AnalyticUplink::look_ahead() {
  const auto link_event_s = [this] { return std::min(sends_.next_event_s(), sharing_.next_end_s()); };
  if (!sends_.listens()) {
    // Nothing can come in between, so that the server may know its next request at once.
    while (on_the_way_.empty() && link_event_s() < kNever) step(link_event_s());
    next_event_s_ = delivery_s();
    return;
  }
  next_event_s_ = std::min(link_event_s(), delivery_s());
}

}  // namespace fluidbatch::workloads
