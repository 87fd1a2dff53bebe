#include "sim/output/run_folder.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

#include "sim/output/output_file.h"
#include "workloads/io/absolute_path.h"
#include "workloads/io/input_file.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWorkshop = ".fluidbatch-part";
constexpr const char* kResolved = "resolved.yaml";
constexpr const char* kConfiguration = "configuration.txt";
constexpr const char* kTimeline = "timeline.json";
/// What each system may have. Timelines are of runs by an earlier program: now one file has all of them.
constexpr std::array kSystemFiles{kResolved, "summary.json", "requests.csv", kTimeline, "series.csv"};

/// Runs `steps`; what the file system refuses becomes an InputError.
template <typename Steps>
auto on_disk(const Steps& steps) {
  try {
    return steps();
  } catch (const fs::filesystem_error& error) {
    throw io::InputError(error.path1().string() + ": can't be written: " + error.code().message());
  }
}

/// The labels that a run's resolved.yaml lists; nothing where it is not one.
std::optional<std::vector<std::string>> labels_in(const fs::path& resolved) {
  std::vector<std::string> labels;
  try {
    const io::Node document = io::load_yaml(resolved);
    for (const char* key : {"seed", "workload", "outputs"}) {
      if (document.find(key) == nullptr) return std::nullopt;
    }
    if (document.find("network") == nullptr && document.find("services") == nullptr) return std::nullopt;
    const io::Node* systems = document.find("systems");
    if (systems == nullptr || systems->items.empty()) return std::nullopt;
    for (const io::Node& system : systems->items) {
      const io::Node* label = system.find("label");
      // One with a slash would lead out of the folder.
      if (label == nullptr || fs::path(label->scalar).filename() != label->scalar) return std::nullopt;
      labels.push_back(label->scalar);
    }
  } catch (const io::InputError&) {
    return std::nullopt;
  }
  return labels;
}

/// The systems of the run whose folder this is; nothing where it is not a run's.
std::optional<std::vector<std::string>> earlier_run(const fs::path& folder) {
  auto labels = labels_in(folder / kResolved);
  const bool any_there = labels && std::any_of(labels->begin(), labels->end(), [&](const std::string& label) {
                           return fs::exists(folder / label / kResolved);
                         });
  if (!any_there) return std::nullopt;
  return labels;
}

/// Something in `folder` that no run has left there, or nothing.
std::optional<std::string> foreign_entry(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename() != kWorkshop) return entry.path().filename().string();
  }
  return std::nullopt;
}

/// The systems of the earlier run in a folder, none where it is empty or not there. Throws where the folder
/// is neither.
std::vector<std::string> earlier_labels(const fs::path& folder) {
  if (!fs::exists(folder)) return {};
  if (!fs::is_directory(folder)) throw io::InputError(folder.string() + ": is not a folder");
  if (auto labels = earlier_run(folder)) return *labels;
  const std::optional<std::string> foreign = foreign_entry(folder);
  if (!foreign) return {};
  throw io::InputError(folder.string() + ": has files that are not a run's, such as '" + *foreign +
                       "'; give an empty folder, or an earlier run's, with --out");
}

/// Throws where the place of the timeline is taken by what no run makes. (In an earlier run's folder a file
/// is taken for that run's.)
void require_place_for_timeline(const fs::path& folder) {
  const fs::path timeline = folder / kTimeline;
  if (fs::is_directory(fs::symlink_status(timeline))) {
    throw io::InputError(timeline.string() + ": is a folder, not a file");
  }
}

/// Throws where a system's folder has files that the earlier run did not make but this one would replace.
void require_no_foreign_system(const fs::path& folder, const std::string& label, bool of_earlier_run) {
  const fs::path system = folder / label;
  const fs::file_status status = fs::symlink_status(system);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status)) throw io::InputError(system.string() + ": is not a folder");
  for (const char* name : kSystemFiles) {
    const fs::file_status file = fs::symlink_status(system / name);
    if (fs::exists(file) && (!of_earlier_run || fs::is_directory(file))) {
      throw io::InputError((system / name).string() + ": was not made by the earlier run in " +
                           folder.string() + "; give another folder with --out");
    }
  }
}

/// The configuration of a folder that is named after one, as a path from that folder: so it stays true when
/// both are moved.
std::string configuration_text(const fs::path& folder, const fs::path& configuration) {
  return fs::proximate(fs::weakly_canonical(configuration), fs::weakly_canonical(folder)).string() + "\n";
}

