// What the program's commands do, apart from how the command line is written.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/drive/driver.h"
#include "sim/output/table_json.h"
#include "workloads/io/column_table.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim::cli {

struct RunArguments {
  std::string config;
  std::vector<std::string> overrides;  ///< KEY=VALUE
  std::vector<std::string> plugins;    ///< shared objects
  std::optional<std::string> out;      ///< default: runs/ and the configuration's name
  std::optional<Driver> driver;        ///< that was asked for
  bool audit = false;                  ///< hold policies to what they say of the boundaries to come
  bool timeline = false;
  std::string timeline_requests;      ///< A..B or A, several joined by commas
  std::string timeline_from_s;        ///< empty: from the begin on
  std::string timeline_to_s;          ///< empty: to the end
  std::string series_s;               ///< seconds, or nothing
  std::optional<std::int64_t> point;  ///< `config` is a results file, and this one of its points
  bool csv = false;
  bool json = false;
  std::string command;  ///< as the user gave it
};

struct SweepArguments {
  std::string sweep;
  std::vector<std::string> overrides;  ///< KEY=VALUE, of the base
  std::vector<std::string> plugins;    ///< shared objects
  std::string out;
  int jobs = 0;  ///< 0: all cores
  bool resume = false;
  std::string shard;  ///< I/N, or nothing
  bool dry_run = false;
  std::int64_t limit = -1;       ///< below 0: none
  std::optional<Driver> driver;  ///< that was asked for
};

struct MergeArguments {
  std::vector<std::string> files;
  std::string out;
  bool partial = false;  ///< merge even where points are missing
};

struct ReportArguments {
  std::string from;  ///< a results file or the folder of a run
  std::string out;
};

struct CompareArguments {
  std::string results;
  std::string by = "system";
  std::vector<std::string> metrics;
  std::string base;
  bool csv = false;
  bool json = false;
  std::string command;  ///< as the user gave it
};

struct CapacityArguments {
  RunArguments run;  ///< configuration, overrides and driver
  std::string over;
  double violation_rate = 0.01;
  double confidence = 0.99;
  double tolerance = 0.01;
  bool whole = false;
  int most_runs = 64;
  int seeds = 1;
  int jobs = 0;
  bool csv = false;
  bool json = false;
  std::string command;  ///< as the user gave it
};

struct OptimumArguments {
  RunArguments run;                   ///< configuration and overrides
  std::optional<std::string> system;  ///< the only one that matters
  bool csv = false;
  std::optional<std::string> save;
  bool own = false;  ///< what is saved are the decisions of the system's policy
  bool json = false;
  std::string command;  ///< as the user gave it
};

struct TailArguments {
  RunArguments run;                   ///< configuration and overrides
  std::optional<std::string> system;  ///< the only one that matters
  double precision = 0.05;
  std::vector<std::string> quantiles;     ///< texts of numbers; empty: the default ones
  std::optional<std::string> max_events;  ///< text of a number
  int jobs = 0;                           ///< 0: all cores
  bool csv = false;
  bool json = false;
  std::string command;  ///< as the user gave it
};

struct NetworkImportArguments {
  std::string model;
  std::string out;
  std::vector<std::string> exits;   ///< layers, each perhaps behind `after=`
  std::vector<std::int64_t> input;  ///< height and width, or nothing
};

struct NpuTableArguments {
  std::string network;
  std::string npu;
  int max_batch = 8;
  std::string mode = "r";
  bool csv = false;
  bool json = false;
  std::string command;  ///< as the user gave it
};

struct NpuExplainArguments {
  std::string network;
  std::string npu;
  std::string layer;
  int batch = 1;
  std::string mode = "fluid_stacked";
  bool csv = false;
};

/// Texts of numbers and words are read as a configuration's values are: the same messages.
struct NpuSearchArguments {
  std::string network;
  std::string board;
  std::vector<int> batches{1, 2, 4, 8};
  std::string mode = "fluid_stacked";
  std::vector<std::int64_t> t_r;
  std::vector<std::int64_t> t_p;
  std::vector<std::int64_t> t_c;
  int k_max = 4;
  int dsps_per_mac = 1;
  int accumulator_bytes = 4;
  std::string objective = "latency";
  std::map<std::string, std::string> engine;  ///< keys of an NPU's YAML other than tiles, with their texts
  int top = 10;
  bool csv = false;
  bool json = false;
  std::optional<std::string> save;
  std::string command;  ///< as the user gave it, for the head of a saved NPU
};

struct NpuFitArguments {
  std::string measured;
  std::string npu;
  std::vector<std::string> free;  ///< keys of an NPU's YAML
  std::optional<std::string> network;
  std::optional<std::string> hold_out;  ///< COLUMN=VALUE,..
  int hold_out_every = 0;
  std::string mode = "fluid_stacked";
  std::optional<std::string> out;
  bool csv = false;
  std::string command;  ///< as the user gave it, for the head of the fitted NPU
};

// Each prints to stdout and throws io::InputError for what the user has to mend.
void run(const RunArguments& arguments);
void check(const RunArguments& arguments);
int sweep(const SweepArguments& arguments);        ///< the exit code
int sweep_merge(const MergeArguments& arguments);  ///< the exit code
void sweep_report(const ReportArguments& arguments);
void run_report(const ReportArguments& arguments);
void compare(const CompareArguments& arguments);
void capacity(const CapacityArguments& arguments);
void optimum(const OptimumArguments& arguments);
void tail(const TailArguments& arguments);
void workload_describe(const RunArguments& arguments, bool csv);
void policy_list(const std::vector<std::string>& plugins);
void exit_control_list(const std::vector<std::string>& plugins);
void arbiter_list(const std::vector<std::string>& plugins);
void router_list(const std::vector<std::string>& plugins);
void network_list();
void network_show(const std::string& name, bool csv);
/// Runs the importer, a program of its own: the libraries that it needs would cost every other command a
/// tenth of its start, and what a hostile model does to it stays in it. Returns its exit code. Throws
/// InputError where that program is missing, or dies.
int network_import(const NetworkImportArguments& arguments);
void npu_list();
void npu_table(const NpuTableArguments& arguments);
void npu_explain(const NpuExplainArguments& arguments);
void npu_search(const NpuSearchArguments& arguments);
void npu_fit(const NpuFitArguments& arguments);
/// The files of a run whose columns `metric list` shows.
std::vector<std::string> files_with_columns();
/// The statistics, or the columns of `table`, one of files_with_columns().
void metric_list(const std::string& table, bool markdown);

/// Prints the JSON Schema of a kind of files.
void schema(const std::string& kind, const std::vector<std::string>& plugins);
/// Writes files to start from into `folder`, and none where one of them is there already.
void init(const std::string& folder);

/// `NAME:R` of --until as KEY=VALUE of --set.
std::string override_of_target(const std::string& target);

/// A table as CSV, or as JSON with the command that asked for it.
template <typename Arguments>
std::string table_text(const Arguments& arguments, const io::ColumnTable& table) {
  return arguments.json ? table_json(arguments.command, table) : table.csv();
}

/// Each as a line on stderr.
void print_warnings(const std::vector<std::string>& warnings);
void print_notes(const std::vector<std::string>& notes);

/// A name from the command line, as a configuration's value: paths in it are relative to the current folder.
io::Node argument(const std::string& option, const std::string& value);

}  // namespace fluidbatch::sim::cli
