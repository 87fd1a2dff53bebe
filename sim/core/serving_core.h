// The serving core as whoever makes its time pass sees it.
#pragma once

namespace fluidbatch::sim {

/// A deterministic state machine that knows nothing of what drives it:
///
///     while (core.next_event_s() < infinity) core.advance(core.next_event_s());
///     core.finish();
///
/// Where requests come that the stream could not foretell (over links that somebody else simulates), the
/// driver calls `stream_changed` after each.
class ServingCore {
 public:
  ServingCore() = default;
  ServingCore(const ServingCore&) = delete;
  ServingCore& operator=(const ServingCore&) = delete;
  virtual ~ServingCore() = default;

  /// Date of the next event, never before the last one; infinity when the run is over.
  [[nodiscard]] virtual double next_event_s() const = 0;

  /// Whether the NPU has no batch to run.
  [[nodiscard]] virtual bool idle() const = 0;

  /// Applies all events of `date_s`, which must be next_event_s().
  virtual void advance(double date_s) = 0;

  /// Applies all events up to `date_s`, that date included; all that are left where it is infinite.
  virtual void advance_through(double date_s) = 0;

  /// The stream's next event has changed. Its date must not be before the last event's.
  virtual void stream_changed() = 0;

  /// About how long a request takes: what windows of time are long or short against.
  [[nodiscard]] virtual double time_scale_s() const = 0;
  /// Date of the last event.
  [[nodiscard]] virtual double now_s() const = 0;

  /// Checks, after the last event, that nothing was lost.
  virtual void finish() const = 0;
};

}  // namespace fluidbatch::sim
