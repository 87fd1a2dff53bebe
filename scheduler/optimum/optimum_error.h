// Why an optimum can't be computed.
#pragma once

#include <stdexcept>

namespace fluidbatch::scheduler {

/// No policy, or not the one in question, can carry the load: queues would grow for ever.
class UnstableLoad : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The computation would take more than 1 GB, and the message says how much; or it takes more than about half
/// a minute, as where the load is within a few percent of what can be carried.
class OptimumTooLarge : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace fluidbatch::scheduler
