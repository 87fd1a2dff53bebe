// The interface between a site, which acts, and the router, which says to which server a request goes.
#pragma once

#include <cstddef>
#include <memory>

namespace fluidbatch::scheduler {

/// The servers of a site at the arrival of a request, after the step ends of that date and the arrivals
/// before it. What it tells is computed when it is asked for.
class FleetView {
 public:
  FleetView() = default;
  FleetView(const FleetView&) = delete;
  FleetView& operator=(const FleetView&) = delete;
  virtual ~FleetView() = default;

  [[nodiscard]] virtual std::size_t servers() const = 0;
  [[nodiscard]] virtual double now_s() const = 0;
  /// The service of the request, and the date by which it is to be answered, which may be infinite.
  [[nodiscard]] virtual std::size_t service() const = 0;
  [[nodiscard]] virtual double deadline_s() const = 0;

  /// Requests at a server, queued or in flight.
  [[nodiscard]] virtual std::size_t in_system(std::size_t server) const = 0;
  /// Sum of the remaining single-sample latencies of all requests at a server, exits ignored: of a queued one
  /// all layers of its network, of one in flight those that have not ended by now.
  [[nodiscard]] virtual double remaining_work_s(std::size_t server) const = 0;
  /// When a server would have answered the request: now, plus the time that each batch in flight needs for
  /// its remaining layers at its present size, exits ignored, plus those of its queues, with this request, in
  /// batches of max_batch, service by service.
  [[nodiscard]] virtual double earliest_finish_s(std::size_t server) const = 0;

  /// A number from 0 to `below` - 1, drawn from the site's own stream of random numbers.
  [[nodiscard]] virtual std::size_t draw(std::size_t below) const = 0;
};

/// Says to which server a request goes.
///
/// Contract: asked once for each request, in the order of arrivals. It must be a pure function of the views
/// that it has been given, so that runs can be repeated; it may keep a state of its own.
class Router {
 public:
  Router() = default;
  Router& operator=(const Router&) = delete;
  virtual ~Router() = default;

  /// The number of a server. Times that differ by kDeadlineTolerance_s or less are ties, which go to the
  /// lower number.
  [[nodiscard]] virtual std::size_t route(const FleetView& view) = 0;

  /// A router in the same state, which goes its own way from here.
  [[nodiscard]] virtual std::unique_ptr<Router> clone() const = 0;

 protected:
  Router(const Router&) = default;
};

}  // namespace fluidbatch::scheduler
