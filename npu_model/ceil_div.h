// How many tiles cover an extent.
#pragma once

#include <cstdint>

namespace fluidbatch::npu {

/// a / b, rounded up. Both are positive.
inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace fluidbatch::npu
