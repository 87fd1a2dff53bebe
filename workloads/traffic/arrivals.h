// When devices send their samples.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/io/map_reader.h"

namespace fluidbatch::workloads {

/// One request on its way to the server.
struct Arrival {
  double date_s = 0;  ///< at the server; where there is an uplink, of sending until it has been crossed
  double sent_s = 0;  ///< from the device
  std::uint32_t device = 0;
  int exit = -1;             ///< the exit that it takes; -1 where not drawn yet
  std::int32_t sample = -1;  ///< row of the recorded sample that it is, from 0; -1 where there is none
  std::int8_t correct = -1;  ///< whether the answer of that exit is right: 1 or 0; -1 where not known

  /// A sample sent at `date_s`.
  static Arrival at(double date_s) {
    return {.date_s = date_s, .sent_s = date_s, .device = 0, .exit = -1, .sample = -1, .correct = -1};
  }
};

/// The sendings of one device in one run (of several devices, for a trace).
///
/// Contract: dates are not negative and never fall. A stream is a pure function of its specification,
/// its seed and, where it listens, of the answers.
class ArrivalStream {
 public:
  ArrivalStream() = default;
  ArrivalStream& operator=(const ArrivalStream&) = delete;
  virtual ~ArrivalStream() = default;

  /// The dates of the next dates.size() ones; infinity for those that do not come, or not before an answer.
  virtual void draw(std::span<double> dates) = 0;
  /// The date of the next one.
  double next_s() {
    double date_s = 0;
    draw({&date_s, 1});
    return date_s;
  }

  /// A stream in the same state. It may use what its specification holds, which must outlive both.
  [[nodiscard]] virtual std::unique_ptr<ArrivalStream> clone() const = 0;
  /// From here on another future, that of `branch` (RandomStream::split); nothing where nothing is drawn.
  virtual void split(std::uint64_t branch) = 0;
  /// After split: forgets the dates that it has given for later than `now_s`, three at most. The next one is
  /// drawn anew, given that none came up to then. Called where ArrivalSpec::restarts only.
  virtual void restart(double /*now_s*/) {}

  /// Adds what else is known of the last one to `arrival`, whose dates are set: a trace's device, for
  /// instance. Called where ArrivalSpec::has_details only.
  virtual void add_details(Arrival& /*arrival*/) const {}

  /// The device has got its answer. Called where ArrivalSpec::listens only.
  virtual void answered(double /*date_s*/) {}

 protected:
  ArrivalStream(const ArrivalStream&) = default;
};

/// A process as configured; gives every system of a run the same streams.
class ArrivalSpec {
 public:
  ArrivalSpec() = default;
  ArrivalSpec(const ArrivalSpec&) = delete;
  ArrivalSpec& operator=(const ArrivalSpec&) = delete;
  virtual ~ArrivalSpec() = default;

