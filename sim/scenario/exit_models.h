// Exit models of a scenario that is being built: they are made when the network and the devices are known.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "workloads/exits/exits.h"

namespace fluidbatch::sim {

/// Makes an exit model when the network and the devices are known.
using ExitModel =
    std::function<std::shared_ptr<const workloads::ExitSpec>(const workloads::ExitContext& context)>;

/// The models of workloads/exits/exits.h. What is wrong with their values is thrown, as
/// std::invalid_argument, when they are made.
ExitModel no_exits();
/// Independent exits: of the samples that reach each early exit, the share that leaves there.
ExitModel exit_rates(const std::vector<double>& rates);
/// Likewise, but alike from one sample of a device to its next.
ExitModel correlated_exits(const std::vector<double>& rates, double correlation);
/// Recorded samples, each of which leaves at the first early exit whose threshold its confidence reaches,
/// unless an exit control decides otherwise.
ExitModel confidences(const std::vector<workloads::JudgedSample>& samples,
                      const std::vector<double>& thresholds);
/// Of each request in order of sending. Policies know `known_rates` or, where empty, those of the list.
ExitModel exit_list(const std::vector<int>& taken, const std::vector<double>& known_rates = {});
/// Those that recorded arrivals name, which are one group; policies know the same.
ExitModel exits_of_arrivals(const std::vector<double>& known_rates = {});

}  // namespace fluidbatch::sim
