// Poisson arrivals at a rate that follows a profile of steps: quiet, a spike, quiet again.
#include <limits>
#include <stdexcept>
#include <utility>

#include "workloads/traffic/processes.h"

namespace fluidbatch::workloads {
namespace {

struct Profile {
  std::vector<RatePiece> pieces;
  bool repeat = true;  ///< otherwise the last piece goes on for ever
};

class ProfilePath {
 public:
  explicit ProfilePath(const Profile& profile) : profile_(&profile) { stay(); }

  [[nodiscard]] double rate_hz() const { return profile_->pieces[piece_].rate_hz; }
  [[nodiscard]] double end_s() const { return end_s_; }
  void next() {
    piece_ = (piece_ + 1) % profile_->pieces.size();
    stay();
  }

 private:
  void stay() {
    const bool last = !profile_->repeat && piece_ + 1 == profile_->pieces.size();
    end_s_ += profile_->pieces[piece_].duration_s;
    if (last) end_s_ = std::numeric_limits<double>::infinity();
  }

  const Profile* profile_;
  std::size_t piece_ = 0;
  double end_s_ = 0;
};

class SpikeStream final : public ArrivalStream {
 public:
  SpikeStream(const Profile& profile, std::uint64_t seed, std::uint64_t key)
      : rate_(ProfilePath(profile)), random_(seed, "arrivals", key) {}

  void draw(std::span<double> dates) override {
    for (double& date_s : dates) date_s = rate_.next_s(random_);
  }
  std::unique_ptr<ArrivalStream> clone() const override { return std::make_unique<SpikeStream>(*this); }
  void split(std::uint64_t branch) override { random_ = random_.split(branch); }
  void restart(double now_s) override { rate_.restart(now_s); }

 private:
  RateProfile<ProfilePath> rate_;
  RandomStream random_;
};

class Spike final : public ArrivalSpec {
 public:
  explicit Spike(Profile profile) : profile_(std::move(profile)) {}

  std::unique_ptr<ArrivalStream> start(std::uint64_t seed, std::uint64_t key) const override {
    return std::make_unique<SpikeStream>(profile_, seed, key);
  }
  double mean_rate_hz() const override {
    return profile_.repeat ? workloads::mean_rate_hz(profile_.pieces) : profile_.pieces.back().rate_hz;
  }
  bool is_steady() const override { return profile_.repeat; }
  bool restarts() const override { return true; }

 private:
  Profile profile_;
};

std::unique_ptr<ArrivalSpec> read(io::MapReader& reader, const ArrivalContext& context) {
  std::vector<RatePiece> pieces = read_rate_pieces(reader, "profile", "duration_s", context);
  const bool repeat = reader.boolean("repeat", true);
  const auto objection = repeat ? objection_to_changes(pieces, "profile") : std::nullopt;
  if (objection) throw io::InputError(reader.mark_of("profile"), *objection);
  return make_spike(std::move(pieces), repeat);
}

const ArrivalRegistration kRegistration({.name = "spike", .keys = {"profile", "repeat"}, .read = read});

}  // namespace

std::unique_ptr<ArrivalSpec> make_spike(std::vector<RatePiece> pieces, bool repeat) {
  auto objection = objection_to_pieces(pieces, "profile");
  if (!objection && repeat) objection = objection_to_changes(pieces, "profile");
  if (objection) throw std::invalid_argument(*objection);
  return std::make_unique<Spike>(Profile{.pieces = std::move(pieces), .repeat = repeat});
}

}  // namespace fluidbatch::workloads
