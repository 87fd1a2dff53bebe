// Which exit each request takes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "workloads/arrivals.h"
#include "workloads/devices.h"

namespace fluidbatch::workloads {

/// One run's exits, drawn once per request in order of sending, and for each device from a stream of its own:
/// hence the same for every policy, and whatever the other devices do.
class ExitStream {
 public:
  ExitStream() = default;
  ExitStream(const ExitStream&) = delete;
  ExitStream& operator=(const ExitStream&) = delete;
  virtual ~ExitStream() = default;

  /// Fills in the exit of a request and, where it is known, whether its answer is right.
  virtual void draw(Arrival& request) = 0;
  /// The same for each of `requests`, in their order.
  virtual void draw_each(std::span<Arrival> requests) {
    for (Arrival& request : requests) draw(request);
  }
};

/// An exit model as configured.
class ExitSpec {
 public:
  ExitSpec() = default;
  ExitSpec(const ExitSpec&) = delete;
  ExitSpec& operator=(const ExitSpec&) = delete;
  virtual ~ExitSpec() = default;

  /// `device_keys`: Devices::keys, one for each device that will send.
  [[nodiscard]] virtual std::unique_ptr<ExitStream> start(
      std::uint64_t seed, const std::vector<std::uint64_t>& device_keys) const = 0;
  /// For each early exit, the share of the samples that reach it that leaves there: configured, or those of
  /// the whole file.
  [[nodiscard]] virtual std::vector<double> rates() const = 0;
  /// As ArrivalSpec::bound: no more requests than this can be drawn.
  [[nodiscard]] virtual std::uint64_t bound() const { return 0; }
};

struct ExitContext {
  int exits = 1;  ///< of the network, the final one included
  /// That the exits are for; nullptr where they are read first, since a load of the devices takes their
  /// rates.
  const Devices* devices = nullptr;
};

struct ExitKind {
  std::string name;
  std::string summary;
  std::vector<std::string> keys;
  std::function<std::unique_ptr<ExitSpec>(io::MapReader&, const ExitContext&)> read;
};

/// Reads `workload.exits`; the map with its defaults goes to `resolved`. Throws InputError.
std::unique_ptr<ExitSpec> read_exits(const io::Node& node, const ExitContext& context, io::Node& resolved);

/// Reads the list `rates`, a probability for each early exit. Throws InputError.
std::vector<double> read_exit_rates(io::MapReader& reader, const ExitContext& context);

/// Reads the list under `key`: numbers from 0 to 1, one for each early exit. Throws InputError.
std::vector<double> read_per_early_exit(io::MapReader& reader, const std::string& key,
                                        const std::string& what, const ExitContext& context);

/// Which exit a number drawn takes, given each early exit's upper end in rising order: the first that lies
/// above it. There are few, and none is likely: counted without branches.
inline int exit_below(const std::vector<double>& ends, double drawn) {
  int exit = 0;
  for (const double end : ends) exit += drawn >= end ? 1 : 0;
  return exit;
}

/// The probability to have left by early exit 0, 1, .., from the conditional rates.
std::vector<double> left_by(const std::vector<double>& rates);

/// Of the samples that reach each early exit, the share that leaves there, from the exits taken.
std::vector<double> rates_of(const std::vector<int>& taken, int exits);

class ExitRegistration {
 public:
  explicit ExitRegistration(ExitKind kind);
};

}  // namespace fluidbatch::workloads
