#include "sim/config/model_cache.h"

#include "sim/config/npu_file.h"
#include "workloads/io/shipped_files.h"

namespace fluidbatch::sim {

const workloads::Network& ModelCache::network(const io::Node& name_or_path) {
  const std::string file = io::find_file("networks", name_or_path).string();
  const auto found = networks_.find(file);
  if (found != networks_.end()) return found->second;
  return networks_.emplace(file, workloads::load_network(name_or_path)).first->second;
}

const npu::Npu& ModelCache::npu(const io::Node& name_or_path) {
  const std::string file = io::find_file("npus", name_or_path).string();
  const auto found = npus_.find(file);
  if (found != npus_.end()) return found->second;
  return npus_.emplace(file, load_npu(name_or_path)).first->second;
}

std::shared_ptr<const npu::BatchPolicyTable> ModelCache::table(const workloads::Network& network,
                                                               const NpuChoice& choice, int max_batch) {
  // Networks stay where they are in the map, so that their address tells them apart.
  const std::string key = std::to_string(reinterpret_cast<std::uintptr_t>(&network)) + " " +
                          io::to_yaml(choice.resolved) + " " + std::string(npu::name_of(choice.mode)) + " " +
                          std::to_string(max_batch);
  auto& table = tables_[key];
  if (table == nullptr) table = choice.table(network.layers, max_batch);
  return table;
}

}  // namespace fluidbatch::sim
