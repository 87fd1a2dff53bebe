#include "workloads/models/network_file.h"

#include <optional>
#include <utility>

#include "workloads/io/map_reader.h"
#include "workloads/io/shipped_files.h"
#include "workloads/models/network_builder.h"

namespace fluidbatch::workloads {
namespace {

/// The backbone of a network: its own `input` and `layers`, or those of the network that it builds on.
struct Backbone {
  Shape input;
  std::vector<io::Node> layers;
};

/// Throws, at the place of the user's `base`, where the network that it names is not a plain one.
void require_base(const io::Node& network, const io::Node& base) {
  const io::Node* deeper = network.find("base");
  if (deeper == nullptr && network.find("exits") == nullptr) return;
  const std::string cure = deeper == nullptr ? "a base is a network without exits"
                                             : "build on its own base, " + io::in_quotes(deeper->scalar);
  throw io::InputError(base.mark, "the base " + io::in_quotes(base.scalar) + " has " +
                                      (deeper == nullptr ? "exits" : "a base") + " of its own: " + cure);
}

Backbone read_backbone(const io::Node& document, const io::MapReader& reader) {
  const io::Node* base = reader.child("base");
  if (base == nullptr) {
    return {read_shape(reader.required("input"), "input"),
            io::read_list(reader.required("layers"), "layers")};
  }
  if (reader.has("layers") || reader.has("input")) {
    throw io::InputError(document.mark, "a network has a base, or an input and layers of its own, not both");
  }
  io::read_text(*base, "base");
  const io::Node other = io::load_yaml(io::find_file("networks", *base));
  require_base(other, *base);
  const io::MapReader other_reader(other, "a base network",
                                   {"name", "description", "source", "input", "layers"});
  return read_backbone(other, other_reader);
}

/// Adds the head of the exit that follows the layer just added, if there is one.
void add_exit_after(NetworkBuilder& builder, const std::string& layer, const io::Node& exit) {
  io::MapReader reader(exit, "an exit", {"name", "after", "head"});
  io::read_text(reader.required("after"), "after");
  const io::Node& head = reader.required("head");
  io::read_filled_list(head, "the head of an exit", "layer, its classifier");
  for (const io::Node& head_layer : head.items) builder.add_layer(head_layer);
  builder.end_segment(read_name(reader, "name"), exit.mark);
  builder.continue_from(layer, exit.mark);
}

Network build(const Backbone& backbone, const std::vector<io::Node>& exits, const io::Mark& mark) {
  NetworkBuilder builder(backbone.input);
  std::size_t next_exit = 0;
  for (const io::Node& layer : backbone.layers) {
    builder.add_layer(layer);
    const std::string name = builder.last();
    while (next_exit < exits.size() && exits[next_exit].kind == io::Node::Kind::map) {
      const io::Node* after = exits[next_exit].find("after");
      if (after == nullptr || after->scalar != name) break;
      add_exit_after(builder, name, exits[next_exit++]);
    }
  }
  if (next_exit < exits.size()) {
    const io::MapReader reader(exits[next_exit], "an exit", {"name", "after", "head"});
    const io::Node& after = reader.required("after");
    throw io::InputError(after.mark, "no layer '" + io::read_text(after, "after") +
                                         "' for it to follow; exits are in the order of the layers");
  }
  // Where nothing is left for the final exit to do, the exit before it is to blame.
  builder.end_segment("final", exits.empty() ? mark : exits.back().mark);
  return builder.take();
}

}  // namespace

Network load_network(const io::Node& name_or_path) {
  const std::filesystem::path file = io::find_file("networks", name_or_path);
  return read_network(io::load_yaml(file), file.stem().string());
}

Network read_network(const io::Node& document, const std::string& otherwise) {
  io::MapReader reader(document, "a network",
                       {"name", "description", "source", "base", "input", "layers", "exits"});
  static const std::vector<io::Node> no_exits;
  const io::Node* exits = reader.child("exits");
  Network network = build(read_backbone(document, reader),
                          exits == nullptr ? no_exits : io::read_list(*exits, "exits"), document.mark);
  network.name = read_name(reader, "name", otherwise);
  network.description = reader.text("description", "");
  network.source = reader.text("source", "");
  return network;
}

}  // namespace fluidbatch::workloads
