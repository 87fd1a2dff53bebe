// Which exit each request takes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "workloads/arrivals.h"

namespace fluidbatch::workloads {

/// One run's exits, drawn once per request in order of arrival, hence the same for every policy.
class ExitStream {
 public:
  ExitStream() = default;
  ExitStream(const ExitStream&) = delete;
  ExitStream& operator=(const ExitStream&) = delete;
  virtual ~ExitStream() = default;

  /// Index of the exit that the request takes; -1 where the source has no more.
  virtual int next(const Arrival& arrival) = 0;
};

/// An exit model as configured.
class ExitSpec {
 public:
  ExitSpec() = default;
  ExitSpec(const ExitSpec&) = delete;
  ExitSpec& operator=(const ExitSpec&) = delete;
  virtual ~ExitSpec() = default;

  [[nodiscard]] virtual std::unique_ptr<ExitStream> start(std::uint64_t seed) const = 0;
  /// For each early exit, the share of the samples that reach it that leaves there: configured, or those of
  /// the whole file.
  [[nodiscard]] virtual std::vector<double> rates() const = 0;
  /// As ArrivalSpec::bound.
  [[nodiscard]] virtual std::uint64_t bound() const { return 0; }
};

struct ExitContext {
  int exits = 1;  ///< of the network, the final one included
  const ArrivalSpec& arrivals;
};

struct ExitKind {
  std::string name;
  std::string summary;
  std::vector<std::string> keys;
  std::function<std::unique_ptr<ExitSpec>(io::MapReader&, const ExitContext&)> read;
};

/// Reads `workload.exits`; the map with its defaults goes to `resolved`. Throws InputError.
std::unique_ptr<ExitSpec> read_exits(const io::Node& node, const ExitContext& context, io::Node& resolved);

class ExitRegistration {
 public:
  explicit ExitRegistration(ExitKind kind);
};

}  // namespace fluidbatch::workloads
