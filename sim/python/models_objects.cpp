// Networks and NPUs: read from names, files and dicts, and what they say of themselves.
#include <utility>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "sim/config/unusual_values.h"
#include "sim/models/npu_tables.h"
#include "sim/output/output_file.h"
#include "sim/python/conversion.h"
#include "sim/python/models.h"
#include "workloads/io/shipped_files.h"
#include "workloads/models/network_file.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;
namespace fs = std::filesystem;

/// A document as given, and where it is from.
struct Source {
  io::Node document;
  fs::path file;
  std::string name;
};

Source source_of(py::handle given, const std::string& kind, const std::string& place) {
  if (py::isinstance<py::dict>(given)) return {node_of(given, place), {}, place};
  const fs::path file = io::find_file(kind, name_node(given, place));
  return {io::load_yaml(file), file, file.stem().string()};
}

/// What `key` names is found from any folder: the document may be saved in another one.
void make_portable(io::Node& document, const char* key, const std::string& kind) {
  io::Node* named = document.find(key);
  if (named == nullptr || named->kind != io::Node::Kind::scalar || named->scalar.empty()) return;
  const io::Mark mark = named->mark;
  *named = io::Node::text(io::portable_name(kind, *named));
  named->mark = mark;
}

NetworkPointer read_network(py::handle given, const std::string& place) {
  Source source = source_of(given, "networks", place);
  auto model = std::make_shared<NetworkModel>();
  model->network = workloads::read_network(source.document, source.name);
  make_portable(source.document, "base", "networks");
  model->document = std::move(source.document);
  model->file = std::move(source.file);
  return model;
}

/// Sets keys of an NPU's document; None takes one away.
void change(io::Node& document, const py::dict& changes) {
  for (const auto& [key, value] : changes) {
    const auto name = py::str(key).cast<std::string>();
    std::erase_if(document.entries, [&](const io::Node::Entry& entry) { return entry.key == name; });
    if (value.is_none()) continue;
    document.put(name, node_of(value, name));
    document.entries.back().key_mark = {name, 0, 0};
  }
}

NpuPointer read_npu(py::handle given, const py::dict& changes, const std::optional<std::string>& name) {
  Source source;
  if (given.is_none()) {
    source = {io::Node::map(), {}, "npu"};
    source.document.mark.source = "npu";
  } else if (py::isinstance<NpuModel>(given)) {
    const auto& model = given.cast<const NpuModel&>();
    source = {model.document, model.file, model.npu.name};
  } else {
    source = source_of(given, "npus", "npu");
  }
  if (!changes.empty()) {
    if (source.document.kind != io::Node::Kind::map) workloads::read_npu(source.document);  // says why not
    change(source.document, changes);
    source.file.clear();
  }
  return npu_model(std::move(source.document), name.value_or(source.name), std::move(source.file));
}

/// A row for each segment: its exit, and the work of one sample in it, its head included.
io::ColumnTable segment_columns(const workloads::Network& network) {
  struct Segment {
    std::size_t index;
    int layers = 0;
    std::int64_t macs = 0;
    std::int64_t weights = 0;
  };
  std::vector<Segment> segments;
  for (std::size_t s = 0; s < network.exits.size(); ++s) segments.push_back({.index = s});
  for (const npu::Layer& layer : network.layers) {
    Segment& segment = segments[static_cast<std::size_t>(layer.segment)];
    ++segment.layers;
    segment.macs += layer.useful_macs();
    segment.weights += layer.weights();
  }
  io::ColumnTable table;
  table.add("segment", segments, [](const Segment& segment) { return segment.index; });
  table.add("exit", segments, [&](const Segment& segment) { return network.exits[segment.index]; });
  table.add("layers", segments, [](const Segment& segment) { return segment.layers; });
  table.add("macs", segments, [](const Segment& segment) { return segment.macs; });
  table.add("weights", segments, [](const Segment& segment) { return segment.weights; });
  return table;
}

/// The columns of `network show --csv`, and the work of one sample.
io::ColumnTable layers_with_work(const workloads::Network& network) {
  io::ColumnTable table = sim::layer_columns(network);
  table.add("macs", network.layers, [](const npu::Layer& layer) { return layer.useful_macs(); });
  table.add("weights", network.layers, [](const npu::Layer& layer) { return layer.weights(); });
  return table;
}

