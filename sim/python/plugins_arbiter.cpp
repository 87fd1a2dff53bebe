// Arbiters that are written in Python.
#include <memory>
#include <string>
#include <utility>

#include "scheduler/policy_error.h"
#include "scheduler/registry.h"
#include "sim/python/plugins.h"
#include "sim/python/plugins_call.h"
#include "sim/python/plugins_view.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;
using scheduler::ArbiterView;
using scheduler::Contender;
using View = Shown<ArbiterView>;

/// A service of a view.
struct ServiceObject {
  std::shared_ptr<View> shown;
  std::uint64_t question;
  std::size_t place;

  [[nodiscard]] const scheduler::ServiceView& service() const {
    return shown->view_of(question).services[place];
  }
  [[nodiscard]] py::array ages_s() const {
    const ArbiterView& view = shown->view_of(question);
    return by_request<double>(
        service().queue, [&](scheduler::RequestId id) { return view.now_s - view.requests[id].arrival_s; });
  }
  [[nodiscard]] py::array elapsed_s() const {
    const ArbiterView& view = shown->view_of(question);
    return by_request<double>(service().queue, [&](scheduler::RequestId id) {
      return view.now_s - service().slo.start_s(view.requests[id]);
    });
  }
};

py::tuple services_of(const std::shared_ptr<View>& shown) {
  py::tuple services(shown->view().services.size());
  for (std::size_t place = 0; place < services.size(); ++place) {
    services[place] = ServiceObject{.shown = shown, .question = shown->question(), .place = place};
  }
  return services;
}

/// An object of a Python class with `rank`, `clone` and perhaps `consider`.
class PythonArbiter final : public scheduler::Arbiter {
 public:
  /// With the GIL.
  PythonArbiter(py::object instance, bool considers) : instance_(keep(std::move(instance))) {
    rank_ = keep(py::getattr(instance_.get(), "rank"));
    if (considers) consider_ = keep(py::getattr(instance_.get(), "consider"));
  }
  PythonArbiter(const PythonArbiter&) = delete;
  PythonArbiter& operator=(const PythonArbiter&) = delete;
  ~PythonArbiter() override = default;

  void consider(const ArbiterView& view, std::span<const Contender> heads) override {
    if (consider_ == nullptr) return;
    const py::gil_scoped_acquire held;
    const Showing showing(*view_.shown, view);
    py::tuple contenders(heads.size());
    for (std::size_t i = 0; i < heads.size(); ++i) contenders[i] = py::cast(heads[i]);
    call(consider_.get(), py::handle(view_.object.get()), contenders);
  }

  double rank(const ArbiterView& view, const Contender& contender) const override {
    const py::gil_scoped_acquire held;
    const Showing showing(*view_.shown, view);
    const py::object answer = call(rank_.get(), py::handle(view_.object.get()), contender);
    const double rank = PyFloat_AsDouble(answer.ptr());
    if (rank != -1 || PyErr_Occurred() == nullptr) return rank;
    PyErr_Clear();
    throw scheduler::PolicyError("rank has to return a number; it returned " + shown(answer));
  }

  std::unique_ptr<scheduler::Arbiter> clone() const override {
    const py::gil_scoped_acquire held;
    return std::make_unique<PythonArbiter>(clone_of(instance_.get()), consider_ != nullptr);
  }

 private:
  Kept instance_;
  Kept rank_;      // bound to it
  Kept consider_;  // likewise; null where the class has none of its own
  ViewObject<ArbiterView> view_;
};

void register_arbiter(const std::string& name, const std::string& summary, const py::list& declared,
                      bool may_preempt, bool considers, py::object make) {
  const auto parameters = parameters_of(declared);
  register_by<scheduler::ArbiterInfo>(
      scheduler::replace_arbiter,
      {.name = name,
       .summary = summary,
       .parameters = parameters,
       .make = [parameters, considers, make = keep(std::move(make))](
                   const scheduler::ParameterValues& values) -> std::unique_ptr<scheduler::Arbiter> {
         const py::gil_scoped_acquire held;
         return std::make_unique<PythonArbiter>(call(make.get(), values_of(parameters, values)), considers);
       },
       .may_preempt = may_preempt});
}

void bind_contenders(py::module_& module) {
  py::class_<Contender>(module, "Contender",
                        "Who could have the NPU: the head of a service's queue, or a request in flight.")
      .def_readonly("service", &Contender::service, "its number")
      .def_readonly("arrival_s", &Contender::arrival_s, "at the server")
      .def_readonly("deadline_s", &Contender::deadline_s,
                    "the date by which it is to be answered; may be infinite")
      .def_readonly("served_s", &Contender::served_s,
                    "how long it has been on the NPU so far; 0 while it is queued")
      .def_readonly("done_s", &Contender::done_s,
                    "single-sample latency of the layers that it has run; 0 while it is queued");
}

void bind_services(py::module_& module) {
  using Service = ServiceObject;
  py::class_<Service>(module, "ServiceView", "A service as it stands on the server that asks.")
      .def_property_readonly(
          "priority", [](const Service& s) { return s.service().priority; }, "the larger, the more urgent")
      .def_property_readonly(
          "weight", [](const Service& s) { return s.service().weight; }, "of its share of the NPU")
      .def_property_readonly(
          "npu_time_s", [](const Service& s) { return s.service().npu_time_s; },
          "that it has had the NPU so far")
      .def_property_readonly(
          "slo_s", [](const Service& s) { return s.service().slo.latency_s; },
          "latency bound of its requests; infinite where there is none")
      .def_property_readonly(
          "queued", [](const Service& s) { return s.service().queue.size(); },
          "number of its requests in the queue")
      .def_property_readonly(
          "queue", [](const Service& s) { return numbers_of(s.service().queue); },
          "NumPy array of their numbers, oldest first")
      .def_property_readonly("ages_s", &Service::ages_s,
                             "NumPy array: how long ago each queued request arrived")
      .def_property_readonly("elapsed_s", &Service::elapsed_s,
                             "NumPy array: what of its SLO each queued request has used up")
      .def_property_readonly(
          "table", [](const Service& s) { return TableObject().of(*s.service().table); },
          "latencies of its network's layers on this NPU");
}

}  // namespace

void bind_python_arbiters(py::module_& module) {
  bind_contenders(module);
  bind_services(module);
  py::class_<View, std::shared_ptr<View>> type(
      module, "ArbiterView", "The services of a server: good only while consider() or rank() runs.");
  type.def_property_readonly(
          "now_s", [](const View& v) { return v.view().now_s; }, "the date")
      .def_property_readonly("services", &services_of, "in the order of the configuration")
      .def_property_readonly(
          "last_served", [](const View& v) { return v.view().last_served; },
          "the service that last started a batch; their number: none has yet");
  refuse_copies(type);
  module.def("register_arbiter", &register_arbiter, py::arg("name"), py::arg("summary"),
             py::arg("parameters"), py::arg("may_preempt"), py::arg("considers"), py::arg("make"));
}

}  // namespace fluidbatch::python
