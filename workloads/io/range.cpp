#include "workloads/io/range.h"

#include <cmath>
#include <stdexcept>

#include "workloads/io/text_number.h"

namespace fluidbatch::io {

bool Range::contains(double value) const {
  // NaN fails the comparisons.
  return (above_min ? value > min : value >= min) && value <= max && !(finite && std::isinf(value));
}

std::string Range::text() const {
  const std::string low = shortest(min);
  if (std::isinf(max)) {
    const std::string text = std::isinf(min) ? "any" : (above_min ? "above " : "at least ") + low;
    return text + (finite ? ", finite" : ", .inf included");
  }
  return (above_min ? "above " : "from ") + low + " to " + shortest(max);
}

double require_in(const Range& range, double value, std::string_view what) {
  if (range.contains(value)) return value;
  throw std::invalid_argument(std::string(what) + " must be a number, " + range.text() + "; found " +
                              shortest(value));
}

}  // namespace fluidbatch::io
