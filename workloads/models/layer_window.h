// The window that a convolution or pooling slides over its input: read from YAML, and what it makes of a
// shape.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workloads/io/map_reader.h"
#include "workloads/models/shape.h"

namespace fluidbatch::workloads {

/// Kernel and the like along height and width; each is one number for both, or [height, width]. Padding may
/// be [top, left, bottom, right].
struct Window {
  std::int64_t kernel[2];
  std::int64_t stride[2];
  std::int64_t dilation[2];
  std::int64_t padding[2];  // both sides together
};

/// The numbers under `key`, at least `min`: one, or a list of two, or of four where `four_allowed`; the
/// default where it is not given. Throws InputError.
std::vector<std::int64_t> read_numbers(const io::MapReader& reader, const std::string& key, std::int64_t min,
                                       std::int64_t default_value, bool four_allowed);

/// `kernel`, `stride`, `dilation` and `padding` of a layer. Throws InputError.
Window read_window(const io::MapReader& reader);

/// Shape of `channels` that the window makes of `input`. Throws InputError where it does not fit.
Shape after(const Window& window, const Shape& input, std::int64_t channels, const io::MapReader& reader);

/// Extent of a transposed convolution's output, which a convolution with the same window takes back; `more`
/// is its output padding. Throws InputError where nothing is left.
std::int64_t transposed_extent(std::int64_t input, const Window& window, int axis, std::int64_t more,
                               const io::MapReader& reader);

}  // namespace fluidbatch::workloads
