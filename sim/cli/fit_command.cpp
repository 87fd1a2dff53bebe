// `npu fit`: parameters of an NPU from measured layers, and how good they are on layers that the fit has not
// seen.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/config/unusual_values.h"
#include "sim/fit/accuracy.h"
#include "sim/fit/measured_layers.h"
#include "sim/output/output_file.h"
#include "sim/output/text_table.h"
#include "workloads/io/csv.h"
#include "workloads/io/shipped_files.h"
#include "workloads/io/text_number.h"
#include "workloads/models/network_file.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::sim::cli {
namespace {

constexpr std::size_t kWorst = 10;
constexpr std::size_t kLayerWidth = 22;

/// The NPU that the fit starts from, as its YAML and as the model's.
struct Base {
  io::Node yaml;
  npu::Npu npu;
  std::optional<npu::Board> board;
};

Base load_base(const std::string& name) {
  const io::Node node = argument("--npu", name);
  Base base;
  base.npu = workloads::load_npu(node);
  base.yaml = io::load_yaml(io::find_file("npus", node));
  if (io::Node* board = base.yaml.find("board"); board != nullptr && !base.npu.board.empty()) {
    base.board = workloads::load_board(*board);
    *board = io::Node::text(io::portable_name("boards", *board));  // the fitted file may be in another folder
  }
  return base;
}

std::vector<const NpuKey*> free_keys(const std::vector<std::string>& names, const npu::Npu& base) {
  std::vector<const NpuKey*> keys;
  for (const std::string& name : names) {
    const NpuKey* key = find_npu_key(name);
    const std::vector<std::string> known = npu_key_names(true);
    if (key == nullptr || !key->may_be_free) {
      throw io::InputError("--free: " + io::in_quotes(name) + " can't be fitted" +
                           io::did_you_mean(name, known) + "; allowed: " + io::quoted_list(known));
    }
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) {
      throw io::InputError("--free: " + io::in_quotes(name) + " appears twice");
    }
    if (!goes_with(*key, base.channel)) {
      throw io::InputError("--free: " + io::in_quotes(name) + " does not go with the channel of NPU '" +
                           base.name + "'");
    }
    if (!may_start(*key, key->get(base))) {
      throw io::InputError("--free: " + io::in_quotes(name) +
                           " needs a value above 0, up to 1e100, in NPU '" + base.name + "', to start from");
    }
    keys.push_back(key);
  }
  return keys;
}

/// The base's YAML with the fitted values, headed by the command that found them.
std::string fitted_yaml(io::Node yaml, const FitSettings& settings, const Fit& fit,
                        const std::string& command) {
  for (std::size_t k = 0; k < settings.free.size(); ++k) {
    const NpuKey& key = *settings.free[k];
    io::Node value = key.whole ? io::Node::integer(static_cast<long long>(fit.values[k]))
                               : io::Node::number(fit.values[k]);
    if (io::Node* given = yaml.find(key.name)) {
      *given = value;
    } else {
      yaml.put(key.name, value);
    }
  }
  return "# fitted by: " + command + "\n" + io::to_yaml(yaml);
}

/// What the fitted file says of every row: the file is read as another command would.
std::vector<Prediction> predictions_of(const std::string& yaml, const std::string& source,
                                       const FitSettings& settings, MeasuredFile& file) {
  const npu::Npu fitted = workloads::read_npu_on_board(io::parse_yaml(yaml, source), "fitted");
  std::vector<Prediction> predictions;
  predictions.reserve(file.rows.size());
  for (MeasuredLayer& row : file.rows) {
    for (const NpuKey* key : settings.free) key->set(row.npu, key->get(fitted));
    predictions.push_back(predict(row, settings.mode, settings.unit));
  }
  return predictions;
}

double relative_error(const MeasuredLayer& row, const Prediction& prediction) {
  return prediction.modelled / row.measured - 1;
}

void print_csv(const MeasuredFile& file, const std::vector<Prediction>& predictions) {
  fmt::print("row,held_out,measured,modelled,relative_error,bound,residency\n");
  for (std::size_t i = 0; i < file.rows.size(); ++i) {
    const Prediction& p = predictions[i];
    fmt::print("{},{},{},{},{},{},{}\n", i + 1, file.held_out[i] ? 1 : 0, io::shortest(file.rows[i].measured),
               io::shortest(p.modelled), io::shortest(relative_error(file.rows[i], p)), npu::name_of(p.bound),
               npu::name_of(p.residency));
  }
}

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

