// Searches for the best engine on a board.
#include <utility>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "sim/config/unusual_values.h"
#include "sim/models/npu_search.h"
#include "sim/python/conversion.h"
#include "sim/python/models.h"
#include "workloads/io/shipped_files.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;

constexpr std::int64_t kMostBatch = 1024;
constexpr std::int64_t kMostTile = 1 << 20;
constexpr std::int64_t kMostDspsPerMac = 64;
constexpr std::int64_t kMostAccumulatorBytes = 16;
constexpr std::int64_t kMostShown = 1'000'000;

/// A search that is done.
struct Search {
  NetworkPointer network;
  sim::SearchRequest request;
  npu::SearchSettings settings;
  npu::SearchResult result;
  io::Node best;  ///< the YAML of the best design
};

/// Keys that a search takes as they are; `arguments` has the names of what else it takes.
io::Node engine_of(const py::dict& keys, const std::vector<std::string>& arguments) {
  std::vector<std::string> known(arguments);
  for (const char* key : sim::search_engine_keys()) known.emplace_back(key);
  io::Node engine = io::Node::map();
  for (const auto& [key, value] : keys) {
    const auto name = key.cast<std::string>();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw io::InputError("search: " + io::unknown_word("argument", name, known));
    }
    engine.put(name, node_of(value, name));
  }
  return engine;
}

sim::SearchRequest request_of(py::handle board, const py::dict& given, const io::Node& engine) {
  const auto tiles = [&](const char* key) { return whole_numbers(given[key], key, 1, kMostTile); };
  const auto number = [&](const char* key, std::int64_t most) {
    return static_cast<int>(whole_number(given[key], key, 1, most));
  };
  sim::SearchRequest request{.board = workloads::load_board(name_node(board, "board")),
                             .mode = node_of(given["mode"], "mode"),
                             .batches = {},
                             .t_r = tiles("t_r"),
                             .t_p = tiles("t_p"),
                             .t_c = tiles("t_c"),
                             .k_max = number("k_max", kMostTile),
                             .dsps_per_mac = number("dsps_per_mac", kMostDspsPerMac),
                             .accumulator_bytes = number("accumulator_bytes", kMostAccumulatorBytes),
                             .objective = node_of(given["objective"], "objective"),
                             .engine = engine,
                             .option_prefix = {}};
  for (const std::int64_t batch : whole_numbers(given["batches"], "batches", 1, kMostBatch)) {
    request.batches.push_back(static_cast<int>(batch));
  }
  if (request.batches.empty()) {
    throw io::InputError({.source = "batches", .line = 0, .column = 0}, "at least one batch size is needed");
  }
  return request;
}

std::shared_ptr<Search> search(const std::shared_ptr<NetworkModel>& network, py::handle board,
                               const py::dict& given, const py::dict& keys) {
  std::vector<std::string> arguments{"network", "board"};
  for (const auto& [name, value] : given) arguments.push_back(name.cast<std::string>());
  arguments.emplace_back("top");
  const io::Node engine = engine_of(keys, arguments);
  auto search = std::make_shared<Search>();
  search->network = network;
  search->request = request_of(board, given, engine);
  search->settings = sim::search_settings(search->request);
  const npu::Poll poll = poll_for_signals();
  {
    const py::gil_scoped_release released;
    search->result = sim::find_designs(network->network, search->settings,
                                       {.source = "search", .line = 0, .column = 0}, poll);
  }
  search->best = sim::found_npu(search->result.designs.front().npu, search->request, network->network.name,
                                io::portable_name("boards", name_node(board, "board")));
  return search;
}

py::dict columns_of(const Search& search, py::handle top) {
  const auto shown = static_cast<int>(whole_number(top, "top", 1, kMostShown));
  const npu::Poll poll = poll_for_signals();
  io::ColumnTable table;
  {
    const py::gil_scoped_release released;
    table = sim::design_columns(search.result, search.settings, search.network->network, shown, poll);
  }
  return columns_dict(table);
}

std::shared_ptr<NpuModel> best_of(const Search& search) {
  const std::string name = search.network->network.name + "_on_" + search.settings.board.name;
  return std::const_pointer_cast<NpuModel>(npu_model(search.best, name));
}

}  // namespace

void bind_searches(py::module_& module) {
  py::class_<Search, std::shared_ptr<Search>>(module, "Search", "A search of engines that is done.")
      .def_property_readonly("network", [](const Search& s) { return s.network->network.name; })
      .def_property_readonly("board", [](const Search& s) { return s.settings.board.name; })
      .def_property_readonly("mode", [](const Search& s) { return s.request.mode.scalar; })
      .def_property_readonly("designs", [](const Search& s) { return s.result.designs.size(); })
      .def_property_readonly("evaluations", [](const Search& s) { return s.result.evaluations; })
      .def_property_readonly("warnings", [](const Search& s) { return sim::unusual_values(s.settings.base); })
      .def("columns", &columns_of, py::arg("top"), "The columns of `npu search --csv`.")
      .def("best", &best_of, "The best engine as an NPU.")
      .def("best_yaml", [](const Search& s) { return io::to_yaml(s.best); });
  module.def(
      "check_top", [](py::handle top) { whole_number(top, "top", 1, kMostShown); }, py::arg("top"),
      "Raises where it is out of range.");
  module.def("search", &search, py::arg("network"), py::arg("board"), py::arg("given"), py::arg("keys"),
             "Searches the engines that fit a board.");
}

}  // namespace fluidbatch::python
