#include "sim/python/request_array.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>

#include "workloads/io/csv.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;

/// One column of the array of requests.
struct Field {
  const char* name;
  const char* format;
  std::size_t offset;
};

/// Of the columns of requests.csv, in their order, and `dropped`.
const std::vector<Field>& request_fields() {
  using Row = sim::RequestRow;
  static const std::vector<Field> fields{{"request", "u8", offsetof(Row, request)},
                                         {"device", "u4", offsetof(Row, device)},
                                         {"sent_s", "f8", offsetof(Row, sent_s)},
                                         {"arrival_s", "f8", offsetof(Row, arrival_s)},
                                         {"start_s", "f8", offsetof(Row, start_s)},
                                         {"completion_s", "f8", offsetof(Row, completion_s)},
                                         {"exit", "i4", offsetof(Row, exit)},
                                         {"correct", "i1", offsetof(Row, correct)},
                                         {"latency_s", "f8", offsetof(Row, latency_s)},
                                         {"end_to_end_s", "f8", offsetof(Row, end_to_end_s)},
                                         {"queueing_s", "f8", offsetof(Row, queueing_s)},
                                         {"suspended_s", "f8", offsetof(Row, suspended_s)},
                                         {"executing_s", "f8", offsetof(Row, executing_s)},
                                         {"slo_met", "?", offsetof(Row, slo_met)},
                                         {"sample", "i4", offsetof(Row, sample)},
                                         {"service", "u2", offsetof(Row, service)},
                                         {"npu", "u2", offsetof(Row, npu)},
                                         {"dropped", "?", offsetof(Row, dropped)}};
  return fields;
}

py::dtype request_type(const sim::RequestsCsvShape& shape) {
  py::list names;
  py::list formats;
  py::list offsets;
  for (const Field& field : request_fields()) {
    const std::string name = field.name;
    if ((name == "sample" && !shape.sample) || (name == "service" && shape.services.empty()) ||
        (name == "npu" && !shape.npu)) {
      continue;
    }
    names.append(name);
    formats.append(field.format);
    offsets.append(field.offset);
  }
  return {names, formats, offsets, static_cast<py::ssize_t>(sizeof(sim::RequestRow))};
}

/// Where a requests.csv has its columns.
class Columns {
 public:
  explicit Columns(const io::CsvReader& csv) : csv_(csv) {}

  /// NaN where the cell is empty.
  [[nodiscard]] double number(const char* name) const {
    const std::size_t column = csv_.required_column(name);
    return csv_.is_gap(column) ? std::numeric_limits<double>::quiet_NaN() : csv_.number(column);
  }
  /// `otherwise` where the cell is empty, or there is no such column.
  [[nodiscard]] std::int64_t whole(const char* name, std::int64_t most, std::int64_t otherwise = -1) const {
    const auto column = csv_.column(name);
    return !column || csv_.is_gap(*column) ? otherwise : csv_.integer(*column, 0, most);
  }

 private:
  const io::CsvReader& csv_;
};

std::uint16_t service_number(const io::CsvReader& csv, std::size_t column,
                             const std::vector<std::string>& services) {
  const auto found = std::find(services.begin(), services.end(), csv.cell(column));
  if (found == services.end()) {
    throw io::InputError(csv.mark(column),
                         io::unknown_word("service", std::string(csv.cell(column)), services));
  }
  return static_cast<std::uint16_t>(found - services.begin());
}

sim::RequestRow row_of(const io::CsvReader& csv, const std::vector<std::string>& services) {
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  const Columns columns(csv);
  const auto service = csv.column("service");
  const double completion_s = columns.number("completion_s");
  return {
      .request = static_cast<std::uint64_t>(columns.whole("request", kMost)),
      .sent_s = columns.number("sent_s"),
      .arrival_s = columns.number("arrival_s"),
      .start_s = columns.number("start_s"),
      .completion_s = completion_s,
      .latency_s = columns.number("latency_s"),
      .end_to_end_s = columns.number("end_to_end_s"),
      .queueing_s = columns.number("queueing_s"),
      .suspended_s = columns.number("suspended_s"),
      .executing_s = columns.number("executing_s"),
      .device =
          static_cast<std::uint32_t>(columns.whole("device", std::numeric_limits<std::uint32_t>::max())),
      .exit = static_cast<std::int32_t>(columns.whole("exit", std::numeric_limits<std::int32_t>::max())),
      .sample = static_cast<std::int32_t>(columns.whole("sample", std::numeric_limits<std::int32_t>::max())),
      .service = service ? service_number(csv, *service, services) : std::uint16_t{0},
      .npu = static_cast<std::uint16_t>(columns.whole("npu", std::numeric_limits<std::uint16_t>::max(), 0)),
      .correct = static_cast<std::int8_t>(columns.whole("correct", 1)),
      .slo_met = static_cast<std::uint8_t>(columns.whole("slo_met", 1, 0)),
      .dropped = std::isnan(completion_s) ? std::uint8_t{1} : std::uint8_t{0},
      .unused = {}};
}

}  // namespace

py::array request_array(const std::vector<sim::RequestRow>& rows, const sim::RequestsCsvShape& shape,
                        const py::object& owner) {
  py::array array(request_type(shape), {rows.size()}, {sizeof(sim::RequestRow)}, rows.data(), owner);
  array.attr("setflags")(py::arg("write") = false);  // whoever wants to change them copies them
  return array;
}

py::array read_request_array(const std::filesystem::path& file, const std::vector<std::string>& services) {
  auto rows = std::make_unique<std::vector<sim::RequestRow>>();
  io::CsvReader csv(file);
  for (const char* column : {"request", "device", "exit", "slo_met"})
    static_cast<void>(csv.required_column(column));
  while (csv.next()) rows->push_back(row_of(csv, services));
  const sim::RequestsCsvShape shape{.sample = csv.column("sample").has_value(),
                                    .services = csv.column("service") ? services : std::vector<std::string>(),
                                    .service_of_device = {},
                                    .npu = csv.column("npu").has_value()};
  const auto* kept = rows.get();
  const py::capsule owner(rows.release(),
                          [](void* held) { delete static_cast<std::vector<sim::RequestRow>*>(held); });
  return request_array(*kept, shape, owner);
}

}  // namespace fluidbatch::python
