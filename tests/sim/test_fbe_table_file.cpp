// Tables of decisions as files.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "sim/config/fbe_table_file.h"
#include "workloads/io/input_error.h"

using namespace fluidbatch;
using Catch::Matchers::Contains;
using scheduler::FbeState;
using scheduler::FbeTable;

namespace {

FbeState state(int queue, int active, int segment) {
  return {.queue = queue, .active = active, .segment = segment, .suspended = 0, .suspended_segment = 0};
}

FbeTable table_of(const std::string& csv) {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "fluidbatch_fbe_table.csv";
  std::ofstream(file, std::ios::binary) << csv;
  FbeTable table = sim::read_fbe_table(file);
  std::filesystem::remove(file);
  return table;
}

const std::string kHeader = "queue,active,segment,newcomers\n";
// Two segments, at most two in flight, queues up to two.
const std::string kSmall = kHeader + "1,0,0,0\n2,0,0,2\n1,1,1,0\n2,1,1,1\n1,2,1,0\n2,2,1,0\n";

/// kSmall with another line instead of its `row`.
std::string changed(const std::string& row, const std::string& other) {
  std::string csv = kSmall;
  return csv.replace(csv.find(row), row.size(), other);
}

void refuses(const std::string& csv, const std::string& place, const std::string& message) {
  INFO(csv);
  CHECK_THROWS_WITH(table_of(csv), Contains(place) && Contains(message));
}

}  // namespace

TEST_CASE("a table of decisions is read as it was written", "[fbe_table]") {
  FbeTable table(2, 2, 2);
  table.set_newcomers(state(2, 0, 0), 2);
  table.set_newcomers(state(2, 1, 1), 1);
  CHECK(sim::fbe_table_csv(table) == kSmall);
  const FbeTable read = table_of(kSmall);
  CHECK(read.segments() == 2);
  CHECK(read.max_batch() == 2);
  CHECK(read.longest_queue() == 2);
  CHECK(read.newcomers(state(1, 0, 0)) == 0);
  CHECK(read.newcomers(state(9, 0, 0)) == 2);
  CHECK(read.newcomers(state(2, 1, 1)) == 1);
  CHECK(read.newcomers(state(2, 2, 1)) == 0);
  // Other columns, and another order.
  const FbeTable shuffled = table_of(
      "segment,note,newcomers,active,queue\n1,x,0,2,2\n0,,0,0,1\n1,,1,1,2\n0,,2,0,2\n1,,0,2,1\n1,,0,1,1\n");
  CHECK(sim::fbe_table_csv(shuffled) == kSmall);
}

TEST_CASE("a table of larger sizes survives the way through a file", "[fbe_table]") {
  FbeTable table(4, 5, 7);
  int value = 0;
  const auto fill = [&](int active, int segment) {
    for (int queue = 1; queue <= 7; ++queue) {
      table.set_newcomers(state(queue, active, segment), value++ % (std::min(queue, 5 - active) + 1));
    }
  };
  fill(0, 0);
  table.set_newcomers(state(7, 0, 0), 3);
  for (int segment = 1; segment < 4; ++segment) {
    for (int active = 1; active <= 5; ++active) fill(active, segment);
  }
  const std::string csv = sim::fbe_table_csv(table);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 1 + 7 * (1 + 3 * 5));
  CHECK(sim::fbe_table_csv(table_of(csv)) == csv);
}

TEST_CASE("a table of one segment has as many in a batch as ever start together", "[fbe_table]") {
  const FbeTable table = table_of(kHeader + "1,0,0,1\n2,0,0,2\n3,0,0,3\n4,0,0,3\n");
  CHECK(table.segments() == 1);
  CHECK(table.max_batch() == 3);
  CHECK(table.longest_queue() == 4);
}

TEST_CASE("a broken table of decisions is refused at its place", "[fbe_table]") {
  refuses("queue,active,newcomers\n1,0,1\n", ":1:1", "segment");
  refuses(kHeader, ":1:1", "no state");
  refuses(changed("2,0,0,2", "2,0,0,3"), ":3:7", "newcomers");
  refuses(changed("2,0,0,2", "2,0,1,2"), ":3:5", "segment");
  refuses(changed("2,1,1,1", "2,1,0,1"), ":5:5", "segment");
  refuses(changed("2,1,1,1", "2,1,1,2"), ":5:7", "leaves room for 1");
  refuses(changed("2,1,1,1", "2,1,1,-1"), ":5:7", "newcomers");
  refuses(changed("2,1,1,1", "2,1,1,x"), ":5:7", "newcomers");
  refuses(changed("2,1,1,1", "2,1,1"), ":5:1", "3 cells");
  refuses(changed("1,2,1,0\n", ""), ":1:1", "no row for queue 1, active 2, segment 1");
  refuses(changed("2,2,1,0\n", ""), ":1:1", "no row for queue 2, active 2, segment 1");
  refuses(changed("1,0,0,0\n", ""), ":1:1", "no row for queue 1, active 0, segment 0");
  refuses(changed("2,2,1,0\n", "2,2,1,0\n2,1,1,0\n"), ":8:1",
          "a second row for queue 2, active 1, segment 1");
  refuses(changed("2,2,1,0", "2,1000000000000,1,0"), ":7:3", "active");
  // Sizes that no file is large enough for take no memory.
  refuses(changed("2,2,1,0", "65536,1024,1023,0"), ":1:1", "no row for queue 3, active 0, segment 0");
  refuses(kHeader + "1,0,0,0\n2,0,0,0\n", ":1:1", "starts nobody with the longest queue, 2");
}
