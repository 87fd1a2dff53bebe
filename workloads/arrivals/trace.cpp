// Replays recorded arrivals.
#include <utility>

#include "workloads/arrivals.h"
#include "workloads/io/shipped_files.h"
#include "workloads/trace_file.h"

namespace fluidbatch::workloads {
namespace {

class Replay final : public ArrivalStream {
 public:
  explicit Replay(const std::vector<Arrival>& arrivals) : arrivals_(arrivals) {}

  bool next(Arrival& arrival) override {
    if (next_ == arrivals_.size()) return false;
    arrival = arrivals_[next_++];
    return true;
  }

 private:
  const std::vector<Arrival>& arrivals_;
  std::size_t next_ = 0;
};

class TraceArrivals final : public ArrivalSpec {
 public:
  explicit TraceArrivals(Trace trace) : trace_(std::move(trace)) {}

  std::unique_ptr<ArrivalStream> start(std::uint64_t /*seed*/) const override {
    return std::make_unique<Replay>(trace_.arrivals);
  }

  std::uint64_t bound() const override { return trace_.arrivals.size(); }

  std::vector<int> exits(int exits, const io::Mark& asked_at) const override {
    if (!trace_.has_exits) return ArrivalSpec::exits(exits, asked_at);
    return load_exits(trace_.file, exits);  // from the file, since its messages have the line of a wrong one
  }

 private:
  Trace trace_;
};

std::unique_ptr<ArrivalSpec> read(io::MapReader& reader, const ArrivalContext& /*context*/) {
  const io::Node& path = reader.required("path");
  io::read_text(path, "path");
  const std::filesystem::path file = io::resolve_path(path);
  reader.resolve("path", io::Node::text(file.string()));
  const double time_scale = reader.number("time_scale", io::Range::positive(), 1);
  return std::make_unique<TraceArrivals>(load_trace(file, time_scale));
}

const ArrivalRegistration kRegistration(
    {.name = "trace", .summary = "arrivals of a CSV", .keys = {"path", "time_scale"}, .read = read});

}  // namespace
}  // namespace fluidbatch::workloads
