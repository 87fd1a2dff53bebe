#include "sim/child_process.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <poll.h>
#include <sched.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

using Kind = ChildOutcome::Kind;

ChildOutcome outcome_of(const std::function<std::string()>& task) {
  try {
    return {Kind::done, task()};
  } catch (const io::InputError& error) {
    return {Kind::input_error, error.what()};
  } catch (const std::exception& error) {
    return {Kind::failed, error.what()};
  }
}

void write_all(int descriptor, const std::string& bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t n = ::write(descriptor, bytes.data() + written, bytes.size() - written);
    if (n < 0 && errno != EINTR) return;  // the parent is gone; nobody is left to tell
    if (n > 0) written += static_cast<std::size_t>(n);
  }
}

/// A running child, the read end of its pipe and what has come through so far: one byte of Kind, then text.
class Child {
 public:
  Child(std::size_t task_index, const std::function<std::string()>& task) : index(task_index) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) throw std::runtime_error(std::string("pipe: ") + std::strerror(errno));
    std::fflush(nullptr);  // or the child would write the parent's buffers again
    process_ = ::fork();
    if (process_ < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
    if (process_ == 0) {
      ::close(ends[0]);
      const ChildOutcome outcome = outcome_of(task);
      write_all(ends[1], static_cast<char>(outcome.kind) + outcome.text);
      ::_exit(0);
    }
    ::close(ends[1]);
    descriptor = ends[0];
  }

  /// Reads what there is; false at the end.
  bool read_some() {
    std::array<char, 4096> buffer{};
    const ssize_t n = ::read(descriptor, buffer.data(), buffer.size());
    if (n > 0) bytes_.append(buffer.data(), static_cast<std::size_t>(n));
    return n > 0 || (n < 0 && errno == EINTR);
  }

  ChildOutcome finish() {
    ::close(descriptor);
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) {
      return {Kind::failed, "a simulation was killed by signal " + std::to_string(WTERMSIG(status)) + " (" +
                                ::strsignal(WTERMSIG(status)) + ")"};
    }
    if (bytes_.empty()) return {Kind::failed, "a simulation ended without a result"};
    return {static_cast<Kind>(bytes_[0]), bytes_.substr(1)};
  }

  std::size_t index;
  int descriptor = -1;

 private:
  pid_t process_ = -1;
  std::string bytes_;
};

}  // namespace

std::vector<ChildOutcome> run_in_children(const std::vector<std::function<std::string()>>& tasks, int jobs,
                                          const std::function<void()>& while_waiting) {
  constexpr int kWaitMilliseconds = 200;
  std::vector<ChildOutcome> outcomes(tasks.size());
  std::vector<Child> running;
  std::size_t next = 0;
  while (next < tasks.size() || !running.empty()) {
    while (next < tasks.size() && running.size() < static_cast<std::size_t>(jobs)) {
      running.emplace_back(next, tasks[next]);
      ++next;
    }
    std::vector<pollfd> waits;
    waits.reserve(running.size());
    for (const Child& child : running)
      waits.push_back({.fd = child.descriptor, .events = POLLIN, .revents = 0});
    ::poll(waits.data(), waits.size(), kWaitMilliseconds);
    for (std::size_t i = running.size(); i-- > 0;) {
      if (waits[i].revents == 0 || running[i].read_some()) continue;
      outcomes[running[i].index] = running[i].finish();
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
    }
    while_waiting();
  }
  return outcomes;
}

int processors() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return CPU_COUNT(&set);
}

}  // namespace fluidbatch::sim
