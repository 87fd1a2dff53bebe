// A decision that the server can't carry out: a mistake of the policy's.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

#include "scheduler/policy.h"

namespace fluidbatch::sim {

/// The message names the policy, the date and what it asked for, beside what there was.
class IllegalDecision : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What the server was when it was asked.
struct DecisionPlace {
  std::string policy;
  double date_s = 0;
  std::size_t queued = 0;
  std::size_t in_flight = 0;
  std::size_t max_batch = 0;
};

/// Such as: policy 'mine' at t = 1.5 asked to start 13 of 8 queued, max_batch 8
std::string describe(const scheduler::Decision& decision, const DecisionPlace& place);

}  // namespace fluidbatch::sim
