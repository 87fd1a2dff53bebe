// How the programs end.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include "workloads/io/input_error.h"

namespace fluidbatch::sim::cli {

inline constexpr int kDone = 0;
inline constexpr int kUserError = 2;
inline constexpr int kBug = 3;
inline constexpr int kSomePointsFailed = 4;  ///< of a sweep

/// The exit code of `program`, which returns one: where it throws, or where its output could not be written
/// (a full disk), the error has been written to stderr.
template <typename Program>
int exit_code_of(const Program& program) {
  int code = kBug;
  try {
    code = program();
  } catch (const io::InputError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return kUserError;
  } catch (const std::exception& error) {
    if (std::ferror(stdout) == 0) {
      std::fprintf(stderr, "fluidbatch: internal error, please report it: %s\n", error.what());
      return kBug;
    }
  }
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  std::fprintf(stderr, "the output can't be written: %s\n", std::strerror(errno));
  return kUserError;
}

}  // namespace fluidbatch::sim::cli
