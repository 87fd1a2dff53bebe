// Workloads, or parts of one, from the text of a configuration.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "workloads/exits/exits.h"
#include "workloads/traffic/devices.h"
#include "workloads/traffic/sent_requests.h"
#include "workloads/uplink/uplink.h"

namespace fluidbatch::test {

inline std::unique_ptr<workloads::ArrivalSpec> arrivals_of(const std::string& yaml,
                                                           const workloads::ArrivalContext& context = {
                                                               .reference_latency_s = 1,
                                                               .least_npu_time_s = [] { return 0.5; }}) {
  io::Node resolved;
  return workloads::read_arrivals(io::parse_yaml(yaml, "c.yaml"), context, resolved);
}

/// The devices of `{arrivals: ..}` or `{devices: ..}`.
inline workloads::Devices devices_of(const std::string& yaml,
                                     const workloads::DeviceDefaults& defaults = {}) {
  const io::Node node = io::parse_yaml(yaml, "c.yaml");
  io::MapReader reader(node, "workload", {"arrivals", "devices"});
  return workloads::read_devices(
      reader,
      {{.service = {}, .context = {.reference_latency_s = 1, .least_npu_time_s = [] { return 0.5; }}}},
      defaults);
}

inline std::unique_ptr<workloads::ExitSpec> exits_of(const std::string& yaml, int exits,
                                                     const workloads::Devices& devices) {
  io::Node resolved;
  return workloads::read_exits(io::parse_yaml(yaml, "c.yaml"), {.exits = exits, .devices = &devices},
                               resolved);
}

/// Everything that a stream brings, up to `most`.
inline std::vector<workloads::Arrival> drain(workloads::RequestStream& stream,
                                             std::size_t most = 10'000'000) {
  std::vector<workloads::Arrival> all;
  workloads::Arrival request;
  while (all.size() < most && stream.next_event_s() < workloads::RequestStream::kNever) {
    if (stream.advance(request)) all.push_back(request);
  }
  return all;
}

/// The first `count` dates of one stream of a process.
inline std::vector<double> dates_of(const workloads::ArrivalSpec& spec, std::size_t count,
                                    std::uint64_t seed = 1, std::uint64_t key = 0) {
  const auto stream = spec.start(seed, key);
  std::vector<double> dates;
  while (dates.size() < count) {
    const double date_s = stream->next_s();
    if (date_s == workloads::RequestStream::kNever) break;
    dates.push_back(date_s);
  }
  return dates;
}

/// Kolmogorov-Smirnov statistic times sqrt(n); above 1.95 the draws are not of this distribution, at the 0.1
/// % level.
double kolmogorov(std::vector<double> draws, const std::function<double(double)>& distribution);

}  // namespace fluidbatch::test
