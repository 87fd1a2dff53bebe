// Every sample runs to the final classifier.
#include "workloads/exits/exits.h"

namespace fluidbatch::workloads {
namespace {

class LastExit final : public ExitStream {
 public:
  explicit LastExit(int exits) : last_(exits - 1) {}
  void draw(std::span<Arrival> requests) override {
    for (Arrival& request : requests) {
      request.exit = last_;
      request.correct = -1;
    }
  }
  std::unique_ptr<ExitStream> clone() const override { return std::make_unique<LastExit>(*this); }
  void split(std::uint64_t /*branch*/) override {}
  bool give_back(std::size_t /*requests*/) override { return true; }

 private:
  int last_;
};

class NoEarlyExits final : public ExitSpec {
 public:
  explicit NoEarlyExits(int exits) : exits_(exits) {}
  std::unique_ptr<ExitStream> start(std::uint64_t /*seed*/,
                                    const std::vector<std::uint64_t>& /*device_keys*/) const override {
    return std::make_unique<LastExit>(exits_);
  }

  std::vector<double> rates() const override {
    return std::vector<double>(static_cast<std::size_t>(exits_ - 1));
  }
  bool are_independent() const override { return true; }

 private:
  int exits_;
};

const ExitRegistration kRegistration({.name = "none",
                                      .keys = {},
                                      .read = [](io::MapReader&, const ExitContext& context) {
                                        return make_no_exits(context.exits);
                                      }});

}  // namespace

std::unique_ptr<ExitSpec> make_no_exits(int exits) {
  io::require_in({.min = 1}, exits, "the number of exits");
  return std::make_unique<NoEarlyExits>(exits);
}

}  // namespace fluidbatch::workloads
