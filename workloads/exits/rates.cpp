// Independent exits with a given probability at each, of the samples that reach it.
#include <algorithm>
#include <utility>

#include "workloads/exits.h"
#include "workloads/random.h"

namespace fluidbatch::workloads {
namespace {

/// One uniform draw a request, against the probabilities to have left by each exit: with higher rates every
/// request leaves at the same exit or an earlier one, so that runs with other rates stay comparable.
class RatesStream final : public ExitStream {
 public:
  RatesStream(std::vector<double> left_by, std::uint64_t seed)
      : left_by_(std::move(left_by)), random_(seed, "exits", 0) {}

  int next(const Arrival& /*arrival*/) override {
    const double u = random_.uniform();
    return static_cast<int>(std::upper_bound(left_by_.begin(), left_by_.end(), u) - left_by_.begin());
  }

 private:
  std::vector<double> left_by_;
  RandomStream random_;
};

class Rates final : public ExitSpec {
 public:
  explicit Rates(std::vector<double> rates) : rates_(std::move(rates)) {
    double stays = 1;
    for (const double rate : rates_) {
      stays *= 1 - rate;
      left_by_.push_back(1 - stays);
    }
  }

  std::unique_ptr<ExitStream> start(std::uint64_t seed) const override {
    return std::make_unique<RatesStream>(left_by_, seed);
  }

  std::vector<double> rates() const override { return rates_; }

 private:
  std::vector<double> rates_;
  std::vector<double> left_by_;  // probability to have left by early exit 0, 1, ..
};

std::unique_ptr<ExitSpec> read(io::MapReader& reader, const ExitContext& context) {
  const io::Node& node = reader.required("rates");
  const std::vector<io::Node>& items = io::read_list(node, "rates");
  if (static_cast<int>(items.size()) != context.exits - 1) {
    throw io::InputError(node.mark, "rates needs one probability for each early exit; the network has " +
                                        std::to_string(context.exits - 1) + ", found " +
                                        std::to_string(items.size()));
  }
  std::vector<double> rates;
  io::Node resolved = io::Node::sequence();
  for (const io::Node& item : items) {
    rates.push_back(io::read_number(item, "an exit rate", io::Range::probability()));
    resolved.items.push_back(io::Node::number(rates.back()));
  }
  reader.resolve("rates", std::move(resolved));
  return std::make_unique<Rates>(std::move(rates));
}

const ExitRegistration kRegistration({.name = "rates",
                                      .summary = "independent, a probability for each early exit",
                                      .keys = {"rates"},
                                      .read = read});

}  // namespace
}  // namespace fluidbatch::workloads
