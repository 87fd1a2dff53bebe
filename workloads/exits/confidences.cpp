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

/// What becomes of a recorded sample under given thresholds.
struct Outcome {
  int exit = 0;
  int correct = 0;
};

/// Every request is one of the recorded samples, drawn with replacement.
class ConfidencesStream final : public ExitStream {
 public:
  ConfidencesStream(const std::vector<Outcome>& samples, std::uint64_t seed,
                    const std::vector<std::uint64_t>& device_keys)
      : samples_(samples) {
    random_.reserve(device_keys.size());
    for (const std::uint64_t key : device_keys) random_.emplace_back(seed, "exits", key);
  }

  void draw(std::span<Arrival> requests) override {
    for (Arrival& request : requests) {
      const double u = random_[request.device].uniform();
      const Outcome& outcome = samples_[static_cast<std::size_t>(u * static_cast<double>(samples_.size()))];
      request.exit = outcome.exit;
      request.correct = outcome.correct;
    }
  }
  std::unique_ptr<ExitStream> clone() const override { return std::make_unique<ConfidencesStream>(*this); }
  void split(std::uint64_t branch) override {
    for (RandomStream& random : random_) random = random.split(branch);
  }

 private:
  const std::vector<Outcome>& samples_;
  std::vector<RandomStream> random_;  // by device
};

class Confidences final : public ExitSpec {
 public:
  Confidences(std::vector<Outcome> samples, int exits) : samples_(std::move(samples)) {
    std::vector<int> taken;
    for (const Outcome& sample : samples_) taken.push_back(sample.exit);
    rates_ = rates_of(taken, exits);
  }

  std::unique_ptr<ExitStream> start(std::uint64_t seed,
                                    const std::vector<std::uint64_t>& device_keys) const override {
    return std::make_unique<ConfidencesStream>(samples_, seed, device_keys);
  }
  std::vector<double> rates() const override { return rates_; }

 private:
  std::vector<Outcome> samples_;
  std::vector<double> rates_;
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

Outcome outcome_of(const JudgedSample& sample, const std::vector<double>& thresholds) {
  std::size_t exit = 0;
  while (exit < thresholds.size() && sample.confidences[exit] < thresholds[exit]) ++exit;
  return {.exit = static_cast<int>(exit), .correct = sample.correct[exit]};
}

std::vector<Outcome> load(const std::filesystem::path& file, const std::vector<double>& thresholds) {
  io::CsvReader csv(file);
  const std::vector<ExitColumns> columns = columns_of(csv, static_cast<int>(thresholds.size()) + 1);
  std::vector<Outcome> outcomes;
  JudgedSample sample{.confidences = std::vector<double>(columns.size()),
                      .correct = std::vector<int>(columns.size())};
  while (csv.next()) {
    for (std::size_t exit = 0; exit < columns.size(); ++exit) {  // all are read, so that all are checked
      const ExitColumns& column = columns[exit];
      sample.confidences[exit] = csv.number(column.confidence);
      if (!io::Range::probability().contains(sample.confidences[exit])) {
        throw io::InputError(
            csv.mark(column.confidence),
            "a confidence must be a number from 0 to 1, found " + io::in_quotes(csv.cell(column.confidence)));
      }
      sample.correct[exit] = static_cast<int>(csv.integer(column.correct, 0, 1));
    }
    outcomes.push_back(outcome_of(sample, thresholds));
  }
  if (outcomes.empty()) throw io::InputError({file.string(), 1, 1}, "the file has no sample");
  return outcomes;
}

std::unique_ptr<ExitSpec> read(io::MapReader& reader, const ExitContext& context) {
  const io::Node& path = reader.required("path");
  io::read_text(path, "path");
  const std::filesystem::path file = io::resolve_path(path);
  reader.resolve("path", io::Node::text(file.string()));
  const std::vector<std::string> keys{"threshold", "thresholds"};
  const auto given = reader.one_of(keys);
  if (!given) throw io::InputError(reader.mark(), reader.what() + " needs one of " + io::quoted_list(keys));
  std::vector<double> thresholds;
  if (given == "threshold") {
    thresholds.assign(static_cast<std::size_t>(context.exits - 1),
                      reader.number("threshold", io::Range::probability()));
  } else {
    thresholds = read_per_early_exit(reader, "thresholds", "a threshold", context);
  }
  return std::make_unique<Confidences>(load(file, thresholds), context.exits);
}

const ExitRegistration kRegistration({.name = "confidences",
                                      .keys = {"path", "threshold", "thresholds"},
                                      .read = read});

}  // namespace

std::unique_ptr<ExitSpec> make_confidences(const std::vector<JudgedSample>& samples,
                                           const std::vector<double>& thresholds) {
  if (samples.empty()) throw std::invalid_argument("recorded confidences need at least one sample");
  const std::size_t exits = thresholds.size() + 1;
  for (const double threshold : thresholds)
    io::require_in(io::Range::probability(), threshold, "a threshold");
  std::vector<Outcome> outcomes;
  outcomes.reserve(samples.size());
  for (const JudgedSample& sample : samples) {
    if (sample.confidences.size() != exits || sample.correct.size() != exits) {
      throw std::invalid_argument("a recorded sample needs a confidence and a verdict for each exit");
    }
    for (const double confidence : sample.confidences) {
      io::require_in(io::Range::probability(), confidence, "a confidence");
    }
    outcomes.push_back(outcome_of(sample, thresholds));
  }
  return std::make_unique<Confidences>(std::move(outcomes), static_cast<int>(exits));
}

}  // namespace fluidbatch::workloads
