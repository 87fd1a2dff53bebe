// Clients that send a sample, wait for its answer, think, and send the next one.
#include <limits>
#include <utility>

#include "workloads/random.h"
#include "workloads/traffic/processes.h"

namespace fluidbatch::workloads {
namespace {

constexpr std::uint32_t kMostClients = 1'000'000;
// Above 0: with none, a client whose requests are dropped at once would stop the clock.
constexpr io::Range kThinkTimes_ms{.min = 1e-6, .max = 1e12};

/// One client; it thinks before its first sample, too.
class Client final : public ArrivalStream {
 public:
  Client(const ClosedLoop& loop, std::uint64_t seed, std::uint64_t key)
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
  ClosedLoop loop_;
  RandomStream random_;
  double next_s_ = 0;
};

class Clients final : public ArrivalSpec {
 public:
  explicit Clients(const ClosedLoop& loop) : loop_(loop) {}

  std::unique_ptr<ArrivalStream> start(std::uint64_t seed, std::uint64_t key) const override {
    return std::make_unique<Client>(loop_, seed, key);
  }
  std::uint32_t streams() const override { return loop_.clients; }
  bool listens() const override { return true; }

 private:
  ClosedLoop loop_;
};

std::unique_ptr<ArrivalSpec> read(io::MapReader& reader, const ArrivalContext& /*context*/) {
  ClosedLoop loop;
  loop.clients = static_cast<std::uint32_t>(reader.integer("clients", 1, kMostClients, 1));
  loop.think_time_s = reader.number("think_time_ms", kThinkTimes_ms) / 1000;
  loop.exponential = reader.choice("think", {"exponential", "constant"}, 0) == 0;
  return make_closed_loop(loop);
}

const ArrivalRegistration kRegistration({.name = "closed_loop",
                                         .keys = {"clients", "think_time_ms", "think"},
                                         .read = read});

}  // namespace

std::unique_ptr<ArrivalSpec> make_closed_loop(const ClosedLoop& loop) {
  io::require_in({.min = 1, .max = kMostClients}, loop.clients, "clients");
  io::require_in(kThinkTimes_ms.ms_to_s(), loop.think_time_s, "a think time, in seconds,");
  return std::make_unique<Clients>(loop);
}

}  // namespace fluidbatch::workloads
