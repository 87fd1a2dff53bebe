#include "workloads/io/yaml_node.h"

#include <algorithm>
#include <functional>
#include <set>

#include <yaml-cpp/emitter.h>
#include <yaml-cpp/emittermanip.h>

#include "workloads/io/text_number.h"

namespace fluidbatch::io {
namespace {

bool is_leaf_list(const Node& node) {
  return std::all_of(node.items.begin(), node.items.end(), [](const Node& item) {
    return item.kind == Node::Kind::scalar || item.kind == Node::Kind::null;
  });
}

/// What yaml-cpp writes as it is, and reads back otherwise: a carriage return at a word's end, which is a
/// line's end then, and a mark of where documents begin and end.
bool needs_quotes(std::string_view text) {
  const bool has_control_character =
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  return has_control_character || text.starts_with("---") || text.starts_with("...");
}

void emit_word(YAML::Emitter& out, const std::string& word, bool quoted) {
  if (quoted || needs_quotes(word)) out << YAML::DoubleQuoted;
  out << word;
}

void emit(YAML::Emitter& out, const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      out << YAML::Null;
      break;
    case Node::Kind::scalar:
      emit_word(out, node.scalar, node.quoted);
      break;
    case Node::Kind::sequence:
      if (is_leaf_list(node)) out << YAML::Flow;
      out << YAML::BeginSeq;
      for (const Node& item : node.items) emit(out, item);
      out << YAML::EndSeq;
      break;
    case Node::Kind::map:
      if (node.entries.empty() || node.flow) out << YAML::Flow;
      out << YAML::BeginMap;
      for (const Node::Entry& entry : node.entries) {
        out << YAML::Key;
        emit_word(out, entry.key, false);
        out << YAML::Value;
        emit(out, entry.value);
      }
      out << YAML::EndMap;
      break;
  }
}

/// Beside the numbers that we read: 1_000, 0x10, 0b1 and 1:30, all of which begin with a digit.
bool is_number_of_yaml_1_1(const std::string& text) {
  if (parse_number(text)) return true;
  const std::string_view digits =
      std::string_view(text).substr(text.starts_with('-') || text.starts_with('+'));
  return !digits.empty() && digits.front() >= '0' && digits.front() <= '9' &&
         digits.find_first_not_of("0123456789abcdefx_:.-+") == std::string_view::npos;
}

Node scalar_node(std::string text) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.scalar = std::move(text);
  return node;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &found->value;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

Node Node::text(std::string value) {
  Node node = scalar_node(std::move(value));
  // What YAML, 1.1 or 1.2, would read as null, a number or a boolean keeps its quotes.
  static const std::set<std::string, std::less<>> kWords{"",   "~",  "null", "true", "false", "yes",
                                                         "no", "on", "off",  "y",    "n"};
  std::string word;
  for (const char c : node.scalar) word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  node.quoted = kWords.contains(word) || is_number_of_yaml_1_1(word);
  return node;
}

Node Node::number(double value) {
  std::string text = shortest(value);
  if (text.ends_with("inf") || text == "nan") text.insert(text.size() - 3, ".");
  return scalar_node(text);
}

Node Node::integer(long long value) { return scalar_node(std::to_string(value)); }

Node Node::boolean(bool value) { return scalar_node(value ? "true" : "false"); }

Node Node::map() {
  Node node;
  node.kind = Kind::map;
  return node;
}

Node Node::sequence() {
  Node node;
  node.kind = Kind::sequence;
  return node;
}

Node& Node::put(std::string key, Node value) {
  entries.push_back({std::move(key), {}, std::move(value)});
  return entries.back().value;
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return in_quotes(node.scalar);
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::map:
      return "a map";
  }
  return "?";
}

std::string to_yaml(const Node& node) {
  YAML::Emitter out;
  emit(out, node);
  return std::string(out.c_str()) + "\n";
}

}  // namespace fluidbatch::io
