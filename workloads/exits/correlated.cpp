// Exits with the same rates as independent ones, but alike from one sample of a device to its next: a camera
// looks at the same scene for a while.
#include <cmath>
#include <optional>
#include <utility>

#include "workloads/exits/exits.h"
#include "workloads/random.h"

namespace fluidbatch::workloads {
namespace {

constexpr io::Range kCorrelations{.min = -1, .max = 1};

struct Model {
  std::vector<double> rates;
  double correlation = 0;  ///< of the difficulties of a device's consecutive samples
};

/// Difficulties of a device are an AR(1) process with standard normal marginals; a sample leaves at the first
/// exit whose quantile lies above its difficulty (a Gaussian copula), so that the marginal exit rates are the
/// configured ones whatever the correlation.
class CorrelatedStream final : public ExitStream {
 public:
  CorrelatedStream(const Model& model, std::uint64_t seed, const std::vector<std::uint64_t>& device_keys)
      : correlation_(model.correlation), innovation_(std::sqrt(1 - model.correlation * model.correlation)) {
    for (const double share : left_by(model.rates)) quantiles_.push_back(normal_quantile(share));
    devices_.reserve(device_keys.size());
    for (const std::uint64_t key : device_keys) {
      devices_.push_back({RandomStream(seed, "exits", key), 0, false});
    }
  }

  void draw(std::span<Arrival> requests) override {
    for (Arrival& request : requests) draw(request);
  }
  std::unique_ptr<ExitStream> clone() const override { return std::make_unique<CorrelatedStream>(*this); }
  void split(std::uint64_t branch) override {
    for (Device& device : devices_) device.random = device.random.split(branch);
  }
  bool give_back(std::size_t requests) override {
    if (requests > 1 || (requests == 1 && !last_)) return false;
    if (requests == 1) {
      devices_[last_->device].difficulty = last_->difficulty;
      devices_[last_->device].begun = last_->begun;
      last_.reset();
    }
    return true;
  }

 private:
  struct Device {
    RandomStream random;
    double difficulty;
    bool begun;
  };

  void draw(Arrival& request) {
    Device& device = devices_[request.device];
    last_ = {.device = request.device, .difficulty = device.difficulty, .begun = device.begun};
    const double fresh = device.random.normal();
    device.difficulty = device.begun ? correlation_ * device.difficulty + innovation_ * fresh
                                     : fresh;  // stationary from the start
    device.begun = true;
    request.exit = exit_below(quantiles_, device.difficulty);
    request.correct = -1;
  }

  /// What a device was like before its last draw.
  struct Before {
    std::uint32_t device;
    double difficulty;
    bool begun;
  };

  double correlation_;
  double innovation_;
  std::vector<double> quantiles_;  // of the probability to have left by each early exit
  std::vector<Device> devices_;
  std::optional<Before> last_;  // before the draw that was the last of all
};

class Correlated final : public ExitSpec {
 public:
  explicit Correlated(Model model) : model_(std::move(model)) {}

  std::unique_ptr<ExitStream> start(std::uint64_t seed,
                                    const std::vector<std::uint64_t>& device_keys) const override {
    return std::make_unique<CorrelatedStream>(model_, seed, device_keys);
  }
  std::vector<double> rates() const override { return model_.rates; }

 private:
  Model model_;
};

std::unique_ptr<ExitSpec> read(io::MapReader& reader, const ExitContext& context) {
  std::vector<double> rates = read_exit_rates(reader, context);
  return make_correlated(std::move(rates), reader.number("correlation", kCorrelations));
}

const ExitRegistration kRegistration({.name = "correlated", .keys = {"rates", "correlation"}, .read = read});

}  // namespace

std::unique_ptr<ExitSpec> make_correlated(std::vector<double> rates, double correlation) {
  for (const double rate : rates) io::require_in(io::Range::probability(), rate, "an exit rate");
  io::require_in(kCorrelations, correlation, "correlation");
  return std::make_unique<Correlated>(Model{.rates = std::move(rates), .correlation = correlation});
}

}  // namespace fluidbatch::workloads
