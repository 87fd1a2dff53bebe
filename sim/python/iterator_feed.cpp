#include "sim/python/iterator_feed.h"

#include <algorithm>

namespace fluidbatch::python {

namespace py = pybind11;

bool IteratorFeed::fill(std::uint64_t index, bool alone) {
  if (alone) {
    first_ += values_.size();
    values_.clear();
  }
  if (!ended_) ask();
  if (index - first_ < values_.size()) return true;
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  return false;
}

/// For the next block, in one go: taking the GIL costs more than an item.
void IteratorFeed::ask() {
  constexpr std::size_t kMost = 256;
  const py::gil_scoped_acquire gil;
  try {
    if (iterator_ == nullptr) iterator_ = keep(start());
    for (std::size_t i = 0; i < block_ && !ended_; ++i) {
      const auto item = py::reinterpret_steal<py::object>(PyIter_Next(iterator_.get()));
      if (PyErr_Occurred() != nullptr) throw_raised();
      ended_ = !item;
      if (item) values_.push_back(number_of(item, first_ + values_.size()));
    }
  } catch (const py::error_already_set& raised) {
    ended_ = true;
    if (!raised.matches(PyExc_Exception)) throw;  // KeyboardInterrupt and the like are for now, not for later
    failure_ = std::current_exception();
  } catch (...) {
    failure_ = std::current_exception();
    ended_ = true;
  }
  if (ended_) iterator_ = nullptr;
  block_ = std::min(2 * block_, kMost);
}

}  // namespace fluidbatch::python
