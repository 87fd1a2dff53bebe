// The folder of a run: where results appear once all of them are complete, in place of an earlier run's.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fluidbatch::sim {

/// A run's results are made in a folder of their own inside its folder, and moved to their places by
/// `publish`. Until then, and where anything fails, the earlier contents stay as they were.
///
/// An earlier run is known by its `resolved.yaml`, which lists its systems: their files are removed when the
/// new ones are there, and nothing else is touched. All members throw io::InputError.
class RunFolder {
 public:
  /// What a run wants of its folder.
  struct Request {
    std::filesystem::path folder;
    std::vector<std::string> labels;            ///< of the systems, each a folder
    std::vector<std::filesystem::path> inputs;  ///< files that the run reads
    /// The configuration's file, where `folder` is named after it: results of another configuration of that
    /// name are not replaced then.
    std::optional<std::filesystem::path> named_after;
  };

  /// Throws where the folder has what is not a run's, an input of this run that would be replaced, or another
  /// run at work in it; and where it can't be made.
  explicit RunFolder(Request request);
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;
  /// Without `publish`: removes all that was made.
  ~RunFolder();

  /// Where to write: `resolved.yaml`, `timeline.json`, and for each system a folder, which has been made.
  [[nodiscard]] const std::filesystem::path& workshop() const { return workshop_; }
  /// Puts the results in place of an earlier run's.
  void publish();

 private:
  void require_no_input(const std::vector<std::string>& labels) const;
  void make();
  void lock();
  void remove_made() noexcept;

  Request request_;
  std::filesystem::path workshop_;
  std::vector<std::string> earlier_labels_;
  std::vector<std::filesystem::path> made_;  // of the folder's path, the innermost first
  bool workshop_is_ours_ = false;
  int lock_ = -1;
};

}  // namespace fluidbatch::sim
