// The entry of libFuzzer, for all targets. The program goes by the name of a target, `fuzz_yaml` say, under
// which the build folder has a link to it; so processes that libFuzzer starts fuzz the same one.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/fuzz/target.h"

namespace {

using fluidbatch::fuzz::Target;

Target chosen;

}  // namespace

// libFuzzer gives the names.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerInitialize(const int* /*argc*/, const char* const* const* argv) {
  const std::string program = std::filesystem::path((*argv)[0]).filename().string();
  for (const Target& target : fluidbatch::fuzz::all_targets()) {
    if (program == "fuzz_" + target.name) chosen = target;
  }
  if (chosen.read != nullptr) return 0;
  std::fprintf(stderr, "%s: must be run by the name of a target:", program.c_str());
  for (const Target& target : fluidbatch::fuzz::all_targets()) {
    std::fprintf(stderr, " fuzz_%s", target.name.c_str());
  }
  std::fprintf(stderr, "\n");
  std::exit(2);
}

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fluidbatch::fuzz::run(chosen, std::string(data, data + size));
  return 0;
}
