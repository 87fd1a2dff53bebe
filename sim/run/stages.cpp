#include "sim/run/stages.h"

#include <algorithm>

namespace fluidbatch::sim {

Stages::Stages(std::uint64_t warmup_requests, std::uint64_t most)
    : warmup_requests_(warmup_requests), most_(most) {}

std::uint64_t Stages::requests() const {
  // Not by their sum, which may be out of range.
  return measured_ < most_ - std::min(warmup_requests_, most_) ? warmup_requests_ + measured_ : most_;
}

void Stages::advance(double needed) {
  do {
    measured_ *= 2;
  } while (!is_last() && static_cast<double>(measured_) < needed / 2);
}

}  // namespace fluidbatch::sim
