#include "tests/fuzz/target.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "tests/support/run_helpers.h"
#include "workloads/io/input_error.h"

namespace fluidbatch::fuzz {
namespace {

std::vector<Target>& registry() {
  static std::vector<Target> targets;
  return targets;
}

}  // namespace

TargetRegistration::TargetRegistration(Target target) { registry().push_back(std::move(target)); }

std::vector<Target> all_targets() {
  std::vector<Target> targets = registry();
  std::sort(targets.begin(), targets.end(), [](const Target& a, const Target& b) { return a.name < b.name; });
  return targets;
}

void run(const Target& target, const std::string& input) {
  try {
    target.read(input);
  } catch (const io::InputError&) {  // refused, as it may be
  }
}

const std::filesystem::path& workspace() {
  static const test::TemporaryFolder folder;
  static const bool filled = [] {
    std::filesystem::copy(FLUIDBATCH_FIXTURES, folder.path());
    return true;
  }();
  (void)filled;
  return folder.path();
}

std::filesystem::path file_of(const std::string& name, const std::string& input) {
  std::filesystem::path file = workspace() / name;
  std::ofstream out(file, std::ios::binary);
  out << input;
  out.close();
  if (!out) throw std::runtime_error(file.string() + ": can't be written");
  return file;
}

void require(bool promise, const std::string& what) {
  if (!promise) throw std::logic_error(what);
}

}  // namespace fluidbatch::fuzz
