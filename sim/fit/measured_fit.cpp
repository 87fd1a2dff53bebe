#include "sim/fit/measured_fit.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "workloads/io/shipped_files.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::sim {
namespace {

/// The base's YAML with the fitted values.
io::Node fitted_yaml(io::Node yaml, const FitSettings& settings, const Fit& fit) {
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
  return yaml;
}

/// A row of the file as it is shown.
struct Row {
  std::size_t index;
  const MeasuredLayer* layer;
  const Prediction* prediction;
};

}  // namespace

FitBase fit_base(io::Node yaml, npu::Npu npu) {
  FitBase base{.yaml = std::move(yaml), .npu = std::move(npu), .board = {}};
  if (io::Node* board = base.yaml.find("board"); board != nullptr && !base.npu.board.empty()) {
    base.board = workloads::load_board(*board);
    *board = io::Node::text(io::portable_name("boards", *board));  // the fitted file may be in another folder
  }
  return base;
}

std::vector<const NpuKey*> free_keys(const std::vector<std::string>& names, const npu::Npu& base,
                                     const FitWords& words) {
  const io::Mark place{words.free, 0, 0};
  std::vector<const NpuKey*> keys;
  for (const std::string& name : names) {
    const NpuKey* key = find_npu_key(name);
    const std::vector<std::string> known = npu_key_names(true);
    if (key == nullptr || !key->may_be_free) {
      throw io::InputError(place, io::in_quotes(name) + " can't be fitted" + io::did_you_mean(name, known) +
                                      "; allowed: " + io::quoted_list(known));
    }
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) {
      throw io::InputError(place, io::in_quotes(name) + " appears twice");
    }
    if (!goes_with(*key, base.channel)) {
      throw io::InputError(place,
                           io::in_quotes(name) + " does not go with the channel of NPU '" + base.name + "'");
    }
    if (!may_start(*key, key->get(base))) {
      throw io::InputError(place, io::in_quotes(name) + " needs a value above 0, up to 1e100, in NPU '" +
                                      base.name + "', to start from");
    }
    keys.push_back(key);
  }
  return keys;
}

std::vector<std::size_t> MeasuredFit::reported_rows() const {
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

Accuracy MeasuredFit::accuracy() const {
  std::vector<double> measured;
  std::vector<double> modelled;
  for (const std::size_t i : reported_rows()) {
    measured.push_back(file.rows[i].measured);
    modelled.push_back(predictions[i].modelled);
  }
  return accuracy_of(measured, modelled);
}

double MeasuredFit::relative_error(std::size_t row) const {
  return predictions[row].modelled / file.rows[row].measured - 1;
}

io::ColumnTable MeasuredFit::columns() const {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < file.rows.size(); ++i) rows.push_back({i, &file.rows[i], &predictions[i]});
  io::ColumnTable table;
  table.add("row", rows, [](const Row& row) { return row.index + 1; });
  table.add("held_out", rows, [&](const Row& row) { return bool{file.held_out[row.index]}; });
  table.add("measured", rows, [](const Row& row) { return row.layer->measured; });
  table.add("modelled", rows, [](const Row& row) { return row.prediction->modelled; });
  table.add("relative_error", rows, [&](const Row& row) { return relative_error(row.index); });
  table.add("bound", rows, [](const Row& row) { return npu::name_of(row.prediction->bound); });
  table.add("residency", rows, [](const Row& row) { return npu::name_of(row.prediction->residency); });
  return table;
}

MeasuredFit fit_measured(MeasuredFile file, const FitBase& base, const MeasuredContext& context,
                         const npu::Poll& poll) {
  MeasuredFit fitted{.file = std::move(file), .settings = {}, .fit = {}, .yaml = {}, .predictions = {}};
  fitted.settings = {
      .free = context.free, .mode = context.mode, .unit = fitted.file.unit, .board = context.board};
  std::vector<MeasuredLayer> seen;
  for (std::size_t i = 0; i < fitted.file.rows.size(); ++i) {
    if (!fitted.file.held_out[i]) seen.push_back(fitted.file.rows[i]);
  }
  fitted.fit = fit_npu(std::move(seen), fitted.settings, poll);
  fitted.yaml = fitted_yaml(base.yaml, fitted.settings, fitted.fit);
  return fitted;
}

void predict_rows(MeasuredFit& fit, const std::string& yaml, const std::string& source) {
  const npu::Npu fitted = workloads::read_npu_on_board(io::parse_yaml(yaml, source), "fitted");
  fit.predictions.clear();
  fit.predictions.reserve(fit.file.rows.size());
  for (MeasuredLayer& row : fit.file.rows) {
    for (const NpuKey* key : fit.settings.free) key->set(row.npu, key->get(fitted));
    fit.predictions.push_back(predict(row, fit.settings.mode, fit.settings.unit));
  }
}

}  // namespace fluidbatch::sim
