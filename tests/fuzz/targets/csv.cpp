// Any text as CSV: every row has the header's cells, each with a place in the file.
#include "workloads/io/csv.h"

#include "tests/fuzz/target.h"

namespace fluidbatch::fuzz {
namespace {

void read(const std::string& input) {
  io::CsvReader csv(file_of("input.csv", input));
  while (csv.next()) {
    for (std::size_t column = 0; column < csv.header().size(); ++column) {
      const io::Mark mark = csv.mark(column);
      require(mark.line > 1 && mark.column > 0, "a cell without a place");
      if (!csv.is_gap(column)) require(!csv.cell(column).empty(), "an empty cell that is no gap");
    }
  }
}

const TargetRegistration kRegistration({"csv", read});

}  // namespace
}  // namespace fluidbatch::fuzz
