// Options that several commands have.
#include <filesystem>
#include <system_error>

#include "sim/cli/options.h"
#include "sim/drive/driver_names.h"
#include "workloads/io/names.h"

namespace fluidbatch::sim::cli {

void add_plugins(CLI::App& command, std::vector<std::string>& plugins) {
  command
      .add_option("--plugin", plugins,
                  "Shared object with policies of your own (docs/add_a_policy.md); repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

CLI::Option* add_configuration(CLI::App& command, RunArguments& arguments) {
  CLI::Option* config = command.add_option("config", arguments.config, "YAML file: what to simulate")
                            ->required()
                            ->type_name("CONFIG");
  command
      .add_option("--set", arguments.overrides,
                  "Override a key of the configuration, e.g. --set workload.arrivals.rho=0.9; repeatable")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command
      .add_option_function<std::string>(
          "--seed", [&](const std::string& seed) { arguments.overrides.push_back("seed=" + seed); },
          "Short for --set seed=N")
      ->type_name("N");
  add_plugins(command, arguments.plugins);
  return config;
}

void add_precision(CLI::App& command, RunArguments& arguments) {
  command
      .add_option_function<std::vector<std::string>>(
          "--until",
          [&](const std::vector<std::string>& targets) {
            for (const std::string& target : targets) {
              arguments.overrides.push_back(override_of_target(target));
            }
          },
          "Go on until half of the 95 % interval of a statistic is at most this share of it, e.g. --until "
          "mean_latency_s:0.01, instead of a number of requests; repeatable. Short for --set until.NAME=R")
      ->type_name("NAME:R")
      ->allow_extra_args(false);
  command
      .add_option_function<std::string>(
          "--max-requests",
          [&](const std::string& most) { arguments.overrides.push_back("max_requests=" + most); },
          "With --until: the most requests; default: 10 million. Short for --set max_requests=N")
      ->type_name("N");
}

void add_driver(CLI::App& command, std::optional<Driver>& driver, Driver otherwise) {
  const auto known = [](const std::string& name) {
    if (io::value_of(kDriverNames, name)) return std::string();
    return io::unknown_word("driver", name, io::words_of(kDriverNames));
  };
  command
      .add_option_function<std::string>(
          "--driver", [&](const std::string& name) { driver = io::value_of(kDriverNames, name); },
          std::string("What makes time pass: simgrid, a step of SimGrid for each step of the NPU; "
                      "simgrid_window, a step for "
                      "many; bare, a plain loop. All give the same results. Default: ") +
              io::word_of(kDriverNames, otherwise))
      ->type_name("NAME")
      ->check(known);
}

void add_formats(CLI::App& command, bool& csv, bool& json, const std::string& csv_help,
                 const std::string& json_help) {
  CLI::Option* option = command.add_flag("--csv", csv, csv_help);
  command.add_flag("--json", json, json_help)->excludes(option);
}

void add_jobs(CLI::App& command, int& jobs) {
  command.add_option("--jobs", jobs, "Processes at a time; default: one for each core")
      ->type_name("N")
      ->check(CLI::Range(1, 4096));
}

bool is_shown(const CLI::App* command) { return !command->get_group().empty(); }

std::vector<std::string> names_of_commands(const CLI::App& above) {
  std::vector<std::string> names;
  for (const CLI::App* command : above.get_subcommands(is_shown)) names.push_back(command->get_name());
  return names;
}

std::optional<std::string> misspelt_command(const CLI::App& command) {
  const std::vector<std::string> known = names_of_commands(command);
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional() || option->empty()) continue;
    const std::string& word = option->results().front();
    std::error_code error;
    const bool is_file = std::filesystem::exists(word, error);
    if (!is_file && !io::did_you_mean(word, known).empty()) return word;
  }
  return std::nullopt;
}
}  // namespace fluidbatch::sim::cli
