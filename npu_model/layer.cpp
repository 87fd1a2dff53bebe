#include "npu_model/layer.h"

#include <stdexcept>

namespace fluidbatch::npu {

Gemm gemm_of(const Convolution& convolution) {
  const auto& cv = convolution;
  if (cv.groups < 1 || cv.input_channels % cv.groups != 0 || cv.output_channels % cv.groups != 0) {
    throw std::invalid_argument("groups (" + std::to_string(cv.groups) +
                                ") must divide the input channels (" + std::to_string(cv.input_channels) +
                                ") and the output channels (" + std::to_string(cv.output_channels) + ")");
  }
  return {.groups = cv.groups,
          .r = cv.output_height * cv.output_width,
          .p = cv.kernel_height * cv.kernel_width * (cv.input_channels / cv.groups),
          .c = cv.output_channels / cv.groups};
}

const char* name_of(LayerKind kind) {
  switch (kind) {
    case LayerKind::convolution:
      return "conv";
    case LayerKind::depthwise:
      return "depthwise";
    case LayerKind::dense:
      return "dense";
    case LayerKind::matmul:
      return "matmul";
    case LayerKind::pool:
      return "pool";
    case LayerKind::add:
      return "add";
    case LayerKind::multiply:
      return "mul";
    case LayerKind::concat:
      return "concat";
    case LayerKind::resize:
      return "resize";
  }
  return "?";
}

bool is_mover(LayerKind kind) {
  return kind != LayerKind::convolution && kind != LayerKind::depthwise && kind != LayerKind::dense &&
         kind != LayerKind::matmul;
}

}  // namespace fluidbatch::npu
