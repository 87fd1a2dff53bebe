// How the programs end.
#pragma once

#include <cstdio>
#include <exception>

#include "workloads/io/input_error.h"

namespace fluidbatch::sim::cli {

inline constexpr int kDone = 0;
inline constexpr int kUserError = 2;
inline constexpr int kBug = 3;
inline constexpr int kSomePointsFailed = 4;  ///< of a sweep

/// The exit code of `program`, which returns one: where it throws, the error has been written to stderr.
template <typename Program>
int exit_code_of(const Program& program) {
  try {
    return program();
  } catch (const io::InputError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return kUserError;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fluidbatch: internal error, please report it: %s\n", error.what());
    return kBug;
  }
}

}  // namespace fluidbatch::sim::cli
