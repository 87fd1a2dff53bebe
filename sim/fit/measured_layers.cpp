#include "sim/fit/measured_layers.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "sim/fit/measured_convolution.h"
#include "workloads/io/csv.h"

namespace fluidbatch::sim {
namespace {

constexpr std::size_t kMostRows = 20'000;
constexpr int kMostBatch = 1024;
constexpr double kLeastMeasured = 1e-30;
constexpr double kMostMeasured = 1e30;
// Of all rows together: a fit looks at them some thousand times.
constexpr std::int64_t kMostCandidates = 200'000;

/// One file being read.
class MeasuredReader {
 public:
  MeasuredReader(const std::filesystem::path& file, const MeasuredContext& context, const HoldOut& hold_out)
      : csv_(file), context_(context), hold_out_(hold_out), batch_(csv_.column("batch")) {
    find_measured_column();
    find_npu_columns();
    if (context.network != nullptr) {
      layer_ = csv_.required_column("layer");
      for (const npu::Layer& layer : context.network->layers) {
        layers_.emplace(layer.name, &layer);
        names_.push_back(layer.name);
      }
    } else {
      if (!csv_.column("in_channels") && csv_.column("layer")) {
        throw io::InputError(
            {csv_.source(), 1, 1},
            "no column 'in_channels': rows that name their layer need " + context.words.network);
      }
      convolution_.emplace(csv_);
    }
    if (!hold_out.column.empty()) held_out_by_ = csv_.required_column(hold_out.column);
  }

  MeasuredFile read() {
    while (csv_.next()) {
      if (file_.rows.size() == kMostRows) {
        throw io::InputError(csv_.mark(0), "more than " + std::to_string(kMostRows) + " rows");
      }
      file_.rows.push_back(row());
      require_feasible(file_.rows.back());
      file_.held_out.push_back(is_held_out());
    }
    require_enough();
    return std::move(file_);
  }

 private:
  void find_measured_column() {
    const std::optional<std::size_t> cycles = csv_.column("cycles");
    const std::optional<std::size_t> seconds = csv_.column("latency_s");
    if (cycles && seconds) {
      throw io::InputError({csv_.source(), 1, 1}, "both 'cycles' and 'latency_s': only one is allowed");
    }
    if (!cycles && !seconds) {
      throw io::InputError({csv_.source(), 1, 1}, "no column 'cycles' or 'latency_s'; the header has " +
                                                      io::quoted_list(csv_.header()));
    }
    measured_ = cycles ? *cycles : *seconds;
    file_.unit = cycles ? LatencyUnit::cycles : LatencyUnit::seconds;
    for (const NpuKey* key : context_.free) {
      if (cycles && std::string_view(key->name) == "clock_hz") {
        throw io::InputError(context_.words.free + ": clock_hz can't be fitted to cycles; " + csv_.source() +
                             " has no column 'latency_s'");
      }
    }
  }

  void find_npu_columns() {
    for (const std::string& name : npu_key_names(false)) {
      const std::optional<std::size_t> column = csv_.column(name);
      if (!column) continue;
      const NpuKey* key = find_npu_key(name);
      if (std::find(context_.free.begin(), context_.free.end(), key) != context_.free.end()) {
        throw io::InputError({csv_.source(), 1, 1},
                             "column '" + name + "' sets this key row by row, so it can't be free");
      }
      if (!goes_with(*key, context_.base.channel)) {
        throw io::InputError({csv_.source(), 1, 1},
                             "column '" + name + "' does not go with the NPU's channel");
      }
      npu_columns_.emplace_back(key, *column);
    }
  }

  MeasuredLayer row() {
    MeasuredLayer row{.layer = layer(), .batch = 1, .measured = csv_.number(measured_), .npu = npu()};
    if (batch_) row.batch = static_cast<int>(csv_.integer(*batch_, 1, kMostBatch));
    if (row.measured < kLeastMeasured || row.measured > kMostMeasured) {
      throw io::InputError(csv_.mark(measured_), csv_.header()[measured_] +
                                                     " must be above 0, from 1e-30 to 1e+30, found " +
                                                     io::in_quotes(csv_.cell(measured_)));
    }
    return row;
  }

  npu::Layer layer() {
    if (context_.network == nullptr) return convolution_->layer(csv_);
    const std::string name(csv_.cell(layer_));
    const auto found = layers_.find(name);
    if (found != layers_.end()) return *found->second;
    throw io::InputError(csv_.mark(layer_), context_.network->name + " has no layer " + io::in_quotes(name) +
                                                io::did_you_mean(name, names_));
  }

