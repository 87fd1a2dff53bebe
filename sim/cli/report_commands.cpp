// `sweep report` and `run report`.
#include <filesystem>

#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/explorer/results_page.h"
#include "sim/explorer/run_page.h"

namespace fluidbatch::sim::cli {
namespace {

void print_place(const std::filesystem::path& page) {
  constexpr double kMegabyte = 1e6;
  fmt::print("page of {:.1f} MB in {}\n", static_cast<double>(std::filesystem::file_size(page)) / kMegabyte,
             page.string());
}

}  // namespace

void sweep_report(const ReportArguments& arguments) {
  write_results_page(arguments.from, arguments.out);
  print_place(arguments.out);
}

void run_report(const ReportArguments& arguments) {
  write_run_page(arguments.from, arguments.out);
  print_place(arguments.out);
}

}  // namespace fluidbatch::sim::cli
