// A YAML document as a plain tree that remembers where each value stood.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workloads/io/input_error.h"

namespace fluidbatch::io {

/// A value of a YAML file, with its place.
struct Node {
  /// What YAML makes of it.
  enum class Kind { null, scalar, sequence, map };
  struct Entry;

  Kind kind = Kind::null;
  Mark mark;
  bool overridden = false;  ///< set from the command line, not from the file
  bool flow = false;        ///< write a map on one line: {a: 1, b: 2}
  bool quoted = false;      ///< a scalar in quotes is a text, never a number
  std::string scalar;
  std::vector<Node> items;     ///< of a sequence
  std::vector<Entry> entries;  ///< of a map, in the order of the file

  /// The value under `key` of a map, or nullptr.
  [[nodiscard]] const Node* find(std::string_view key) const;
  /// The same, to be changed.
  [[nodiscard]] Node* find(std::string_view key);

  /// A scalar that is a text, quoted where it would be read as something else.
  static Node text(std::string value);
  /// The shortest text that reads back to the same number.
  static Node number(double value);
  /// A whole number.
  static Node integer(long long value);
  /// `true` or `false`.
  static Node boolean(bool value);
  static Node map();
  static Node sequence();
  /// Appends to a map; the key must not be there yet.
  Node& put(std::string key, Node value);
};

/// A key of a map, with its place and its value.
struct Node::Entry {
  std::string key;
  Mark key_mark;
  Node value;
};

/// `a map`, `a list`, `nothing` or `'the text'`: how an error message calls the node.
std::string describe(const Node& node);

/// Reads one YAML document. Throws InputError (syntax, a key twice, several documents, not readable).
Node load_yaml(const std::filesystem::path& file);
Node parse_yaml(const std::string& text, const std::string& source);

/// YAML text that load_yaml reads back to the same tree.
std::string to_yaml(const Node& node);

}  // namespace fluidbatch::io