  /// The base with the row's own keys.
  npu::Npu npu() {
    npu::Npu npu = context_.base;
    for (const auto& [key, column] : npu_columns_) {
      if (key->whole) {
        const auto most = static_cast<std::int64_t>(key->max);
        key->set(npu, static_cast<double>(csv_.integer(column, static_cast<std::int64_t>(key->min), most)));
        continue;
      }
      const double value = csv_.number(column);
      if (value <= 0) {
        throw io::InputError(csv_.mark(column), std::string(key->name) + " must be above 0, found " +
                                                    io::in_quotes(csv_.cell(column)));
      }
      key->set(npu, value);
    }
    if (npu_columns_.empty()) return npu;
    try {
      npu::validate(npu);
      if (context_.board) npu::require_fits(npu, *context_.board);
    } catch (const std::invalid_argument& error) {
      throw io::InputError(place_of(error.what()), error.what());
    }
    return npu;
  }

  /// The model's messages begin with the name of the key: its column, or else the first one of an NPU.
  [[nodiscard]] io::Mark place_of(std::string_view message) const {
    const std::string_view key = message.substr(0, message.find(' '));
    const auto found = std::find_if(npu_columns_.begin(), npu_columns_.end(),
                                    [&](const auto& each) { return each.first->name == key; });
    return csv_.mark(found == npu_columns_.end() ? npu_columns_.front().second : found->second);
  }

  void require_feasible(const MeasuredLayer& row) {
    candidates_ += candidates_of({&row, 1}, context_.mode);
    if (candidates_ > kMostCandidates) {
      throw io::InputError(csv_.mark(0), "too much work: the rows up to here have more than " +
                                             std::to_string(kMostCandidates) + " batch policies to compare");
    }
    const double modelled = predict(row, context_.mode, file_.unit).modelled;
    if (modelled == 0) {
      throw io::InputError(csv_.mark(0), "this layer takes no time at all on NPU '" + context_.base.name +
                                             "': no logarithm compares that");
    }
    if (std::isfinite(modelled)) return;
    throw io::InputError(csv_.mark(0), "the chip of NPU '" + context_.base.name +
                                           "' does not hold what its residency or its line buffers need for "
                                           "this layer");
  }

  bool is_held_out() {
    if (hold_out_.every > 0) return file_.rows.size() % static_cast<std::size_t>(hold_out_.every) == 0;
    if (!held_out_by_) return false;
    const std::string value(csv_.is_gap(*held_out_by_) ? "" : csv_.cell(*held_out_by_));
    ++values_[value];
    return std::find(hold_out_.values.begin(), hold_out_.values.end(), value) != hold_out_.values.end();
  }

  void require_enough() {
    for (const std::string& value : hold_out_.values) {
      if (values_.contains(value)) continue;
      std::vector<std::string> known;
      for (const auto& [each, count] : values_) known.push_back(each);
      throw io::InputError(context_.words.hold_out + ": no row has " + io::in_quotes(value) + " in column " +
                           io::in_quotes(hold_out_.column) + io::did_you_mean(value, known) + "; there are " +
                           io::quoted_list(known));
    }
    const auto held_out =
        static_cast<std::size_t>(std::count(file_.held_out.begin(), file_.held_out.end(), true));
    const std::size_t fitted = file_.rows.size() - held_out;
    if (hold_out_.every > 0 && held_out == 0) {
      throw io::InputError(context_.words.hold_out_every + ": " + csv_.source() + " has only " +
                           std::to_string(file_.rows.size()) + " rows: none would be held out");
    }
    if (fitted < std::max<std::size_t>(1, context_.free.size())) {
      throw io::InputError(csv_.source() + ": " + std::to_string(fitted) + " rows to fit to, and " +
                           std::to_string(context_.free.size()) +
                           " free parameters: at least as many rows are needed");
    }
  }

  io::CsvReader csv_;
  const MeasuredContext& context_;
  const HoldOut& hold_out_;
  std::optional<std::size_t> batch_;
  std::size_t measured_ = 0;
  std::size_t layer_ = 0;
  std::optional<std::size_t> held_out_by_;
  std::optional<ConvolutionColumns> convolution_;
  std::vector<std::pair<const NpuKey*, std::size_t>> npu_columns_;
  std::map<std::string, const npu::Layer*, std::less<>> layers_;
  std::vector<std::string> names_;
  std::map<std::string, std::size_t, std::less<>> values_;  // of the column that rows are held out by
  std::int64_t candidates_ = 0;
  MeasuredFile file_;
};

}  // namespace

HoldOut parse_hold_out(const std::string& text, const FitWords& words) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw io::InputError(words.hold_out + " must be COLUMN=VALUE,.., found " + io::in_quotes(text));
  }
  HoldOut hold_out{.column = text.substr(0, equals), .values = {}, .every = 0};
  for (std::size_t begin = equals + 1; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    hold_out.values.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return hold_out;
}

MeasuredFile load_measured_layers(const std::filesystem::path& file, const MeasuredContext& context,
                                  const HoldOut& hold_out) {
  return MeasuredReader(file, context, hold_out).read();
}

}  // namespace fluidbatch::sim
