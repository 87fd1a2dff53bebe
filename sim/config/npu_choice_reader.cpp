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

/// The path under `key`; the absolute one is resolved.
std::filesystem::path read_path(io::MapReader& reader, const std::string& key) {
  const io::Node& path = reader.required(key);
  io::read_text(path, key);
  std::filesystem::path file = io::resolve_path(path);
  reader.resolve(key, io::Node::text(file.string()));
  return file;
}

NpuChoice read_measured(const io::Node& node, const std::vector<std::string>& services) {
  io::MapReader reader(node, "a measured npu", {"table", "tables"});
  NpuChoice choice;
  if (reader.one_of({"table", "tables"}) == "tables") {
    if (services.empty()) {
      throw io::InputError(reader.mark_of("tables"),
                           "tables are by service, and there is no list of 'services'");
    }
    io::MapReader tables(reader.required("tables"), "tables", services);
    for (const std::string& service : services) {
      choice.service_tables.push_back(read_path(tables, service));
      choice.name += (choice.name.empty() ? "" : ", ") + choice.service_tables.back().filename().string();
    }
    reader.resolve("tables", tables.resolved());
  } else {
    choice.table_file = read_path(reader, "table");
    choice.name = choice.table_file.filename().string();
  }
  choice.resolved = reader.resolved();
  return choice;
}

}  // namespace

NpuChoice read_npu_choice(io::MapReader& reader, const NpuChoice& otherwise, ModelCache& cache,
                          const std::vector<std::string>& services) {
  NpuChoice choice = otherwise;
  if (reader.has("npu")) {
    const io::Node& node = reader.required("npu");
    choice = node.kind == io::Node::Kind::map ? read_measured(node, services) : read_modelled(node, cache);
    choice.mode = otherwise.mode;
  }
  reader.resolve("npu", choice.resolved);
  if (choice.is_measured()) {
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
