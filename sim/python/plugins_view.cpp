#include "sim/python/plugins_view.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>

namespace fluidbatch::python {
namespace {

namespace py = pybind11;
using scheduler::RequestId;
using scheduler::ServerView;
using View = Shown<ServerView>;

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

/// A batch of a view.
struct BatchObject {
  int next_layer;
  double suspended_since_s;
  std::size_t size;
  std::shared_ptr<View> shown;
  std::uint64_t question;
  std::size_t place;  // in the stack

  [[nodiscard]] py::array requests() const {
    return numbers_of(shown->view_of(question).stack[place].samples);
  }
};

BatchObject batch_of(const std::shared_ptr<View>& shown, std::size_t place) {
  const ServerView& view = shown->view();
  const scheduler::Batch& batch = view.stack[place];
  const bool active = place + 1 == view.stack.size();
  return {.next_layer = batch.next_layer,
          .suspended_since_s = active ? kUndefined : batch.suspended_since_s,
          .size = batch.samples.size(),
          .shown = shown,
          .question = shown->question(),
          .place = place};
}

py::tuple stack_of(const std::shared_ptr<View>& shown) {
  py::tuple stack(shown->view().stack.size());
  for (std::size_t place = 0; place < stack.size(); ++place) stack[place] = batch_of(shown, place);
  return stack;
}

void require_running(const ServerView& view) {
  if (view.idle()) throw std::runtime_error("the NPU is idle: there is no active batch (view.idle)");
}

BatchObject active_of(const std::shared_ptr<View>& shown) {
  require_running(shown->view());
  return batch_of(shown, shown->view().stack.size() - 1);
}

bool is_queued(const ServerView& view, RequestId id) {
  return std::binary_search(view.queue.begin(), view.queue.end(), id);
}

/// The request of that number, which the server must have.
RequestId known(const ServerView& view, RequestId id) {
  if (is_queued(view, id)) return id;
  for (const scheduler::Batch& batch : view.stack) {
    if (std::find(batch.samples.begin(), batch.samples.end(), id) != batch.samples.end()) return id;
  }
  throw py::value_error("request " + std::to_string(id) + " is neither queued nor in flight");
}

double start_s(const ServerView& view, RequestId id) {
  return is_queued(view, id) ? kUndefined : view.requests[id].start_s;
}

double date_before(const ServerView& view, int layer) {
  require_running(view);
  if (layer >= 0 && layer <= view.table.layers()) return view.date_before(layer);
  throw py::value_error("layers are counted from 0 to " + std::to_string(view.table.layers()) + ", found " +
                        std::to_string(layer));
}

py::array ages_of(const ServerView& view) {
  return by_request<double>(view.queue,
                            [&](RequestId id) { return view.now_s - view.requests[id].arrival_s; });
}

double oldest_age_s(const ServerView& view) {
  return view.queue.empty() ? kUndefined : view.now_s - view.requests[view.queue.front()].arrival_s;
}

py::array in_flight_by_layer(const ServerView& view) {
  py::array_t<std::int64_t> counts(view.table.layers());
  std::fill_n(counts.mutable_data(), counts.size(), 0);
  for (const scheduler::Batch& batch : view.stack)
    counts.mutable_at(batch.next_layer) += static_cast<std::int64_t>(batch.samples.size());
  return counts;
}

using ViewClass = py::class_<View, std::shared_ptr<View>>;

/// `value(view)` as an attribute.
template <typename Value>
void attribute(ViewClass& type, const char* name, Value value, const char* meaning) {
  type.def_property_readonly(
      name, [value](const View& shown) { return value(shown.view()); }, meaning);
}

/// `value(view, request)` as a method.
template <typename Value>
void of_request(ViewClass& type, const char* name, Value value, const char* meaning) {
  type.def(
      name, [value](const View& shown, RequestId id) { return value(shown.view(), known(shown.view(), id)); },
      py::arg("request"), meaning);
}

void bind_batches(py::module_& module) {
  py::class_<BatchObject>(module, "Batch", "Samples that run together, of a view.")
      .def_readonly("size", &BatchObject::size, "number of samples")
      .def_readonly("next_layer", &BatchObject::next_layer, "that it runs next: those before have run")
      .def_readonly("suspended_since_s", &BatchObject::suspended_since_s, "a date; NaN of the active batch")
      .def_property_readonly("requests", &BatchObject::requests, "NumPy array of their numbers");
}

void bind_queue(ViewClass& type) {
  attribute(
      type, "queued", [](const ServerView& v) { return v.queue.size(); }, "number of requests in the queue");
  attribute(
      type, "queue", [](const ServerView& v) { return numbers_of(v.queue); },
      "NumPy array of their numbers, oldest first");
  attribute(type, "ages_s", ages_of, "NumPy array: how long ago each queued request arrived");
  attribute(
      type, "elapsed_s",
      [](const ServerView& v) {
        return by_request<double>(v.queue, [&](RequestId id) { return v.elapsed_s(id); });
      },
      "NumPy array: what of its SLO each queued request has used up");
  attribute(type, "oldest_age_s", oldest_age_s,
            "how long ago the first of the queue arrived; NaN: nobody waits");
}

void bind_requests(ViewClass& type) {
  of_request(
      type, "arrival_s", [](const ServerView& v, RequestId id) { return v.requests[id].arrival_s; },
      "When the request arrived at the server.");
  of_request(
      type, "sent_s", [](const ServerView& v, RequestId id) { return v.requests[id].sent_s; },
      "When its device sent it.");
  of_request(type, "start_s", start_s, "When its first step began; NaN while it is queued.");
  of_request(
      type, "slo_start_s", [](const ServerView& v, RequestId id) { return v.slo_start_s(id); },
      "The date from which its SLO counts.");
  of_request(
      type, "device", [](const ServerView& v, RequestId id) { return v.requests[id].device; },
      "The device that it comes from.");
  of_request(
      type, "exit_of", [](const ServerView& v, RequestId id) { return v.oracle.exit_of(id); },
      "The exit that it will take: only for a policy with oracle = True.");
}

void bind_in_flight(ViewClass& type) {
  attribute(
      type, "in_flight", [](const ServerView& v) { return v.in_flight(); },
      "number of samples in all batches");
  type.def_property_readonly("stack", &stack_of,
                             "batches in flight; the last one is active, the others suspended");
  type.def_property_readonly("active", &active_of, "the active batch; RuntimeError where the NPU is idle");
  attribute(type, "in_flight_by_layer", in_flight_by_layer,
            "NumPy array, layer by layer: samples that run it next");
  attribute(
      type, "someone_left", [](const ServerView& v) { return v.someone_left; },
      "a sample left the active batch, or the one above it, at this date");
  attribute(
      type, "run_begin_s", [](const ServerView& v) { return v.run_begin_s; },
      "since when the active batch has run with the same samples");
  attribute(
      type, "run_first_layer", [](const ServerView& v) { return v.run_first_layer; },
      "and from which layer on");
  type.def(
      "date_before", [](const View& shown, int layer) { return date_before(shown.view(), layer); },
      py::arg("layer"),
      "When the active batch will have run all layers before that one, if it goes on as it is.");
}

}  // namespace

void bind_server_view(py::module_& module) {
  bind_batches(module);
  ViewClass type(
      module, "ServerView",
      "What a policy sees of the server: good only while decide() runs. All dates are in seconds.");
  attribute(
      type, "now_s", [](const ServerView& v) { return v.now_s; }, "the date");
  attribute(
      type, "idle", [](const ServerView& v) { return v.idle(); }, "nothing is in flight");
  attribute(
      type, "slo_s", [](const ServerView& v) { return v.slo.latency_s; },
      "latency bound that the server has to keep; infinite where there is none");
  bind_queue(type);
  bind_in_flight(type);
  bind_requests(type);
  type.def_property_readonly(
      "table", [](View& shown) { return shown.table_object(shown.view().table); },
      "latencies of the network's layers on this NPU");
  refuse_copies(type);
}

}  // namespace fluidbatch::python
