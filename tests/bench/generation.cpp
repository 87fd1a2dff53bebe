// Nanoseconds to generate a request, arrivals and exits, without a server: what `make bench` prints.
// Processor time, the best of several turns (the machine may have other work).
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>

#include "sim/core/look_ahead.h"
#include "tests/support/workload_helpers.h"

using namespace fluidbatch;

namespace {

double processor_s() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void measure(const std::string& what, const std::string& devices_yaml, const std::string& exits_yaml,
             std::uint64_t requests) {
  const workloads::Devices devices = test::devices_of(devices_yaml);
  const auto exits = test::exits_of(exits_yaml, 4, devices);
  double best_ns = 1e300;
  double sum_s = 0;  // used, so that nothing is optimised away
  for (int turn = 0; turn < 5; ++turn) {
    workloads::SentRequests sends(devices, *exits, 1, {.requests = requests});
    sim::LookAhead stream(sends, sim::LookAhead::kMost);  // as the server takes them
    const double begin_s = processor_s();
    while (stream.next_event_s() < workloads::RequestStream::kNever) {
      const workloads::Arrival* request = stream.advance(sends);
      sum_s += request->date_s + request->exit;
    }
    best_ns = std::min(best_ns, (processor_s() - begin_s) / static_cast<double>(requests) * 1e9);
  }
  std::printf("generation, %-55s %7.1f ns a request%s\n", what.c_str(), best_ns, sum_s > 0 ? "" : " ?");
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t requests = argc > 1 ? std::stoull(argv[1]) : 5'000'000;
  const std::string rates = "{kind: rates, rates: [0.3, 0.35, 0.4]}";
  measure("1 Poisson device, rates", "{arrivals: {kind: poisson, rate_hz: 50}}", rates, requests);
  measure("1 Poisson device, correlated", "{arrivals: {kind: poisson, rate_hz: 50}}",
          "{kind: correlated, rates: [0.3, 0.35, 0.4], correlation: 0.5}", requests);
  measure("1 gamma device, rates", "{arrivals: {kind: gamma, rate_hz: 50, cv: 2}}", rates, requests);
  measure("1 mmpp device, rates",
          "{arrivals: {kind: mmpp, states: [{rate_hz: 20, mean_duration_s: 1}, {rate_hz: 200, "
          "mean_duration_s: 1}]}}",
          rates, requests);
  measure("100 Poisson devices, rates", "devices: [{count: 100, arrivals: {kind: poisson, rate_hz: 1}}]",
          rates, requests);
  measure("10,000 Poisson devices, rates", "devices: [{count: 10000, arrivals: {kind: poisson, rate_hz: 1}}]",
          rates, requests);
  measure("100,000 Poisson devices, rates",
          "devices: [{count: 100000, arrivals: {kind: poisson, rate_hz: 1}}]", rates, requests);
  measure("10,000 periodic devices with jitter, rates",
          "devices: [{count: 10000, arrivals: {kind: periodic, period_ms: 40, jitter_ms: 5}}]", rates,
          requests);
  return 0;
}
