// Decisions in words, for the messages about those that can't be carried out.
#pragma once

#include <cstddef>
#include <string>

#include "scheduler/policy.h"

namespace fluidbatch::sim {

/// What the server was when it asked.
struct DecisionPlace {
  std::string policy;
  double date_s = 0;
  std::size_t queued = 0;
  std::size_t in_flight = 0;
  std::size_t max_batch = 0;
};

/// Such as: policy 'mine' at t = 1.5
std::string describe(const DecisionPlace& place);

/// Such as: policy 'mine' at t = 1.5 asked to start 13 of 8 queued, max_batch 8
std::string describe(const scheduler::Decision& decision, const DecisionPlace& place);

}  // namespace fluidbatch::sim
