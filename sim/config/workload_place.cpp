#include "sim/config/workload_place.h"

namespace fluidbatch::sim {

io::Mark place_in_workload(const io::Node& document, const std::string& key) {
  const io::Node* workload = document.find("workload");
  if (workload == nullptr) return document.mark;
  const io::Node* value = workload->find(key);
  if (value == nullptr && key == "arrivals") value = workload->find("devices");
  return value == nullptr ? workload->mark : value->mark;
}

io::Mark place_of_npus(const io::Node& document) {
  const io::Node* systems = document.find("systems");
  if (systems == nullptr) return document.mark;
  for (const io::Node& system : systems->items) {
    if (const io::Node* npus = system.find("npus")) return npus->mark;
  }
  return systems->mark;
}

}  // namespace fluidbatch::sim
