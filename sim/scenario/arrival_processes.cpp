#include "sim/scenario/arrival_processes.h"

#include <utility>

namespace fluidbatch::sim {
namespace {

using workloads::ArrivalContext;

std::vector<workloads::RatePiece> in_hz(const std::vector<RatedPiece>& pieces,
                                        const ArrivalContext& context) {
  std::vector<workloads::RatePiece> in_hz;
  in_hz.reserve(pieces.size());
  for (const RatedPiece& piece : pieces) {
    in_hz.push_back({.rate_hz = piece.rate.in_hz(context), .duration_s = piece.duration_s});
  }
  return in_hz;
}

}  // namespace

ArrivalProcess poisson(workloads::Rate rate) {
  return [=](const ArrivalContext& context) { return workloads::make_poisson(rate.in_hz(context)); };
}

ArrivalProcess periodic(workloads::Rate rate, double jitter_s, double phase_s) {
  return [=](const ArrivalContext& context) {
    return workloads::make_periodic(
        {.period_s = 1 / rate.in_hz(context), .phase_s = phase_s, .jitter_s = jitter_s});
  };
}

ArrivalProcess gamma_gaps(workloads::Rate rate, double cv) {
  return [=](const ArrivalContext& context) { return workloads::make_gamma(rate.in_hz(context), cv); };
}

ArrivalProcess mmpp(std::vector<RatedPiece> states) {
  return [states = std::move(states)](const ArrivalContext& context) {
    return workloads::make_mmpp(in_hz(states, context));
  };
}

ArrivalProcess spike(std::vector<RatedPiece> pieces, bool repeat) {
  return [pieces = std::move(pieces), repeat](const ArrivalContext& context) {
    return workloads::make_spike(in_hz(pieces, context), repeat);
  };
}

ArrivalProcess closed_loop(const workloads::ClosedLoop& loop) {
  return [=](const ArrivalContext& /*context*/) { return workloads::make_closed_loop(loop); };
}

ArrivalProcess recorded(const std::vector<Sample>& samples) {
  std::vector<workloads::Arrival> arrivals;
  arrivals.reserve(samples.size());
  for (const Sample& sample : samples) {
    workloads::Arrival arrival = workloads::Arrival::at(sample.date_s);
    arrival.exit = sample.exit;
    arrival.device = sample.device;
    arrival.correct = static_cast<std::int8_t>(sample.correct);
    arrivals.push_back(arrival);
  }
  return [arrivals = std::move(arrivals)](const ArrivalContext& /*context*/) {
    return workloads::make_recorded(arrivals);
  };
}

}  // namespace fluidbatch::sim
