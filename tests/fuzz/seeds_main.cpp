// Runs a target on each file of folders, without libFuzzer:
//
//     fluidbatch_seeds TARGET FOLDER..
//
// What a defect ends in (an exception, a finding of the sanitizers) follows the name of its file on stderr.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/fuzz/target.h"
#include "workloads/io/input_file.h"

namespace {

using namespace fluidbatch;

std::vector<std::filesystem::path> files_below(int folders, char** names) {
  std::vector<std::filesystem::path> files;
  for (int i = 0; i < folders; ++i) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(names[i])) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: fluidbatch_seeds TARGET FOLDER..\n");
    return 2;
  }
  for (const fuzz::Target& target : fuzz::all_targets()) {
    if (target.name != argv[1]) continue;
    const std::vector<std::filesystem::path> files = files_below(argc - 2, argv + 2);
    for (const std::filesystem::path& file : files) {
      std::fprintf(stderr, "%s\n", file.c_str());
      fuzz::run(target, io::read_file(file));
    }
    std::printf("%s: %zu files\n", argv[1], files.size());
    return files.empty() ? 1 : 0;
  }
  std::fprintf(stderr, "fluidbatch_seeds: no target '%s'\n", argv[1]);
  return 2;
}
