// Work in processes of its own: SimGrid allows one simulation in each, and a crash stays in it.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace fluidbatch::sim {

/// How a child ended. `text` is what its task returned, or the message of what it threw.
struct ChildOutcome {
  enum class Kind : char {
    done = 'd',
    input_error = 'u',  ///< io::InputError
    failed = 'f',       ///< any other exception, or the child died
  };

  Kind kind = Kind::failed;
  std::string text;
};

/// Runs each task in a forked child, at most `jobs` at a time; outcomes in the order of the tasks.
/// `while_waiting` is called about five times a second until the last has ended.
std::vector<ChildOutcome> run_in_children(const std::vector<std::function<std::string()>>& tasks, int jobs,
                                          const std::function<void()>& while_waiting);

/// Number of processors that this process may use.
int processors();

}  // namespace fluidbatch::sim
