#include "sim/scenario/exit_models.h"

#include <stdexcept>

namespace fluidbatch::sim {

ExitModel no_exits() {
  return [](const workloads::ExitContext& context) { return workloads::make_no_exits(context.exits); };
}

ExitModel exit_rates(const std::vector<double>& rates) {
  return [=](const workloads::ExitContext& /*context*/) { return workloads::make_rates(rates); };
}

ExitModel correlated_exits(const std::vector<double>& rates, double correlation) {
  return [=](const workloads::ExitContext& /*context*/) {
    return workloads::make_correlated(rates, correlation);
  };
}

ExitModel confidences(const std::vector<workloads::JudgedSample>& samples,
                      const std::vector<double>& thresholds) {
  return [=](const workloads::ExitContext& /*context*/) {
    return workloads::make_confidences(samples, thresholds);
  };
}

ExitModel exit_list(const std::vector<int>& taken, const std::vector<double>& known_rates) {
  return [=](const workloads::ExitContext& context) {
    return workloads::make_exit_list(taken, context.exits, known_rates);
  };
}

ExitModel exits_of_arrivals(const std::vector<double>& known_rates) {
  return [=](const workloads::ExitContext& context) {
    if (context.devices == nullptr) {
      throw std::invalid_argument(
          "a load of the arrivals needs the exit rates first, and these exits are named by the arrivals");
    }
    return workloads::make_exits_of_arrivals(*context.devices, context.exits, known_rates, context.service);
  };
}

}  // namespace fluidbatch::sim