void bind_network(py::module_& module) {
  py::class_<NetworkModel, std::shared_ptr<NetworkModel>>(module, "Network", "A network that has been read.")
      .def_property_readonly("name", [](const NetworkModel& m) { return m.network.name; })
      .def_property_readonly("description", [](const NetworkModel& m) { return m.network.description; })
      .def_property_readonly("source", [](const NetworkModel& m) { return m.network.source; })
      .def_property_readonly("exits", [](const NetworkModel& m) { return m.network.exits; })
      .def_property_readonly("fused", [](const NetworkModel& m) { return m.network.fused; })
      .def_property_readonly("layer_count", [](const NetworkModel& m) { return m.network.layers.size(); })
      .def_property_readonly("macs", [](const NetworkModel& m) { return m.network.macs(); })
      .def_property_readonly("weights", [](const NetworkModel& m) { return m.network.weights(); })
      .def_property_readonly("input_words", [](const NetworkModel& m) { return m.network.input_words; })
      .def_property_readonly("file", [](const NetworkModel& m) { return m.file.string(); })
      .def_property_readonly("document", [](const NetworkModel& m) { return object_of(m.document); })
      .def("layers", [](const NetworkModel& m) { return columns_dict(layers_with_work(m.network)); })
      .def("segments", [](const NetworkModel& m) { return columns_dict(segment_columns(m.network)); })
      .def("to_yaml", [](const NetworkModel& m) { return io::to_yaml(m.document); });
  module.def(
      "read_network",
      [](py::handle given, const std::string& place) {
        return std::const_pointer_cast<NetworkModel>(read_network(given, place));
      },
      py::arg("given"), py::arg("place"), "The network of a name, a path or a dict.");
}

void bind_npu(py::module_& module) {
  py::class_<NpuModel, std::shared_ptr<NpuModel>>(module, "Npu", "An NPU that has been read.")
      .def_property_readonly("name", [](const NpuModel& m) { return m.npu.name; })
      .def_property_readonly("file", [](const NpuModel& m) { return m.file.string(); })
      .def_property_readonly("document", [](const NpuModel& m) { return object_of(m.document); })
      .def_property_readonly(
          "keys", [](const NpuModel& m) { return object_of(workloads::npu_with_defaults(m.document)); })
      .def_property_readonly("on_chip_bytes", [](const NpuModel& m) { return m.npu.on_chip_bytes; })
      .def_property_readonly("macs_per_cycle", [](const NpuModel& m) { return m.npu.macs_per_cycle(); })
      .def_property_readonly("clock_hz", [](const NpuModel& m) { return m.npu.clock_hz; })
      .def_property_readonly("warnings", [](const NpuModel& m) { return sim::unusual_values(m.npu); })
      .def("to_yaml", [](const NpuModel& m) { return io::to_yaml(m.document); });
  module.def(
      "read_npu",
      [](py::handle given, const py::dict& changes, const std::optional<std::string>& name) {
        return std::const_pointer_cast<NpuModel>(read_npu(given, changes, name));
      },
      py::arg("given"), py::arg("changes"), py::arg("name"),
      "The NPU of a name, a path, a dict, another NPU or None, with keys changed.");
}

}  // namespace

NpuPointer npu_model(io::Node document, const std::string& name, fs::path file) {
  auto model = std::make_shared<NpuModel>();
  model->npu = workloads::read_npu_on_board(document, name);
  make_portable(document, "board", "boards");
  model->document = std::move(document);
  model->file = std::move(file);
  return model;
}

void bind_model_objects(py::module_& module) {
  bind_network(module);
  bind_npu(module);
  module.def("shipped_names", &io::shipped_names, py::arg("kind"), "Of networks, npus or boards.");
  module.def(
      "modes",
      [] {
        std::vector<std::string> names;
        for (const npu::Mode mode : npu::all_modes()) names.emplace_back(npu::name_of(mode));
        return names;
      },
      "Names of the modes.");
  module.def(
      "write_new_file",
      [](const fs::path& path, const std::string& text) {
        sim::write_file(path, text, sim::Existing::refuse);
      },
      py::arg("path"), py::arg("text"), "Writes a file that must not exist yet.");
}

}  // namespace fluidbatch::python
