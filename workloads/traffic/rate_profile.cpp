#include "workloads/traffic/rate_profile.h"

#include <cmath>

#include "workloads/io/text_number.h"

namespace fluidbatch::workloads {
namespace {

constexpr io::Range kDurations{.min = 1e-9, .max = 1e12};
constexpr const char* kNeedsARate = " needs at least one entry with a rate above 0";

}  // namespace

std::vector<RatePiece> read_rate_pieces(io::MapReader& reader, const std::string& key,
                                        const std::string& duration_key, const ArrivalContext& context) {
  const io::Node& list = reader.required(key);
  std::vector<RatePiece> pieces;
  io::Node resolved = io::Node::sequence();
  bool any = false;
  for (const io::Node& item : io::read_list(list, key)) {
    io::MapReader one(item, "an entry of " + key, {"rho", "rate_hz", "load", duration_key});
    const double rate_hz = read_rate_hz(one, context, true);
    pieces.push_back({rate_hz, one.number(duration_key, kDurations)});
    any = any || rate_hz > 0;
    resolved.items.push_back(one.resolved());
  }
  if (!any) throw io::InputError(list.mark, key + kNeedsARate);
  reader.resolve(key, std::move(resolved));
  return pieces;
}

std::optional<std::string> objection_to_pieces(const std::vector<RatePiece>& pieces,
                                               const std::string& what) {
  bool any = false;
  for (const RatePiece& piece : pieces) {
    if (auto objection = objection_to_rate(piece.rate_hz, true)) return what + ": " + *objection;
    if (!kDurations.contains(piece.duration_s)) {
      return what + ": a duration must be a number of seconds, " + kDurations.text() + "; found " +
             io::shortest(piece.duration_s);
    }
    any = any || piece.rate_hz > 0;
  }
  if (!any) return what + kNeedsARate;
  return std::nullopt;
}

std::optional<std::string> objection_to_changes(const std::vector<RatePiece>& pieces,
                                                const std::string& key) {
  constexpr double kMost = 10'000;
  double arrivals = 0;
  for (const RatePiece& piece : pieces) arrivals += piece.rate_hz * piece.duration_s;
  const double changes = static_cast<double>(pieces.size()) / arrivals;
  if (changes <= kMost) return std::nullopt;
  return key + " would change the rate " + io::shortest(std::round(changes)) +
         " times between two arrivals, on average; " + io::shortest(kMost) +
         " is the most. Poisson arrivals at the mean rate are as good as these: {kind: poisson, rate_hz: " +
         io::shortest(mean_rate_hz(pieces)) + "}";
}

void throw_no_arrival(double date_s) {
  throw io::InputError("arrivals: none after " + std::to_string(kMostChanges) +
                       " changes of the rate; around " + io::shortest(date_s) +
                       " s the durations are less than the last bit of a date");
}

double mean_rate_hz(const std::vector<RatePiece>& pieces) {
  double arrivals = 0;
  double time_s = 0;
  for (const RatePiece& piece : pieces) {
    arrivals += piece.rate_hz * piece.duration_s;
    time_s += piece.duration_s;
  }
  return arrivals / time_s;
}

}  // namespace fluidbatch::workloads
