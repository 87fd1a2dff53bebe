// Runs of whole configurations inside a test.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "scheduler/request.h"
#include "sim/config/run_config.h"
#include "sim/drive/engine.h"
#include "sim/measure/recorder.h"
#include "sim/measure/statistics.h"

namespace fluidbatch::test {

/// Reads a configuration from text, as from a file called config.yaml.
sim::RunConfig config_of(const std::string& yaml);

struct RunOutcome {
  sim::RunStatistics statistics;
  std::vector<scheduler::Request> requests;  ///< in order of request number
};

/// Simulates system `index` of `config` in this process, on the bare driver.
RunOutcome run_bare(const sim::RunConfig& config, std::size_t index = 0);

/// Text of requests.csv of system `index`, simulated in a process of its own.
std::string requests_csv_of(const sim::RunConfig& config, sim::Driver driver, std::size_t index = 0);

/// A recorder for a server that a test watches by other means.
sim::Recorder recorder_for(const npu::BatchPolicyTable& table);

/// A folder of its own below the system's temporary one, removed with all it holds at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Writes a file in it; its path.
  std::filesystem::path write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

}  // namespace fluidbatch::test
