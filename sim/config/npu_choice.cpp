#include "sim/config/npu_choice.h"

#include <limits>
#include <map>

#include "workloads/io/csv.h"
#include "workloads/io/shipped_files.h"
#include "workloads/models/npu_file.h"

namespace fluidbatch::sim {

NpuChoice NpuChoice::of_service(std::size_t service) const {
  NpuChoice its = *this;
  if (service_tables.empty()) return its;
  its.table_file = service_tables[service];
  its.name = its.table_file.filename().string();
  its.service_tables.clear();
  return its;
}

std::shared_ptr<const npu::BatchPolicyTable> NpuChoice::table(const std::vector<npu::Layer>& layers,
                                                              int max_batch) const {
  if (table_file.empty())
    return std::make_shared<npu::BatchPolicyTable>(workloads::table_of(layers, npu, mode, max_batch));
  return std::make_shared<npu::BatchPolicyTable>(layers, load_latency_table(table_file, layers, max_batch));
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
