// Sites drawn at random: services, NPUs, policies, arbiters, routers, arrivals, exits and links of all kinds.
#pragma once

#include <random>
#include <string>

#include "sim/core/observer.h"
#include "sim/scenario/builder.h"

namespace fluidbatch::test {

enum class Links { some, none, always };

/// A site with one system, of 60 to 160 requests: one to three services, on one to three NPUs. In every
/// second one all dates and latencies are multiples of 1/128 s, so that much happens at the same dates.
/// `links`: whether there is an uplink (analytic).
sim::ScenarioBuilder random_site(std::mt19937_64& random, Links links = Links::some);

/// What is in requests.csv, in memory: a row for each request, in order of their number, with the numbers of
/// its service and its NPU.
class SiteRows final : public sim::Observer {
 public:
  explicit SiteRows(const sim::Scenario& scenario)
      : scenario_(scenario), service_of_device_(scenario.devices.services()) {}
  void completed(scheduler::RequestId id, const scheduler::Request& request) override;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  const sim::Scenario& scenario_;
  std::vector<std::size_t> service_of_device_;
  std::string text_;
};

}  // namespace fluidbatch::test
