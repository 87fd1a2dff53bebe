// Numbers that an iterator of Python's gives.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "sim/python/plugins_call.h"

namespace fluidbatch::python {

/// An iterator, and what it has given and somebody may still want. An iterator can't be copied: readers that
/// are at different places share one feed. All readers of a feed belong to one thread.
class IteratorFeed {
 public:
  IteratorFeed() = default;
  IteratorFeed(const IteratorFeed&) = delete;
  IteratorFeed& operator=(const IteratorFeed&) = delete;
  virtual ~IteratorFeed() = default;

  /// Puts item `index`, counted from 0, into `value`; false where the iterator has ended before. `alone`:
  /// nobody will ask for an earlier one any more. Throws what the iterator raises or its items are refused
  /// with, once `index` is there. To be called without or with the GIL.
  bool read(std::uint64_t index, bool alone, double& value) {
    if (index - first_ >= values_.size() && !fill(index, alone)) return false;
    value = values_[index - first_];
    return true;
  }

 protected:
  /// What the iterator is made from: asked once, with the GIL.
  virtual pybind11::object start() = 0;
  /// An item as a number; called with the GIL, in order. Throws io::InputError where it is none.
  virtual double number_of(pybind11::handle item, std::uint64_t index) = 0;

 private:
  bool fill(std::uint64_t index, bool alone);
  void ask();

  std::uint64_t first_ = 0;  // index of the first of values_
  std::vector<double> values_;
  std::size_t block_ = 8;  // how many are asked for at a time: few at first, since many devices send little
  Kept iterator_;
  bool ended_ = false;
  std::exception_ptr failure_;  // what has ended it
};

/// A place in a feed. A copy goes on from the same place.
class FeedReader {
 public:
  FeedReader() = default;
  explicit FeedReader(std::shared_ptr<IteratorFeed> feed) : feed_(std::move(feed)) {}

  [[nodiscard]] bool begun() const { return feed_ != nullptr; }
  /// How many have been read.
  [[nodiscard]] std::uint64_t count() const { return next_; }
  /// The next one, as IteratorFeed::read.
  bool next(double& value) {
    if (!feed_->read(next_, feed_.use_count() == 1, value)) return false;
    ++next_;
    return true;
  }

 private:
  std::shared_ptr<IteratorFeed> feed_;
  std::uint64_t next_ = 0;
};

}  // namespace fluidbatch::python
