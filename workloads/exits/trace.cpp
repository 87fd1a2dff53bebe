// The exit of each request from a CSV: the trace of the arrivals, or a file of its own.
#include <utility>

#include "workloads/exits/exits.h"
#include "workloads/io/shipped_files.h"
#include "workloads/traffic/trace_file.h"

namespace fluidbatch::workloads {
namespace {

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

class ExitsOfFile final : public ExitSpec {
 public:
  ExitsOfFile(std::vector<int> exits, std::vector<double> rates)
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

std::unique_ptr<ExitSpec> read(io::MapReader& reader, const ExitContext& context) {
  // What policies may know: as recorded, unless the configuration says what was known then.
  const auto rates = [&](const std::vector<int>& taken) {
    return reader.has("rates") ? read_exit_rates(reader, context) : rates_of(taken, context.exits);
  };
  const io::Node* path = reader.child("path");
  if (path == nullptr) {
    if (context.devices == nullptr) {
      throw io::InputError(reader.mark(),
                           "a load of the arrivals needs the exit rates first, and these exits are named by "
                           "the arrivals; give the path of a CSV with a column 'exit'");
    }
    return std::make_unique<ExitsOfArrivals>(rates(context.devices->exits(context.exits, reader.mark())));
  }
  io::read_text(*path, "path");
  const std::filesystem::path file = io::resolve_path(*path);
  reader.resolve("path", io::Node::text(file.string()));
  std::vector<int> exits = load_exits(file, context.exits);
  std::vector<double> known = rates(exits);
  return std::make_unique<ExitsOfFile>(std::move(exits), std::move(known));
}

const ExitRegistration kRegistration(
    {.name = "trace", .summary = "the column 'exit' of a CSV", .keys = {"path", "rates"}, .read = read});

}  // namespace
}  // namespace fluidbatch::workloads
