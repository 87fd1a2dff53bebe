#include "workloads/models/onnx/onnx_import.h"

#include <algorithm>
#include <map>

#include "workloads/models/onnx/added_exit.h"
#include "workloads/models/onnx/onnx_graph.h"
#include "workloads/models/onnx/onnx_layers.h"
#include "workloads/models/onnx/onnx_operators.h"
#include "workloads/models/onnx/onnx_window.h"

namespace fluidbatch::workloads {
namespace {

using io::Node;

bool is_constant(const OnnxGraph& graph, const OnnxNode& node) {
  const std::vector<std::string> outputs = node.outputs();
  return std::all_of(outputs.begin(), outputs.end(),
                     [&](const std::string& name) { return name.empty() || graph.tensor(name).constant; });
}

bool computes(const Node& layer) {
  const std::string& kind = layer.find("kind")->scalar;
  return kind == "conv" || kind == "conv_transpose" || kind == "dense" || kind == "matmul";
}

/// Index of the layer that an exit is wanted after. `last` is that of the last one that computes something.
std::size_t exit_place(const OnnxLayers& layers, const std::string& wanted, std::size_t last) {
  const auto fail = [&](const std::string& message) { throw io::InputError("--exits: " + message); };
  const std::string layer = layers.layer_named(wanted);
  if (layer.empty()) {
    fail("the network has no layer '" + wanted + "'" + io::did_you_mean(wanted, layers.names()));
  }
  const std::string place =
      layer == wanted ? "'" + layer + "'" : "'" + wanted + "' (in layer '" + layer + "')";
  const std::vector<Node>& all = layers.yaml().items;
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Node& yaml) { return yaml.find("name")->scalar == layer; });
  if (found == all.end()) fail("no layer computes " + place + "; it is the input");
  const auto index = static_cast<std::size_t>(found - all.begin());
  if (index >= last) fail("nothing is computed after " + place + ", so an exit there would be the final one");
  return index;
}

Node exits_after(const OnnxLayers& layers, const std::vector<std::string>& wanted) {
  const std::vector<Node>& all = layers.yaml().items;
  const auto last =
      static_cast<std::size_t>(std::find_if(all.rbegin(), all.rend(), computes).base() - all.begin());
  std::map<std::size_t, std::string> places;  // in order of execution
  for (const std::string& name : wanted) {
    const auto [place, is_new] = places.emplace(exit_place(layers, name, last - 1), name);
    if (!is_new) {
      throw io::InputError(
          "--exits: '" + name + "' " +
          (place->second == name ? "appears twice" : "and '" + place->second + "' are one layer"));
    }
  }
  Node exits = Node::sequence();
  for (const auto& [place, name] : places) {
    exits.items.push_back(exit_with_head("exit" + std::to_string(exits.items.size() + 1),
                                         all[place].find("name")->scalar, layers.last_shape().words()));
  }
  return exits;
}

}  // namespace

Node import_onnx(const std::filesystem::path& model, const OnnxImportOptions& options) {
  const OnnxGraph graph(model, options.height_width);
  OnnxLayers layers(graph);
  for (const OnnxNode& node : graph.nodes()) {
    if (!is_constant(graph, node)) import_node(layers, node);
  }
  if (std::none_of(layers.yaml().items.begin(), layers.yaml().items.end(), computes)) {
    throw io::InputError(graph.file() + ": the model has no convolution and no matrix product to run");
  }
  Node yaml = Node::map();
  yaml.put("name", Node::text(options.name));
  if (graph.batch() > 1) {
    yaml.put("description",
             Node::text("one sample of the model's batch of " + std::to_string(graph.batch())));
  }
  yaml.put("source", Node::text("imported from " + model.filename().string()));
  const Shape& input = layers.input_shape();
  yaml.put("input", list_of({input.channels, input.height, input.width}));
  yaml.put("layers", layers.yaml());
  if (!options.exits_after.empty()) yaml.put("exits", exits_after(layers, options.exits_after));
  return yaml;
}

}  // namespace fluidbatch::workloads
