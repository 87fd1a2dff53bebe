// `npu fit`: parameters of an NPU from measured layers, and how good they are on layers that the fit has not
// seen.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/config/unusual_values.h"
#include "sim/fit/measured_fit.h"
#include "sim/output/output_file.h"
#include "sim/output/text_table.h"
#include "workloads/io/shipped_files.h"
#include "workloads/io/text_number.h"
#include "workloads/models/network_file.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::sim::cli {
namespace {

constexpr std::size_t kWorst = 10;
constexpr std::size_t kLayerWidth = 22;

void print_values(const FitSettings& settings, const npu::Npu& base, const Fit& fit) {
  TextTable table({"parameter", "start", "fitted"});
  for (std::size_t k = 0; k < settings.free.size(); ++k) {
    const NpuKey& key = *settings.free[k];
    table.add({key.name, io::shortest(key.get(base)), io::shortest(fit.values[k])});
  }
  fmt::print("{}\n", table.text());
  for (std::size_t k = 0; k < settings.free.size(); ++k) {
    if (!fit.matters[k]) {
      fmt::print("{}: no fitted row depends on it; it could as well be another\n", settings.free[k]->name);
    } else if (fit.at_limit[k]) {
      fmt::print("{}: at the end of what the fit may choose\n", settings.free[k]->name);
    }
  }
}

void print_accuracy(const MeasuredFit& fitted, const std::vector<std::size_t>& rows) {
  const Accuracy accuracy = fitted.accuracy();
  if (rows.size() == fitted.file.rows.size()) {
    fmt::print("nothing is held out: on the {} rows that were fitted\n", rows.size());
  } else {
    fmt::print("on the {} rows that were held out\n", rows.size());
  }
  fmt::print(
      "  median relative error   {} %\n  largest relative error  {} %\n  rank correlation        {}\n\n",
      rounded(100 * accuracy.median_error, 3), rounded(100 * accuracy.largest_error, 3),
      rounded(accuracy.rank_correlation));
}

/// A factor is as bad as its inverse: what the fit minimises, too.
void print_worst(const MeasuredFit& fitted, std::vector<std::size_t> rows) {
  const MeasuredFile& file = fitted.file;
  const std::vector<Prediction>& predictions = fitted.predictions;
  const auto badness = [&](std::size_t i) {
    return std::abs(std::log(predictions[i].modelled / file.rows[i].measured));
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](std::size_t a, std::size_t b) { return badness(a) > badness(b); });
  rows.resize(std::min(rows.size(), kWorst));
  const bool cycles = file.unit == LatencyUnit::cycles;
  const double scale = cycles ? 1e-3 : 1e3;
  TextTable table(
      {"the worst", "row", cycles ? "meas. kcyc" : "meas. ms", "model", "error %", "bound", "residency"});
  for (const std::size_t i : rows) {
    const MeasuredLayer& row = file.rows[i];
    const std::string& name = row.layer.name;
    table.add({name.size() > kLayerWidth ? name.substr(0, kLayerWidth - 2) + ".." : name,
               std::to_string(i + 1), rounded(row.measured * scale), rounded(predictions[i].modelled * scale),
               rounded(100 * fitted.relative_error(i), 3), std::string(npu::name_of(predictions[i].bound)),
               std::string(npu::name_of(predictions[i].residency))});
  }
  fmt::print("{}", table.text());
}

void print_text(const MeasuredFit& fitted, const npu::Npu& base) {
  const MeasuredFile& file = fitted.file;
  const auto held_out = std::count(file.held_out.begin(), file.held_out.end(), true);
  fmt::print(
      "{} measured layers, {} to fit to, mode {}\nroot mean square of log(modelled / measured): {}, "
      "at the start {}\n\n",
      file.rows.size(), file.rows.size() - static_cast<std::size_t>(held_out),
      npu::name_of(fitted.settings.mode), rounded(fitted.fit.rms_log_error),
      rounded(fitted.fit.rms_log_error_at_start));
  print_values(fitted.settings, base, fitted.fit);
  const std::vector<std::size_t> rows = fitted.reported_rows();
  print_accuracy(fitted, rows);
  print_worst(fitted, rows);
}

HoldOut hold_out_of(const NpuFitArguments& arguments) {
  if (arguments.hold_out && arguments.hold_out_every > 0) {
    throw io::InputError("only one of --hold-out and --hold-out-every may be given");
  }
  if (arguments.hold_out) return parse_hold_out(*arguments.hold_out, {});
  return {.column = {}, .values = {}, .every = arguments.hold_out_every};
}

FitBase load_base(const std::string& name) {
  const io::Node node = argument("--npu", name);
  npu::Npu npu = workloads::load_npu(node);
  return fit_base(io::load_yaml(io::find_file("npus", node)), std::move(npu));
}

}  // namespace

void npu_fit(const NpuFitArguments& arguments) {
  const FitBase base = load_base(arguments.npu);
  print_warnings(unusual_values(base.npu));
  std::optional<workloads::Network> network;
  if (arguments.network) network = workloads::load_network(argument("--network", *arguments.network));
  const HoldOut hold_out = hold_out_of(arguments);
  const MeasuredContext context{.base = base.npu,
                                .board = base.board,
                                .mode = workloads::read_mode(argument("--mode", arguments.mode)),
                                .free = free_keys(arguments.free, base.npu, {}),
                                .network = network ? &*network : nullptr,
                                .words = {}};
  MeasuredFile file =
      load_measured_layers(io::resolve_path(argument("--measured", arguments.measured)), context, hold_out);
  MeasuredFit fitted = fit_measured(std::move(file), base, context);
  const std::string yaml = "# fitted by: " + arguments.command + "\n" + io::to_yaml(fitted.yaml);
  predict_rows(fitted, yaml, arguments.out.value_or("--out"));
  if (arguments.out) write_file(*arguments.out, yaml, Existing::refuse);
  if (arguments.csv) return fmt::print("{}", fitted.columns().csv());
  print_text(fitted, base.npu);
}

}  // namespace fluidbatch::sim::cli
