// The statistics of a site's services and NPUs.
#pragma once

#include <cstddef>

#include "sim/measure/statistics.h"

namespace fluidbatch::sim {

/// Of a service, by its number; those of the whole where there is one service.
inline const RunStatistics& of_service(const RunStatistics& whole, std::size_t service) {
  return whole.services.empty() ? whole : whole.services[service];
}

/// Of an NPU, likewise.
inline const RunStatistics& of_npu(const RunStatistics& whole, std::size_t npu) {
  return whole.npus.empty() ? whole : whole.npus[npu];
}

}  // namespace fluidbatch::sim
