// A mistake of a scheduling policy's.
#pragma once

#include <stdexcept>
#include <string>

namespace fluidbatch::scheduler {

/// The run ends: what a policy did is not allowed, whatever the input was.
class PolicyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace fluidbatch::scheduler
