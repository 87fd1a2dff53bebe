#include "workloads/models/onnx/added_exit.h"

#include <utility>

namespace fluidbatch::workloads {
namespace {

using io::Node;

Node head_layer(const std::string& name, const std::string& kind) {
  Node yaml = Node::map();
  yaml.flow = true;
  yaml.put("name", Node::text(name));
  yaml.put("kind", Node::text(kind));
  return yaml;
}

}  // namespace

Node exit_with_head(const std::string& name, const std::string& after, std::int64_t classes) {
  Node head = Node::sequence();
  for (const char* convolution : {"_a", "_b"}) {
    Node yaml = head_layer(name + convolution, "conv");
    yaml.put("out_channels", Node::integer(128));
    yaml.put("kernel", Node::integer(3));
    yaml.put("stride", Node::integer(2));
    yaml.put("padding", Node::integer(1));
    head.items.push_back(std::move(yaml));
  }
  head.items.push_back(head_layer(name + "_pool", "global_pool"));
  head.items.push_back(head_layer(name + "_fc", "dense"));
  head.items.back().put("out_channels", Node::integer(classes));
  Node exit = Node::map();
  exit.put("name", Node::text(name));
  exit.put("after", Node::text(after));
  exit.put("head", std::move(head));
  return exit;
}

}  // namespace fluidbatch::workloads
