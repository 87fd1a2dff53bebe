// How the programs end.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace fluidbatch::sim::cli {

inline constexpr int kDone = 0;
inline constexpr int kUserError = 2;
inline constexpr int kBug = 3;
inline constexpr int kSomePointsFailed = 4;  ///< of a sweep
inline constexpr int kSignalled = 128;       ///< plus the number of the signal that ended a sweep

/// The exit code of `program`, which returns one: where it throws, or where its output could not be written
/// (a full disk), the error has been written to stderr. Called once, by main.
int exit_code_of(const std::function<int()>& program);

/// Writes to stderr. What can't be written there (a full disk, a closed terminal) is lost: it must not end
/// what the program is at.
void note(const std::string& text);

template <typename... Arguments>
void note(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  note(fmt::format(format, std::forward<Arguments>(arguments)...));
}

}  // namespace fluidbatch::sim::cli
