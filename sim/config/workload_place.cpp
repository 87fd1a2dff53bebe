#include "sim/config/workload_place.h"

namespace fluidbatch::sim {

io::Mark place_in_workload(const io::Node& document, const std::string& key) {
  const io::Node* workload = document.find("workload");
  if (workload == nullptr) return document.mark;
  const io::Node* value = workload->find(key);
  if (value == nullptr && key == "arrivals") value = workload->find("devices");
  return value == nullptr ? workload->mark : value->mark;
}

}  // namespace fluidbatch::sim
