#include "sim/config/npu_choice.h"

#include <limits>
#include <map>

#include "sim/config/model_cache.h"
#include "sim/config/npu_file.h"
#include "workloads/io/csv.h"
#include "workloads/io/shipped_files.h"

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

std::shared_ptr<const npu::BatchPolicyTable> NpuChoice::table(const std::vector<npu::Layer>& layers,
                                                              int max_batch) const {
  if (table_file.empty())
    return std::make_shared<npu::BatchPolicyTable>(table_of(layers, npu, mode, max_batch));
  return std::make_shared<npu::BatchPolicyTable>(layers, load_latency_table(table_file, layers, max_batch));
}

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
  if (reader.has("npu_mode")) choice.mode = read_mode(reader.required("npu_mode"));
  reader.resolve("npu_mode", io::Node::text(std::string(npu::name_of(choice.mode))));
  return choice;
}

NpuChoice default_npu_choice(ModelCache& cache) {
  return read_modelled(io::Node::text("zu7ev_large"), cache);
}

Eigen::ArrayXXd load_latency_table(const std::filesystem::path& file, const std::vector<npu::Layer>& layers,
                                   int max_batch) {
  constexpr double kMissing = -1;
  std::map<std::string, Eigen::Index, std::less<>> rows;
  std::vector<std::string> names;
  for (const npu::Layer& layer : layers) {
    rows.emplace(layer.name, static_cast<Eigen::Index>(rows.size()));
    names.push_back(layer.name);
  }
  io::CsvReader csv(file);
  const std::size_t layer_column = csv.required_column("layer");
  const std::size_t batch_column = csv.required_column("batch");
  const std::size_t latency_column = csv.required_column("latency_s");
  Eigen::ArrayXXd latencies_s(layers.size(), max_batch);
  latencies_s.setConstant(kMissing);
  while (csv.next()) {
    const auto row = rows.find(csv.cell(layer_column));
    if (row == rows.end()) {
      const std::string name(csv.cell(layer_column));
      throw io::InputError(csv.mark(layer_column),
                           "the network has no layer '" + name + "'" + io::did_you_mean(name, names));
    }
    const std::int64_t batch = csv.integer(batch_column, 1, std::numeric_limits<int>::max());
    const double latency_s = csv.number(latency_column);
    if (latency_s < 0) throw io::InputError(csv.mark(latency_column), "a latency must not be negative");
    if (batch > max_batch) continue;
    double& cell = latencies_s(row->second, batch - 1);
    if (cell != kMissing) {
      throw io::InputError(csv.mark(layer_column),
                           "layer '" + row->first + "', batch " + std::to_string(batch) + " appears twice");
    }
    cell = latency_s;
  }
  for (Eigen::Index l = 0; l < latencies_s.rows(); ++l) {
    for (Eigen::Index b = 0; b < latencies_s.cols(); ++b) {
      if (latencies_s(l, b) != kMissing) continue;
      throw io::InputError(file.string() + ": no latency for layer '" + names[static_cast<std::size_t>(l)] +
                           "' at batch " + std::to_string(b + 1) + "; batches 1 to " +
                           std::to_string(max_batch) + " are needed");
    }
  }
  return latencies_s;
}

}  // namespace fluidbatch::sim
