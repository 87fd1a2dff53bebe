// Poisson arrivals whose rate changes in steps: at random dates (mmpp) or by a plan (spike).
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "workloads/random.h"
#include "workloads/traffic/arrivals.h"

namespace fluidbatch::workloads {

/// A stretch of time with one rate.
struct RatePiece {
  double rate_hz = 0;
  double duration_s = 0;  ///< or its mean
};

/// Reads the list under `key`: maps with a rate and `duration_key`, at least one rate above 0.
/// Throws InputError.
std::vector<RatePiece> read_rate_pieces(io::MapReader& reader, const std::string& key,
                                        const std::string& duration_key, const ArrivalContext& context);

/// What speaks against pieces that come from a program, or nothing: those that `read_rate_pieces` refuses.
std::optional<std::string> objection_to_pieces(const std::vector<RatePiece>& pieces, const std::string& what);

/// What speaks against pieces that are repeated and change thousands of times from one arrival to the next,
/// which would take for ever to generate; or nothing.
std::optional<std::string> objection_to_changes(const std::vector<RatePiece>& pieces, const std::string& key);

/// Changes of the rate from one arrival to the next that no accepted profile needs, unless its durations are
/// lost in the rounding of dates.
inline constexpr int kMostChanges = 10'000'000;

/// Throws the InputError for that.
[[noreturn]] void throw_no_arrival(double date_s);

/// The rate over all pieces, each counted with its duration.
double mean_rate_hz(const std::vector<RatePiece>& pieces);

/// Turns unit-rate exponential draws into arrivals of a piecewise-constant rate: the integral of the rate
/// from one arrival to the next is exponential with mean 1 (time change of a Poisson process), exactly.
///
/// `Path` has `rate_hz()` and `end_s()` of the piece at hand, and `next()`, which goes to the next one. The
/// last piece, if there is one, ends at infinity.
template <typename Path>
class RateProfile {
 public:
  explicit RateProfile(Path path) : path_(std::move(path)) {}

  /// The next arrival, or infinity when the rate is 0 for ever. Throws InputError where there is none within
  /// kMostChanges.
  double next_s(RandomStream& random) {
    recent_[draws_++ % recent_.size()] = {.path = path_, .date_s = date_s_};
    double left = random.exponential();
    for (int changes = 0; changes < kMostChanges; ++changes) {
      const double piece = path_.rate_hz() * (path_.end_s() - date_s_);
      if (left < piece) return date_s_ += left / path_.rate_hz();
      if (path_.end_s() == std::numeric_limits<double>::infinity()) return path_.end_s();
      left -= piece;
      date_s_ = path_.end_s();
      path_.next();
    }
    throw_no_arrival(date_s_);
  }

  /// As ArrivalStream::restart.
  void restart(double now_s) {
    for (std::size_t back = 1; back <= recent_.size() && date_s_ > now_s && draws_ > 0; ++back) {
      const Position& before = *recent_[--draws_ % recent_.size()];
      path_ = before.path;
      date_s_ = before.date_s;
    }
    while (path_.end_s() <= now_s) path_.next();
    date_s_ = now_s;
  }

  [[nodiscard]] Path& path() { return path_; }

 private:
  struct Position {
    Path path;
    double date_s;
  };

  Path path_;
  double date_s_ = 0;
  std::size_t draws_ = 0;
  std::array<std::optional<Position>, 4> recent_;  // before each of the last draws
};

}  // namespace fluidbatch::workloads
