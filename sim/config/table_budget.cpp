#include "sim/config/table_budget.h"

#include <string>

namespace fluidbatch::sim {

void TableBudget::add(const npu::BatchPolicyTable& table, const io::Mark& mark) {
  constexpr std::int64_t kMost = std::int64_t{1} << 22;  // an entry takes up to 120 bytes
  if (!counted_.insert(&table).second) return;
  entries_ += std::int64_t{table.layers()} * table.max_batch();
  if (entries_ <= kMost) return;
  throw io::InputError(
      mark,
      "the latencies of all layers at all batch sizes, of every service on every NPU, are more "
      "than " +
          std::to_string(kMost) + " numbers; take a smaller max_batch, or fewer NPUs");
}

}  // namespace fluidbatch::sim
