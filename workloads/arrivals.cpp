#include "workloads/arrivals.h"

#include <utility>

#include "workloads/kind_registry.h"

namespace fluidbatch::workloads {

std::vector<int> ArrivalSpec::exits(int /*exits*/, const io::Mark& asked_at) const {
  throw io::InputError(asked_at, "these arrivals name no exits; give the path of a CSV with a column 'exit'");
}

ArrivalRegistration::ArrivalRegistration(ArrivalKind kind) {
  KindRegistry<ArrivalKind>::instance().add(std::move(kind));
}

std::unique_ptr<ArrivalSpec> read_arrivals(const io::Node& node, const ArrivalContext& context,
                                           io::Node& resolved) {
  return KindRegistry<ArrivalKind>::instance().read(node, "arrivals", context, resolved);
}

}  // namespace fluidbatch::workloads
