// What may end a long computation.
#pragma once

#include <functional>

namespace fluidbatch::scheduler {

/// Called again and again while something is computed, many times a second; what it throws ends that. May be
/// empty.
using WhileComputing = std::function<void()>;

}  // namespace fluidbatch::scheduler
