// A run is a value: copied at any event it goes on to the same end, and split it has another lawful future.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/core/server_impl.h"
#include "sim/drive/message.h"
#include "sim/measure/statistics.h"
#include "sim/run/running_system.h"
#include "tests/support/all_kinds.h"
#include "tests/support/run_helpers.h"
#include "tests/support/scenarios.h"

using namespace fluidbatch;
using sim::RunningSystem;
using workloads::Rate;

namespace {

constexpr std::uint64_t kRequests = 40;

/// Rows without the header.
std::string rows_of(const test::CsvText& text) { return text.text().substr(text.text().find('\n') + 1); }

struct End {
  std::string rows;
  std::string statistics;
  bool operator==(const End&) const = default;
};

/// Runs to the end; `before`: the rows that had been written when the run was copied.
End run_on(RunningSystem& run, const std::string& before, const test::CsvText& text) {
  run.core().advance_through(std::numeric_limits<double>::infinity());
  return {before + rows_of(text), sim::to_message(run.finish())};
}

/// Copies at every event, and runs each copy to its end at once. How many there were.
int check_copies(const sim::Scenario& scenario, std::size_t index) {
  const sim::System& system = scenario.systems[index];
  test::CsvText text(scenario.service().slo, true);
  RunningSystem run(scenario, system, {.observer = &text});
  std::vector<End> ends;
  while (run.core().next_event_s() < std::numeric_limits<double>::infinity()) {
    test::CsvText of_copy(scenario.service().slo, true);
    RunningSystem copy(run, &of_copy);
    ends.push_back(run_on(copy, rows_of(text), of_copy));
    run.core().advance(run.core().next_event_s());
  }
  const End end{rows_of(text), sim::to_message(run.finish())};
  int others = 0;
  for (const End& of_copy : ends) others += of_copy == end ? 0 : 1;
  CHECK(others == 0);
  // Nobody has disturbed the original: it ends as one that has never been copied.
  test::CsvText alone(scenario.service().slo, true);
  RunningSystem whole(scenario, system, {.observer = &alone});
  CHECK(run_on(whole, "", alone) == end);
  return static_cast<int>(ends.size());
}

}  // namespace

