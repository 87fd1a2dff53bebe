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
#include "sim/output/requests_csv.h"

namespace fluidbatch::test {

/// Reads a configuration from text, as from a file called config.yaml.
sim::RunConfig config_of(const std::string& yaml);

/// Keeps all requests, in order of their number.
class RequestKeeper final : public sim::Observer {
 public:
  explicit RequestKeeper(std::vector<scheduler::Request>& requests) : requests_(requests) {}
  void completed(scheduler::RequestId /*id*/, const scheduler::Request& request) override {
    requests_.push_back(request);
  }

 private:
  std::vector<scheduler::Request>& requests_;
};

/// The text of requests.csv, in memory; `samples`: with the column of that name.
class CsvText final : public sim::Observer {
 public:
  explicit CsvText(const scheduler::Slo& slo, bool samples = false)
      : slo_(slo), samples_(samples), text_(sim::requests_csv_header(samples)) {}
  void completed(scheduler::RequestId id, const scheduler::Request& request) override {
    sim::append_requests_csv_row(text_, id, request, slo_, samples_);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  scheduler::Slo slo_;
  bool samples_;
  std::string text_;
};

struct RunOutcome {
  sim::RunStatistics statistics;
  std::vector<scheduler::Request> requests;  ///< in order of request number
};

/// Simulates system `index` in this process, on the bare driver.
RunOutcome run_bare(const sim::Scenario& scenario, std::size_t index = 0);

/// Text of requests.csv of system `index`, simulated in a process of its own.
std::string requests_csv_of(const sim::Scenario& scenario, sim::Driver driver, std::size_t index = 0);

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
