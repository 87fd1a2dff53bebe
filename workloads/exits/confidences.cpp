// Exits by the confidences of a real network: a sample leaves at the first exit that is sure enough.
#include <limits>
#include <stdexcept>
#include <utility>

#include "workloads/exits/exits.h"
#include "workloads/io/csv.h"
#include "workloads/io/shipped_files.h"
#include "workloads/random.h"

namespace fluidbatch::workloads {
namespace {

/// What becomes of a recorded sample at the workload's thresholds.
struct Outcome {
  std::int32_t exit = 0;
  std::int8_t correct = 0;
};

/// Rows of the file that requests are drawn from: first, first + stride, ..
struct Rows {
  std::size_t first = 0;
  std::size_t stride = 1;
  std::size_t count = 0;
};

/// Every request is one of the recorded samples, drawn with replacement.
class ConfidencesStream final : public ExitStream {
 public:
  ConfidencesStream(const std::vector<Outcome>& outcomes, const Rows& rows, std::uint64_t seed,
                    const std::vector<std::uint64_t>& device_keys)
      : outcomes_(outcomes), rows_(rows) {
    random_.reserve(device_keys.size());
    for (const std::uint64_t key : device_keys) random_.emplace_back(seed, "exits", key);
  }

  void draw(std::span<Arrival> requests) override {
    const Rows rows = rows_;  // which no request is taken to change
    const Outcome* const outcomes = outcomes_.data();
    const auto count = static_cast<double>(rows.count);
    for (Arrival& request : requests) {
      const double u = random_[request.device].uniform();
      const std::size_t row = rows.first + rows.stride * static_cast<std::size_t>(u * count);
      request.sample = static_cast<std::int32_t>(row);
      request.exit = outcomes[row].exit;
      request.correct = outcomes[row].correct;
    }
  }
  std::unique_ptr<ExitStream> clone() const override { return std::make_unique<ConfidencesStream>(*this); }
  void split(std::uint64_t branch) override {
    for (RandomStream& random : random_) random = random.split(branch);
  }
  bool give_back(std::size_t /*requests*/) override { return true; }  // draws are independent

 private:
  const std::vector<Outcome>& outcomes_;
  Rows rows_;
  std::vector<RandomStream> random_;  // by device
};

/// The rows of a file, and what becomes of each at the workload's thresholds.
struct Recording {
  explicit Recording(RecordedConfidences recorded) : confidences(std::move(recorded)) {
    std::vector<int> taken;
    for (std::size_t row = 0; row < confidences.rows(); ++row) {
      const std::size_t exit = confidences.exit_at(row, confidences.thresholds());
      taken.push_back(static_cast<int>(exit));
      outcomes.push_back(
          {.exit = static_cast<std::int32_t>(exit), .correct = confidences.correct(row, exit)});
    }
    rates = rates_of(taken, static_cast<int>(confidences.exits()));
  }

  RecordedConfidences confidences;
  std::vector<Outcome> outcomes;
  std::vector<double> rates;
};

class Confidences final : public ExitSpec {
 public:
  explicit Confidences(RecordedConfidences recorded)
      : recording_(std::make_shared<const Recording>(std::move(recorded))),
        rows_{.first = 0, .stride = 1, .count = recording_->outcomes.size()} {}
  Confidences(std::shared_ptr<const Recording> recording, const Rows& rows)
      : recording_(std::move(recording)), rows_(rows) {}

  std::unique_ptr<ExitStream> start(std::uint64_t seed,
                                    const std::vector<std::uint64_t>& device_keys) const override {
    return std::make_unique<ConfidencesStream>(recording_->outcomes, rows_, seed, device_keys);
  }
  std::vector<double> rates() const override { return recording_->rates; }
  /// Rows are drawn with replacement; the rates are those of all rows.
  bool are_independent() const override { return rows_.count == recording_->outcomes.size(); }
  const RecordedConfidences* confidences() const override { return &recording_->confidences; }
  std::shared_ptr<const ExitSpec> of_odd_rows() const override {
    const Rows odd{.first = 1, .stride = 2, .count = recording_->outcomes.size() / 2};
    return std::make_shared<Confidences>(recording_, odd);
  }

