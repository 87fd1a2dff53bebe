// The exit of each request from a CSV: the trace of the arrivals, or a file of its own.
#include <stdexcept>
#include <utility>

#include "workloads/exits/exits.h"
#include "workloads/io/shipped_files.h"
#include "workloads/traffic/trace_file.h"

namespace fluidbatch::workloads {
namespace {

constexpr const char* kRatesComeFirst =
    "a load of the arrivals needs the exit rates first, and these exits are named by the arrivals; give the "
    "path of a CSV with a column 'exit'";

/// The arrivals bring their exits along.
class ExitOfArrival final : public ExitStream {
 public:
  void draw(std::span<Arrival> /*requests*/) override {}
  std::unique_ptr<ExitStream> clone() const override { return std::make_unique<ExitOfArrival>(*this); }
  void split(std::uint64_t /*branch*/) override {}
};

class ExitsOfArrivals final : public ExitSpec {
 public:
  explicit ExitsOfArrivals(std::vector<double> rates) : rates_(std::move(rates)) {}

  std::unique_ptr<ExitStream> start(std::uint64_t /*seed*/,
                                    const std::vector<std::uint64_t>& /*device_keys*/) const override {
    return std::make_unique<ExitOfArrival>();
  }
  std::vector<double> rates() const override { return rates_; }

 private:
  std::vector<double> rates_;
};

class ExitList final : public ExitStream {
 public:
  explicit ExitList(const std::vector<int>& exits) : exits_(exits) {}
  void draw(std::span<Arrival> requests) override {
    for (Arrival& request : requests) {
      request.exit = exits_[next_++];  // there are as many as bound() says
      request.correct = -1;
    }
  }
  std::unique_ptr<ExitStream> clone() const override { return std::make_unique<ExitList>(*this); }
  void split(std::uint64_t /*branch*/) override {}

 private:
  const std::vector<int>& exits_;
  std::size_t next_ = 0;
};

class ListedExits final : public ExitSpec {
 public:
  ListedExits(std::vector<int> exits, std::vector<double> rates)
      : exits_(std::move(exits)), rates_(std::move(rates)) {}
  std::unique_ptr<ExitStream> start(std::uint64_t /*seed*/,
                                    const std::vector<std::uint64_t>& /*device_keys*/) const override {
    return std::make_unique<ExitList>(exits_);
  }
  std::vector<double> rates() const override { return rates_; }
  std::uint64_t bound() const override { return exits_.size(); }

 private:
  std::vector<int> exits_;
  std::vector<double> rates_;
};

/// What policies may know: as recorded, unless something else is said to have been known.
std::vector<double> known(std::vector<double> known_rates, const std::vector<int>& taken, int exits) {
  for (const double rate : known_rates) io::require_in(io::Range::probability(), rate, "an exit rate");
  return known_rates.empty() ? rates_of(taken, exits) : std::move(known_rates);
}

/// Of arrivals that are in no file, which the objection has no place in.
std::vector<int> exits_of_devices(const io::MapReader& reader, const ExitContext& context) {
  try {
    return context.devices->exits(context.exits, reader.mark(), context.service);
  } catch (const std::invalid_argument& objection) {
    throw io::InputError(reader.mark(), objection.what());
  }
}

std::unique_ptr<ExitSpec> read(io::MapReader& reader, const ExitContext& context) {
  const auto known_rates = [&] {
    return reader.has("rates") ? read_exit_rates(reader, context) : std::vector<double>();
  };
  const io::Node* path = reader.child("path");
  if (path == nullptr) {
    if (context.devices == nullptr) throw io::InputError(reader.mark(), kRatesComeFirst);
    const std::vector<int> taken = exits_of_devices(reader, context);
    return std::make_unique<ExitsOfArrivals>(known(known_rates(), taken, context.exits));
  }
  io::read_text(*path, "path");
  const std::filesystem::path file = io::resolve_path(*path);
  reader.resolve("path", io::Node::text(file.string()));
  std::vector<double> rates = known_rates();
  return make_exit_list(load_exits(file, context.exits), context.exits, std::move(rates));
}

const ExitRegistration kRegistration({.name = "trace", .keys = {"path", "rates"}, .read = read});

}  // namespace

std::unique_ptr<ExitSpec> make_exit_list(std::vector<int> taken, int exits, std::vector<double> known_rates) {
  if (taken.empty()) throw std::invalid_argument("a list of exits needs at least one");
  for (const int exit : taken) io::require_in({.min = 0, .max = exits - 1.0}, exit, "an exit");
  std::vector<double> rates = known(std::move(known_rates), taken, exits);
  return std::make_unique<ListedExits>(std::move(taken), std::move(rates));
}

std::unique_ptr<ExitSpec> make_exits_of_arrivals(const Devices& devices, int exits,
                                                 std::vector<double> known_rates, std::size_t service) {
  const std::vector<int> taken = devices.exits(exits, {}, service);
  return std::make_unique<ExitsOfArrivals>(known(std::move(known_rates), taken, exits));
}

}  // namespace fluidbatch::workloads
