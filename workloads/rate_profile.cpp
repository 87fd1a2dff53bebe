#include "workloads/rate_profile.h"

namespace fluidbatch::workloads {

std::vector<RatePiece> read_rate_pieces(io::MapReader& reader, const std::string& key,
                                        const std::string& duration_key, const ArrivalContext& context) {
  const io::Node& list = reader.required(key);
  std::vector<RatePiece> pieces;
  io::Node resolved = io::Node::sequence();
  bool any = false;
  for (const io::Node& item : io::read_list(list, key)) {
    io::MapReader one(item, "an entry of " + key, {"rho", "rate_hz", duration_key});
    const double rate_hz = read_rate_hz(one, context, true);
    pieces.push_back({rate_hz, one.number(duration_key, {.min = 1e-9, .max = 1e12})});
    any = any || rate_hz > 0;
    resolved.items.push_back(one.resolved());
  }
  if (!any) throw io::InputError(list.mark, key + " needs at least one entry with a rate above 0");
  reader.resolve(key, std::move(resolved));
  return pieces;
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