TEST_CASE("a run that is copied at any event goes on to the same end", "[copies]") {
  int copies = 0;
  const auto check = [&](const sim::ScenarioBuilder& builder, bool confidences = false) {
    sim::ScenarioBuilder with_systems(builder);
    for (const sim::SystemSpec& system : test::all_systems()) with_systems.system(system);
    if (confidences)
      for (const sim::SystemSpec& system : test::with_exit_control()) with_systems.system(system);
    const sim::Scenario scenario = with_systems.build();
    for (std::size_t i = 0; i < scenario.systems.size(); ++i) {
      INFO(scenario.systems[i].label);
      copies += check_copies(scenario, i);
    }
  };
  const sim::ScenarioBuilder base =
      test::scenario_of("ee_resnet18").requests(kRequests).warmup_requests(5).slo_unloaded_multiple(3);
  std::size_t kind = 0;
  for (const sim::ArrivalProcess& arrivals : test::all_arrivals()) {
    INFO("arrival process " << kind);
    sim::ScenarioBuilder direct(base);
    direct.arrivals(arrivals);
    const auto models = test::with_all_exits(direct);
    // Each kind of arrivals meets two models of exits, without and with an uplink; all models come about.
    const std::size_t last = models.size() - 1;  // that of confidences
    const std::size_t one = kind % models.size();
    const std::size_t other = (kind + 1) % models.size();
    check(models[one], one == last);
    check(test::through_uplink(models[other]), other == last);
    ++kind;
  }
  check(
      sim::ScenarioBuilder(base).arrivals(test::all_arrivals().back()));  // with the exits that are recorded
  std::vector<int> exits;
  exits.reserve(50);
  for (int i = 0; i < 50; ++i) exits.push_back(i * i % 4);
  check(sim::ScenarioBuilder(base).poisson(Rate::rho(2)).exit_list(exits));
  check(sim::ScenarioBuilder(base).devices({{.arrivals = sim::poisson(Rate::rho(0.6)), .count = 3},
                                            {.arrivals = sim::periodic(Rate::rho(0.4)), .count = 2}}));
  CHECK(copies > 5'000);
}

TEST_CASE("a copy whose streams are split has a future of its own", "[copies]") {
  constexpr double kDate_s = 1;
  const sim::Scenario scenario = test::scenario_of("ee_resnet18")
                                     .duration_s(3)
                                     .poisson(Rate::hz(40))
                                     .exit_rates(test::kExampleRates)
                                     .system("exit_aware")
                                     .build();
  RunningSystem run(scenario, scenario.systems[0], {.read_ahead = 1});
  while (run.core().next_event_s() < kDate_s) run.core().advance(run.core().next_event_s());
  const auto future = [&](std::optional<std::uint64_t> branch) {
    std::vector<scheduler::Request> requests;
    test::RequestKeeper keeper(requests);
    RunningSystem copy(run, &keeper);
    if (branch) copy.split(*branch);
    copy.core().advance_through(std::numeric_limits<double>::infinity());
    copy.finish();  // nothing is lost
    std::vector<double> arrivals_s;
    for (const scheduler::Request& request : requests) {
      if (request.arrival_s >= kDate_s) arrivals_s.push_back(request.arrival_s);
    }
    return arrivals_s;
  };
  CHECK(future(std::nullopt) == future(std::nullopt));
  CHECK(future(1) == future(1));
  CHECK(future(1) != future(std::nullopt));
  CHECK(future(1) != future(2));
  // Lawful: 80 requests are expected in the 2 s that are left, of which one or two had been drawn already.
  constexpr int kBranches = 400;
  double sum = 0;
  for (std::uint64_t branch = 0; branch < kBranches; ++branch) {
    sum += static_cast<double>(future(branch).size());
  }
  const double sigma = std::sqrt(80.0 / kBranches);
  CHECK(sum / kBranches == Approx(80).margin(4 * sigma + 2));
}

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

/// A core that a test drives itself, and all that it works with.
template <typename Sink>
class Driven {
 public:
  Driven(const sim::Scenario& scenario, Sink& sink, std::size_t index, std::size_t read_ahead)
      : parts_(scenario, scenario.systems[index], read_ahead),
        server_(parts_.table(), parts_.options(), parts_.policy(), parts_.exit_source(), parts_.stream(),
                sink, nullptr) {}
  /// Another future of `other`, whose requests are drawn anew from here on.
  template <typename Other>
  Driven(const Driven<Other>& other, Sink& sink, std::uint64_t branch)
      : parts_(other.parts()),
        server_(parts_.table(), parts_.options(), parts_.policy(), parts_.exit_source(), parts_.stream(),
                sink, nullptr, other.state()) {
    parts_.split(branch);
    server_.restart_stream();
  }

  [[nodiscard]] const sim::SystemParts& parts() const { return parts_; }
  [[nodiscard]] sim::Server<Sink>& server() { return server_; }
  [[nodiscard]] const sim::ServerState& state() const { return server_.state(); }

 private:
  sim::SystemParts parts_;
  sim::Server<Sink> server_;
};

/// Runs system `index`, of which before each event `admits()` says how many are to be admitted during the
/// step, if there are so many.
template <typename Admits>
End admitting_during_steps(const sim::Scenario& scenario, std::size_t index, std::size_t read_ahead,
                           const Admits& admits) {
  const sim::System& system = scenario.systems[index];
  test::CsvText text(scenario.service().slo, true);
  sim::Recorder recorder(*system.table(), scenario.service().slo, scenario.warmup_requests);
  sim::ObserverList sink({&recorder, &text});
  Driven<sim::ObserverList> run(scenario, sink, index, read_ahead);
  if (run.parts().decides_exits()) recorder.keep_thresholds();
  sim::Server<sim::ObserverList>& server = run.server();
  while (server.next_event_s() < kNever) {
    const double end_s = server.next_event_s();
    for (int wanted = admits(); wanted > 0; --wanted) {
      const std::uint64_t admitted = server.conservation().admitted;
      if (!server.admit_during_step()) break;
      CHECK(server.now_s() < end_s);
      // Of a shared link there are events that bring nobody.
      CHECK(server.conservation().admitted >= admitted);
      CHECK(server.next_event_s() == end_s);
    }
    server.advance(end_s);
  }
  server.finish();
  const workloads::RecordedConfidences* confidences = run.parts().exits().confidences();
  const sim::ExitThresholds thresholds{
      .decided = run.parts().decides_exits() && system.table()->segments() > 1,
      .fixed = confidences == nullptr ? std::vector<double>() : confidences->thresholds()};
  return {rows_of(text), sim::to_message(sim::compute_statistics(recorder.finish(), server.conservation(),
                                                                 scenario.service().slo, thresholds))};
}

/// Those who come.
class Arrivals final : public sim::Observer {
 public:
  void admitted(scheduler::RequestId /*id*/, const scheduler::Request& request) override {
    requests.push_back(request);
  }
  std::vector<scheduler::Request> requests;
};

/// Kolmogorov and Smirnov's distance of `values` from the exponential distribution of mean 1, times the root
/// of their number: above 1.95 once in a thousand times.
double distance_from_exponential(std::vector<double> values) {
  std::ranges::sort(values);
  const auto n = static_cast<double>(values.size());
  double distance = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double below = -std::expm1(-values[i]);
    distance =
        std::max({distance, below - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - below});
  }
  return distance * std::sqrt(n);
}

