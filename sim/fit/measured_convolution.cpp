#include "sim/fit/measured_convolution.h"

#include <cstdint>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

namespace fluidbatch::sim {
namespace {

constexpr std::array kNames{"in_channels",  "out_channels",  "kernel_height", "kernel_width", "output_height",
                            "output_width", "stride_height", "stride_width",  "groups"};
constexpr std::size_t kRequired = 6;

// The limits of a network's layers (workloads/models/network_builder.cpp), below which no count overflows.
constexpr std::int64_t kMostChannels = 1 << 20;
constexpr std::int64_t kMostExtent = 1 << 24;
constexpr double kMostWords = 1LL << 40;
constexpr double kMostMacs = 1LL << 45;
constexpr double kMostPackedMacs = 1LL << 50;

double product(double a, double b, double c) { return a * b * c; }

}  // namespace

ConvolutionColumns::ConvolutionColumns(const io::CsvReader& csv) {
  for (std::size_t i = 0; i < kFields; ++i) {
    columns_[i] = i < kRequired ? csv.required_column(kNames[i]) : csv.column(kNames[i]);
  }
}

npu::Layer ConvolutionColumns::layer(const io::CsvReader& csv) const {
  std::array<std::int64_t, kFields> value{};
  for (std::size_t i = 0; i < kFields; ++i) {
    const bool is_channels = i == in_channels || i == out_channels || i == groups;
    value[i] = columns_[i] ? csv.integer(*columns_[i], 1, is_channels ? kMostChannels : kMostExtent) : 1;
  }
  npu::Layer layer;
  try {
    layer.gemm = npu::gemm_of({.input_channels = value[in_channels],
                               .output_channels = value[out_channels],
                               .kernel_height = value[kernel_height],
                               .kernel_width = value[kernel_width],
                               .output_height = value[output_height],
                               .output_width = value[output_width],
                               .groups = value[groups]});
  } catch (const std::invalid_argument& error) {
    throw io::InputError(csv.mark(*columns_[groups]), error.what());
  }
  const std::int64_t channels = value[in_channels] / value[groups];
  const std::int64_t height = (value[output_height] - 1) * value[stride_height] + value[kernel_height];
  const std::int64_t width = (value[output_width] - 1) * value[stride_width] + value[kernel_width];
  const auto real = [](std::int64_t count) { return static_cast<double>(count); };
  const double kernel = product(real(value[kernel_height]), real(value[kernel_width]), real(channels));
  const double positions = real(value[output_height]) * real(value[output_width]);
  const double macs = product(kernel, positions, real(value[out_channels]));
  const bool depthwise = value[groups] > 1 && value[groups] == value[in_channels];
  if (product(real(value[in_channels]), real(height), real(width)) > kMostWords ||
      positions * real(value[out_channels]) > kMostWords || macs > kMostMacs ||
      (depthwise && macs * real(value[groups]) > kMostPackedMacs)) {
    throw io::InputError(csv.mark(*columns_[in_channels]),
                         "the layer is too large: a shape may have 2^40 words, a layer 2^45 "
                         "multiply-accumulates, and a depthwise one 2^50 times its groups");
  }
  layer.kind = depthwise ? npu::LayerKind::depthwise : npu::LayerKind::convolution;
  layer.distinct_input_words = channels * height * width;
  if (value[kernel_height] > 1) layer.line_words = value[kernel_height] * channels * width;
  layer.name = fmt::format("{}>{} {}x{} {}x{}", value[in_channels], value[out_channels], value[kernel_height],
                           value[kernel_width], value[output_height], value[output_width]);
  return layer;
}

}  // namespace fluidbatch::sim
