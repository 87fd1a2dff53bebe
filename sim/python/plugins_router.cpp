// Routers that are written in Python.
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
using scheduler::FleetView;
using View = Shown<FleetView>;

/// An object of a Python class with `route` and `clone`.
class PythonRouter final : public scheduler::Router {
 public:
  /// With the GIL.
  explicit PythonRouter(py::object instance) : instance_(keep(std::move(instance))) {
    route_ = keep(py::getattr(instance_.get(), "route"));
  }
  PythonRouter(const PythonRouter&) = delete;
  PythonRouter& operator=(const PythonRouter&) = delete;
  ~PythonRouter() override = default;

  std::size_t route(const FleetView& view) override {
    const py::gil_scoped_acquire held;
    const Showing showing(*view_.shown, view);
    const auto answer =
        py::reinterpret_steal<py::object>(PyObject_CallOneArg(route_.get(), view_.object.get()));
    if (!answer) throw_raised();
    if (PyIndex_Check(answer.ptr()) != 0) return count_of(answer, "route");
    throw scheduler::PolicyError("route has to return the number of a server; it returned " + shown(answer));
  }

  std::unique_ptr<scheduler::Router> clone() const override {
    const py::gil_scoped_acquire held;
    return std::make_unique<PythonRouter>(clone_of(instance_.get()));
  }

 private:
  Kept instance_;
  Kept route_;  // bound to it
  ViewObject<FleetView> view_;
};

void register_router(const std::string& name, const std::string& summary, const py::list& declared,
                     py::object make) {
  const auto parameters = parameters_of(declared);
  register_by<scheduler::RouterInfo>(
      scheduler::replace_router,
      {.name = name,
       .summary = summary,
       .parameters = parameters,
       .make = [parameters, make = keep(std::move(make))](
                   const scheduler::ParameterValues& values) -> std::unique_ptr<scheduler::Router> {
         const py::gil_scoped_acquire held;
         return std::make_unique<PythonRouter>(call(make.get(), values_of(parameters, values)));
       }});
}

std::size_t server_of(const FleetView& view, std::size_t server) {
  if (server < view.servers()) return server;
  throw py::value_error("there are " + std::to_string(view.servers()) + " servers, from 0 on; found " +
                        std::to_string(server));
}

std::size_t draw(const FleetView& view, std::size_t below) {
  if (below > 0) return view.draw(below);
  throw py::value_error("draw needs a number above 0");
}

}  // namespace

void bind_python_routers(py::module_& module) {
  py::class_<View, std::shared_ptr<View>> type(
      module, "FleetView",
      "The servers of a site at the arrival of a request: good only while route() runs.");
  type.def_property_readonly(
          "servers", [](const View& v) { return v.view().servers(); }, "number of servers")
      .def_property_readonly(
          "now_s", [](const View& v) { return v.view().now_s(); }, "the date")
      .def_property_readonly(
          "service", [](const View& v) { return v.view().service(); }, "number of the request's service")
      .def_property_readonly(
          "deadline_s", [](const View& v) { return v.view().deadline_s(); },
          "the date by which the request is to be answered; may be infinite")
      .def(
          "in_system",
          [](const View& v, std::size_t i) { return v.view().in_system(server_of(v.view(), i)); },
          py::arg("server"), "Requests at a server, queued or in flight.")
      .def(
          "remaining_work_s",
          [](const View& v, std::size_t i) { return v.view().remaining_work_s(server_of(v.view(), i)); },
          py::arg("server"),
          "Sum of the remaining single-sample latencies of all requests at a server, exits ignored.")
      .def(
          "earliest_finish_s",
          [](const View& v, std::size_t i) { return v.view().earliest_finish_s(server_of(v.view(), i)); },
          py::arg("server"),
          "When that server would have answered the request, exits ignored, its queues being run in batches "
          "of "
          "max_batch,\nservice by service.")
      .def(
          "draw", [](const View& v, std::size_t below) { return draw(v.view(), below); }, py::arg("below"),
          "A number from 0 to `below` - 1, drawn from the site's own stream of random numbers.");
  refuse_copies(type);
  module.def("register_router", &register_router, py::arg("name"), py::arg("summary"), py::arg("parameters"),
             py::arg("make"));
}

}  // namespace fluidbatch::python
