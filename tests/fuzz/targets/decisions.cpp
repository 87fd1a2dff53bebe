// A table of an FBE's decisions: what is read can be carried out, and is the same when it is written and read
// again.
#include <algorithm>

#include "sim/config/fbe_table_file.h"
#include "tests/fuzz/target.h"

namespace fluidbatch::fuzz {
namespace {

void require_possible(const scheduler::FbeTable& table, int active, int segment) {
  for (int queue = 1; queue <= table.longest_queue(); ++queue) {
    const int newcomers = table.newcomers({.queue = queue, .active = active, .segment = segment});
    const int most = std::min(queue, table.max_batch() - active);
    require(newcomers >= 0 && newcomers <= most, "more newcomers than can start");
  }
}

void read(const std::string& input) {
  const scheduler::FbeTable table = sim::read_fbe_table(file_of("input.csv", input));
  require_possible(table, 0, 0);
  for (int segment = 1; segment < table.segments(); ++segment) {
    for (int active = 1; active <= table.max_batch(); ++active) require_possible(table, active, segment);
  }
  const std::string csv = sim::fbe_table_csv(table);
  require(sim::fbe_table_csv(sim::read_fbe_table(file_of("again.csv", csv))) == csv, "another table");
}

const TargetRegistration kRegistration({"decisions", read});

}  // namespace
}  // namespace fluidbatch::fuzz
