// Ctrl-C and its like as something that a loop asks for.
#pragma once

#include <array>
#include <csignal>

namespace fluidbatch::sim {

/// For as long as it lives, the first SIGINT, SIGTERM or SIGHUP is only noted; a second of its kind ends the
/// process as usual. A signal that was ignored before (nohup) stays so. One at a time.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  /// The signal that was noted, or 0.
  [[nodiscard]] int received() const;

 private:
  static constexpr std::array<int, 3> kSignals{SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, kSignals.size()> before_{};
};

}  // namespace fluidbatch::sim
