// The keys `npu` and `npu_mode` of a configuration.
#pragma once

#include <string>
#include <vector>

#include "sim/config/model_cache.h"
#include "sim/config/npu_choice.h"
#include "workloads/io/map_reader.h"

namespace fluidbatch::sim {

/// Reads `npu` and `npu_mode` of `reader`, taking over from `otherwise` what is not given. The defaults go to
/// the reader's resolved map. Throws InputError.
/// `services`: their names, for measured tables of each; empty where they have none.
NpuChoice read_npu_choice(io::MapReader& reader, const NpuChoice& otherwise, ModelCache& cache,
                          const std::vector<std::string>& services);

/// The choice where nothing says otherwise: `zu7ev_large` in mode r.
NpuChoice default_npu_choice(ModelCache& cache);

}  // namespace fluidbatch::sim
