// A fit from a file of measured layers: from what a user gives to the fitted NPU and how good it is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/fit/accuracy.h"
#include "sim/fit/measured_layers.h"
#include "workloads/io/column_table.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

/// The NPU that a fit starts from, as its YAML and as the model's.
struct FitBase {
  io::Node yaml;  ///< its board, if it has one, good in any folder
  npu::Npu npu;
  std::optional<npu::Board> board;
};

/// `yaml` is that of `npu`. Throws InputError where its board can't be read.
FitBase fit_base(io::Node yaml, npu::Npu npu);

/// The keys called `names`. Throws InputError where one can't be fitted, or not from `base`, or is there
/// twice.
std::vector<const NpuKey*> free_keys(const std::vector<std::string>& names, const npu::Npu& base,
                                     const FitWords& words);

/// A file that has been fitted to.
struct MeasuredFit {
  MeasuredFile file;  ///< rows have the fitted NPU, once there are predictions
  FitSettings settings;
  Fit fit;
  io::Node yaml;                        ///< the base's with the fitted values
  std::vector<Prediction> predictions;  ///< for each row, what the fitted NPU's YAML says

  /// The rows that count: those held out, or all where none is.
  [[nodiscard]] std::vector<std::size_t> reported_rows() const;
  /// On these rows.
  [[nodiscard]] Accuracy accuracy() const;
  /// Modelled / measured - 1 of a row.
  [[nodiscard]] double relative_error(std::size_t row) const;
  /// A line for each row of the file.
  [[nodiscard]] io::ColumnTable columns() const;
};

/// Fits to the rows of `file` that are not held out. Without predictions yet: `predict_rows` adds them.
MeasuredFit fit_measured(MeasuredFile file, const FitBase& base, const MeasuredContext& context,
                         const npu::Poll& poll = {});

/// What the fitted file says of every row: `yaml`, a text with `fit.yaml`, is read as another command would;
/// messages call it `source`.
void predict_rows(MeasuredFit& fit, const std::string& yaml, const std::string& source);

}  // namespace fluidbatch::sim
