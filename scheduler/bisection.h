// Searching among whole numbers.
#pragma once

namespace fluidbatch::scheduler {

/// The first number of begin .. end - 1 for which `holds` is true, or `end`. Precondition: where it holds for
/// one, it holds for all after that.
template <typename Predicate>
int first_where(int begin, int end, const Predicate& holds) {
  while (begin < end) {
    const int middle = begin + (end - begin) / 2;
    if (holds(middle)) {
      end = middle;
    } else {
      begin = middle + 1;
    }
  }
  return begin;
}

}  // namespace fluidbatch::scheduler
