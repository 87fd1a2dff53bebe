// The exit of each request from a CSV: the trace of the arrivals, or a file of its own.
#include <utility>

#include "workloads/exits.h"
#include "workloads/io/shipped_files.h"
#include "workloads/trace_file.h"

namespace fluidbatch::workloads {
namespace {

class ExitOfArrival final : public ExitStream {
 public:
  int next(const Arrival& arrival) override { return arrival.exit; }
};

class ExitsOfArrivals final : public ExitSpec {
 public:
  std::unique_ptr<ExitStream> start(std::uint64_t /*seed*/) const override {
    return std::make_unique<ExitOfArrival>();
  }
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
  explicit ExitsOfFile(std::vector<int> exits) : exits_(std::move(exits)) {}
  std::unique_ptr<ExitStream> start(std::uint64_t /*seed*/) const override {
    return std::make_unique<ExitList>(exits_);
  }
  std::uint64_t bound() const override { return exits_.size(); }

 private:
  std::vector<int> exits_;
};

std::unique_ptr<ExitSpec> read(io::MapReader& reader, const ExitContext& context) {
  const io::Node* path = reader.child("path");
  if (path == nullptr) {
    context.arrivals.require_exits(context.exits, reader.mark());
    return std::make_unique<ExitsOfArrivals>();
  }
  io::read_text(*path, "path");
  const std::filesystem::path file = io::resolve_path(*path);
  reader.resolve("path", io::Node::text(file.string()));
  return std::make_unique<ExitsOfFile>(load_exits(file, context.exits));
}

const ExitRegistration kRegistration(
    {.name = "trace", .summary = "the column 'exit' of a CSV", .keys = {"path"}, .read = read});

}  // namespace
}  // namespace fluidbatch::workloads