  /// A stream with draws of its own for each `key` (random.h: index).
  [[nodiscard]] virtual std::unique_ptr<ArrivalStream> start(std::uint64_t seed, std::uint64_t key) const = 0;
  /// How many streams the process stands for: the clients of a closed loop.
  [[nodiscard]] virtual std::uint32_t streams() const { return 1; }
  /// Devices of each stream: more than one for a trace of several.
  [[nodiscard]] virtual std::uint32_t devices_per_stream() const { return 1; }
  /// Whether its streams know more of an arrival than its date.
  [[nodiscard]] virtual bool has_details() const { return false; }
  /// Whether it sends on being answered: a closed loop.
  [[nodiscard]] virtual bool listens() const { return false; }
  /// Long-run sendings per second of one stream; NaN where they are not known before the run.
  [[nodiscard]] virtual double mean_rate_hz() const { return std::numeric_limits<double>::quiet_NaN(); }
  /// Whether that rate is the mean of any stretch of time, and not of the far future alone.
  [[nodiscard]] virtual bool is_steady() const { return true; }
  /// Whether it draws dates at random, and not only where it begins.
  [[nodiscard]] virtual bool is_random() const { return true; }
  /// Whether its streams have other futures to go on to (ArrivalStream::split), where it is random.
  [[nodiscard]] virtual bool splits() const { return true; }
  /// Whether its streams can forget dates (ArrivalStream::restart).
  [[nodiscard]] virtual bool restarts() const { return false; }
  /// Whether each of its streams is a Poisson process of that rate.
  [[nodiscard]] virtual bool is_poisson() const { return false; }
  /// Date of the last arrival, where there is one: that of a trace. Infinity otherwise.
  [[nodiscard]] virtual double last_arrival_s() const { return std::numeric_limits<double>::infinity(); }
  /// Number of arrivals, where it is bounded: those of a trace. 0 where it is not.
  [[nodiscard]] virtual std::uint64_t bound() const { return 0; }
  /// The exit that the arrivals name for each request. Throws InputError where they name none, or one that is
  /// not in 0 .. exits - 1.
  [[nodiscard]] virtual std::vector<int> exits(int exits, const io::Mark& asked_at) const;
};

/// What a process may need to understand its configuration.
struct ArrivalContext {
  double reference_latency_s = 0;  ///< single-sample latency of the reference: turns rho into a rate
  /// Least NPU time of a request on the reference: turns load into a rate. Asked only where there is a load,
  /// since it takes a table of latencies and the exit rates. Throws InputError where these are not known
  /// before the arrivals.
  std::function<double()> least_npu_time_s = {};
  bool uplink = false;  ///< the arrivals are sendings; otherwise they are at the server at once
};

/// An arrival process as it registers: its name, its keys, and how it is read.
struct ArrivalKind {
  std::string name;
  std::vector<std::string> keys;  ///< besides `kind`
  std::function<std::unique_ptr<ArrivalSpec>(io::MapReader&, const ArrivalContext&)> read;
};

/// Reads a map of arrivals; the map with its defaults goes to `resolved`. Throws InputError.
std::unique_ptr<ArrivalSpec> read_arrivals(const io::Node& node, const ArrivalContext& context,
                                           io::Node& resolved);

/// Arrivals per second, as they may be given.
struct Rate {
  enum class Unit {
    hz,    ///< per second
    rho,   ///< times one over the single-sample latency of the reference
    load,  ///< times what the reference can carry
  };

  double value = 0;
  Unit unit = Unit::hz;

  /// So many a second.
  static Rate hz(double value) { return {.value = value, .unit = Unit::hz}; }
  /// Times one over the single-sample latency of the reference.
  static Rate rho(double value) { return {.value = value, .unit = Unit::rho}; }
  /// Times what the reference can carry.
  static Rate load(double value) { return {.value = value, .unit = Unit::load}; }

  /// Asks of `context` what it needs.
  [[nodiscard]] double in_hz(const ArrivalContext& context) const;
};

/// What speaks against a rate, or nothing: beyond 1e-9 to 1e12 per second dates run out of digits or out of
/// range. 0 is allowed only where it `may_be_zero`.
std::optional<std::string> objection_to_rate(double rate_hz, bool may_be_zero = false);

/// `rate_hz`. Throws std::invalid_argument where something speaks against it.
double require_rate(double rate_hz);

/// Reads `rho`, `rate_hz` or `load` of one map as a rate per second; 0 only where `may_be_zero`. Throws
/// InputError.
double read_rate_hz(io::MapReader& reader, const ArrivalContext& context, bool may_be_zero = false);

/// Registers a process while the program runs, in place of one of its name that was registered so before;
/// what has been read with that stays good. Throws std::invalid_argument where the name is one of this
/// library's.
void define_arrivals(ArrivalKind kind);

/// Registers a process before main; one static object of it in each process's .cpp.
class ArrivalRegistration {
 public:
  explicit ArrivalRegistration(ArrivalKind kind);
};

}  // namespace fluidbatch::workloads
