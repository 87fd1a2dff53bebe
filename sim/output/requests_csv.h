// requests.csv: a row per request, in order of request number.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/request.h"
#include "scheduler/slo.h"
#include "sim/core/observer.h"
#include "sim/output/columns.h"
#include "sim/output/output_file.h"
#include "sim/output/request_row.h"

namespace fluidbatch::sim {

/// What a row tells beside what all tell.
struct RequestsCsvShape {
  bool sample = false;  ///< exits come from confidences: whose
  /// Names, by number, where there are several services, and the service of each device.
  std::vector<std::string> services = {};
  std::vector<std::size_t> service_of_device = {};
  bool npu = false;  ///< there are several
};

/// The columns of requests.csv, all that there may be.
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
  /// `slos` by service.
  RequestsCsv(const std::filesystem::path& file, std::vector<scheduler::Slo> slos, RequestsCsvShape shape);

  void completed(scheduler::RequestId id, const scheduler::Request& request) override;
  /// The next row, of a run that is over.
  void add(const RequestRow& row);

  /// Must be called at the end: only then is there a file.
  void close();

 private:
  void add_cell(std::string_view text);
  void flush();

  OutputFile file_;
  std::vector<scheduler::Slo> slos_;
  RequestsCsvShape shape_;
  std::string buffer_;
};

}  // namespace fluidbatch::sim
