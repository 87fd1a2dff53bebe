// What there is to type: commands and options for CLI11, which only what includes this file sees.
//
// A function adds a command to its parent and hands plain arguments to what sim/cli/commands.h declares.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "sim/cli/commands.h"

namespace fluidbatch::sim::cli {

/// Arguments of all commands: they live as long as the parser, whose callbacks refer to them.
struct Arguments {
  RunArguments run;
  SweepArguments sweep;
  CompareArguments compare;
  CapacityArguments capacity;
  OptimumArguments optimum;
  TailArguments tail;
  MergeArguments merge;
  ReportArguments report;
  int exit_code = 0;
  RunArguments describe;
  NetworkImportArguments import;
  NpuTableArguments table;
  NpuExplainArguments explain;
  NpuSearchArguments search;
  NpuFitArguments fit;
  std::string network;
  std::vector<std::string> plugins;  ///< of the lists of what plug-ins may bring
  std::vector<std::string> help;
  std::string shell;
  bool csv = false;
  std::string columns;
  bool markdown = false;
  std::string schema;
  std::string folder = ".";
};

/// run, check, workload, sweep, compare, capacity, optimum and tail.
void add_simulations(CLI::App& app, Arguments& arguments);

/// network list, show and import.
void add_networks(CLI::App& app, Arguments& arguments);

/// npu list, table, explain, search and fit.
void add_npus(CLI::App& app, Arguments& arguments);

/// Adds --plugin.
void add_plugins(CLI::App& command, std::vector<std::string>& plugins);

/// Adds CONFIG, --set and --plugin, which commands that read a configuration share, and --seed, which is
/// short for --set seed=N. Returns CONFIG.
CLI::Option* add_configuration(CLI::App& command, RunArguments& arguments);

/// Adds --until and --max-requests, which are short for --set, to a command whose runs may go on to a
/// precision.
void add_precision(CLI::App& command, RunArguments& arguments);

/// Adds --driver, whose default is `otherwise`.
void add_driver(CLI::App& command, std::optional<Driver>& driver, Driver otherwise);

/// Adds --csv and --json, which show the same table, unless `json_help` says that JSON has more.
void add_formats(CLI::App& command, bool& csv, bool& json, const std::string& csv_help,
                 const std::string& json_help = "The same as JSON: an object with version, command and rows");

/// Adds --jobs.
void add_jobs(CLI::App& command, int& jobs);

/// Adds an option that names a file or a folder to write.
template <typename Path>
CLI::Option* add_output(CLI::App& command, const std::string& name, Path& path, const std::string& help) {
  const auto not_empty = [](const std::string& text) {
    return text.empty() ? std::string("must not be empty") : std::string();
  };
  return command.add_option(name, path, help)->check(not_empty);
}

/// Whether helps have it: not those that programs call.
bool is_shown(const CLI::App* command);

/// Of those below `above` that helps have.
std::vector<std::string> names_of_commands(const CLI::App& above);

/// What is no file where a command that has others below it takes one, and reads like one of those.
std::optional<std::string> misspelt_command(const CLI::App& command);

}  // namespace fluidbatch::sim::cli
