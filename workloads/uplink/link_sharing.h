// Max-min fair sharing of an access point among the links of many devices, event by event.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <vector>

#include "workloads/traffic/arrivals.h"

namespace fluidbatch::workloads {

/// Transfers under way. A device with bandwidth d and n transfers gives each of them the rate
/// min(share, d / n), where the share is the one at which all rates add up to the access point's bandwidth,
/// or infinite where the devices' links are the only limit (progressive filling; Bertsekas and Gallager,
/// Data Networks, 6.5.2). With unlimited device links this is one processor-sharing server.
///
/// All samples of a device have the same size, so its transfers end in the order in which they began. An
/// event costs time in proportion to the devices that are sending.
class LinkSharing {
 public:
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  /// `device_bandwidths_bytes_per_s`: of each device, by number; infinity allowed.
  LinkSharing(double access_point_bandwidth_bytes_per_s, std::vector<double> device_bandwidths_bytes_per_s);

  /// A transfer of `bytes` (above 0) begins, from a device that is not `unlimited`. Dates of all calls must
  /// not fall.
  void begin(const Arrival& sample, double bytes, double date_s);

  /// When the first of the transfers ends, if no other begins before; infinity where there is none.
  [[nodiscard]] double next_end_s() const { return next_end_s_; }

  /// Ends that transfer; its sample.
  Arrival end();

  /// Whether nothing limits the rate of this device's transfers: these take no time and no part.
  [[nodiscard]] bool unlimited(std::uint32_t device) const {
    return bandwidth_bytes_per_s_ == kNever && devices_[device].bandwidth_bytes_per_s == kNever;
  }

 private:
  struct Transfer {
    Arrival sample;
    double end_bytes = 0;  // of the device's `served_bytes` at its end
  };
  struct Device {
    double bandwidth_bytes_per_s = kNever;
    double rate_bytes_per_s = 0;  // of each of its transfers
    double served_bytes = 0;      // given to each transfer that has been there all the time
    std::deque<Transfer> transfers;
  };

  void serve_until(double date_s);
  void share();

  double bandwidth_bytes_per_s_;
  std::vector<Device> devices_;
  std::vector<std::uint32_t> active_;  // devices that are sending, in order of bandwidth per transfer
  double date_s_ = 0;
  double next_end_s_ = kNever;
  std::uint32_t next_device_ = 0;
};

}  // namespace fluidbatch::workloads
