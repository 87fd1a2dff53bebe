#include "sim/cli/progress_line.h"

#include <unistd.h>

#include "sim/cli/exit_codes.h"

namespace fluidbatch::sim::cli {

ProgressLine::ProgressLine() : terminal_(::isatty(STDERR_FILENO) == 1) {}

bool ProgressLine::is_due() {
  const double now_s = elapsed_s();
  const double every_s = terminal_ ? 0.2 : 20;
  if (now_s - shown_s_ < every_s) return false;
  shown_s_ = now_s;
  return true;
}

void ProgressLine::write(const std::string& line) const { note(terminal_ ? "\r\x1b[K" + line : line + "\n"); }

void ProgressLine::clear() const {
  if (terminal_) note("\r\x1b[K");
}

double ProgressLine::elapsed_s() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

}  // namespace fluidbatch::sim::cli
