#include "sim/drive/child_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <poll.h>
#include <sched.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scheduler/policy_error.h"
#include "sim/drive/users_error.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::sim {
namespace {

using Kind = ChildOutcome::Kind;

ChildOutcome outcome_of(const std::function<std::string()>& task) {
  try {
    return {Kind::done, task()};
  } catch (const scheduler::PolicyError& error) {
    return {Kind::policy_error, error.what()};
  } catch (const std::exception& error) {
    if (std::optional<std::string> text = users_error(error)) return {Kind::input_error, std::move(*text)};
    return {Kind::failed, error.what()};
  }
}

[[noreturn]] void throw_no_room(const char* what) {
  throw io::InputError(std::string("no room for another simulation's ") + what + ": " + std::strerror(errno) +
                       "; ask for fewer --jobs, or raise the limits (ulimit -n, ulimit -u)");
}

/// Processes that the kernel has killed for lack of memory since it started; 0 where it does not say.
std::int64_t kills_for_memory() {
  std::ifstream counters("/proc/vmstat");
  std::string name;
  std::int64_t value = 0;
  while (counters >> name >> value) {
    if (name == "oom_kill") return value;
  }
  return 0;
}

/// Signals that come from the user or the system, rather than from a crash.
bool is_from_outside(int signal) {
  return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP ||
         signal == SIGQUIT || signal == SIGXCPU;
}

ChildOutcome outcome_of_signal(int signal, std::int64_t kills_for_memory_before) {
  std::string text =
      "a simulation was killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
  if (signal == SIGKILL && kills_for_memory() > kills_for_memory_before) {
    text += ": the system ran out of memory; ask for fewer requests, a smaller max_batch or fewer --jobs";
  }
  return {is_from_outside(signal) ? Kind::input_error : Kind::failed, std::move(text)};
}

int (*fork_child)() = ::fork;

/// Exit code of a child that could not hand its result over.
constexpr int kResultLost = 5;

/// Whether all could be written.
bool write_all(int descriptor, const std::string& bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t n = ::write(descriptor, bytes.data() + written, bytes.size() - written);
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) written += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

/// A running child, the read end of its pipe and what has come through so far: one byte of Kind, then text.
class ChildPool::Child {
 public:
  Child(std::size_t task_number, pid_t process, int read_end)
      : number(task_number), descriptor(read_end), process_(process) {}

  void kill() const { ::kill(process_, SIGKILL); }

  /// Reads what there is; false at the end.
  bool read_some() {
    std::array<char, 4096> buffer{};
    const ssize_t n = ::read(descriptor, buffer.data(), buffer.size());
    if (n > 0) bytes_.append(buffer.data(), static_cast<std::size_t>(n));
    if (n < 0 && errno != EINTR) read_error_ = errno;
    return n > 0 || (n < 0 && errno == EINTR);
  }

  ChildOutcome finish(std::int64_t kills_for_memory_before) {
    ::close(descriptor);
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) return outcome_of_signal(WTERMSIG(status), kills_for_memory_before);
    if (read_error_ != 0) return lost(std::strerror(read_error_));
    if (WIFEXITED(status) && WEXITSTATUS(status) == kResultLost) return lost("it could not be written");
    if (bytes_.empty()) return {Kind::failed, "a simulation ended without a result"};
    return {static_cast<Kind>(bytes_[0]), bytes_.substr(1)};
  }

  static ChildOutcome lost(const std::string& reason) {
    return {Kind::input_error, "the result of a simulation was lost on its way to this process: " + reason};
  }

  std::size_t number;
  int descriptor;

 private:
  pid_t process_;
  int read_error_ = 0;
  std::string bytes_;
};

ChildPool::ChildPool() : kills_for_memory_before_(kills_for_memory()) {}

ChildPool::~ChildPool() {
  for (const Child& child : children_) child.kill();
  for (Child& child : children_) child.finish(kills_for_memory_before_);
}

std::size_t ChildPool::size() const { return children_.size(); }

bool ChildPool::try_start(std::size_t number, const Task& task) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return no_room("pipe");
  std::fflush(nullptr);  // or the child would write the parent's buffers again
  const pid_t parent = ::getpid();
  const pid_t process = fork_child();
  if (process == 0) {
    ::close(ends[0]);
    run_child(task, parent, ends[1]);
  }
  const int reason = errno;
  ::close(ends[1]);
  if (process < 0) {
    ::close(ends[0]);
    errno = reason;
    return no_room("process");
  }
  children_.emplace_back(number, process, ends[0]);
  return true;
}

void ChildPool::start(std::size_t number, const Task& task) {
  if (!try_start(number, task)) throw_no_room("process");
}

bool ChildPool::no_room(const char* what) const {
  if (children_.empty()) throw_no_room(what);
  return false;
}

void ChildPool::run_child(const Task& task, int parent, int pipe) const {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it had died before that
  // Signals to all processes of a terminal are the parent's to answer: it lives on, or takes this one along.
  // Blocked, not ignored, since SimGrid has a handler of its own for Ctrl-C.
  sigset_t from_outside;
  ::sigemptyset(&from_outside);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&from_outside, signal);
  ::sigprocmask(SIG_BLOCK, &from_outside, nullptr);
  for (const Child& other : children_) ::close(other.descriptor);  // which leaves room for files
  const ChildOutcome outcome = outcome_of(task);
  ::_exit(write_all(pipe, static_cast<char>(outcome.kind) + outcome.text) ? 0 : kResultLost);
}

std::vector<ChildPool::Ended> ChildPool::wait(int milliseconds) {
  std::vector<pollfd> waits;
  waits.reserve(children_.size());
  for (const Child& child : children_) {
    waits.push_back({.fd = child.descriptor, .events = POLLIN, .revents = 0});
  }
  ::poll(waits.data(), waits.size(), milliseconds);
  std::vector<Ended> ended;
  for (std::size_t i = children_.size(); i-- > 0;) {
    if (waits[i].revents == 0 || children_[i].read_some()) continue;
    ended.emplace_back(children_[i].number, children_[i].finish(kills_for_memory_before_));
    children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return ended;
}

std::vector<ChildOutcome> run_in_children(const std::vector<ChildPool::Task>& tasks, int jobs,
                                          const std::function<void()>& while_waiting) {
  constexpr int kWaitMilliseconds = 50;
  std::vector<ChildOutcome> outcomes(tasks.size(), {Kind::stopped, ""});
  ChildPool pool;
  std::size_t next = 0;
  while (next < tasks.size() || pool.size() > 0) {
    while (next < tasks.size() && pool.size() < static_cast<std::size_t>(jobs)) {
      if (!pool.try_start(next, tasks[next])) break;
      ++next;
    }
    bool failed = false;
    for (auto& [number, outcome] : pool.wait(kWaitMilliseconds)) {
      failed = failed || outcome.kind != Kind::done;
      outcomes[number] = std::move(outcome);
    }
    if (failed) break;
    while_waiting();
  }
  return outcomes;
}

void ChildOutcome::throw_failure(const std::string& who) const {
  if (kind == Kind::input_error) throw io::InputError(text);
  if (kind == Kind::policy_error) throw scheduler::PolicyError(who + text);
  if (kind == Kind::failed) throw std::runtime_error(who + text);
}

void fork_by(int (*fork)()) { fork_child = fork; }

int processors() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return CPU_COUNT(&set);
}

}  // namespace fluidbatch::sim
