#include "workloads/uplink/link_sharing.h"

#include <algorithm>

namespace fluidbatch::workloads {

LinkSharing::LinkSharing(double access_point_bandwidth_bytes_per_s,
                         std::vector<double> device_bandwidths_bytes_per_s)
    : bandwidth_bytes_per_s_(access_point_bandwidth_bytes_per_s),
      devices_(device_bandwidths_bytes_per_s.size()) {
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    devices_[i].bandwidth_bytes_per_s = device_bandwidths_bytes_per_s[i];
  }
}

void LinkSharing::begin(const Arrival& sample, double bytes, double date_s) {
  serve_until(date_s);
  Device& device = devices_[sample.device];
  if (device.transfers.empty()) {
    active_.push_back(sample.device);
    device.served_bytes = 0;  // small numbers keep their digits
  }
  device.transfers.push_back({sample, device.served_bytes + bytes});
  share();
}

Arrival LinkSharing::end() {
  serve_until(next_end_s_);
  Device& device = devices_[next_device_];
  const Arrival sample = device.transfers.front().sample;
  device.served_bytes = std::max(device.served_bytes, device.transfers.front().end_bytes);
  device.transfers.pop_front();
  if (device.transfers.empty()) std::erase(active_, next_device_);
  share();
  return sample;
}

void LinkSharing::serve_until(double date_s) {
  for (const std::uint32_t number : active_) {
    Device& device = devices_[number];
    device.served_bytes += device.rate_bytes_per_s * (date_s - date_s_);
  }
  date_s_ = date_s;
}

/// Fills up: devices in order of what their own link allows a transfer; each takes that or, once it is more,
/// an equal share of what the ones before have left.
void LinkSharing::share() {
  const auto own_limit = [this](std::uint32_t number) {
    const Device& device = devices_[number];
    return device.bandwidth_bytes_per_s / static_cast<double>(device.transfers.size());
  };
  std::sort(active_.begin(), active_.end(), [&](std::uint32_t a, std::uint32_t b) {
    const double limit_a = own_limit(a);
    const double limit_b = own_limit(b);
    return limit_a != limit_b ? limit_a < limit_b : a < b;
  });
  std::size_t transfers_left = 0;
  for (const std::uint32_t number : active_) transfers_left += devices_[number].transfers.size();
  double bandwidth_left = bandwidth_bytes_per_s_;
  next_end_s_ = kNever;
  for (const std::uint32_t number : active_) {
    Device& device = devices_[number];
    const double fair = bandwidth_left / static_cast<double>(transfers_left);
    device.rate_bytes_per_s = std::min(fair, own_limit(number));
    bandwidth_left -= device.rate_bytes_per_s * static_cast<double>(device.transfers.size());
    transfers_left -= device.transfers.size();
    const double left_bytes = std::max(0.0, device.transfers.front().end_bytes - device.served_bytes);
    const double end_s = date_s_ + left_bytes / device.rate_bytes_per_s;
    const bool earlier = end_s < next_end_s_ || (end_s == next_end_s_ && number < next_device_);
    if (earlier) {
      next_end_s_ = end_s;
      next_device_ = number;
    }
  }
}

}  // namespace fluidbatch::workloads
