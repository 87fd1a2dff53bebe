#include "workloads/io/map_reader.h"

#include <algorithm>
#include <cmath>

#include "workloads/io/text_number.h"

namespace fluidbatch::io {
namespace {

[[noreturn]] void wrong_type(const Node& node, std::string_view what, const std::string& wanted) {
  throw InputError(node.mark, std::string(what) + " must be " + wanted + ", found " + describe(node));
}

/// `wanted` is a number or the like: a text in quotes is none, whatever it looks like.
[[noreturn]] void not_a_value(const Node& node, std::string_view what, const std::string& wanted) {
  throw InputError(node.mark, std::string(what) + " must be " + wanted + ", found " + describe(node) +
                                  (node.quoted ? " in quotes, which make it a text" : ""));
}

const Node& require_scalar(const Node& node, std::string_view what, const std::string& wanted) {
  if (node.kind != Node::Kind::scalar) wrong_type(node, what, wanted);
  return node;
}

/// Whether the value, or a part of it if it is a map, comes from the command line.
bool is_overridden(const Node& node) {
  return node.overridden || std::ranges::any_of(node.entries, [](const Node::Entry& entry) {
           return is_overridden(entry.value);
         });
}

/// For the record: what is known of the value at a node, or nullptr where nobody keeps it.
AskedValue* asked_of(const Node& node) {
  ReadingRecord* record = ReadingRecord::current();
  return record == nullptr ? nullptr : record->value(node);
}

}  // namespace

double read_number(const Node& node, std::string_view what, const Range& range) {
  add_number(asked_of(node), range);
  require_scalar(node, what, "a number");
  const std::optional<double> value = node.quoted ? std::nullopt : parse_number(node.scalar);
  if (!value) not_a_value(node, what, "a number");
  if (!range.contains(*value)) {
    throw InputError(node.mark, std::string(what) + " must be a number, " + range.text() + "; found " +
                                    in_quotes(node.scalar));
  }
  return *value;
}

std::int64_t read_integer(const Node& node, std::string_view what, std::int64_t min, std::int64_t max) {
  add_integer(asked_of(node), min, max);
  require_scalar(node, what, "a whole number");
  std::optional<std::int64_t> value = node.quoted ? std::nullopt : parse_integer(node.scalar);
  if (!value) {
    const std::optional<double> real = node.quoted ? std::nullopt : parse_number(node.scalar);
    if (!real || !std::isfinite(*real) || *real != std::floor(*real))
      not_a_value(node, what, "a whole number");
    constexpr double kExact = 9007199254740992.0;  // 2^53: below, no other whole number rounds to this one
    if (std::abs(*real) < kExact) value = static_cast<std::int64_t>(*real);
  }
  if (!value || *value < min || *value > max) {
    const bool too_low = value && *value < min && max == std::numeric_limits<std::int64_t>::max();
    const std::string allowed = too_low ? "at least " + std::to_string(min)
                                        : "from " + std::to_string(min) + " to " + std::to_string(max);
    const bool exponent = !value && node.scalar.find_first_of(".eE") != std::string::npos;
    throw InputError(node.mark, std::string(what) + " must be a whole number " + allowed + "; found " +
                                    in_quotes(node.scalar) +
                                    (exponent ? "; from 2^53 on it must be written digit by digit" : ""));
  }
  return *value;
}

std::string read_text(const Node& node, std::string_view what) {
  if (AskedValue* asked = asked_of(node)) asked->text = true;
  return require_scalar(node, what, "a text").scalar;
}

std::size_t read_choice(const Node& node, std::string_view what, const std::vector<std::string>& choices) {
  add_words(asked_of(node), choices);
  const std::string found = require_scalar(node, what, "a text").scalar;
  const auto place = std::find(choices.begin(), choices.end(), found);
  if (place == choices.end()) throw InputError(node.mark, unknown_word(what, found, choices));
  return static_cast<std::size_t>(place - choices.begin());
}

const std::vector<Node>& read_list(const Node& node, std::string_view what) {
  if (node.kind != Node::Kind::sequence) wrong_type(node, what, "a list");
  if (ReadingRecord* record = ReadingRecord::current()) record->items(node);
  return node.items;
}

const std::vector<Node>& read_filled_list(const Node& node, std::string_view what, std::string_view noun) {
  if (read_list(node, what).empty()) {
    throw InputError(node.mark, std::string(what) + " needs at least one " + std::string(noun));
  }
  if (AskedValue* asked = asked_of(node)) asked->filled = true;
  return node.items;
}

const std::vector<Node>& read_list_of(const Node& node, std::string_view what,
                                      std::initializer_list<std::size_t> sizes, std::string_view wanted) {
  const std::size_t found = read_list(node, what).size();
  if (std::ranges::find(sizes, found) == sizes.end()) {
    throw InputError(node.mark, std::string(what) + " must be " + std::string(wanted));
  }
  if (AskedValue* asked = asked_of(node)) asked->sizes.insert(sizes.begin(), sizes.end());
  return node.items;
}

const std::vector<Node::Entry>& read_entries(const Node& node, std::string_view what,
                                             std::string_view wanted) {
  if (node.kind != Node::Kind::map) wrong_type(node, what, std::string(wanted));
  if (ReadingRecord* record = ReadingRecord::current()) record->values(node);
  return node.entries;
}

bool is_word(const Node& node, const std::string& word) {
  add_words(asked_of(node), {word});
  return node.kind == Node::Kind::scalar && node.scalar == word;
}

MapReader::MapReader(const Node& node, std::string what, std::vector<std::string> allowed)
    : node_(node), what_(std::move(what)), allowed_(std::move(allowed)) {
  if (node.kind != Node::Kind::map) wrong_type(node, what_, "a map");
  if (ReadingRecord* record = ReadingRecord::current()) visit_ = record->visit(node, what_, allowed_);
  for (const Node::Entry& entry : node.entries) {
    if (std::find(allowed_.begin(), allowed_.end(), entry.key) == allowed_.end()) {
      throw InputError(entry.key_mark, "unknown key " + in_quotes(entry.key) +
                                           did_you_mean(entry.key, allowed_) + "; " + what_ + " takes " +
                                           quoted_list(allowed_));
    }
  }
}

const Mark& MapReader::mark_of(std::string_view key) const {
  const Node* node = node_.find(key);
  return node == nullptr ? node_.mark : node->mark;
}

const Node& MapReader::required(const std::string& key) const {
  if (visit_) visit_->must(key);
  const Node* node = node_.find(key);
  if (node == nullptr) throw InputError(node_.mark, what_ + " needs the key '" + key + "'");
  return *node;
}

const Node* MapReader::find_or_default(const std::string& key, bool has_default) const {
  return has_default ? child(key) : &required(key);
}

AskedValue* MapReader::asked(const std::string& key, const std::optional<Node>& default_value) const {
  if (!visit_) return nullptr;
  AskedValue* value = &visit_->value(key);
  if (default_value) add_default(value, *default_value);
  return value;
}

void MapReader::note_words(const std::string& key, const std::vector<std::string>& words,
                           const std::optional<std::string>& default_word) const {
  if (!visit_) return;
  add_words(asked(key, default_word ? std::optional(Node::text(*default_word)) : std::nullopt), words);
}

double MapReader::number(const std::string& key, const Range& range, std::optional<double> default_value) {
  const Node* node = find_or_default(key, default_value.has_value());
  if (visit_)
    add_number(asked(key, default_value ? std::optional(Node::number(*default_value)) : std::nullopt), range);
  const double value = node == nullptr ? *default_value : read_number(*node, key, range);
  resolve(key, Node::number(value));
  return value;
}

std::int64_t MapReader::integer(const std::string& key, std::int64_t min, std::int64_t max,
                                std::optional<std::int64_t> default_value) {
  const Node* node = find_or_default(key, default_value.has_value());
  if (visit_) {
    add_integer(asked(key, default_value ? std::optional(Node::integer(*default_value)) : std::nullopt), min,
                max);
  }
  const std::int64_t value = node == nullptr ? *default_value : read_integer(*node, key, min, max);
  resolve(key, Node::integer(value));
  return value;
}

std::string MapReader::text(const std::string& key, std::optional<std::string> default_value) {
  const Node* node = find_or_default(key, default_value.has_value());
  if (visit_)
    asked(key, default_value ? std::optional(Node::text(*default_value)) : std::nullopt)->text = true;
  std::string value = node == nullptr ? *default_value : read_text(*node, key);
  resolve(key, Node::text(value));
  return value;
}

bool MapReader::boolean(const std::string& key, bool default_value) {
  const Node* node = child(key);
  if (visit_) asked(key, Node::boolean(default_value))->boolean = true;
  bool value = default_value;
  if (node != nullptr) {
    const bool is_bool = node->kind == Node::Kind::scalar && !node->quoted &&
                         (node->scalar == "true" || node->scalar == "false");
    if (!is_bool) not_a_value(*node, key, "true or false");
    value = node->scalar == "true";
  }
  resolve(key, Node::boolean(value));
  return value;
}

std::size_t MapReader::choice(const std::string& key, const std::vector<std::string>& choices,
                              std::optional<std::size_t> default_choice) {
  const Node* node = find_or_default(key, default_choice.has_value());
  note_words(key, choices, default_choice ? std::optional(choices[*default_choice]) : std::nullopt);
  const std::size_t index = node == nullptr ? *default_choice : read_choice(*node, key, choices);
  resolve(key, Node::text(choices[index]));
  return index;
}

std::optional<std::string> MapReader::one_of(const std::vector<std::string>& keys) const {
  if (visit_) visit_->exclusive(keys, false);
  return given_of(keys);
}

std::string MapReader::required_one_of(const std::vector<std::string>& keys) const {
  if (visit_) visit_->exclusive(keys, true);
  const auto given = given_of(keys);
  if (!given) throw InputError(node_.mark, what_ + " needs one of " + quoted_list(keys));
  return *given;
}

std::optional<std::string> MapReader::given_of(const std::vector<std::string>& keys) const {
  std::vector<std::string> given;
  std::vector<std::string> overridden;
  for (const std::string& key : keys) {
    if (const Node* node = node_.find(key)) {
      given.push_back(key);
      if (is_overridden(*node)) overridden.push_back(key);
    }
  }
  if (given.empty()) return std::nullopt;
  if (given.size() == 1) return given.front();
  if (overridden.size() == 1) return overridden.front();
  throw InputError(mark_of(given.back()), what_ + " takes only one of " + quoted_list(given));
}

std::size_t read_kind(const Node& node, const std::string& what, const std::string& key,
                      const std::vector<std::string>& choices) {
  if (node.kind != Node::Kind::map) wrong_type(node, what, "a map");
  const Node* kind = node.find(key);
  if (kind == nullptr) {
    throw InputError(node.mark, what + " needs the key '" + key + "': one of " + quoted_list(choices));
  }
  const std::size_t index = read_choice(*kind, what + " " + key, choices);
  if (ReadingRecord* record = ReadingRecord::current())
    record->kind(node, what, key, choices, choices[index]);
  return index;
}

}  // namespace fluidbatch::io