/// Of means 0 and about 1 each.
double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - 1) * (b[i] - 1);
  return sum / static_cast<double>(a.size());
}

/// `arrivals`: those of `original` so far, which has been copied.
void check_ends(const sim::Scenario& scenario, Driven<Arrivals>& original, const Arrivals& arrivals) {
  // As many come to the copy as there are left, and copies have not disturbed the original.
  Arrivals rest;
  Driven<Arrivals> copy(original, rest, 1);
  copy.server().advance_through(kNever);
  copy.server().finish();
  CHECK(arrivals.requests.size() + rest.requests.size() == *scenario.known_requests());
  original.server().advance_through(kNever);
  Arrivals alone;
  Driven<Arrivals> whole(scenario, alone, 0, 64);
  whole.server().advance_through(kNever);
  REQUIRE(alone.requests.size() == arrivals.requests.size());
  int others = 0;
  for (std::size_t i = 0; i < *scenario.known_requests(); ++i)
    others += alone.requests[i].arrival_s == arrivals.requests[i].arrival_s ? 0 : 1;
  CHECK(others == 0);
}

}  // namespace

TEST_CASE("requests that are admitted during a step change nothing of the run", "[copies]") {
  const sim::ScenarioBuilder base = test::scenario_of("ee_resnet18")
                                        .requests(300)
                                        .warmup_requests(5)
                                        .slo_unloaded_multiple(3)
                                        .bounds(false);
  std::size_t kind = 0;
  std::mt19937_64 random(3);
  for (const sim::ArrivalProcess& arrivals : test::all_arrivals()) {
    INFO("arrival process " << kind);
    const auto models = test::with_all_exits(sim::ScenarioBuilder(base).arrivals(arrivals));
    for (const bool uplink : {false, true}) {
      const std::size_t model = (kind + (uplink ? 1 : 0)) % models.size();
      sim::ScenarioBuilder builder = uplink ? test::through_uplink(models[model]) : models[model];
      for (const sim::SystemSpec& system : test::all_systems()) builder.system(system);
      if (model == 3)
        for (const sim::SystemSpec& system : test::with_exit_control()) builder.system(system);
      const sim::Scenario scenario = builder.build();
      for (std::size_t i = 0; i < scenario.systems.size(); ++i) {
        INFO(scenario.systems[i].label);
        test::CsvText text(scenario.service().slo, true);
        RunningSystem run(scenario, scenario.systems[i], {.observer = &text});
        const End end = run_on(run, "", text);
        CHECK(admitting_during_steps(scenario, i, 1, [] { return 1'000; }) == end);
        CHECK(admitting_during_steps(scenario, i, 64, [&] { return static_cast<int>(random() % 3); }) == end);
      }
    }
    ++kind;
  }
}

TEST_CASE("a copy whose stream is restarted meets Poisson arrivals of its own", "[copies]") {
  constexpr std::array<double, 3> kRates_hz{10, 20, 30};
  const std::vector<sim::GroupSpec> three{{.arrivals = sim::poisson(Rate::hz(kRates_hz[0]))},
                                          {.arrivals = sim::poisson(Rate::hz(kRates_hz[1]))},
                                          {.arrivals = sim::poisson(Rate::hz(kRates_hz[2]))}};
  const std::vector<sim::GroupSpec> one{{.arrivals = sim::poisson(Rate::hz(60))}};
  constexpr std::uint64_t kLast = 4'000;
  for (const auto& [devices, read_ahead] :
       {std::pair(one, 1), std::pair(one, 64), std::pair(three, 1), std::pair(three, 64)}) {
    const sim::Scenario scenario = test::scenario_of("ee_resnet18")
                                       .requests(kLast)
                                       .bounds(false)
                                       .devices(devices)
                                       .exit_rates(test::kExampleRates)
                                       .system("exit_aware")
                                       .build();
    INFO(devices.size() << " devices, read ahead " << read_ahead);
    Arrivals arrivals;
    Driven<Arrivals> original(scenario, arrivals, 0, static_cast<std::size_t>(read_ahead));
    std::array<std::vector<double>, 2> gaps;   // times the rate: to the next arrival, and to the one after it
    std::vector<double> gaps_of_other_branch;  // to the next arrival
    std::vector<double> original_gaps;
    std::array<double, 3> of_device{};
    double leave_first = 0;
    std::uint64_t step = 0;
    while (arrivals.requests.size() < kLast - 100) {
      if (step % 2 == 0 || !original.server().admit_during_step())
        original.server().advance(original.server().next_event_s());
      if (++step % 3 != 0) continue;
      const double now_s = original.state().event_s;
      const auto next_of = [&](std::uint64_t branch) {
        Arrivals next;
        Driven<Arrivals> copy(original, next, branch);
        while (next.requests.size() < 2) copy.server().advance(copy.server().next_event_s());
        return next.requests;
      };
      const std::vector<scheduler::Request> next = next_of(2 * step);
      gaps[0].push_back(60 * (next[0].arrival_s - now_s));
      gaps[1].push_back(60 * (next[1].arrival_s - next[0].arrival_s));
      gaps_of_other_branch.push_back(60 * (next_of(2 * step + 1)[0].arrival_s - now_s));
      original_gaps.push_back(60 * (original.state().next_arrival_s - now_s));
      ++of_device.at(next[0].device);
      leave_first += next[0].exit == 0 ? 1 : 0;
    }
    const auto n = static_cast<double>(gaps[0].size());
    CHECK(n > 1'000);
    for (const std::vector<double>& each : gaps) CHECK(distance_from_exponential(each) < 1.95);
    CHECK(distance_from_exponential(gaps_of_other_branch) < 1.95);
    CHECK(std::abs(correlation(gaps[0], original_gaps)) < 4 / std::sqrt(n));
    CHECK(std::abs(correlation(gaps[0], gaps[1])) < 4 / std::sqrt(n));
    CHECK(std::abs(correlation(gaps[0], gaps_of_other_branch)) < 4 / std::sqrt(n));
    CHECK(leave_first / n == Approx(test::kExampleRates[0]).margin(4 * std::sqrt(0.25 / n)));
    if (devices.size() == 3) {
      for (std::size_t i = 0; i < 3; ++i)
        CHECK(of_device.at(i) / n == Approx(kRates_hz.at(i) / 60).margin(4 * std::sqrt(0.25 / n)));
    }
    check_ends(scenario, original, arrivals);
  }
}

TEST_CASE("streams that can't forget are not restarted", "[copies]") {
  const sim::ScenarioBuilder base = test::scenario_of("ee_resnet18").bounds(false).system("exit_aware");
  for (const sim::ScenarioBuilder& builder :
       {sim::ScenarioBuilder(base).arrivals(sim::periodic(Rate::hz(40), 0.01)),
        test::through_uplink(sim::ScenarioBuilder(base).poisson(Rate::hz(40)))}) {
    const sim::Scenario scenario = builder.build();
    Arrivals arrivals;
    Driven<Arrivals> original(scenario, arrivals, 0, 1);
    for (int i = 0; i < 100; ++i) {
      original.server().advance(original.server().next_event_s());
      Arrivals next;
      Driven<Arrivals> copy(original, next, 1);
      CHECK(copy.state().next_arrival_s == original.state().next_arrival_s);
      CHECK(copy.server().next_event_s() == original.server().next_event_s());
    }
  }
}
