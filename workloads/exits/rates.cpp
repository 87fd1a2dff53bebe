// Independent exits with a given probability at each, of the samples that reach it.
#include <utility>

#include "workloads/exits/exits.h"
#include "workloads/random.h"

namespace fluidbatch::workloads {
namespace {

/// One uniform draw a request, against the probabilities to have left by each exit: with higher rates every
/// request leaves at the same exit or an earlier one, so that runs with other rates stay comparable.
class RatesStream final : public ExitStream {
 public:
  RatesStream(std::vector<double> left, std::uint64_t seed, const std::vector<std::uint64_t>& device_keys)
      : left_(std::move(left)) {
    random_.reserve(device_keys.size());
    for (const std::uint64_t key : device_keys) random_.emplace_back(seed, "exits", key);
  }

  void draw(std::span<Arrival> requests) override {
    auto request = requests.begin();
    while (request != requests.end()) {
      // A device's requests in a row: its state stays in registers.
      const std::uint32_t device = request->device;
      RandomStream random = random_[device];
      for (; request != requests.end() && request->device == device; ++request) {
        request->exit = exit_below(left_, random.uniform());
        request->correct = -1;
      }
      random_[device] = random;
    }
  }
  std::unique_ptr<ExitStream> clone() const override { return std::make_unique<RatesStream>(*this); }
  void split(std::uint64_t branch) override {
    for (RandomStream& random : random_) random = random.split(branch);
  }
  bool give_back(std::size_t /*requests*/) override { return true; }  // draws are independent

 private:
  std::vector<double> left_;
  std::vector<RandomStream> random_;  // by device
};

class Rates final : public ExitSpec {
 public:
  explicit Rates(std::vector<double> rates) : rates_(std::move(rates)) {}

  std::unique_ptr<ExitStream> start(std::uint64_t seed,
                                    const std::vector<std::uint64_t>& device_keys) const override {
    return std::make_unique<RatesStream>(left_by(rates_), seed, device_keys);
  }

  std::vector<double> rates() const override { return rates_; }
  bool are_independent() const override { return true; }

 private:
  std::vector<double> rates_;
};

const ExitRegistration kRegistration({.name = "rates",
                                      .keys = {"rates"},
                                      .read = [](io::MapReader& reader, const ExitContext& context) {
                                        return make_rates(read_exit_rates(reader, context));
                                      }});

}  // namespace

std::unique_ptr<ExitSpec> make_rates(std::vector<double> rates) {
  for (const double rate : rates) io::require_in(io::Range::probability(), rate, "an exit rate");
  return std::make_unique<Rates>(std::move(rates));
}

}  // namespace fluidbatch::workloads
