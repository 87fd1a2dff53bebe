// Strict reading of a YAML map: every key known, every value of the right type and in range, and, as a
// by-product, the same map with all defaults filled in.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/io/range.h"
#include "workloads/io/reading_record.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::io {

/// A number in range, from a node. Throws InputError at its place; `what` names it in the message.
double read_number(const Node& node, std::string_view what, const Range& range);
/// The same for a whole number; text such as 1e6 counts where the value is whole.
std::int64_t read_integer(const Node& node, std::string_view what, std::int64_t min, std::int64_t max);
/// A scalar, as text.
std::string read_text(const Node& node, std::string_view what);
/// Index of the text among `choices`.
std::size_t read_choice(const Node& node, std::string_view what, const std::vector<std::string>& choices);
/// The items of a list.
const std::vector<Node>& read_list(const Node& node, std::string_view what);
/// The items of a list that needs at least one `noun`.
const std::vector<Node>& read_filled_list(const Node& node, std::string_view what, std::string_view noun);
/// The items of a list of one of `sizes`; `wanted` says in a message what it must be.
const std::vector<Node>& read_list_of(const Node& node, std::string_view what,
                                      std::initializer_list<std::size_t> sizes, std::string_view wanted);
/// The entries of a map whose keys are the user's; `wanted` says in a message what it must be.
const std::vector<Node::Entry>& read_entries(const Node& node, std::string_view what,
                                             std::string_view wanted);
/// Whether a value is this word, and not what else it may be.
bool is_word(const Node& node, const std::string& word);

/// Reads one map. Each value that is read, given or default, is added to `resolved()` in reading order.
/// Without a default a missing key is an InputError.
class MapReader {
 public:
  /// Throws InputError where `node` is not a map or has a key outside `allowed`.
  MapReader(const Node& node, std::string what, std::vector<std::string> allowed);

  /// Whether the key is given.
  [[nodiscard]] bool has(std::string_view key) const { return child(key) != nullptr; }
  [[nodiscard]] const Mark& mark() const { return node_.mark; }
  /// What messages call the map.
  [[nodiscard]] const std::string& what() const { return what_; }
  /// The place of a key's value, or of the map where the key is not given.
  [[nodiscard]] const Mark& mark_of(std::string_view key) const;

  /// A number in `range`.
  double number(const std::string& key, const Range& range, std::optional<double> default_value = {});
  /// A whole number from `min` to `max`.
  std::int64_t integer(const std::string& key, std::int64_t min, std::int64_t max,
                       std::optional<std::int64_t> default_value = {});
  /// A scalar, as text.
  std::string text(const std::string& key, std::optional<std::string> default_value = {});
  /// `true` or `false`.
  bool boolean(const std::string& key, bool default_value);
  /// Index of the text among `choices`.
  std::size_t choice(const std::string& key, const std::vector<std::string>& choices,
                     std::optional<std::size_t> default_choice = {});

  /// Which of the exclusive `keys` is given, or nothing. One from the command line, if only a part of a map,
  /// beats those of the file; otherwise two are an InputError.
  [[nodiscard]] std::optional<std::string> one_of(const std::vector<std::string>& keys) const;

  /// As `one_of`; where none is given, an InputError.
  [[nodiscard]] std::string required_one_of(const std::vector<std::string>& keys) const;

  /// The node of a nested value; nullptr where the key is not given. Not added to `resolved()`.
  [[nodiscard]] const Node* child(std::string_view key) const {
    if (visit_) visit_->may(std::string(key));
    return node_.find(key);
  }
  /// As `child`, and a missing key is an InputError.
  [[nodiscard]] const Node& required(const std::string& key) const;
  /// Adds a value of the caller's to `resolved()`.
  void resolve(const std::string& key, Node value) { resolved_.put(key, std::move(value)); }

  [[nodiscard]] const Node& resolved() const { return resolved_; }

  /// For the record: a key takes these words, and is `default_word` where it is not given.
  void note_words(const std::string& key, const std::vector<std::string>& words,
                  const std::optional<std::string>& default_word) const;

 private:
  [[nodiscard]] const Node* find_or_default(const std::string& key, bool has_default) const;
  [[nodiscard]] std::optional<std::string> given_of(const std::vector<std::string>& keys) const;
  /// For the record: what is known of a key's value, or nullptr where nobody keeps it.
  [[nodiscard]] AskedValue* asked(const std::string& key, const std::optional<Node>& default_value) const;

  const Node& node_;
  std::string what_;
  std::vector<std::string> allowed_;
  Node resolved_ = Node::map();
  std::shared_ptr<ReadingRecord::Visit> visit_;  // nullptr where nobody keeps a record
};

/// `kind: x` of a map whose keys depend on it: the index of x among `choices`. Throws InputError.
std::size_t read_kind(const Node& node, const std::string& what, const std::string& key,
                      const std::vector<std::string>& choices);

}  // namespace fluidbatch::io
