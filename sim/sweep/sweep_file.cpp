#include "sim/sweep/sweep_file.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "sim/config/overrides.h"
#include "workloads/io/map_reader.h"
#include "workloads/io/shipped_files.h"
#include "workloads/io/text_number.h"
#include "workloads/random.h"

namespace fluidbatch::sim {
namespace {

using io::InputError;
using io::Node;

constexpr std::size_t kMostSettings = 10'000'000;

/// Columns of values, all of one length, of which a row is chosen at a time.
struct Block {
  std::vector<std::string> keys;
  std::vector<Setting> rows;
};

const Node& require_map(const Node& node, const std::string& what) {
  if (node.kind == Node::Kind::map) return node;
  throw InputError(node.mark, what + " must be a map of keys of the configuration, found " + describe(node));
}

/// The values of an axis: a list, or `{from, to, step}`.
std::vector<Node> read_values(const Node& node, const std::string& key) {
  if (node.kind == Node::Kind::sequence) {
    if (node.items.empty()) throw InputError(node.mark, "axis " + key + " has no values");
    return node.items;
  }
  if (node.kind != Node::Kind::map) {
    throw InputError(
        node.mark, "axis " + key + " must be a list of values, or {from, to, step}; found " + describe(node));
  }
  io::MapReader reader(node, "axis " + key, {"from", "to", "step"});
  const double from = reader.number("from", {});
  const double to = reader.number("to", {.min = from});
  const double step = reader.number("step", io::Range::positive());
  // Multiples, and a rounding short of `to` still counts; ten digits hide the roundings of decimal steps.
  const double count = (to - from) / step + 1e-9;
  if (count > 1e6) throw InputError(reader.mark_of("step"), "axis " + key + " has more than 1000000 values");
  std::vector<Node> values;
  for (int i = 0; i <= static_cast<int>(count); ++i) {
    values.push_back(Node::number(io::parse_number(fmt::format("{:.10g}", from + i * step)).value()));
    values.back().mark = node.mark;
  }
  return values;
}

Block read_zip(const Node& node) {
  Block block;
  for (const Node::Entry& entry : require_map(node, "zip").entries) {
    const std::vector<Node> values = read_values(entry.value, entry.key);
    if (block.rows.empty()) block.rows.resize(values.size());
    if (values.size() != block.rows.size()) {
      throw InputError(entry.value.mark, "the axes of zip must be of one length: " + entry.key + " has " +
                                             std::to_string(values.size()) + " values, " +
                                             block.keys.front() + " has " +
                                             std::to_string(block.rows.size()));
    }
    block.keys.push_back(entry.key);
    for (std::size_t i = 0; i < values.size(); ++i) block.rows[i].push_back(values[i]);
  }
  return block;
}

Block read_list(const Node& node) {
  Block block;
  for (const Node& item : io::read_list(node, "list")) {
    require_map(item, "an entry of list");
    if (block.rows.empty()) {
      for (const Node::Entry& entry : item.entries) block.keys.push_back(entry.key);
    }
    Setting row;
    for (const std::string& key : block.keys) {
      const Node* value = item.find(key);
      if (value == nullptr) throw InputError(item.mark, "this entry of list lacks '" + key + "'");
      row.push_back(*value);
    }
    if (item.entries.size() != block.keys.size()) {
      throw InputError(item.mark,
                       "all entries of list must have the keys of the first: " + io::quoted_list(block.keys));
    }
    block.rows.push_back(std::move(row));
  }
  if (block.rows.empty()) throw InputError(node.mark, "list needs at least one entry");
  return block;
}

std::vector<Block> read_axes(const Node& axes) {
  io::MapReader reader(axes, "axes", {"grid", "zip", "list"});
  std::vector<Block> blocks;
  if (const Node* grid = reader.child("grid")) {
    for (const Node::Entry& entry : require_map(*grid, "grid").entries) {
      Block block{.keys = {entry.key}, .rows = {}};
      for (const Node& value : read_values(entry.value, entry.key)) block.rows.push_back({value});
      blocks.push_back(std::move(block));
    }
  }
  if (const Node* zip = reader.child("zip")) blocks.push_back(read_zip(*zip));
  if (const Node* list = reader.child("list")) blocks.push_back(read_list(*list));
  return blocks;
}

void combine(const std::vector<Block>& blocks, const io::Mark& mark, Sweep& sweep) {
  sweep.settings = {{}};
  for (const Block& block : blocks) {
    for (const std::string& key : block.keys) {
      if (std::find(sweep.keys.begin(), sweep.keys.end(), key) != sweep.keys.end()) {
        throw InputError(mark, "two axes are over '" + key + "'");
      }
      sweep.keys.push_back(key);
    }
    if (sweep.settings.size() * block.rows.size() > kMostSettings) {
      throw InputError(mark, "the axes make more than " + std::to_string(kMostSettings) + " settings");
    }
    std::vector<Setting> product;
    product.reserve(sweep.settings.size() * block.rows.size());
    for (const Setting& setting : sweep.settings) {
      for (const Setting& row : block.rows) {
        product.push_back(setting);
        product.back().insert(product.back().end(), row.begin(), row.end());
      }
    }
    sweep.settings = std::move(product);
  }
}

Replications read_until(const Node& node) {
  io::MapReader reader(node, "until", {"ci", "of", "min", "max"});
  Replications replications;
  replications.relative_ci = reader.number("ci", io::Range::positive());
  std::vector<std::string> names;
  for (const Statistic& statistic : all_statistics()) names.emplace_back(statistic.name);
  replications.of = all_statistics()[reader.choice("of", names)].id;
  replications.most = static_cast<int>(reader.integer("max", 2, 100'000));
  replications.least =
      static_cast<int>(reader.integer("min", 2, replications.most, std::min(5, replications.most)));
  return replications;
}

Replications read_replications(const io::MapReader& reader) {
  if (const Node* until = reader.child("until")) {
    if (reader.has("replications")) {
      throw InputError(until->mark, "a sweep takes only one of 'replications', 'until'");
    }
    return read_until(*until);
  }
  Replications replications;
  if (const Node* count = reader.child("replications")) {
    replications.least = replications.most =
        static_cast<int>(io::read_integer(*count, "replications", 1, 100'000));
  }
  return replications;
}

Node read_base(const Node& base) {
  if (base.kind == Node::Kind::map) return base;
  io::read_text(base, "base");
  return io::load_yaml(io::resolve_path(base));
}

void append_text(std::string& text, const Node& value) {
  switch (value.kind) {
    case Node::Kind::null:
      text += "null";
      break;
    case Node::Kind::scalar:
      text += value.scalar;
      break;
    case Node::Kind::sequence:
      text += '[';
      for (const Node& item : value.items) {
        if (&item != &value.items.front()) text += ", ";
        append_text(text, item);
      }
      text += ']';
      break;
    case Node::Kind::map:
      text += '{';
      for (const Node::Entry& entry : value.entries) {
        if (&entry != &value.entries.front()) text += ", ";
        text += entry.key + ": ";
        append_text(text, entry.value);
      }
      text += '}';
      break;
  }
}

Node texts(const std::vector<std::string>& values) {
  Node list = Node::sequence();
  for (const std::string& value : values) list.items.push_back(Node::text(value));
  return list;
}

}  // namespace

io::Node Sweep::configuration(std::size_t setting) const {
  Node document = base;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Node& value = settings[setting][i];
    set_value(document, keys[i], value, value.mark);
  }
  return document;
}

io::Node Sweep::identity() const {
  Node identity = Node::map();
  identity.put("base", base);
  identity.put("keys", texts(keys));
  Node rows = Node::sequence();
  for (const Setting& setting : settings) {
    std::string row;
    for (const Node& value : setting) row += (row.empty() ? "" : " | ") + value_text(value);
    rows.items.push_back(Node::text(row));
  }
  identity.put("settings", std::move(rows));
  Node repeated = Node::map();
  repeated.put("least", Node::integer(replications.least));
  repeated.put("most", Node::integer(replications.most));
  if (replications.of) {
    repeated.put("of", Node::text(all_statistics()[static_cast<std::size_t>(*replications.of)].name));
    repeated.put("ci", Node::number(replications.relative_ci));
  }
  identity.put("replications", std::move(repeated));
  return identity;
}

Sweep load_sweep(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  const Node document = io::load_yaml(file);
  const io::MapReader reader(document, "a sweep", {"base", "axes", "replications", "until", "description"});
  Sweep sweep;
  sweep.base = read_base(reader.required("base"));
  for (const std::string& assignment : overrides) apply_override(sweep.base, assignment);
  const Node none = Node::map();
  const Node* axes = reader.child("axes");
  combine(read_axes(axes == nullptr ? none : *axes), axes == nullptr ? document.mark : axes->mark, sweep);
  sweep.replications = read_replications(reader);
  return sweep;
}

std::uint64_t replication_seed(std::uint64_t seed, int replication) {
  if (replication == 0) return seed;
  // The configuration's seeds have 63 bits.
  return workloads::RandomStream(seed, "replication", static_cast<std::uint64_t>(replication)).bits() >> 1;
}

std::string value_text(const io::Node& value) {
  std::string text;
  append_text(text, value);
  return text;
}

std::optional<std::string> first_difference(const io::Node& a, const io::Node& b) {
  if (a.kind != b.kind || a.scalar != b.scalar) return "";
  const auto below = [](const std::string& step, const std::string& rest) {
    return rest.empty() ? step : step + "." + rest;
  };
  for (std::size_t i = 0; i < std::max(a.items.size(), b.items.size()); ++i) {
    if (i >= a.items.size() || i >= b.items.size()) return std::to_string(i);
    if (const auto rest = first_difference(a.items[i], b.items[i])) return below(std::to_string(i), *rest);
  }
  for (const Node::Entry& entry : a.entries) {
    const Node* other = b.find(entry.key);
    if (other == nullptr) return entry.key;
    if (const auto rest = first_difference(entry.value, *other)) return below(entry.key, *rest);
  }
  for (const Node::Entry& entry : b.entries) {
    if (a.find(entry.key) == nullptr) return entry.key;
  }
  return std::nullopt;
}

}  // namespace fluidbatch::sim
