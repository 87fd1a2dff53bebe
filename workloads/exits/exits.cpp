#include "workloads/exits/exits.h"

#include <utility>

#include "workloads/kind_registry.h"

namespace fluidbatch::workloads {

ExitRegistration::ExitRegistration(ExitKind kind) { KindRegistry<ExitKind>::instance().add(std::move(kind)); }

void define_exits(ExitKind kind) { KindRegistry<ExitKind>::instance().define(std::move(kind)); }

std::unique_ptr<ExitSpec> read_exits(const io::Node& node, const ExitContext& context, io::Node& resolved) {
  return KindRegistry<ExitKind>::instance().read(node, "exits", context, resolved);
}

std::optional<std::string> objection_to_count(const std::string& key, std::size_t values, int exits) {
  if (static_cast<int>(values) == exits - 1) return std::nullopt;
  return key + " needs one number for each early exit; the network has " + std::to_string(exits - 1) +
         ", found " + std::to_string(values);
}

std::vector<double> read_per_early_exit(io::MapReader& reader, const std::string& key,
                                        const std::string& what, const ExitContext& context) {
  const io::Node& node = reader.required(key);
  const std::vector<io::Node>& items = io::read_list(node, key);
  if (const auto objection = objection_to_count(key, items.size(), context.exits)) {
    throw io::InputError(node.mark, *objection);
  }
  std::vector<double> values;
  io::Node resolved = io::Node::sequence();
  for (const io::Node& item : items) {
    values.push_back(io::read_number(item, what, io::Range::probability()));
    resolved.items.push_back(io::Node::number(values.back()));
  }
  reader.resolve(key, std::move(resolved));
  return values;
}

std::vector<double> read_exit_rates(io::MapReader& reader, const ExitContext& context) {
  return read_per_early_exit(reader, "rates", "an exit rate", context);
}

std::vector<double> left_by(const std::vector<double>& rates) {
  std::vector<double> left;
  double stays = 1;
  for (const double rate : rates) {
    stays *= 1 - rate;
    left.push_back(1 - stays);
  }
  return left;
}

std::vector<double> rates_of(const std::vector<int>& taken, int exits) {
  std::vector<double> count(static_cast<std::size_t>(exits));
  for (const int exit : taken) ++count[static_cast<std::size_t>(exit)];
  auto reach = static_cast<double>(taken.size());
  std::vector<double> rates;
  for (std::size_t exit = 0; exit + 1 < count.size(); ++exit) {
    rates.push_back(reach > 0 ? count[exit] / reach : 0);
    reach -= count[exit];
  }
  return rates;
}

}  // namespace fluidbatch::workloads
