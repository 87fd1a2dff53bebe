// Replays recorded arrivals.
#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "workloads/io/names.h"
#include "workloads/io/shipped_files.h"
#include "workloads/traffic/processes.h"
#include "workloads/traffic/trace_file.h"

namespace fluidbatch::workloads {
namespace {

class Replay final : public ArrivalStream {
 public:
  explicit Replay(const std::vector<Arrival>& arrivals) : arrivals_(arrivals) {}

  void draw(std::span<double> dates) override {
    for (double& date_s : dates) {
      date_s = next_ < arrivals_.size() ? arrivals_[next_++].date_s : std::numeric_limits<double>::infinity();
    }
  }
  std::unique_ptr<ArrivalStream> clone() const override { return std::make_unique<Replay>(*this); }
  void split(std::uint64_t /*branch*/) override {}  // a recording has one future
  void add_details(Arrival& arrival) const override { arrival = arrivals_[next_ - 1]; }

 private:
  const std::vector<Arrival>& arrivals_;
  std::size_t next_ = 0;
};

class TraceArrivals final : public ArrivalSpec {
 public:
  explicit TraceArrivals(Trace trace) : trace_(std::move(trace)) {
    for (const Arrival& arrival : trace_.arrivals) devices_ = std::max(devices_, arrival.device + 1);
  }

  std::unique_ptr<ArrivalStream> start(std::uint64_t /*seed*/, std::uint64_t /*key*/) const override {
    return std::make_unique<Replay>(trace_.arrivals);
  }

  bool has_details() const override { return true; }
  std::uint32_t devices_per_stream() const override { return devices_; }
  std::uint64_t bound() const override { return trace_.arrivals.size(); }
  double last_arrival_s() const override { return trace_.arrivals.back().date_s; }

  std::vector<int> exits(int exits, const io::Mark& asked_at) const override {
    if (!trace_.has_exits) return ArrivalSpec::exits(exits, asked_at);
    // From the file, where there is one, since its messages have the line of a wrong one.
    return trace_.file.empty() ? recorded_exits(exits) : load_exits(trace_.file, exits);
  }

 private:
  [[nodiscard]] std::vector<int> recorded_exits(int exits) const {
    std::vector<int> taken;
    taken.reserve(trace_.arrivals.size());
    for (const Arrival& arrival : trace_.arrivals) {
      taken.push_back(
          static_cast<int>(io::require_in({.min = 0, .max = exits - 1.0}, arrival.exit, "an exit")));
    }
    return taken;
  }

  Trace trace_;
  std::uint32_t devices_ = 1;
};

constexpr std::array kTimeUnits{io::Name{TimeUnit::s, "s"}, io::Name{TimeUnit::ms, "ms"},
                                io::Name{TimeUnit::us, "us"}, io::Name{TimeUnit::ns, "ns"}};

/// `first_row`, or the date in the trace that is the run's 0. A requests.csv counts from its run unless told
/// otherwise.
void read_origin(io::MapReader& reader, const std::filesystem::path& file, TraceOptions& options) {
  using Origin = TraceOptions::Origin;
  if (!reader.has("origin")) {
    options.origin = counts_from_its_run(file) ? Origin::zero : Origin::first_row;
    return reader.resolve(
        "origin", options.origin == Origin::zero ? io::Node::integer(0) : io::Node::text("first_row"));
  }
  const io::Node& node = reader.required("origin");
  const std::string text = io::read_text(node, "origin");
  reader.resolve("origin", node);
  if (io::is_word(node, "first_row")) return;
  options.origin = Origin::given;
  if (const auto number = io::Decimal::parse(text); number && !number->is_negative()) {
    options.origin_s = number->shifted(power_of_ten(options.time_unit));
  } else if (const auto time_stamp = time_stamp_s(text)) {
    options.origin_s = *time_stamp;
  } else {
    throw io::InputError(node.mark,
                         "origin must be 'first_row', a number in the unit of the trace, at least 0, or a "
                         "time stamp such as '2023-11-16 18:17:03', found " +
                             describe(node));
  }
}

std::unique_ptr<ArrivalSpec> read(io::MapReader& reader, const ArrivalContext& context) {
  const io::Node& path = reader.required("path");
  io::read_text(path, "path");
  const std::filesystem::path file = io::resolve_path(path);
  reader.resolve("path", io::Node::text(file.string()));
  TraceOptions options;
  options.time_unit = io::read_name(reader, "time_unit", kTimeUnits, TimeUnit::s);
  read_origin(reader, file, options);
  options.time_scale = reader.number("time_scale", io::Range::positive(), 1);
  options.from_s = reader.number("from_s", io::Range::non_negative(), 0);
  options.to_s = reader.number("to_s", {.min = options.from_s, .above_min = true, .finite = false},
                               std::numeric_limits<double>::infinity());
  options.dates_of_sending = context.uplink;
  return std::make_unique<TraceArrivals>(load_trace(file, options));
}

const ArrivalRegistration kRegistration(
    {.name = "trace", .keys = {"path", "time_unit", "origin", "time_scale", "from_s", "to_s"}, .read = read});

}  // namespace

std::unique_ptr<ArrivalSpec> make_recorded(std::vector<Arrival> arrivals) {
  if (arrivals.empty()) throw std::invalid_argument("recorded arrivals need at least one");
  bool has_exits = true;
  double last_s = 0;
  for (const Arrival& arrival : arrivals) {
    io::require_in({.min = last_s, .max = kLastTraceDate_s}, arrival.date_s, "a recorded date, in order,");
    io::require_in({.min = 0, .max = kMostDevices - 1.0}, arrival.device, "a device");
    last_s = arrival.date_s;
    has_exits = has_exits && arrival.exit >= 0;
  }
  return std::make_unique<TraceArrivals>(
      Trace{.file = {}, .arrivals = std::move(arrivals), .has_exits = has_exits});
}

}  // namespace fluidbatch::workloads
