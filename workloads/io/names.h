// The words for the values of an enum (or the like) in files and options: one table for reading, writing and
// messages, whatever the order of either.
#pragma once

#include <iterator>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "workloads/io/map_reader.h"

namespace fluidbatch::io {

/// A row of such a table, which is any range of rows.
template <typename T>
struct Name {
  using Value = T;

  T value;
  std::string_view word;
};
template <typename T>
Name(T, const char*) -> Name<T>;

template <typename Table>
using NamedValue = typename std::ranges::range_value_t<Table>::Value;

/// The table of `values`, each of which has a function `name_of` beside its type.
template <std::ranges::range Values>
auto names_of(const Values& values) {
  std::vector<Name<std::ranges::range_value_t<Values>>> table;
  for (const auto& value : values) table.push_back({value, name_of(value)});
  return table;
}

/// All words, in the order of the table.
template <typename Table>
std::vector<std::string> words_of(const Table& table) {
  std::vector<std::string> words;
  words.reserve(std::size(table));
  for (const auto& row : table) words.emplace_back(row.word);
  return words;
}

/// Throws std::logic_error where the table lacks `value`.
template <typename Table>
std::string word_of(const Table& table, const NamedValue<Table>& value) {
  for (const auto& row : table) {
    if (row.value == value) return std::string(row.word);
  }
  throw std::logic_error("a value without a name");
}

/// Nothing where the table has no such word.
template <typename Table>
std::optional<NamedValue<Table>> value_of(const Table& table, std::string_view word) {
  for (const auto& row : table) {
    if (row.word == word) return row.value;
  }
  return std::nullopt;
}

/// The value that a node names. Throws InputError at its place; `what` is what the message calls it.
template <typename Table>
NamedValue<Table> read_name(const Node& node, std::string_view what, const Table& table) {
  const std::size_t row = read_choice(node, what, words_of(table));
  return std::next(std::begin(table), static_cast<std::ptrdiff_t>(row))->value;
}

/// The value that a key of `reader` names, which is added to what it has resolved.
template <typename Table>
NamedValue<Table> read_name(MapReader& reader, const std::string& key, const Table& table,
                            std::optional<std::type_identity_t<NamedValue<Table>>> default_value = {}) {
  const Node* node = default_value ? reader.child(key) : &reader.required(key);
  reader.note_words(key, words_of(table),
                    default_value ? std::optional(word_of(table, *default_value)) : std::nullopt);
  const NamedValue<Table> value = node == nullptr ? *default_value : read_name(*node, key, table);
  reader.resolve(key, Node::text(word_of(table, value)));
  return value;
}

}  // namespace fluidbatch::io
