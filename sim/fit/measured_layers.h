// Measured latencies of layers, from a CSV.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/fit/npu_fit.h"
#include "workloads/models/network.h"

namespace fluidbatch::sim {

/// What messages call that which a user gave: options of the command, unless it is somebody else's.
struct FitWords {
  std::string free = "--free";
  std::string network = "--network";
  std::string hold_out = "--hold-out";
  std::string hold_out_every = "--hold-out-every";
};

/// Which rows a fit does not see: those with one of `values` in `column`, or each `every`-th; none by
/// default.
struct HoldOut {
  std::string column;
  std::vector<std::string> values;
  int every = 0;
};

/// `COLUMN=VALUE,..` as a user writes it. Throws InputError.
HoldOut parse_hold_out(const std::string& text, const FitWords& words);

struct MeasuredFile {
  std::vector<MeasuredLayer> rows;  ///< in the order of the file
  std::vector<bool> held_out;       ///< for each row
  LatencyUnit unit = LatencyUnit::cycles;
};

/// What the rows of a file are read with.
struct MeasuredContext {
  npu::Npu base;
  std::optional<npu::Board> board;
  npu::Mode mode = npu::Mode::fluid_stacked;
  std::vector<const NpuKey*> free;  ///< no column may have the name of one
  const workloads::Network* network =
      nullptr;  ///< whose layers the rows name; otherwise rows are convolutions
  FitWords words = {};
};

/// Reads and checks all of a file; docs/configuration.md has its columns. Throws InputError where a row or
/// the header is not as described there, where the NPU of a row can't be built or does not hold the layer,
/// and where nothing is held out though something should be, or everything is.
MeasuredFile load_measured_layers(const std::filesystem::path& file, const MeasuredContext& context,
                                  const HoldOut& hold_out);

}  // namespace fluidbatch::sim
