// What the program's commands do, apart from how the command line is written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/engine.h"

namespace fluidbatch::sim::cli {

struct RunArguments {
  std::string config;
  std::vector<std::string> overrides;  ///< KEY=VALUE
  std::optional<std::string> out;      ///< default: runs/ and the configuration's name
  Driver driver = Driver::simgrid;
};

struct NpuTableArguments {
  std::string network;
  std::string npu;
  int max_batch = 8;
  std::string mode = "r";
  bool csv = false;
};

// Each prints to stdout and throws io::InputError for what the user has to mend.
void run(const RunArguments& arguments);
void check(const RunArguments& arguments);
void policy_list();
void network_list();
void network_show(const std::string& name, bool csv);
void npu_list();
void npu_table(const NpuTableArguments& arguments);
void metric_list(bool markdown);

}  // namespace fluidbatch::sim::cli
