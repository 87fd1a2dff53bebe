// Work in processes of its own: SimGrid allows one simulation in each, and a crash stays in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace fluidbatch::sim {

/// How a child ended. `text` is what its task returned, or the message of what it threw.
struct ChildOutcome {
  /// How it ended, as the child reports it.
  enum class Kind : char {
    done = 'd',
    input_error = 'u',   ///< what the user can mend: io::InputError, too little memory, a kill from outside
    policy_error = 'p',  ///< scheduler::PolicyError
    failed = 'f',        ///< any other exception, or the child crashed
    stopped = 's',       ///< killed by the parent, as another one had failed
  };

  Kind kind = Kind::failed;
  std::string text;

  /// Throws what the child has failed with: io::InputError, scheduler::PolicyError or std::runtime_error, the
  /// last two with `who` before their message. Nothing where it is done, or was stopped for another's
  /// failure.
  void throw_failure(const std::string& who = {}) const;
};

/// Children at work. They die with their parent, however that ends, and leave Ctrl-C to it.
class ChildPool {
 public:
  using Task = std::function<std::string()>;
  using Ended = std::pair<std::size_t, ChildOutcome>;

  ChildPool();
  ChildPool(const ChildPool&) = delete;
  ChildPool& operator=(const ChildPool&) = delete;
  /// Kills what is still at work.
  ~ChildPool();

  [[nodiscard]] std::size_t size() const;
  /// Forks a child that runs `task`; `number` tells it from others. False where the system has no room for
  /// one more process (or its pipe) beside those at work: to be tried again when one has ended. Throws
  /// io::InputError where there is no room even for the first.
  [[nodiscard]] bool try_start(std::size_t number, const Task& task);
  /// The same, and throws io::InputError in both cases.
  void start(std::size_t number, const Task& task);
  /// Those that end within `milliseconds`, as soon as there is one.
  std::vector<Ended> wait(int milliseconds);

 private:
  class Child;

  [[nodiscard]] bool no_room(const char* what) const;
  [[noreturn]] void run_child(const Task& task, int parent, int pipe) const;

  std::vector<Child> children_;
  std::int64_t kills_for_memory_before_;
};

/// Runs each task in a forked child, at most `jobs` at a time; outcomes in the order of the tasks. When one
/// fails the others are stopped.
/// `while_waiting` is called at least 20 times a second until the last has ended; what it throws ends all of
/// them.
std::vector<ChildOutcome> run_in_children(const std::vector<ChildPool::Task>& tasks, int jobs,
                                          const std::function<void()>& while_waiting);

/// From here on children are made by `fork`, which does what ::fork does (a pid_t is an int here) and
/// whatever else the process around needs at it.
void fork_by(int (*fork)());

/// Number of processors that this process may use.
int processors();

}  // namespace fluidbatch::sim
