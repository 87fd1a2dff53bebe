// Where the exits of requests come from, as those who send them see it; the models are in workloads/exits.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "workloads/traffic/arrivals.h"
#include "workloads/traffic/recorded_confidences.h"

namespace fluidbatch::workloads {

/// One run's exits, drawn once per request in order of sending, and for each device from a stream of its own:
/// hence the same for every policy, and whatever the other devices do.
class ExitStream {
 public:
  ExitStream() = default;
  ExitStream& operator=(const ExitStream&) = delete;
  virtual ~ExitStream() = default;

  /// Fills in the exit of each of `requests`, in their order, and, where it is known, whether its answer is
  /// right.
  virtual void draw(std::span<Arrival> requests) = 0;

  /// A stream in the same state. It may use what its specification holds, which must outlive both.
  [[nodiscard]] virtual std::unique_ptr<ExitStream> clone() const = 0;
  /// From here on another future, that of `branch` (RandomStream::split); nothing where nothing is drawn.
  virtual void split(std::uint64_t branch) = 0;
  /// Forgets the last `requests` that it has drawn for: what it draws next is as if it had not. False, and
  /// nothing changes, where it remembers too few of them, or nothing is drawn at random.
  virtual bool give_back(std::size_t /*requests*/) { return false; }

 protected:
  ExitStream(const ExitStream&) = default;
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
  /// Whether each request leaves at each exit with the probability that `rates` says, whatever others do.
  [[nodiscard]] virtual bool are_independent() const { return false; }
  /// Whether its streams have other futures to go on to (ExitStream::split), or need none.
  [[nodiscard]] virtual bool splits() const { return true; }
  /// As ArrivalSpec::bound: no more requests than this can be drawn.
  [[nodiscard]] virtual std::uint64_t bound() const { return 0; }
  /// The samples that the requests are, where exits come from confidences; nullptr elsewhere. Good as long as
  /// this is.
  [[nodiscard]] virtual const RecordedConfidences* confidences() const { return nullptr; }
  /// The same, whose requests are drawn from the odd rows alone; nullptr where there are no confidences.
  [[nodiscard]] virtual std::shared_ptr<const ExitSpec> of_odd_rows() const { return nullptr; }
};

}  // namespace fluidbatch::workloads
