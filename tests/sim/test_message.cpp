// Messages between processes: what was written comes back, and a message of the wrong length is refused.
#include <cmath>
#include <limits>

#include <catch2/catch.hpp>

#include "sim/drive/message.h"
#include "sim/measure/statistics.h"

using namespace fluidbatch;
using Catch::Contains;
using sim::StatisticId;

namespace {

sim::RunStatistics example() {
  sim::RunStatistics statistics;
  for (std::size_t i = 0; i < sim::kStatistics; ++i) statistics.values[i] = 0.1 * static_cast<double>(i);
  statistics.set_absent(StatisticId::accuracy, sim::Absence::too_few);
  statistics.exit_shares = {0.25, 0.75};
  statistics.exit_accuracies = {1, 0.5};
  statistics.segment_batches = {3, 2.5, 1};
  statistics.admitted = (std::uint64_t{1} << 53) + 1;  // no double
  statistics.saturated = true;
  return statistics;
}

}  // namespace

TEST_CASE("a message gives back what was written, in order", "[message]") {
  sim::MessageWriter writer;
  const std::string text("two\0words", 9);
  writer(std::int64_t{-7}, 1.5, true, sim::Absence::dropped, text, std::string());
  writer(std::vector<double>{-0.0, std::numeric_limits<double>::infinity()}, std::vector<int>{},
         std::array<std::uint64_t, 2>{3, 4});
  const std::string bytes = writer.take();

  std::int64_t number = 0;
  double real = 0;
  bool yes = false;
  sim::Absence absence = sim::Absence::none;
  std::string words;
  std::string empty = "not yet";
  std::vector<double> reals;
  std::vector<int> none{1};
  std::array<std::uint64_t, 2> pair{};
  sim::MessageReader reader(bytes);
  reader(number, real, yes, absence, words, empty, reals, none, pair);
  reader.end();
  CHECK(number == -7);
  CHECK(real == 1.5);
  CHECK(yes);
  CHECK(absence == sim::Absence::dropped);
  CHECK(words == text);
  CHECK(empty.empty());
  REQUIRE(reals.size() == 2);
  CHECK(std::signbit(reals[0]));
  CHECK(std::isinf(reals[1]));
  CHECK(none.empty());
  CHECK(pair == std::array<std::uint64_t, 2>{3, 4});
}

TEST_CASE("statistics as a message, every field", "[message]") {
  const sim::RunStatistics sent = example();
  const auto got = sim::from_message<sim::RunStatistics>(sim::to_message(sent));
  for (std::size_t i = 0; i < sim::kStatistics; ++i) {
    const auto id = static_cast<StatisticId>(i);
    CHECK((got[id] == sent[id] || (std::isnan(got[id]) && std::isnan(sent[id]))));
    CHECK(got.absence(id) == sent.absence(id));
  }
  CHECK(got.exit_shares == sent.exit_shares);
  CHECK(got.exit_accuracies == sent.exit_accuracies);
  CHECK(got.segment_batches == sent.segment_batches);
  CHECK(got.admitted == sent.admitted);
  CHECK(got.saturated);
}

TEST_CASE("a message that is too short or too long is refused", "[message]") {
  const std::string bytes = sim::to_message(example());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CHECK_THROWS_WITH(sim::from_message<sim::RunStatistics>(bytes.substr(0, length)), Contains("cut short"));
  }
  CHECK_THROWS_WITH(sim::from_message<sim::RunStatistics>(bytes + "ab"), Contains("2 bytes too long"));
  // A count that no memory holds, and whose bytes are more than a size says.
  sim::MessageWriter writer;
  writer(std::numeric_limits<std::uint64_t>::max() / 4);
  CHECK_THROWS_WITH(sim::from_message<sim::RunStatistics>(writer.take()), Contains("cut short"));
}