/// The rows that count: those held out, or all where none is.
std::vector<std::size_t> reported_rows(const MeasuredFile& file) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < file.rows.size(); ++i) {
    if (file.held_out[i]) rows.push_back(i);
  }
  if (rows.empty()) {
    rows.resize(file.rows.size());
    std::iota(rows.begin(), rows.end(), std::size_t{0});
  }
  return rows;
}

void print_accuracy(const MeasuredFile& file, const std::vector<Prediction>& predictions,
                    const std::vector<std::size_t>& rows) {
  std::vector<double> measured;
  std::vector<double> modelled;
  for (const std::size_t i : rows) {
    measured.push_back(file.rows[i].measured);
    modelled.push_back(predictions[i].modelled);
  }
  const Accuracy accuracy = accuracy_of(measured, modelled);
  if (rows.size() == file.rows.size()) {
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
void print_worst(const MeasuredFile& file, const std::vector<Prediction>& predictions,
                 std::vector<std::size_t> rows) {
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
               rounded(100 * relative_error(row, predictions[i]), 3),
               std::string(npu::name_of(predictions[i].bound)),
               std::string(npu::name_of(predictions[i].residency))});
  }
  fmt::print("{}", table.text());
}

void print_text(const MeasuredFile& file, const std::vector<Prediction>& predictions,
                const FitSettings& settings, const npu::Npu& base, const Fit& fit) {
  const auto held_out = std::count(file.held_out.begin(), file.held_out.end(), true);
  fmt::print(
      "{} measured layers, {} to fit to, mode {}\nroot mean square of log(modelled / measured): {}, "
      "at the start {}\n\n",
      file.rows.size(), file.rows.size() - static_cast<std::size_t>(held_out), npu::name_of(settings.mode),
      rounded(fit.rms_log_error), rounded(fit.rms_log_error_at_start));
  print_values(settings, base, fit);
  const std::vector<std::size_t> rows = reported_rows(file);
  print_accuracy(file, predictions, rows);
  print_worst(file, predictions, rows);
}

HoldOut hold_out_of(const NpuFitArguments& arguments) {
  if (arguments.hold_out && arguments.hold_out_every > 0) {
    throw io::InputError("only one of --hold-out and --hold-out-every may be given");
  }
  if (arguments.hold_out) return parse_hold_out(*arguments.hold_out);
  return {.column = {}, .values = {}, .every = arguments.hold_out_every};
}

}  // namespace

void npu_fit(const NpuFitArguments& arguments) {
  const Base base = load_base(arguments.npu);
  print_warnings(unusual_values(base.npu));
  std::optional<workloads::Network> network;
  if (arguments.network) network = workloads::load_network(argument("--network", *arguments.network));
  const HoldOut hold_out = hold_out_of(arguments);
  const MeasuredContext context{.base = base.npu,
                                .board = base.board,
                                .mode = workloads::read_mode(argument("--mode", arguments.mode)),
                                .free = free_keys(arguments.free, base.npu),
                                .network = network ? &*network : nullptr};
  MeasuredFile file =
      load_measured_layers(io::resolve_path(argument("--measured", arguments.measured)), context, hold_out);
  const FitSettings settings{
      .free = context.free, .mode = context.mode, .unit = file.unit, .board = base.board};
  std::vector<MeasuredLayer> seen;
  for (std::size_t i = 0; i < file.rows.size(); ++i) {
    if (!file.held_out[i]) seen.push_back(file.rows[i]);
  }
  const Fit fit = fit_npu(std::move(seen), settings);
  const std::string yaml = fitted_yaml(base.yaml, settings, fit, arguments.command);
  const std::vector<Prediction> predictions =
      predictions_of(yaml, arguments.out.value_or("--out"), settings, file);
  if (arguments.out) write_file(*arguments.out, yaml, Existing::refuse);
  if (arguments.csv) return print_csv(file, predictions);
  print_text(file, predictions, settings, base.npu, fit);
}

}  // namespace fluidbatch::sim::cli