 private:
  std::shared_ptr<const Recording> recording_;
  Rows rows_;
};

/// Columns `conf_E` and `correct_E` of each exit E.
struct ExitColumns {
  std::size_t confidence;
  std::size_t correct;
};

std::vector<ExitColumns> columns_of(const io::CsvReader& csv, int exits) {
  std::vector<ExitColumns> columns;
  for (int exit = 0; exit < exits; ++exit) {
    const std::string number = std::to_string(exit);
    columns.push_back({csv.required_column("conf_" + number), csv.required_column("correct_" + number)});
  }
  if (csv.column("conf_" + std::to_string(exits))) {
    throw io::InputError({csv.source(), 1, 1}, "the file has a column 'conf_" + std::to_string(exits) +
                                                   "', but the network has " + std::to_string(exits) +
                                                   (exits == 1 ? " exit" : " exits"));
  }
  return columns;
}

RecordedConfidences load(const std::filesystem::path& file, std::vector<double> thresholds) {
  io::CsvReader csv(file);
  const std::vector<ExitColumns> columns = columns_of(csv, static_cast<int>(thresholds.size()) + 1);
  RecordedConfidences recorded(std::move(thresholds));
  JudgedSample sample{.confidences = std::vector<double>(columns.size()),
                      .correct = std::vector<int>(columns.size())};
  while (csv.next()) {
    for (std::size_t exit = 0; exit < columns.size(); ++exit) {
      const ExitColumns& column = columns[exit];
      sample.confidences[exit] = csv.number(column.confidence);
      if (!io::Range::probability().contains(sample.confidences[exit])) {
        throw io::InputError(
            csv.mark(column.confidence),
            "a confidence must be a number from 0 to 1, found " + io::in_quotes(csv.cell(column.confidence)));
      }
      sample.correct[exit] = static_cast<int>(csv.integer(column.correct, 0, 1));
    }
    recorded.add(sample);
  }
  if (recorded.rows() == 0) throw io::InputError({file.string(), 1, 1}, "the file has no sample");
  return recorded;
}

std::unique_ptr<ExitSpec> read(io::MapReader& reader, const ExitContext& context) {
  const io::Node& path = reader.required("path");
  io::read_text(path, "path");
  const std::filesystem::path file = io::resolve_path(path);
  reader.resolve("path", io::Node::text(file.string()));
  std::vector<double> thresholds = read_thresholds(reader, context);
  return std::make_unique<Confidences>(load(file, std::move(thresholds)));
}

const ExitRegistration kRegistration({.name = "confidences",
                                      .keys = {"path", "threshold", "thresholds"},
                                      .read = read});

}  // namespace

std::vector<double> read_thresholds(io::MapReader& reader, const ExitContext& context) {
  if (reader.required_one_of({"threshold", "thresholds"}) == "thresholds")
    return read_per_early_exit(reader, "thresholds", "a threshold", context);
  std::vector<double> thresholds;
  thresholds.assign(static_cast<std::size_t>(context.exits - 1),
                    reader.number("threshold", io::Range::probability()));
  return thresholds;
}

std::unique_ptr<ExitSpec> make_confidences(RecordedConfidences samples) {
  return std::make_unique<Confidences>(std::move(samples));
}

std::unique_ptr<ExitSpec> make_confidences(const std::vector<JudgedSample>& samples,
                                           const std::vector<double>& thresholds) {
  if (samples.empty()) throw std::invalid_argument("recorded confidences need at least one sample");
  const std::size_t exits = thresholds.size() + 1;
  for (const double threshold : thresholds)
    io::require_in(io::Range::probability(), threshold, "a threshold");
  RecordedConfidences recorded(thresholds);
  for (const JudgedSample& sample : samples) {
    if (sample.confidences.size() != exits || sample.correct.size() != exits) {
      throw std::invalid_argument("a recorded sample needs a confidence and a verdict for each exit");
    }
    for (const double confidence : sample.confidences) {
      io::require_in(io::Range::probability(), confidence, "a confidence");
    }
    for (const int correct : sample.correct) io::require_in({.min = 0, .max = 1}, correct, "a verdict");
    recorded.add(sample);
  }
  return std::make_unique<Confidences>(std::move(recorded));
}

}  // namespace fluidbatch::workloads
