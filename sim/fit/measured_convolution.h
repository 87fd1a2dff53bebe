// A convolution from the columns of a measured row.
#pragma once

#include <array>
#include <optional>

#include "npu_model/layer.h"
#include "workloads/io/csv.h"

namespace fluidbatch::sim {

/// The columns of a convolution, found once for a whole file.
class ConvolutionColumns {
 public:
  /// Throws InputError where a required one is missing.
  explicit ConvolutionColumns(const io::CsvReader& csv);

  /// The layer in the current row, named by its shape. Throws InputError where a value is out of range, where
  /// groups do not divide the channels, or where the layer is larger than a network's may be.
  [[nodiscard]] npu::Layer layer(const io::CsvReader& csv) const;

 private:
  enum Field {
    in_channels,
    out_channels,
    kernel_height,
    kernel_width,
    output_height,
    output_width,
    stride_height,
    stride_width,
    groups,
    kFields
  };

  std::array<std::optional<std::size_t>, kFields> columns_;
};

}  // namespace fluidbatch::sim
