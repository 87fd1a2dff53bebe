// How whoever waits for a long computation hears of it.
#pragma once

#include <functional>

namespace fluidbatch::npu {

/// Called again and again, many times a second, from the thread that computes; what it throws ends the
/// computation. Empty: nothing is called.
using Poll = std::function<void()>;

}  // namespace fluidbatch::npu
