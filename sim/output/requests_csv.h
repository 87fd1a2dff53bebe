// requests.csv: a row per request, in order of request number.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scheduler/request.h"
#include "scheduler/slo.h"
#include "sim/core/observer.h"
#include "sim/output/columns.h"
#include "sim/output/output_file.h"

namespace fluidbatch::sim {

/// The columns of requests.csv, `sample` included.
std::vector<ColumnDeclaration> request_columns();

/// The header line, with its line end. `samples`: with the column `sample`.
std::string requests_csv_header(bool samples);

/// Appends the row of a request whose stay has ended. Numbers are the shortest text that reads back to the
/// same double.
void append_requests_csv_row(std::string& text, scheduler::RequestId id, const scheduler::Request& request,
                             const scheduler::Slo& slo, bool samples);

/// Writes requests.csv in pieces, while the run goes on. All members throw io::InputError where the file
/// can't be written.
class RequestsCsv final : public Observer {
 public:
  /// `samples`: exits come from confidences, and the column `sample` says whose.
  RequestsCsv(const std::filesystem::path& file, const scheduler::Slo& slo, bool samples);

  void completed(scheduler::RequestId id, const scheduler::Request& request) override;

  /// Must be called at the end: only then is there a file.
  void close();

 private:
  void flush();

  OutputFile file_;
  scheduler::Slo slo_;
  bool samples_;
  std::string buffer_;
};

}  // namespace fluidbatch::sim
