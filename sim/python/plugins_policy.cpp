// Policies that are written in Python.
#include <array>
#include <string>
#include <utility>

#include <pybind11/stl.h>

#include "scheduler/registry.h"
#include "sim/python/plugins.h"
#include "sim/python/plugins_call.h"
#include "sim/python/plugins_decision.h"
#include "sim/python/plugins_view.h"
#include "workloads/io/names.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;
using scheduler::Boundary;
using scheduler::ServerView;

constexpr std::array kBoundaries{io::Name{Boundary::batch, "batch"}, io::Name{Boundary::segment, "segment"},
                                 io::Name{Boundary::layer, "layer"}};

/// An object of a Python class with `decide` and `clone`.
class PythonPolicy final : public scheduler::Policy {
 public:
  /// With the GIL.
  explicit PythonPolicy(py::object instance) : instance_(keep(std::move(instance))) {
    decide_ = keep(py::getattr(instance_.get(), "decide"));
  }
  PythonPolicy(const PythonPolicy&) = delete;
  PythonPolicy& operator=(const PythonPolicy&) = delete;
  ~PythonPolicy() override = default;

  scheduler::Decision decide(const ServerView& view) override {
    const py::gil_scoped_acquire held;
    const Showing showing(*view_.shown, view);
    const auto answer =
        py::reinterpret_steal<py::object>(PyObject_CallOneArg(decide_.get(), view_.object.get()));
    if (!answer) throw_raised();
    return decision_of(answer);
  }

  std::unique_ptr<scheduler::Policy> clone() const override {
    const py::gil_scoped_acquire held;
    return std::make_unique<PythonPolicy>(clone_of(instance_.get()));
  }

 private:
  Kept instance_;
  Kept decide_;  // bound to it
  ViewObject<ServerView> view_;
};

/// What `traits` returns: the greatest batch, the name of a boundary, whether it is an oracle.
scheduler::PolicyTraits traits_of(const py::object& returned) {
  const auto [max_batch, boundary, oracle] = returned.cast<std::tuple<int, std::string, bool>>();
  return {.max_batch = max_batch, .boundary = *io::value_of(kBoundaries, boundary), .oracle = oracle};
}

void register_policy(const std::string& name, const std::string& summary, const py::list& declared,
                     py::object traits, py::object make) {
  const auto parameters = parameters_of(declared);
  register_by<scheduler::PolicyInfo>(
      scheduler::replace_policy,
      {.name = name,
       .summary = summary,
       .parameters = parameters,
       .traits =
           [parameters, traits = keep(std::move(traits))](const scheduler::ParameterValues& values) {
             const py::gil_scoped_acquire held;
             return traits_of(call(traits.get(), values_of(parameters, values)));
           },
       .make = [parameters, make = keep(std::move(make))](
                   const scheduler::ParameterValues& values,
                   const scheduler::PolicyContext& context) -> std::unique_ptr<scheduler::Policy> {
         const py::gil_scoped_acquire held;
         const py::object table = TableObject().of(*context.latencies);
         return std::make_unique<PythonPolicy>(
             call(make.get(), values_of(parameters, values), context.exit_rates, context.rate_hz, table));
       }});
}

}  // namespace

void bind_python_policies(py::module_& module) {
  module.def("register_policy", &register_policy, py::arg("name"), py::arg("summary"), py::arg("parameters"),
             py::arg("traits"), py::arg("make"));
}

}  // namespace fluidbatch::python
