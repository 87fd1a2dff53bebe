// Markov-modulated Poisson arrivals: the rate is that of a state, and the states take turns.
#include <stdexcept>
#include <utility>

#include "workloads/traffic/processes.h"

namespace fluidbatch::workloads {
namespace {

/// States in turn, each for an exponential time; at date 0 in the stationary state, that is, in one with a
/// probability in proportion to its mean duration (what is left of it is exponential again).
class StatePath {
 public:
  StatePath(const std::vector<RatePiece>& states, std::uint64_t seed, std::uint64_t key)
      : states_(&states), random_(seed, "states", key) {
    double sum_s = 0;
    for (const RatePiece& state : states) sum_s += state.duration_s;
    double left_s = random_.uniform() * sum_s;
    while (state_ + 1 < states.size() && left_s >= states[state_].duration_s) {
      left_s -= states[state_++].duration_s;
    }
    stay();
  }

  [[nodiscard]] double rate_hz() const { return (*states_)[state_].rate_hz; }
  [[nodiscard]] double end_s() const { return end_s_; }
  void next() {
    state_ = (state_ + 1) % states_->size();
    stay();
  }

  void split(std::uint64_t branch) { random_ = random_.split(branch); }

 private:
  void stay() { end_s_ += (*states_)[state_].duration_s * random_.exponential(); }

  const std::vector<RatePiece>* states_;
  RandomStream random_;
  std::size_t state_ = 0;
  double end_s_ = 0;
};

class MmppStream final : public ArrivalStream {
 public:
  MmppStream(const std::vector<RatePiece>& states, std::uint64_t seed, std::uint64_t key)
      : rate_(StatePath(states, seed, key)), random_(seed, "arrivals", key) {}

  void draw(std::span<double> dates) override {
    for (double& date_s : dates) date_s = rate_.next_s(random_);
  }
  std::unique_ptr<ArrivalStream> clone() const override { return std::make_unique<MmppStream>(*this); }
  void split(std::uint64_t branch) override {
    random_ = random_.split(branch);
    rate_.path().split(branch);
    branch_ = branch;
  }
  /// The state of the date is what it was, and lasts as long as it would have; what follows is the branch's.
  void restart(double now_s) override {
    rate_.restart(now_s);
    rate_.path().split(branch_);
  }

 private:
  RateProfile<StatePath> rate_;
  RandomStream random_;
  std::uint64_t branch_ = 0;
};

class Mmpp final : public ArrivalSpec {
 public:
  explicit Mmpp(std::vector<RatePiece> states) : states_(std::move(states)) {}

  std::unique_ptr<ArrivalStream> start(std::uint64_t seed, std::uint64_t key) const override {
    return std::make_unique<MmppStream>(states_, seed, key);
  }
  double mean_rate_hz() const override { return workloads::mean_rate_hz(states_); }
  bool restarts() const override { return true; }

 private:
  std::vector<RatePiece> states_;
};

std::unique_ptr<ArrivalSpec> read(io::MapReader& reader, const ArrivalContext& context) {
  std::vector<RatePiece> states = read_rate_pieces(reader, "states", "mean_duration_s", context);
  if (const auto objection = objection_to_changes(states, "states")) {
    throw io::InputError(reader.mark_of("states"), *objection);
  }
  return make_mmpp(std::move(states));
}

const ArrivalRegistration kRegistration({.name = "mmpp", .keys = {"states"}, .read = read});

}  // namespace

std::unique_ptr<ArrivalSpec> make_mmpp(std::vector<RatePiece> states) {
  auto objection = objection_to_pieces(states, "states");
  if (!objection) objection = objection_to_changes(states, "states");
  if (objection) throw std::invalid_argument(*objection);
  return std::make_unique<Mmpp>(std::move(states));
}

}  // namespace fluidbatch::workloads
