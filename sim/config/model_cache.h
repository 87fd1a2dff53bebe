// Networks, NPUs and latency tables that many configurations share.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "sim/config/npu_choice.h"
#include "workloads/models/network.h"

namespace fluidbatch::sim {

/// What has been read and computed once, by the file that it is from. A sweep reads thousands of
/// configurations, nearly all of one network and a few NPUs. Files must not change while it lives.
class ModelCache {
 public:
  /// As workloads::load_network; the reference is good as long as the cache.
  const workloads::Network& network(const io::Node& name_or_path);

  /// As load_npu.
  const npu::Npu& npu(const io::Node& name_or_path);

  /// The latency table of `choice` for a network of this cache, up to `max_batch`.
  std::shared_ptr<const npu::BatchPolicyTable> table(const workloads::Network& network,
                                                     const NpuChoice& choice, int max_batch);

 private:
  /// As io::find_file, which looks into folders each time.
  const std::string& find_file(const std::string& kind, const io::Node& name_or_path);

  std::map<std::string, workloads::Network> networks_;
  std::map<std::string, npu::Npu> npus_;
  std::map<std::tuple<std::string, std::string, std::string>, std::string> files_;  // kind, source, name
  /// By network, measured table or else NPU, mode and largest batch.
  using TableKey = std::tuple<const workloads::Network*, std::string, std::string, npu::Mode, int>;
  std::map<TableKey, std::shared_ptr<const npu::BatchPolicyTable>> tables_;
};

}  // namespace fluidbatch::sim
