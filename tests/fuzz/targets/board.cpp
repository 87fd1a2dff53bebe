// A board.
#include "tests/fuzz/target.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::fuzz {
namespace {

void read(const std::string& input) {
  workloads::load_board(io::Node::text(file_of("input.yaml", input).string()));
}

const TargetRegistration kRegistration({"board", read});

}  // namespace
}  // namespace fluidbatch::fuzz
