// Measured latencies of layers, as `npu fit` takes them: of convolutions by their shapes, or of the small
// network's layers by name. The model has an answer to every row that is accepted.
#include <cmath>

#include "sim/fit/measured_layers.h"
#include "tests/fuzz/target.h"
#include "workloads/models/network_file.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::fuzz {
namespace {

void read(const std::string& input) {
  const workloads::Network network =
      workloads::load_network(io::Node::text((workspace() / "network.yaml").string()));
  const bool by_shape = input.find("in_channels") != std::string::npos;
  const sim::MeasuredContext context{
      .base = workloads::load_npu(io::Node::text((workspace() / "npu.yaml").string())),
      .board = workloads::load_board(io::Node::text((workspace() / "board.yaml").string())),
      .free = {sim::find_npu_key("bandwidth_bytes_per_s"), sim::find_npu_key("layer_overhead_cycles")},
      .network = by_shape ? nullptr : &network,
      .words = {}};
  const sim::MeasuredFile file = sim::load_measured_layers(file_of("input.csv", input), context,
                                                           {.column = {}, .values = {}, .every = 2});
  require(file.held_out.size() == file.rows.size(), "rows that are neither fitted nor held out");
  for (const sim::MeasuredLayer& row : file.rows) {
    require(row.measured > 0 && std::isfinite(row.measured), "a measurement that no logarithm compares");
    const sim::Prediction prediction = sim::predict(row, context.mode, file.unit);
    require(prediction.modelled > 0, "a layer that takes no time");
  }
}

const TargetRegistration kRegistration({"measured", read});

}  // namespace
}  // namespace fluidbatch::fuzz
