// Latencies of networks on NPUs, as tables and arrays.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "sim/models/npu_tables.h"
#include "sim/python/conversion.h"
#include "sim/python/models.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;

constexpr int kMostBatch = 1024;

npu::BatchPolicyTable table_of(const NetworkModel& network, const NpuModel& npu, py::handle mode_name,
                               py::handle max_batch) {
  const npu::Mode mode = workloads::read_mode(node_of(mode_name, "mode"));
  const auto batches = static_cast<int>(whole_number(max_batch, "max_batch", 1, kMostBatch));
  const npu::Poll poll = poll_for_signals();
  const py::gil_scoped_release released;
  return workloads::table_of(network.network.layers, npu.npu, mode, batches, poll);
}

/// Layers x batches, row by row.
py::array_t<double> latencies_of(const npu::BatchPolicyTable& table) {
  const Eigen::ArrayXXd seconds = table.control_block()->latencies_s();
  py::array_t<double> array({seconds.rows(), seconds.cols()});
  auto cells = array.mutable_unchecked<2>();
  for (Eigen::Index l = 0; l < seconds.rows(); ++l) {
    for (Eigen::Index b = 0; b < seconds.cols(); ++b) cells(l, b) = seconds(l, b);
  }
  return array;
}

/// Of all layers together, by batch size.
py::array_t<double> network_latencies_of(const npu::BatchPolicyTable& table) {
  py::array_t<double> array(table.max_batch());
  auto cells = array.mutable_unchecked<1>();
  for (int b = 1; b <= table.max_batch(); ++b) cells(b - 1) = table.latency_s(0, table.layers(), b);
  return array;
}

py::dict explanation(const NetworkModel& network, const NpuModel& npu, py::handle layer_name, py::handle size,
                     py::handle mode_name) {
  const npu::Mode mode = workloads::read_mode(node_of(mode_name, "mode"));
  io::Node name = node_of(layer_name, "layer");
  const npu::Layer& layer = sim::find_layer(network.network, name);
  const auto batch = static_cast<int>(whole_number(size, "batch", 1, kMostBatch));
  return columns_dict(sim::explained_columns(sim::explain(layer, npu.npu, mode, batch), npu.npu));
}

}  // namespace

void bind_model_tables(py::module_& module) {
  const auto define = [&](const char* name, auto result, const char* about) {
    module.def(
        name,
        [result](const NetworkModel& network, const NpuModel& npu, py::handle mode, py::handle max_batch) {
          return result(table_of(network, npu, mode, max_batch));
        },
        py::arg("network"), py::arg("npu"), py::arg("mode"), py::arg("max_batch"), about);
  };
  define(
      "npu_table",
      [](const npu::BatchPolicyTable& table) { return columns_dict(sim::latency_columns(table)); },
      "The columns of `npu table --csv`.");
  define("latencies", &latencies_of, "Seconds, layers x batch sizes.");
  define("network_latencies", &network_latencies_of, "Seconds of all layers together, by batch size.");
  module.def(
      "check_batches", [](py::handle batches) { whole_numbers(batches, "batches", 1, kMostBatch); },
      py::arg("batches"), "Raises where one is out of range.");
  module.def("npu_explain", &explanation, py::arg("network"), py::arg("npu"), py::arg("layer"),
             py::arg("batch"), py::arg("mode"), "The columns of `npu explain --csv`.");
}

}  // namespace fluidbatch::python
