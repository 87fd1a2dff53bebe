// A board.
#include "sim/config/npu_file.h"
#include "tests/fuzz/target.h"

namespace fluidbatch::fuzz {
namespace {

void read(const std::string& input) {
  sim::load_board(io::Node::text(file_of("input.yaml", input).string()));
}

const TargetRegistration kRegistration({"board", read});

}  // namespace
}  // namespace fluidbatch::fuzz
