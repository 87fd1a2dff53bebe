#include "sim/config/model_cache.h"

#include "workloads/io/shipped_files.h"
#include "workloads/models/network_file.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::sim {

const workloads::Network& ModelCache::network(const io::Node& name_or_path) {
  const std::string& file = find_file("networks", name_or_path);
  const auto found = networks_.find(file);
  if (found != networks_.end()) return found->second;
  return networks_.emplace(file, workloads::load_network(name_or_path)).first->second;
}

const npu::Npu& ModelCache::npu(const io::Node& name_or_path) {
  const std::string& file = find_file("npus", name_or_path);
  const auto found = npus_.find(file);
  if (found != npus_.end()) return found->second;
  return npus_.emplace(file, workloads::load_npu(name_or_path)).first->second;
}

const std::string& ModelCache::find_file(const std::string& kind, const io::Node& name_or_path) {
  // A relative path starts at the file that it is in, or at the current folder where it has no line.
  const std::string& source = name_or_path.mark.line == 0 ? "" : name_or_path.mark.source;
  std::string& file = files_[{kind, source, name_or_path.scalar}];
  if (file.empty()) file = io::find_file(kind, name_or_path).string();
  return file;
}

std::shared_ptr<const npu::BatchPolicyTable> ModelCache::table(const workloads::Network& network,
                                                               const NpuChoice& choice, int max_batch) {
  // Networks stay where they are in the map, so that their address tells them apart.
  auto& table =
      tables_[{&network, choice.table_file.string(), choice.resolved.scalar, choice.mode, max_batch}];
  if (table == nullptr) table = choice.table(network.layers, max_batch);
  return table;
}

}  // namespace fluidbatch::sim
