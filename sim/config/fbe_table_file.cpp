#include "sim/config/fbe_table_file.h"

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

#include "workloads/io/csv.h"

namespace fluidbatch::sim {
namespace {

using scheduler::FbeState;
using scheduler::FbeTable;

constexpr int kLongestQueue = 1 << 16;
constexpr int kMostSegments = 1024;
constexpr int kMostBatch = 1024;
constexpr std::size_t kMostStates = 4'000'000;  // 100 MB while they are read

struct Row {
  int segment;
  int active;
  int queue;
  int newcomers;
  int line;
  int column;  // of the newcomers

  [[nodiscard]] std::tuple<int, int, int> state() const { return {segment, active, queue}; }
  [[nodiscard]] std::string text() const {
    return "queue " + std::to_string(queue) + ", active " + std::to_string(active) + ", segment " +
           std::to_string(segment);
  }
};

/// What the rows go up to.
struct Sizes {
  int segments = 1;
  int max_batch = 1;
  int longest_queue = 1;
};

/// The state after that of `row`, in the order of the file.
Row next_state(Row row, const Sizes& sizes) {
  if (++row.queue <= sizes.longest_queue) return row;
  row.queue = 1;
  if (row.segment > 0 && ++row.active <= sizes.max_batch) return row;
  row.active = 1;
  ++row.segment;
  return row;
}

std::vector<Row> read_rows(io::CsvReader& csv) {
  const std::size_t queue = csv.required_column("queue");
  const std::size_t active = csv.required_column("active");
  const std::size_t segment = csv.required_column("segment");
  const std::size_t newcomers = csv.required_column("newcomers");
  std::vector<Row> rows;
  while (csv.next()) {
    Row row{};
    row.queue = static_cast<int>(csv.integer(queue, 1, kLongestQueue));
    row.active = static_cast<int>(csv.integer(active, 0, kMostBatch));
    row.segment = row.active == 0 ? static_cast<int>(csv.integer(segment, 0, 0))
                                  : static_cast<int>(csv.integer(segment, 1, kMostSegments - 1));
    row.newcomers = static_cast<int>(csv.integer(newcomers, 0, std::min(row.queue, kMostBatch)));
    row.line = csv.mark(newcomers).line;
    row.column = csv.mark(newcomers).column;
    if (rows.size() == kMostStates) {
      throw io::InputError(csv.mark(queue), "a table has at most " + std::to_string(kMostStates) + " states");
    }
    rows.push_back(row);
  }
  return rows;
}

Sizes sizes_of(const std::vector<Row>& rows) {
  Sizes sizes;
  int most_active = 0;
  int most_newcomers = 1;
  for (const Row& row : rows) {
    sizes.segments = std::max(sizes.segments, row.segment + 1);
    sizes.longest_queue = std::max(sizes.longest_queue, row.queue);
    most_active = std::max(most_active, row.active);
    most_newcomers = std::max(most_newcomers, row.newcomers);
  }
  sizes.max_batch = most_active > 0 ? most_active : most_newcomers;
  return sizes;
}

/// Throws unless `rows`, which are in order, are all states up to `sizes`, each once.
void require_complete(const std::vector<Row>& rows, const Sizes& sizes, const std::string& source) {
  const auto missing = [&](const Row& state) {
    throw io::InputError({source, 1, 1}, "the table goes up to queue " + std::to_string(sizes.longest_queue) +
                                             ", active " + std::to_string(sizes.max_batch) + " and segment " +
                                             std::to_string(sizes.segments - 1) + ", but has no row for " +
                                             state.text());
  };
  Row expected{.segment = 0, .active = 0, .queue = 1, .newcomers = 0, .line = 0, .column = 0};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0 && rows[i].state() == rows[i - 1].state()) {
      throw io::InputError({source, rows[i].line, 1}, "a second row for " + rows[i].text() +
                                                          "; the first is in line " +
                                                          std::to_string(rows[i - 1].line));
    }
    if (rows[i].state() != expected.state()) missing(expected);
    expected = next_state(expected, sizes);
  }
  if (expected.segment < sizes.segments) missing(expected);
}

void require_room(const Row& row, const Sizes& sizes, const std::string& source) {
  const int room = sizes.max_batch - row.active;
  if (row.newcomers <= room) return;
  throw io::InputError({source, row.line, row.column},
                       std::to_string(row.newcomers) +
                           " newcomers, where max_batch, the most that are ever "
                           "active, is " +
                           std::to_string(sizes.max_batch) + " and leaves room for " + std::to_string(room));
}

}  // namespace

std::string fbe_table_csv(const FbeTable& table) {
  std::string csv = "queue,active,segment,newcomers\n";
  const auto add = [&](int active, int segment) {
    for (int queue = 1; queue <= table.longest_queue(); ++queue) {
      const FbeState state{
          .queue = queue, .active = active, .segment = segment, .suspended = 0, .suspended_segment = 0};
      for (const int value : {queue, active, segment}) csv += std::to_string(value) + ',';
      csv += std::to_string(table.newcomers(state)) + '\n';
    }
  };
  add(0, 0);
  for (int segment = 1; segment < table.segments(); ++segment) {
    for (int active = 1; active <= table.max_batch(); ++active) add(active, segment);
  }
  return csv;
}

FbeTable read_fbe_table(const std::filesystem::path& file) {
  io::CsvReader csv(file);
  std::vector<Row> rows = read_rows(csv);
  if (rows.empty()) throw io::InputError({csv.source(), 1, 1}, "the file has no state");
  const Sizes sizes = sizes_of(rows);
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::tuple(a.state(), a.line) < std::tuple(b.state(), b.line);
  });
  require_complete(rows, sizes, csv.source());
  // Complete, so that it is no larger than the file.
  FbeTable table(sizes.segments, sizes.max_batch, sizes.longest_queue);
  for (const Row& row : rows) {
    require_room(row, sizes, csv.source());
    table.set_newcomers({.queue = row.queue,
                         .active = row.active,
                         .segment = row.segment,
                         .suspended = 0,
                         .suspended_segment = 0},
                        row.newcomers);
  }
  const FbeState longest{
      .queue = sizes.longest_queue, .active = 0, .segment = 0, .suspended = 0, .suspended_segment = 0};
  if (table.newcomers(longest) == 0) {
    throw io::InputError({csv.source(), 1, 1}, "an idle NPU starts nobody with the longest queue, " +
                                                   std::to_string(sizes.longest_queue) +
                                                   ", so that it would wait for ever");
  }
  return table;
}

}  // namespace fluidbatch::sim
