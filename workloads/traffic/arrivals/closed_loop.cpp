// Clients that send a sample, wait for its answer, think, and send the next one.
#include <limits>
#include <utility>

#include "workloads/random.h"
#include "workloads/traffic/arrivals.h"

namespace fluidbatch::workloads {
namespace {

struct Loop {
  std::uint32_t clients = 1;
  double think_time_s = 0;
  bool exponential = true;
};

/// One client; it thinks before its first sample, too.
class Client final : public ArrivalStream {
 public:
  Client(const Loop& loop, std::uint64_t seed, std::uint64_t key)
      : loop_(loop), random_(seed, "arrivals", key) {
    answered(0);
  }

  void draw(std::span<double> dates) override {
    // Infinity while it waits.
    for (double& date_s : dates) date_s = std::exchange(next_s_, std::numeric_limits<double>::infinity());
  }
  std::unique_ptr<ArrivalStream> clone() const override { return std::make_unique<Client>(*this); }
  void split(std::uint64_t branch) override { random_ = random_.split(branch); }

  void answered(double date_s) override {
    next_s_ = date_s + loop_.think_time_s * (loop_.exponential ? random_.exponential() : 1);
  }

 private:
  Loop loop_;
  RandomStream random_;
  double next_s_ = 0;
};

class ClosedLoop final : public ArrivalSpec {
 public:
  explicit ClosedLoop(const Loop& loop) : loop_(loop) {}

  std::unique_ptr<ArrivalStream> start(std::uint64_t seed, std::uint64_t key) const override {
    return std::make_unique<Client>(loop_, seed, key);
  }
  std::uint32_t streams() const override { return loop_.clients; }
  bool listens() const override { return true; }

 private:
  Loop loop_;
};

std::unique_ptr<ArrivalSpec> read(io::MapReader& reader, const ArrivalContext& /*context*/) {
  Loop loop;
  loop.clients = static_cast<std::uint32_t>(reader.integer("clients", 1, 1'000'000, 1));
  // Above 0: with none, a client whose requests are dropped at once would stop the clock.
  loop.think_time_s = reader.number("think_time_ms", {.min = 1e-6, .max = 1e12}) / 1000;
  loop.exponential = reader.choice("think", {"exponential", "constant"}, 0) == 0;
  return std::make_unique<ClosedLoop>(loop);
}

const ArrivalRegistration kRegistration({.name = "closed_loop",
                                         .summary = "clients that wait for each answer, and think",
                                         .keys = {"clients", "think_time_ms", "think"},
                                         .read = read});

}  // namespace
}  // namespace fluidbatch::workloads
