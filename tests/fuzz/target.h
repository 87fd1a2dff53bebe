// A fuzz target: one reader of what a user gives, run on any bytes at all.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace fluidbatch::fuzz {

/// One reader under test.
///
/// Contract: `read` is a pure function of the bytes. It returns where they are accepted, and throws
/// io::InputError where they are refused. Anything else is a defect: another exception, a finding of the
/// sanitizers, more than 20 s or 1 GiB.
struct Target {
  std::string name;  ///< also of its folder of seeds and of its dictionary
  void (*read)(const std::string& input) = nullptr;
};

/// Adds a target before main; one static object of it in each target's .cpp.
class TargetRegistration {
 public:
  explicit TargetRegistration(Target target);
};

/// All targets, by name.
std::vector<Target> all_targets();

/// Runs `target` on `input`; a refusal is as good as an acceptance.
void run(const Target& target, const std::string& input);

/// A folder of this process, which holds a copy of fixtures/: a small network, an NPU, a trace and so on, for
/// inputs that name other files. It is removed at the end.
const std::filesystem::path& workspace();

/// Writes `input` to the file `name` of the workspace; its path.
std::filesystem::path file_of(const std::string& name, const std::string& input);

/// Throws std::logic_error, which is a finding, where a reader has accepted what breaks a promise.
void require(bool promise, const std::string& what);

}  // namespace fluidbatch::fuzz
