#include "sim/output/requests_csv.h"

#include <limits>
#include <utility>

namespace fluidbatch::sim {
namespace {

using Row = RequestRow;
using Type = ColumnType;
constexpr double kEmpty = std::numeric_limits<double>::quiet_NaN();

constexpr std::array kColumnsWithSample{
    Column<Row>{{"request", "", Type::whole, "number, from 0 in order of arrival at the server"},
                [](const Row& row) { return static_cast<double>(row.request); }},
    Column<Row>{{"device", "", Type::whole, "device that sent it"},
                [](const Row& row) { return static_cast<double>(row.device); }},
    Column<Row>{{"sent_s", "s", Type::number, "sent by the device; without an uplink `arrival_s`"},
                [](const Row& row) { return row.sent_s; }},
    Column<Row>{{"arrival_s", "s", Type::number, "arrival at the server"},
                [](const Row& row) { return row.arrival_s; }},
    Column<Row>{{"start_s", "s", Type::number, "its first step began"},
                [](const Row& row) { return row.start_s; }},
    Column<Row>{{"completion_s", "s", Type::number, "end of the segment of its exit"},
                [](const Row& row) { return row.completion_s; }},
    Column<Row>{{"exit", "", Type::whole, "exit taken, from 0; the last one is the final classifier"},
                [](const Row& row) { return static_cast<double>(row.exit); }},
    Column<Row>{{"correct", "", Type::flag, "whether that exit's answer is right; empty where not known"},
                [](const Row& row) { return row.correct < 0 ? kEmpty : row.correct; }},
    Column<Row>{{"latency_s", "s", Type::number, "`completion_s - arrival_s`"},
                [](const Row& row) { return row.latency_s; }},
    Column<Row>{{"end_to_end_s", "s", Type::number,
                 "from sending to the device's having its answer: `completion_s - sent_s` + the answer's "
                 "latency"},
                [](const Row& row) { return row.end_to_end_s; }},
    Column<Row>{{"queueing_s", "s", Type::number, "`start_s - arrival_s`"},
                [](const Row& row) { return row.queueing_s; }},
    Column<Row>{{"suspended_s", "s", Type::number, "time in a suspended batch"},
                [](const Row& row) { return row.suspended_s; }},
    Column<Row>{{"executing_s", "s", Type::number, "`completion_s - start_s - suspended_s`"},
                [](const Row& row) { return row.executing_s; }},
    Column<Row>{{"slo_met", "", Type::flag,
                 "0 where `latency_s` (`slo.measured: end_to_end`: `end_to_end_s`) is above the SLO by more "
                 "than 1e-9 s, or the request was dropped"},
                [](const Row& row) { return static_cast<double>(row.slo_met); }},
    Column<Row>{{"sample", "", Type::whole,
                 "row of the file of confidences that it is, from 0; only where exits come from confidences"},
                [](const Row& row) { return static_cast<double>(row.sample); }},
};
constexpr auto kColumns = without_last<1>(kColumnsWithSample);

void append_row(std::string& text, const RequestRow& row, bool samples) {
  if (samples) {
    append_csv_row<kColumnsWithSample>(text, row);
  } else {
    append_csv_row<kColumns>(text, row);
  }
}

}  // namespace

std::vector<ColumnDeclaration> request_columns() {
  std::vector<ColumnDeclaration> columns = declarations_of(kColumnsWithSample);
  columns.push_back({"service", "", Type::text, "that it is for; only where there are several"});
  columns.push_back({"npu", "", Type::whole, "that served it, from 0; only where there are several"});
  return columns;
}

std::string requests_csv_header(bool samples) {
  return samples ? csv_header_of(kColumnsWithSample) : csv_header_of(kColumns);
}

void append_requests_csv_row(std::string& text, scheduler::RequestId id, const scheduler::Request& request,
                             const scheduler::Slo& slo, bool samples) {
  append_row(text, request_row(id, request, slo), samples);
}

RequestsCsv::RequestsCsv(const std::filesystem::path& file, std::vector<scheduler::Slo> slos,
                         RequestsCsvShape shape)
    : file_(file),
      slos_(std::move(slos)),
      shape_(std::move(shape)),
      buffer_(requests_csv_header(shape_.sample)) {
  if (!shape_.services.empty()) add_cell("service");
  if (shape_.npu) add_cell("npu");
}

/// At the end of the last line.
void RequestsCsv::add_cell(std::string_view text) {
  buffer_.back() = ',';
  buffer_ += text;
  buffer_ += '\n';
}

void RequestsCsv::completed(scheduler::RequestId id, const scheduler::Request& request) {
  const std::size_t service = shape_.services.empty() ? 0 : shape_.service_of_device[request.device];
  add(request_row(id, request, slos_[service], service));
}

void RequestsCsv::add(const RequestRow& row) {
  constexpr std::size_t kPiece = std::size_t{1} << 16;
  append_row(buffer_, row, shape_.sample);
  if (!shape_.services.empty()) add_cell(shape_.services[row.service]);
  if (shape_.npu) add_cell(std::to_string(row.npu));
  if (buffer_.size() >= kPiece) flush();
}

void RequestsCsv::close() {
  flush();
  file_.close();
}

void RequestsCsv::flush() {
  file_.write(buffer_);
  buffer_.clear();
}

}  // namespace fluidbatch::sim
