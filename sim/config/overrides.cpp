#include "sim/config/overrides.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

using io::InputError;
using io::Mark;
using io::Node;

std::vector<std::string> split_path(const std::string& path, const Mark& mark) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    parts.push_back(path.substr(begin, end - begin));
    if (parts.back().empty()) throw InputError(mark, "an empty part in the path '" + path + "'");
    begin = end + 1;
  }
  return parts;
}

/// Every mark below `node` becomes the option itself: a value in it has no line of its own.
void mark_all(Node& node, const Mark& mark) {
  node.mark = mark;
  node.overridden = true;
  for (Node& item : node.items) mark_all(item, mark);
  for (Node::Entry& entry : node.entries) {
    entry.key_mark = mark;
    mark_all(entry.value, mark);
  }
}

Node& element(Node& list, const std::string& part, const Mark& mark) {
  std::vector<std::string> known;
  for (Node& item : list.items) {
    const Node* label = item.find("label");
    if (label == nullptr) label = item.find("name");
    if (label == nullptr) continue;
    if (label->scalar == part) return item;
    known.push_back(label->scalar);
  }
  const auto index = io::parse_integer(part);
  if (index && *index >= 0 && *index < static_cast<std::int64_t>(list.items.size())) {
    return list.items[static_cast<std::size_t>(*index)];
  }
  throw InputError(mark, "the list has no element '" + part + "'" + io::did_you_mean(part, known) +
                             "; it has " + std::to_string(list.items.size()) +
                             (known.empty() ? "" : ": " + io::quoted_list(known)));
}

/// The value under `part`, made where it is missing.
Node& step_into(Node& node, const std::string& part, const Mark& mark) {
  if (node.kind == Node::Kind::sequence) return element(node, part, mark);
  if (node.kind == Node::Kind::null) {
    node.kind = Node::Kind::map;
    node.mark = mark;
  }
  if (node.kind != Node::Kind::map) {
    throw InputError(mark, "'" + part + "' can't be a key of " + describe(node));
  }
  if (Node* found = node.find(part)) return *found;
  Node& made = node.put(part, Node{});
  node.entries.back().key_mark = mark;
  made.mark = mark;
  return made;
}

/// Of a map in a system, whose keys depend on a name.
bool is_named(std::string_view key) { return key == "policy" || key == "arbiter" || key == "router"; }

bool decides_other_keys(const std::vector<std::string>& path) {
  const std::string& last = path.back();
  return last == "kind" || (last == "name" && path.size() >= 2 && is_named(path[path.size() - 2]));
}

/// All but `deciding`, and `preemptive`, which every arbiter takes.
void drop_keys_of_the_file(Node& map, const std::string& deciding) {
  std::erase_if(map.entries, [&](const Node::Entry& entry) {
    return entry.key != deciding && entry.key != "preemptive" && !entry.value.overridden;
  });
}

}  // namespace

void apply_override(Node& document, const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  const Mark mark{"--set " + assignment.substr(0, equals), 0, 0};
  if (equals == std::string::npos || equals == 0) {
    throw InputError(mark, "must be KEY=VALUE, such as seed=7");
  }
  set_value(document, assignment.substr(0, equals),
            io::parse_yaml(assignment.substr(equals + 1), mark.source), mark);
}

Node& value_at(Node& document, const std::string& key, const Mark& mark) {
  Node* node = &document;
  for (const std::string& part : split_path(key, mark)) node = &step_into(*node, part, mark);
  return *node;
}

void set_value(Node& document, const std::string& key, Node value, const Mark& mark) {
  const std::vector<std::string> path = split_path(key, mark);
  mark_all(value, mark);

  Node* parent = &document;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) parent = &step_into(*parent, path[i], mark);
  Node& target = step_into(*parent, path.back(), mark);
  const bool other_kind = decides_other_keys(path) && target.scalar != value.scalar;
  target = std::move(value);
  if (other_kind) drop_keys_of_the_file(*parent, path.back());
}

}  // namespace fluidbatch::sim
