// How far a long command is, on stderr.
#pragma once

#include <chrono>
#include <string>

namespace fluidbatch::sim::cli {

/// On a terminal one line written over itself; in a log a line now and then.
class ProgressLine {
 public:
  ProgressLine();

  /// Whether it is time to write again; then it is not for a while.
  [[nodiscard]] bool is_due();
  void write(const std::string& line) const;
  void clear() const;
  [[nodiscard]] double elapsed_s() const;

 private:
  bool terminal_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  double shown_s_ = 0;
};

}  // namespace fluidbatch::sim::cli