void require_same_configuration(const fs::path& folder, const fs::path& configuration) {
  if (!fs::exists(folder / kConfiguration)) return;
  const std::string earlier = io::read_file(folder / kConfiguration);
  if (earlier == configuration_text(folder, configuration)) return;
  throw io::InputError(folder.string() + ": has the results of another configuration, " +
                       (folder / earlier.substr(0, earlier.find('\n'))).lexically_normal().string() +
                       "; give another folder with --out");
}

/// Removes what a run has made in a system's folder, and the folder where nothing else is in it.
void remove_system(const fs::path& system) {
  if (!fs::is_directory(fs::symlink_status(system))) return;  // a link leads elsewhere
  for (const char* name : kSystemFiles) {
    if (!fs::is_directory(fs::symlink_status(system / name))) fs::remove(system / name);
  }
  std::error_code not_empty;
  fs::remove(system, not_empty);
}

}  // namespace

RunFolder::RunFolder(Request request) : request_(std::move(request)), workshop_(request_.folder / kWorkshop) {
  if (request_.folder.empty()) throw io::InputError("--out: must not be empty");
  on_disk([&] {
    earlier_labels_ = earlier_labels(request_.folder);
    std::vector<std::string> labels = earlier_labels_;
    for (const std::string& label : request_.labels) {
      const bool earlier = std::find(labels.begin(), labels.end(), label) != labels.end();
      require_no_foreign_system(request_.folder, label, earlier);
      if (!earlier) labels.push_back(label);
    }
    require_place_for_timeline(request_.folder);
    if (request_.named_after) require_same_configuration(request_.folder, *request_.named_after);
    require_no_input(labels);
  });
  try {
    on_disk([&] { make(); });
  } catch (...) {
    remove_made();
    throw;
  }
}

RunFolder::~RunFolder() { remove_made(); }

void RunFolder::require_no_input(const std::vector<std::string>& labels) const {
  std::vector<fs::path> outputs;
  for (const char* name : {kResolved, kConfiguration, kTimeline}) outputs.push_back(request_.folder / name);
  for (const std::string& label : labels) {
    for (const char* name : kSystemFiles) outputs.push_back(request_.folder / label / name);
  }
  for (const fs::path& output : outputs) {
    for (const fs::path& input : request_.inputs) {
      std::error_code not_there;
      if (!fs::equivalent(output, input, not_there) || not_there) continue;
      throw io::InputError(
          output.string() +
          ": is an input of this run, which would replace it; give another folder with --out");
    }
  }
}

/// Makes what is missing of the folder's path, and the workshop in it.
void RunFolder::make() {
  std::vector<fs::path> missing;
  for (fs::path path = io::absolute_path(request_.folder); !fs::exists(path); path = path.parent_path()) {
    if (path.has_filename()) missing.push_back(path);  // a path may end in a slash
  }
  std::reverse(missing.begin(), missing.end());
  for (const fs::path& path : missing) {
    if (fs::create_directory(path)) made_.insert(made_.begin(), path);
  }
  lock();
  fs::remove_all(workshop_);  // which a killed run has left
  fs::create_directory(workshop_);
  workshop_is_ours_ = true;
  for (const std::string& label : request_.labels) fs::create_directory(workshop_ / label);
}

/// Held until the last process of this run has ended.
void RunFolder::lock() {
  lock_ = ::open(request_.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // Some network file systems can't lock a folder; then nothing tells two runs apart.
  if (lock_ >= 0 && ::flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw io::InputError(request_.folder.string() + ": another run is writing into it");
  }
}

void RunFolder::publish() {
  const fs::path& folder = request_.folder;
  if (request_.named_after) {
    write_file(workshop_ / kConfiguration, configuration_text(folder, *request_.named_after));
  }
  on_disk([&] {
    for (const std::string& label : earlier_labels_) remove_system(folder / label);
    for (const char* name : {kConfiguration, kTimeline}) fs::remove(folder / name);
    for (const auto& entry : fs::directory_iterator(workshop_)) {
      const fs::path place = folder / entry.path().filename();
      if (!entry.is_directory()) {
        fs::rename(entry.path(), place);
        continue;
      }
      fs::create_directory(place);
      for (const auto& file : fs::directory_iterator(entry.path())) {
        fs::rename(file.path(), place / file.path().filename());
      }
    }
    fs::remove_all(workshop_);
  });
  made_.clear();
  workshop_is_ours_ = false;
}

void RunFolder::remove_made() noexcept {
  std::error_code ignored;
  if (workshop_is_ours_) fs::remove_all(workshop_, ignored);  // it may be that of another run at work
  for (const fs::path& path : made_) fs::remove(path, ignored);
  made_.clear();
  if (lock_ >= 0) ::close(lock_);
  lock_ = -1;
}

}  // namespace fluidbatch::sim
