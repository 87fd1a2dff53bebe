// Seeds of the parts that an estimate is made from.
#pragma once

#include <cstdint>

#include "workloads/random.h"

namespace fluidbatch::sim {

/// One of the runs that an estimate is made from.
struct Part {
  bool pilot = false;
  std::uint64_t number = 0;
};

/// Its seed: independent of those of other parts, and for number 0 that of the configuration.
inline std::uint64_t part_seed(std::uint64_t seed, const Part& part) {
  if (!part.pilot && part.number == 0) return seed;
  return workloads::RandomStream(seed, part.pilot ? "pilot" : "part", part.number).bits() >> 1;
}

}  // namespace fluidbatch::sim
