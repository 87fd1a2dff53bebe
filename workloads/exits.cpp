#include "workloads/exits.h"

#include <utility>

#include "workloads/kind_registry.h"

namespace fluidbatch::workloads {

ExitRegistration::ExitRegistration(ExitKind kind) { KindRegistry<ExitKind>::instance().add(std::move(kind)); }

std::unique_ptr<ExitSpec> read_exits(const io::Node& node, const ExitContext& context, io::Node& resolved) {
  return KindRegistry<ExitKind>::instance().read(node, "exits", context, resolved);
}

}  // namespace fluidbatch::workloads
