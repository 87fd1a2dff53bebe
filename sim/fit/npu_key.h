// The numeric keys of an NPU's YAML by name: what a fit may change, and what a measured layer may bring
// along.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "npu_model/npu.h"

namespace fluidbatch::sim {

/// A numeric key. `get` and `set` are exact for whole numbers: none is above 2^53.
struct NpuKey {
  const char* name;
  bool may_be_free;  ///< tile sizes and the like are a search's, not a fit's
  bool whole;
  double min;  ///< 0 where the key may be 0, otherwise the least value; above 0 where it is not whole
  double max;
  double (*get)(const npu::Npu&);
  void (*set)(npu::Npu&, double);
};

/// The key called `name`, or nullptr.
const NpuKey* find_npu_key(std::string_view name);

/// Names of the keys, of those that may be free where `free_only`, in the order of the documentation.
std::vector<std::string> npu_key_names(bool free_only);

/// Whether the key goes with the NPU's channel: shared ones have one bandwidth, separate ones two.
bool goes_with(const NpuKey& key, npu::Channel channel);

}  // namespace fluidbatch::sim
