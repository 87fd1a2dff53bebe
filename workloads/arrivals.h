// When requests arrive at the server, and from which device.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/io/map_reader.h"

namespace fluidbatch::workloads {

struct Arrival {
  double date_s = 0;
  std::uint32_t device = 0;
  int exit = -1;  ///< the exit that a trace names for this request; -1 where it names none
};

/// One run's stream of arrivals.
///
/// Contract: dates are finite, not negative and never fall. A stream is a pure function of its
/// specification and seed; it must not depend on what the server does.
class ArrivalStream {
 public:
  ArrivalStream() = default;
  ArrivalStream(const ArrivalStream&) = delete;
  ArrivalStream& operator=(const ArrivalStream&) = delete;
  virtual ~ArrivalStream() = default;

  /// The next arrival; false when there are no more.
  virtual bool next(Arrival& arrival) = 0;
};

/// A process as configured; gives every system of a run the same stream.
class ArrivalSpec {
 public:
  ArrivalSpec() = default;
  ArrivalSpec(const ArrivalSpec&) = delete;
  ArrivalSpec& operator=(const ArrivalSpec&) = delete;
  virtual ~ArrivalSpec() = default;

  [[nodiscard]] virtual std::unique_ptr<ArrivalStream> start(std::uint64_t seed) const = 0;
  /// Number of arrivals, where it is bounded: those of a trace. 0 where it is not.
  [[nodiscard]] virtual std::uint64_t bound() const { return 0; }
  /// The exit that the arrivals name for each request. Throws InputError where they name none, or one that is
  /// not in 0 .. exits - 1.
  [[nodiscard]] virtual std::vector<int> exits(int exits, const io::Mark& asked_at) const;
};

/// What a process may need to understand its configuration.
struct ArrivalContext {
  double reference_latency_s = 0;  ///< single-sample latency of the reference: turns rho into a rate
};

struct ArrivalKind {
  std::string name;
  std::string summary;
  std::vector<std::string> keys;  ///< besides `kind`
  std::function<std::unique_ptr<ArrivalSpec>(io::MapReader&, const ArrivalContext&)> read;
};

/// Reads `workload.arrivals`; the map with its defaults goes to `resolved`. Throws InputError.
std::unique_ptr<ArrivalSpec> read_arrivals(const io::Node& node, const ArrivalContext& context,
                                           io::Node& resolved);

/// Registers a process before main; one static object of it in each process's .cpp.
class ArrivalRegistration {
 public:
  explicit ArrivalRegistration(ArrivalKind kind);
};

}  // namespace fluidbatch::workloads
