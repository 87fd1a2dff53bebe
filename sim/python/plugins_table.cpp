#include "sim/python/plugins_table.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <pybind11/numpy.h>

namespace fluidbatch::python {
namespace {

namespace py = pybind11;
using npu::BatchPolicyTable;

void require(bool holds, const std::string& message) {
  if (!holds) throw py::value_error(message);
}

std::string up_to(int last) { return "from 0 to " + std::to_string(last); }

/// A latency table, and what has been made of it for Python.
class Table {
 public:
  explicit Table(std::shared_ptr<const BatchPolicyTable> table) : table_(std::move(table)) {}

  [[nodiscard]] const BatchPolicyTable& table() const { return *table_; }

  [[nodiscard]] int segment_begin(int segment) const {
    require(segment >= 0 && segment <= table_->segments(),
            "segments are counted " + up_to(table_->segments()) + ", found " + std::to_string(segment));
    return table_->segment_begin(segment);
  }
  [[nodiscard]] int segment_of(int layer) const {
    require(layer >= 0 && layer < table_->layers(),
            "layers are counted " + up_to(table_->layers() - 1) + ", found " + std::to_string(layer));
    return table_->segment_of(layer);
  }
  [[nodiscard]] double latency_s(int first, int last, int batch) const {
    require_layers(first, last);
    require(batch >= 1 && batch <= table_->max_batch(), "the table has batches from 1 to " +
                                                            std::to_string(table_->max_batch()) + ", found " +
                                                            std::to_string(batch));
    return table_->latency_s(first, last, batch);
  }
  [[nodiscard]] double macs(int first, int last) const {
    require_layers(first, last);
    return table_->macs(first, last);
  }
  py::object latencies_s() {
    if (latencies_ == nullptr) latencies_ = keep(make_latencies());
    return py::reinterpret_borrow<py::object>(latencies_.get());
  }

 private:
  void require_layers(int first, int last) const {
    require(first >= 0 && first <= table_->layers() && last >= 0 && last <= table_->layers(),
            "layers are counted " + up_to(table_->layers()) + ", found " + std::to_string(first) + " and " +
                std::to_string(last));
  }

  [[nodiscard]] py::array make_latencies() const {
    py::array_t<double> all({table_->layers(), table_->max_batch()});
    auto cells = all.mutable_unchecked<2>();
    for (int layer = 0; layer < table_->layers(); ++layer) {
      for (int batch = 1; batch <= table_->max_batch(); ++batch)
        cells(layer, batch - 1) = table_->latency_s(layer, layer + 1, batch);
    }
    all.attr("setflags")(py::arg("write") = false);
    return all;
  }

  std::shared_ptr<const BatchPolicyTable> table_;
  Kept latencies_;
};

}  // namespace

py::object TableObject::of(const BatchPolicyTable& table) {
  if (table_ != &table) {
    std::shared_ptr<const BatchPolicyTable> share = table.weak_from_this().lock();
    // Another table may come to be where one that nobody shares has been.
    table_ = share == nullptr ? nullptr : &table;
    if (share == nullptr) share = std::make_shared<const BatchPolicyTable>(table);
    object_ = keep(py::cast(std::make_shared<Table>(std::move(share))));
  }
  return py::reinterpret_borrow<py::object>(object_.get());
}

void bind_tables(py::module_& module) {
  py::class_<Table, std::shared_ptr<Table>>(
      module, "Table", "The latencies of a network's layers on an NPU, for batches of 1 to max_batch.")
      .def_property_readonly(
          "layers", [](const Table& t) { return t.table().layers(); }, "number of layers")
      .def_property_readonly(
          "segments", [](const Table& t) { return t.table().segments(); }, "number of segments")
      .def_property_readonly(
          "max_batch", [](const Table& t) { return t.table().max_batch(); }, "the largest batch that it has")
      .def("segment_begin", &Table::segment_begin, py::arg("segment"),
           "First layer of a segment; of segment `segments` it is `layers`.")
      .def("segment_of", &Table::segment_of, py::arg("layer"), "The segment that a layer belongs to.")
      .def("latency_s", &Table::latency_s, py::arg("first"), py::arg("last"), py::arg("batch"),
           "Seconds that layers first .. last - 1 take for a batch of `batch`.")
      .def_property_readonly("latencies_s", &Table::latencies_s,
                             "seconds, NumPy array of layers x max_batch: a batch of b is column b - 1")
      .def_property_readonly(
          "single_sample_latency_s", [](const Table& t) { return t.table().single_sample_latency_s(); },
          "all layers, heads included, for a batch of 1")
      .def("macs", &Table::macs, py::arg("first"), py::arg("last"),
           "Multiply-accumulates of one sample in layers first .. last - 1.")
      .def(
          "__deepcopy__", [](py::object self, const py::object&) { return self; }, py::arg("memo"));
}

}  // namespace fluidbatch::python
