#include "sim/config/npu_choice_reader.h"

#include "workloads/io/shipped_files.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::sim {
namespace {

NpuChoice read_modelled(const io::Node& node, ModelCache& cache) {
  io::read_text(node, "npu");
  NpuChoice choice;
  choice.npu = cache.npu(node);
  choice.name = choice.npu.name;
  choice.resolved = io::Node::text(io::portable_name("npus", node));
  return choice;
}

NpuChoice read_measured(const io::Node& node) {
  io::MapReader reader(node, "a measured npu", {"table"});
  const io::Node& path = reader.required("table");
  io::read_text(path, "table");
  NpuChoice choice;
  choice.table_file = io::resolve_path(path);
  choice.name = choice.table_file.filename().string();
  choice.resolved = io::Node::map();
  choice.resolved.put("table", io::Node::text(choice.table_file.string()));
  return choice;
}

}  // namespace

NpuChoice read_npu_choice(io::MapReader& reader, const NpuChoice& otherwise, ModelCache& cache) {
  NpuChoice choice = otherwise;
  if (reader.has("npu")) {
    const io::Node& node = reader.required("npu");
    choice = node.kind == io::Node::Kind::map ? read_measured(node) : read_modelled(node, cache);
    choice.mode = otherwise.mode;
  }
  reader.resolve("npu", choice.resolved);
  if (!choice.table_file.empty()) {
    if (reader.has("npu_mode")) {
      throw io::InputError(reader.mark_of("npu_mode"), "npu_mode does not go with a measured table");
    }
    return choice;
  }
  if (reader.has("npu_mode")) choice.mode = workloads::read_mode(reader.required("npu_mode"));
  reader.resolve("npu_mode", io::Node::text(std::string(npu::name_of(choice.mode))));
  return choice;
}

NpuChoice default_npu_choice(ModelCache& cache) {
  return read_modelled(io::Node::text("zu7ev_large"), cache);
}

}  // namespace fluidbatch::sim
