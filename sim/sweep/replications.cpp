#include "sim/sweep/replications.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "sim/measure/confidence.h"
#include "workloads/io/map_reader.h"
#include "workloads/random.h"

namespace fluidbatch::sim {
namespace {

constexpr int kMostReplications = 100'000;

StatisticId read_statistic(io::MapReader& reader, const std::string& key) {
  std::vector<std::string> names;
  for (const Statistic& statistic : all_statistics()) names.emplace_back(statistic.name);
  return all_statistics()[reader.choice(key, names)].id;
}

Replications read_until(const io::Node& node) {
  io::MapReader reader(node, "until", {"ci", "of", "min", "max"});
  Replications replications;
  replications.relative_ci = reader.number("ci", io::Range::positive());
  replications.of = read_statistic(reader, "of");
  replications.most = static_cast<int>(reader.integer("max", 2, kMostReplications));
  replications.least =
      static_cast<int>(reader.integer("min", 2, replications.most, std::min(5, replications.most)));
  return replications;
}

}  // namespace

int needed_replications(const Replications& replications, std::span<const double> values) {
  for (int n = replications.least; n < replications.most; ++n) {
    const auto count = static_cast<std::size_t>(n);
    if (values.size() < count) return n;
    const auto first = values.first(count);
    if (std::find(first.begin(), first.end(), kNotRun) != first.end()) return n;
    const Interval interval = mean_interval(first);
    if (interval.half_width <= replications.relative_ci * std::abs(interval.mean)) return n;
  }
  return replications.most;
}

std::uint64_t replication_seed(std::uint64_t seed, int replication) {
  if (replication == 0) return seed;
  // The configuration's seeds have 63 bits.
  return workloads::RandomStream(seed, "replication", static_cast<std::uint64_t>(replication)).bits() >> 1;
}

Replications read_replications(const io::Node& document) {
  const io::Node* count = document.find("replications");
  if (const io::Node* until = document.find("until")) {
    if (count != nullptr) {
      throw io::InputError(until->mark, "a sweep takes only one of 'replications', 'until'");
    }
    return read_until(*until);
  }
  Replications replications;
  if (count != nullptr) {
    replications.least = replications.most =
        static_cast<int>(io::read_integer(*count, "replications", 1, kMostReplications));
  }
  return replications;
}

io::Node to_node(const Replications& replications) {
  io::Node node = io::Node::map();
  node.put("least", io::Node::integer(replications.least));
  node.put("most", io::Node::integer(replications.most));
  if (replications.of) {
    const Statistic& statistic = all_statistics()[static_cast<std::size_t>(*replications.of)];
    node.put("of", io::Node::text(statistic.name));
    node.put("ci", io::Node::number(replications.relative_ci));
  }
  return node;
}

Replications replications_from(const io::Node& node) {
  io::MapReader reader(node, "replications", {"least", "most", "of", "ci"});
  Replications replications;
  replications.most = static_cast<int>(reader.integer("most", 1, kMostReplications));
  replications.least = static_cast<int>(reader.integer("least", 1, replications.most));
  if (reader.has("of")) {
    replications.of = read_statistic(reader, "of");
    replications.relative_ci = reader.number("ci", io::Range::positive());
  }
  return replications;
}

}  // namespace fluidbatch::sim
