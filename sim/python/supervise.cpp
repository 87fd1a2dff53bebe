#include "sim/python/supervise.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include <pybind11/pybind11.h>

namespace fluidbatch::python {
namespace {

namespace py = pybind11;

/// What the threads and the one that waits for them share.
class Crew {
 public:
  explicit Crew(const std::vector<std::function<void()>>& tasks) : tasks_(tasks) {}

  /// Takes tasks until there are none or one has failed.
  void work() {
    // A thread state that lasts as long as the thread: otherwise each call into Python would make one.
    const py::gil_scoped_acquire state;
    const py::gil_scoped_release released;
    const unsigned long thread = PyThread_get_thread_ident();
    join(thread);
    while (const std::function<void()>* task = next()) {
      try {
        (*task)();
      } catch (...) {
        fail(std::current_exception());
      }
    }
    const std::lock_guard lock(mutex_);
    std::erase(at_work_, thread);
    ++ended_;
    changed_.notify_all();
  }

  /// True where all `threads` have ended, or one has failed, within `wait`.
  bool wait(std::size_t threads, std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, wait, [&] { return ended_ == threads || failure_ != nullptr; });
  }

  /// True where all `threads` have ended within `wait`.
  bool wait_for_end(std::size_t threads, std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, wait, [&] { return ended_ == threads; });
  }

  /// Raises KeyboardInterrupt in the threads that run Python code, which may never come to an end, and in the
  /// others as soon as they do.
  void interrupt() {
    std::vector<unsigned long> at_work;
    {
      const std::lock_guard lock(mutex_);
      at_work = at_work_;
    }
    const py::gil_scoped_acquire held;
    for (const unsigned long thread : at_work) PyThreadState_SetAsyncExc(thread, PyExc_KeyboardInterrupt);
  }

  void fail(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (failure_ == nullptr) failure_ = std::move(failure);
    next_ = tasks_.size();
    changed_.notify_all();
  }

  [[nodiscard]] std::exception_ptr failure() {
    const std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  void join(unsigned long thread) {
    const std::lock_guard lock(mutex_);
    at_work_.push_back(thread);
  }

  const std::function<void()>* next() {
    const std::lock_guard lock(mutex_);
    return next_ < tasks_.size() ? &tasks_[next_++] : nullptr;
  }

  const std::vector<std::function<void()>>& tasks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<unsigned long> at_work_;  // threads, as Python counts them
  std::size_t next_ = 0;
  std::size_t ended_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

void check_signals() {
  const py::gil_scoped_acquire held;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

void supervise(const std::vector<std::function<void()>>& tasks, int jobs, const std::function<void()>& poll,
               const std::function<void()>& stop) {
  constexpr std::chrono::milliseconds kWait(20);
  constexpr std::chrono::milliseconds kGrace(20);
  Crew crew(tasks);
  std::exception_ptr failure;
  {
    const py::gil_scoped_release released;
    const std::size_t count = std::min(tasks.size(), static_cast<std::size_t>(std::max(jobs, 1)));
    std::vector<std::jthread> threads;  // which are waited for where this is left
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back([&] { crew.work(); });
    while (!crew.wait(count, kWait)) {
      try {
        check_signals();
        const py::gil_scoped_acquire held;
        poll();
      } catch (...) {
        crew.fail(std::current_exception());
      }
    }
    failure = crew.failure();
    if (failure != nullptr) {
      stop();
      while (!crew.wait_for_end(count, kGrace)) crew.interrupt();
    }
  }
  if (failure != nullptr) std::rethrow_exception(failure);
}

}  // namespace fluidbatch::python
