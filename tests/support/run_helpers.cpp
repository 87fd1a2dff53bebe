#include "tests/support/run_helpers.h"

#include <fstream>
#include <stdexcept>
#include <unistd.h>

#include "sim/drive/child_process.h"
#include "sim/run/simulation.h"

namespace fluidbatch::test {

sim::RunConfig config_of(const std::string& yaml) {
  return sim::read_run_config(io::parse_yaml(yaml, "config.yaml"));
}

RunOutcome run_bare(const sim::Scenario& scenario, std::size_t index) {
  RunOutcome outcome;
  RequestKeeper keeper(outcome.requests);
  outcome.statistics = sim::simulate(scenario, scenario.systems[index], {.observers = {&keeper}});
  return outcome;
}

std::string requests_csv_of(const sim::Scenario& scenario, sim::Driver driver, std::size_t index) {
  const auto task = [&] {
    CsvText text(scenario.service().slo);
    sim::simulate(scenario, scenario.systems[index], {.driver = driver, .observers = {&text}});
    return text.text();
  };
  const sim::ChildOutcome outcome = sim::run_in_children({task}, 1, [] {}).front();
  if (outcome.kind != sim::ChildOutcome::Kind::done) throw std::runtime_error(outcome.text);
  return outcome.text;
}

sim::Recorder recorder_for(const npu::BatchPolicyTable& table) { return {table, scheduler::Slo{}, 0}; }

TemporaryFolder::TemporaryFolder() {
  static int made = 0;
  const std::string name = "fluidbatch-test-" + std::to_string(::getpid()) + "-";
  do {  // a name that an earlier process has left is passed over
    path_ = std::filesystem::temp_directory_path() / (name + std::to_string(made++));
  } while (!std::filesystem::create_directory(path_));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path TemporaryFolder::write(const std::string& name, const std::string& text) const {
  std::ofstream(path_ / name, std::ios::binary) << text;
  return path_ / name;
}

}  // namespace fluidbatch::test
