// Traces and time stamps; where a run ends.
#include <cmath>

#include <catch2/catch.hpp>

#include "tests/support/run_helpers.h"
#include "tests/support/workload_helpers.h"
#include "workloads/traffic/trace_file.h"

using namespace fluidbatch;
using Catch::Contains;

namespace {

workloads::Trace trace_of(const std::string& csv, const workloads::TraceOptions& options = {}) {
  const test::TemporaryFolder folder;
  return workloads::load_trace(folder.write("t.csv", csv), options);
}

std::vector<double> dates_of(const workloads::Trace& trace) {
  std::vector<double> dates_s;
  for (const workloads::Arrival& arrival : trace.arrivals) dates_s.push_back(arrival.date_s);
  return dates_s;
}

/// The arrivals of a configuration's trace: `more` are its keys besides the path.
std::vector<double> dates_of(const std::string& csv, const std::string& more) {
  const test::TemporaryFolder folder;
  const auto spec =
      test::arrivals_of("{kind: trace, path: " + folder.write("t.csv", csv).string() + more + "}");
  const auto stream = spec->start(1, 0);
  std::vector<double> dates_s(spec->bound());
  stream->draw(dates_s);
  return dates_s;
}

}  // namespace

TEST_CASE("time stamps are whole ticks of 100 ns", "[trace]") {
  const auto ticks = [](const char* text) { return workloads::parse_time_stamp(text); };
  CHECK(ticks("1970-01-01 00:00:00") == 0);
  CHECK(ticks("1970-01-02 00:00:00.0000001") == 864'000'000'001);
  CHECK(ticks("2023-11-16 18:17:03.9799600") == 17'001'586'239'799'600);  // date -d .. +%s: 1700158623
  CHECK(ticks("2023-11-16T18:17:03.97996Z") == ticks("2023-11-16 18:17:03.9799600"));
  CHECK(ticks("2023-11-16 19:17:03.97996+01:00") == ticks("2023-11-16 18:17:03.9799600"));
  CHECK(ticks("2023-11-16 18:17:03.979960000") == ticks("2023-11-16 18:17:03.9799600"));
  CHECK(*ticks("2024-03-01 00:00:00") - *ticks("2024-02-29 00:00:00") == 864'000'000'000);
  for (const char* text :
       {"", "4808", "2023-11-16", "2023-13-16 18:17:03", "2023-02-29 18:17:03", "2023-11-16 24:17:03",
        "2023-11-16 18:17:61", "2023-11-16 18:17:03.", "2023-11-16 18:17:03.00000001",
        "2023-11-16 18:17:03 x", "2023-11-16 18:17", "-023-11-16 18:17:03"}) {
    INFO("'" << text << "'");
    CHECK_FALSE(ticks(text).has_value());
  }
}

TEST_CASE("dates of a trace and time stamps are taken from the first row", "[trace]") {
  const workloads::Trace dates =
      trace_of("device,arrival_s,note,exit\n4,1.5,x,2\n0,1.5,,0\n1,2.25,y,1\n", {.time_scale = 2});
  CHECK(dates_of(dates) == std::vector<double>{0, 0, 1.5});
  CHECK(dates.arrivals[0].device == 4);
  CHECK(dates.arrivals[0].exit == 2);
  CHECK(dates.has_exits);

  const workloads::Trace stamps = trace_of(
      "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n"
      "2023-11-16 18:17:04.0319600,3180,8",
      {.time_scale = 10});  // no line end at the end
  REQUIRE(stamps.arrivals.size() == 2);
  CHECK(stamps.arrivals[0].date_s == 0);
  CHECK(stamps.arrivals[1].date_s == 0.052 * 10);
  CHECK_FALSE(stamps.has_exits);
}

TEST_CASE("a trace gives the same bits from whatever date it starts and in whatever unit", "[trace]") {
  // 0.3 - 0.1 is not 0.2 in doubles; the differences of decimals are.
  const std::vector<double> dates_s{0, 0.1, 0.2000000003, 1e6};
  CHECK(dates_of(trace_of("arrival_s\n0\n0.1\n.2000000003\n+1e6\n")) == dates_s);
  CHECK(dates_of(trace_of("arrival_s\n0.1\n0.2\n3000000003e-10\n1000000.1\n")) == dates_s);
  CHECK(dates_of(trace_of("arrival_s\n1700000000\n1700000000.1\n1700000000.2000000003\n1701000000\n")) ==
        dates_s);
  using Unit = workloads::TimeUnit;
  const std::string nanoseconds =
      "arrival_s\n1700000000000000000\n1700000000100000000\n1700000000200000000.3\n1701000000000000000\n";
  CHECK(dates_of(trace_of(nanoseconds, {.time_unit = Unit::ns})) == dates_s);
  CHECK(dates_of(trace_of("arrival_s\n1.7e15\n1700000000100000\n1700000000200000.0003\n1701e12\n",
                          {.time_unit = Unit::us})) == dates_s);
  CHECK(dates_of(trace_of("arrival_s\n1.7e12\n1700000000100\n1700000000200.0000003\n1701e9\n",
                          {.time_unit = Unit::ms})) == dates_s);
  CHECK_THROWS_WITH(trace_of(nanoseconds),
                    Contains("t.csv:3:1: this arrival is at 1e+08 s") && Contains("or give time_unit"));
  CHECK_THROWS_WITH(trace_of("t\n2023-11-16 18:17:03\n", {.time_unit = Unit::ms}),
                    Contains("t.csv:2:1: time_unit does not go with time stamps"));
}

TEST_CASE("a trace may span 194 days, of which a slice is exact wherever it is", "[trace]") {
  CHECK(dates_of(trace_of("arrival_s\n0\n16777216\n")).back() == 16777216);
  CHECK_THROWS_WITH(trace_of("arrival_s\n0\n16777216.1\n"),
                    Contains("t.csv:3:1: this arrival is at 16777216.1 s"));
  CHECK(dates_of(trace_of("arrival_s\n0\n1e9\n1000000000.1\n", {.from_s = 1e9})) ==
        std::vector<double>{0, 0.1});
  CHECK(dates_of(trace_of("arrival_s\n0\n33554432\n", {.time_scale = 0.5})) ==
        std::vector<double>{0, 16777216});
}

TEST_CASE("the origin of a trace: its first row, a date, or the begin of the run that wrote it", "[trace]") {
  const std::string dates = "arrival_s\n0.5\n2\n";
  CHECK(dates_of(dates, "") == std::vector<double>{0, 1.5});
  CHECK(dates_of(dates, ", origin: first_row") == std::vector<double>{0, 1.5});
  CHECK(dates_of(dates, ", origin: 0") == std::vector<double>{0.5, 2});
  CHECK(dates_of(dates, ", origin: 0.25, from_s: 1") == std::vector<double>{0.75});
  CHECK(dates_of("arrival_s\n1700000000500\n1700000002000\n", ", origin: 1700000000000, time_unit: ms") ==
        std::vector<double>{0.5, 2});
  CHECK(dates_of("t\n2023-11-16 18:17:03.5\n", ", origin: 2023-11-16 18:17:03") == std::vector<double>{0.5});
  CHECK_THROWS_WITH(dates_of(dates, ", origin: 1"), Contains("t.csv:2:1: this arrival is before the origin"));
  for (const char* wrong : {"-1", "second_row", ".inf"}) {
    CHECK_THROWS_WITH(dates_of(dates, std::string(", origin: ") + wrong),
                      Contains("origin must be 'first_row', a number") && Contains(wrong));
  }
  // A requests.csv counts from its run, to the last bit; what else has a date of sending, from the first one.
  CHECK(dates_of("request,sent_s,arrival_s,completion_s\n0,0.1,0.30000000000000004,1\n", "") ==
        std::vector<double>{0.30000000000000004});
  CHECK(dates_of("sent_s,arrival_s\n9,10\n8,11\n", "") == std::vector<double>{2, 3});
}

TEST_CASE("a wrong trace is refused at its line", "[trace]") {
  CHECK_THROWS_WITH(trace_of("arrival_s\n1\n0.5\n"),
                    Contains("t.csv:3:1: arrivals must be in order of time"));
  CHECK_THROWS_WITH(trace_of("arrival_s\n-1\n"), Contains("must not be before 0"));
  CHECK_THROWS_WITH(trace_of("arrival_s\nnan\n"), Contains("t.csv:2:1: arrival_s must be a finite number"));
  CHECK_THROWS_WITH(trace_of("arrival_s\n"), Contains("the trace has no row"));
  CHECK_THROWS_WITH(trace_of("when,exit\n1,2\n"),
                    Contains("no column 'arrival_s'") && Contains("'when', 'exit'"));
  CHECK_THROWS_WITH(trace_of("t\n2023-11-16 18:17:03\n2023-11-16 18:17:63\n"),
                    Contains("t.csv:3:1: not a time stamp"));
  CHECK_THROWS_WITH(trace_of("arrival_s,exit\n1,0\n2,\n"), Contains("t.csv:3:3: column 'exit' has a gap"));
  CHECK_THROWS_WITH(trace_of("arrival_s,device\n1,-3\n"), Contains("device must be a whole number from 0"));
}

TEST_CASE("Poisson arrivals: rate, and gaps without memory", "[arrivals]") {
  const auto spec =
      test::arrivals_of("{kind: poisson, rho: 0.5}", {.reference_latency_s = 0.02});  // 25 a second
  const auto stream = spec->start(9, 0);
  double last_s = 0;
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 200'000;
  for (int i = 0; i < kDraws; ++i) {
    const double date_s = stream->next_s();
    const double gap = (date_s - last_s) * 25;
    REQUIRE(gap >= 0);
    last_s = date_s;
    sum += gap;
    squares += gap * gap;
  }
  const double mean = sum / kDraws;
  CHECK(mean == Approx(1).margin(3.3 / std::sqrt(kDraws)));
  CHECK(squares / kDraws - mean * mean == Approx(1).margin(3.3 * std::sqrt(8.0 / kDraws)));
  CHECK_THROWS_WITH(test::arrivals_of("{kind: poisson}"), Contains("one of 'rho', 'rate_hz'"));
  CHECK_THROWS_WITH(test::arrivals_of("{kind: poisson, rho: 1, rate_hz: 1}"),
                    Contains("only one of 'rho', 'rate_hz'"));
  CHECK_THROWS_WITH(test::arrivals_of("{kind: poison, rho: 1}"), Contains("did you mean 'poisson'?"));
}

TEST_CASE("a slice of a trace counts from its begin, before the time scale", "[trace]") {
  const test::TemporaryFolder folder;
  const auto file = folder.write("t.csv", "arrival_s\n0\n2\n3.5\n5\n");
  const workloads::Trace trace = workloads::load_trace(file, {.time_scale = 10, .from_s = 2, .to_s = 5});
  REQUIRE(trace.arrivals.size() == 2);
  CHECK(trace.arrivals[0].date_s == 0);
  CHECK(trace.arrivals[1].date_s == 15);
  CHECK_THROWS_WITH(workloads::load_trace(file, {.from_s = 6}), Contains("no row from from_s to to_s"));
  CHECK_THROWS_WITH(test::arrivals_of("{kind: trace, path: " + file.string() + ", from_s: 2, to_s: 2}"),
                    Contains("to_s must be a number, above 2"));
}

TEST_CASE("a row just before a slice, with the same double as its begin, is the begin", "[trace]") {
  const test::TemporaryFolder folder;
  const auto file = folder.write("t.csv", "arrival_s\n0\n0.999999999999999999999\n1.5\n");
  for (const bool dates_of_sending : {false, true}) {
    const workloads::Trace trace =
        workloads::load_trace(file, {.from_s = 1, .dates_of_sending = dates_of_sending});
    REQUIRE(trace.arrivals.size() == 2);
    CHECK(trace.arrivals[0].date_s == 0);
    CHECK(trace.arrivals[0].sent_s == 0);
    CHECK(trace.arrivals[1].sent_s == 0.5);
  }
  const auto sent = folder.write("u.csv", "sent_s,arrival_s\n0,0.5\n0.25,1.5\n");
  const workloads::Trace before = workloads::load_trace(sent, {.from_s = 1});
  REQUIRE(before.arrivals.size() == 1);
  CHECK(before.arrivals[0].sent_s == -0.75);  // a sending before the slice stays where it was
}

TEST_CASE("with an uplink a trace is in the order of sending", "[trace]") {
  const test::TemporaryFolder folder;
  const auto file = folder.write("t.csv", "device,sent_s,arrival_s\n0,1.5,2\n1,1.25,3\n2,1.25,3\n");
  const workloads::Trace sent = workloads::load_trace(file, {.dates_of_sending = true});
  CHECK(sent.arrivals[0].device == 1);
  CHECK(sent.arrivals[0].date_s == 0);
  CHECK(sent.arrivals[1].device == 2);
  CHECK(sent.arrivals[2].date_s == 0.25);
  const workloads::Trace arrived = workloads::load_trace(file, {});
  CHECK(arrived.arrivals[0].date_s == 0.75);
  CHECK(arrived.arrivals[0].sent_s == 0.25);
  CHECK_THROWS_WITH(workloads::load_trace(folder.write("u.csv", "sent_s,arrival_s\n2,1\n"), {}),
                    Contains("u.csv:2:1: sent_s must be from 0 to the arrival"));
}

TEST_CASE("a run ends with its requests, its duration or its trace", "[arrivals]") {
  const test::TemporaryFolder folder;
  const auto file = folder.write("t.csv", "arrival_s,exit\n0,0\n1,1\n2,0\n3,1\n");
  const workloads::Devices devices =
      test::devices_of("{arrivals: {kind: trace, path: " + file.string() + "}}");
  const auto from_arrivals = test::exits_of("{kind: trace}", 2, devices);
  const auto count = [&](const workloads::ExitSpec& exits, const workloads::RunLength& length) {
    workloads::SentRequests stream(devices, exits, 1, length);
    return test::drain(stream).size();
  };
  CHECK(count(*from_arrivals, {}) == 4);
  CHECK(count(*from_arrivals, {.requests = 3}) == 3);
  CHECK(count(*from_arrivals, {.duration_s = 2}) == 2);

  const auto short_file = folder.write("e.csv", "exit\n1\n1\n");
  const auto from_file = test::exits_of("{kind: trace, path: " + short_file.string() + "}", 2, devices);
  CHECK(count(*from_file, {}) == 2);
  CHECK_THROWS_WITH(test::exits_of("{kind: trace}", 1, devices),
                    Contains("t.csv:3:3: exit must be a whole number from 0 to 0, found '1'"));
}
