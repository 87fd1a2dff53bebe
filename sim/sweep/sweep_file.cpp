#include "sim/sweep/sweep_file.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "sim/config/file_kind.h"
#include "sim/config/overrides.h"
#include "sim/config/plugins.h"
#include "sim/sweep/axis_range.h"
#include "sim/sweep/tail_measure.h"
#include "workloads/io/map_reader.h"
#include "workloads/io/shipped_files.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

using io::InputError;
using io::Node;

constexpr std::size_t kMostSettings = 10'000'000;

const std::vector<Node::Entry>& entries_of(const Node& node, const std::string& what) {
  return io::read_entries(node, what, "a map of keys of the configuration");
}

/// The values of an axis: a list, or `{from, to, step}`.
std::vector<Node> read_values(const Node& node, const std::string& key) {
  if (node.kind == Node::Kind::sequence) {
    return io::read_filled_list(node, "axis " + key, "value");
  }
  if (node.kind != Node::Kind::map) {
    throw InputError(
        node.mark, "axis " + key + " must be a list of values, or {from, to, step}; found " + describe(node));
  }
  return range_values(node, "axis " + key);
}

AxisBlock read_zip(const Node& node) {
  AxisBlock block;
  for (const Node::Entry& entry : entries_of(node, "zip")) {
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

AxisBlock read_list(const Node& node) {
  AxisBlock block;
  for (const Node& item : io::read_filled_list(node, "list", "entry")) {
    const std::vector<Node::Entry>& entries = entries_of(item, "an entry of list");
    if (block.rows.empty()) {
      for (const Node::Entry& entry : entries) block.keys.push_back(entry.key);
    }
    Setting row;
    for (const std::string& key : block.keys) {
      const Node* value = item.find(key);
      if (value == nullptr) throw InputError(item.mark, "this entry of list lacks '" + key + "'");
      row.push_back(*value);
    }
    if (entries.size() != block.keys.size()) {
      throw InputError(item.mark,
                       "all entries of list must have the keys of the first: " + io::quoted_list(block.keys));
    }
    block.rows.push_back(std::move(row));
  }
  return block;
}

std::vector<AxisBlock> read_axes(const Node& axes) {
  io::MapReader reader(axes, "axes", {"grid", "zip", "list"});
  std::vector<AxisBlock> blocks;
  if (const Node* grid = reader.child("grid")) {
    for (const Node::Entry& entry : entries_of(*grid, "grid")) {
      AxisBlock block{.keys = {entry.key}, .rows = {}};
      for (const Node& value : read_values(entry.value, entry.key)) block.rows.push_back({value});
      blocks.push_back(std::move(block));
    }
  }
  if (const Node* zip = reader.child("zip")) blocks.push_back(read_zip(*zip));
  if (const Node* list = reader.child("list")) blocks.push_back(read_list(*list));
  return blocks;
}

/// The text that equal values share: `1`, `1.0` and `'1'` are one number in the results, too.
std::string canonical_text(const Node& value) {
  if (value.kind != Node::Kind::scalar) return value_text(value);
  if (const auto integer = io::parse_integer(value.scalar)) return std::to_string(*integer);
  const auto number = io::parse_number(value.scalar);
  if (!number) return value.scalar;
  // Whole numbers as above, so that 1.0 is 1; beyond these, a double is not sure of its units.
  constexpr double kMostExact = 9007199254740992;
  const bool whole = *number == std::floor(*number) && std::abs(*number) < kMostExact;
  return whole ? std::to_string(static_cast<std::int64_t>(*number)) : io::shortest(*number);
}

std::string canonical_text(const Setting& row) {
  std::string text;
  for (const Node& value : row) {
    if (&value != &row.front()) text += " | ";
    text += canonical_text(value);
  }
  return text;
}

void require_distinct(const AxisBlock& block) {
  std::map<std::string, const Setting*> seen;
  for (const Setting& row : block.rows) {
    const auto [first, is_new] = seen.emplace(canonical_text(row), &row);
    if (is_new || row.empty()) continue;
    const auto text = [&](const Setting& values) {
      std::string joined;
      for (std::size_t k = 0; k < values.size(); ++k) {
        joined += (k > 0 ? ", " : "") + block.keys[k] + " = " + value_text(values[k]);
      }
      return joined;
    };
    const bool same = text(row) == text(*first->second);
    throw InputError(row.front().mark, "this value appears twice: " + text(row) +
                                           (same ? "" : ", which equals " + text(*first->second)));
  }
}

void check_axes(const std::vector<AxisBlock>& axes, const io::Mark& mark) {
  std::vector<std::string> keys;
  std::size_t settings = 1;
  for (const AxisBlock& block : axes) {
    for (const std::string& key : block.keys) {
      if (std::find(keys.begin(), keys.end(), key) != keys.end()) {
        throw InputError(mark, "two axes are over '" + key + "'");
      }
      keys.push_back(key);
    }
    require_distinct(block);
    if (block.rows.size() > kMostSettings / settings) {
      throw InputError(mark, "the axes make more than " + std::to_string(kMostSettings) + " settings");
    }
    settings *= block.rows.size();
  }
}

Node read_base(const Node& base) {
  if (base.kind == Node::Kind::map) {
    io::read_entries(base, "base", "a configuration");
    return base;
  }
  io::read_text(base, "base");
  const std::filesystem::path file = io::resolve_path(base);
  return load_document(file, FileKind::run);
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

std::vector<std::string> Sweep::keys() const {
  std::vector<std::string> all;
  for (const AxisBlock& block : axes) all.insert(all.end(), block.keys.begin(), block.keys.end());
  return all;
}

std::size_t Sweep::settings() const {
  std::size_t count = 1;
  for (const AxisBlock& block : axes) count *= block.rows.size();
  return count;
}

std::size_t Sweep::row(std::size_t setting, std::size_t block) const {
  for (std::size_t b = axes.size(); b-- > block + 1;) setting /= axes[b].rows.size();
  return setting % axes[block].rows.size();
}

Setting Sweep::setting(std::size_t number) const {
  Setting values;
  for (std::size_t b = 0; b < axes.size(); ++b) {
    const Setting& chosen = axes[b].rows[row(number, b)];
    values.insert(values.end(), chosen.begin(), chosen.end());
  }
  return values;
}

io::Node Sweep::configuration(std::size_t setting) const {
  Node document = base;
  for (std::size_t b = 0; b < axes.size(); ++b) {
    const Setting& values = axes[b].rows[row(setting, b)];
    for (std::size_t k = 0; k < values.size(); ++k) {
      set_value(document, axes[b].keys[k], values[k], values[k].mark);
    }
  }
  return document;
}

io::Node Sweep::identity() const {
  Node identity = Node::map();
  identity.put("base", base);
  identity.put("keys", texts(keys()));
  Node blocks = Node::map();
  for (const AxisBlock& block : axes) {
    std::string keys_text;
    for (const std::string& key : block.keys) keys_text += (keys_text.empty() ? "" : ", ") + key;
    std::string rows;  // one text, since there may be a million
    for (const Setting& row : block.rows) rows += (rows.empty() ? "" : "; ") + canonical_text(row);
    blocks.put(keys_text, Node::text(rows));
  }
  identity.put("axes", std::move(blocks));
  identity.put("replications", to_node(replications));
  if (tail) identity.put("measure", to_node(*tail));
  return identity;
}

Sweep load_sweep(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                 const std::vector<std::string>& plugins) {
  const Node document = load_document(file, FileKind::sweep);
  return read_sweep(document, [&](Node& base) {
    for (const std::string& assignment : overrides) apply_override(base, assignment);
    add_plugins(base, plugins);
  });
}

Sweep read_sweep(const Node& document, const std::function<void(Node& base)>& edit) {
  const io::MapReader reader(document, "a sweep",
                             {"base", "axes", "replications", "until", "measure", "description"});
  if (reader.has("description")) io::read_text(reader.required("description"), "description");
  Sweep sweep;
  sweep.base = read_base(reader.required("base"));
  edit(sweep.base);
  const Node none = Node::map();
  const Node* axes = reader.child("axes");
  sweep.axes = read_axes(axes == nullptr ? none : *axes);
  check_axes(sweep.axes, axes == nullptr ? document.mark : axes->mark);
  sweep.replications = read_replications(document);
  sweep.tail = read_measure(document);
  return sweep;
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
