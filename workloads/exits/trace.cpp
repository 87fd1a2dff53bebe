// The exit of each request from a CSV: the trace of the arrivals, or a file of its own.
#include <utility>

#include "workloads/exits.h"
#include "workloads/io/shipped_files.h"
#include "workloads/trace_file.h"

namespace fluidbatch::workloads {
namespace {

/// Of the samples that reach each early exit, the share that leaves there.
std::vector<double> shares_of(const std::vector<int>& taken, int exits) {
  std::vector<double> count(static_cast<std::size_t>(exits));
  for (const int exit : taken) ++count[static_cast<std::size_t>(exit)];
  auto reach = static_cast<double>(taken.size());
  std::vector<double> rates;
  for (std::size_t exit = 0; exit + 1 < count.size(); ++exit) {
    rates.push_back(reach > 0 ? count[exit] / reach : 0);
    reach -= count[exit];
  }
  return rates;
}

class ExitOfArrival final : public ExitStream {
 public:
  int next(const Arrival& arrival) override { return arrival.exit; }
};

class ExitsOfArrivals final : public ExitSpec {
 public:
  explicit ExitsOfArrivals(std::vector<double> rates) : rates_(std::move(rates)) {}

  std::unique_ptr<ExitStream> start(std::uint64_t /*seed*/) const override {
    return std::make_unique<ExitOfArrival>();
  }
  std::vector<double> rates() const override { return rates_; }

 private:
  std::vector<double> rates_;
};

class ExitList final : public ExitStream {
 public:
  explicit ExitList(const std::vector<int>& exits) : exits_(exits) {}
  int next(const Arrival& /*arrival*/) override { return next_ < exits_.size() ? exits_[next_++] : -1; }

 private:
  const std::vector<int>& exits_;
  std::size_t next_ = 0;
};

class ExitsOfFile final : public ExitSpec {
 public:
  ExitsOfFile(std::vector<int> exits, std::vector<double> rates)
      : exits_(std::move(exits)), rates_(std::move(rates)) {}
  std::unique_ptr<ExitStream> start(std::uint64_t /*seed*/) const override {
    return std::make_unique<ExitList>(exits_);
  }
  std::vector<double> rates() const override { return rates_; }
  std::uint64_t bound() const override { return exits_.size(); }

 private:
  std::vector<int> exits_;
  std::vector<double> rates_;
};

std::unique_ptr<ExitSpec> read(io::MapReader& reader, const ExitContext& context) {
  const io::Node* path = reader.child("path");
  if (path == nullptr) {
    return std::make_unique<ExitsOfArrivals>(
        shares_of(context.arrivals.exits(context.exits, reader.mark()), context.exits));
  }
  io::read_text(*path, "path");
  const std::filesystem::path file = io::resolve_path(*path);
  reader.resolve("path", io::Node::text(file.string()));
  std::vector<int> exits = load_exits(file, context.exits);
  std::vector<double> rates = shares_of(exits, context.exits);
  return std::make_unique<ExitsOfFile>(std::move(exits), std::move(rates));
}

const ExitRegistration kRegistration(
    {.name = "trace", .summary = "the column 'exit' of a CSV", .keys = {"path"}, .read = read});

}  // namespace
}  // namespace fluidbatch::workloads
