// What readers ask of a document: keys, types, ranges and words, noted while they read. A schema is made from
// it, which therefore says what the readers say.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "workloads/io/range.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::io {

/// Whole numbers from the first to the second.
using IntegerRange = std::pair<std::int64_t, std::int64_t>;

/// What a value may be, as far as a reader has asked. Of several ranges, as where one key's limit is
/// another's value, the widest: the rest is a relation between keys.
struct AskedValue {
  std::optional<Range> number;
  std::optional<IntegerRange> integer;
  bool text = false;
  bool boolean = false;
  std::vector<std::string> words;
  std::set<std::string> maps;          ///< names of maps that are not one of a kind
  std::string kinds;                   ///< what maps with a `kind` (or a `name`) are called, or nothing
  std::unique_ptr<AskedValue> items;   ///< of a list
  std::unique_ptr<AskedValue> values;  ///< of a map whose keys are the user's
  std::set<std::size_t> sizes;         ///< that a list may have; empty: any
  bool filled = false;                 ///< a list or a map needs an entry
  std::vector<Node> defaults;          ///< each once

  [[nodiscard]] bool is_asked() const;
};

/// A map: what it is called in messages is its name.
struct AskedMap {
  std::vector<std::string> keys;
  std::map<std::string, AskedValue> values;  ///< of keys that have been asked for
  std::pair<std::string, std::string> kind;  ///< the key and the word by which it was chosen, or nothing
  std::set<std::string> required;
  std::set<std::vector<std::string>> exclusive;  ///< of each of these at most one key is given
  std::set<std::vector<std::string>> one_needed;

  bool was_read = false;  ///< to its end, by which it is known what is required
};

/// Maps of several kinds.
struct AskedKinds {
  std::string key;
  std::vector<std::string> words;
  std::map<std::string, std::string> maps;  ///< by word, of those that have been read
};

/// Collects over several documents.
class ReadingRecord {
 public:
  /// What one reading of a map asks; it is added to the record when the map has been read.
  class Visit;

  ReadingRecord() = default;
  ReadingRecord(const ReadingRecord&) = delete;
  ReadingRecord& operator=(const ReadingRecord&) = delete;

  /// Calls `reader`, which reads `document`, parsed from text. Other documents that it reads meanwhile are
  /// noted apart. Not for several threads: a thread has one record at a time.
  void note(const Node& document, const std::function<void()>& reader);

  /// That of this thread, or nullptr: nobody notes anything.
  static ReadingRecord* current();

  [[nodiscard]] const AskedValue& root() const { return root_; }
  [[nodiscard]] const std::map<std::string, AskedMap>& maps() const { return maps_; }
  [[nodiscard]] const std::map<std::string, AskedKinds>& kinds() const { return kinds_; }

  // What readers tell.

  /// They read the map `node`, which messages call `what`; these keys are known there. Nullptr of an empty
  /// map: it may stand for one that is not given.
  std::shared_ptr<Visit> visit(const Node& node, const std::string& what,
                               const std::vector<std::string>& keys);

  /// `node` is a `what` of the kind `found`, which its key `key` says and which is one of `words`. Said
  /// before the map is visited.
  void kind(const Node& node, const std::string& what, const std::string& key,
            const std::vector<std::string>& words, const std::string& found);

  /// What is known of the document, or of a value in a map or list that it has been told of; else nullptr.
  AskedValue* value(const Node& node);

  /// What is known of a map's key, be it given or not.
  AskedValue& value(const std::string& map, const std::string& key) { return maps_[map].values[key]; }

  /// `list` is a list, whose items are asked for.
  void items(const Node& list);

  /// `map` is a map whose keys are the user's and whose values are asked for.
  void values(const Node& map);

 private:
  using Place = std::tuple<std::string, int, int>;
  static Place place_of(const Node& node) { return {node.mark.source, node.mark.line, node.mark.column}; }

  AskedValue root_;
  std::map<std::string, AskedMap> maps_;
  std::map<std::string, AskedKinds> kinds_;
  // Of one document. Places tell nodes apart even where a reader has copied them.
  std::map<Place, AskedValue*> places_;
  std::map<Place, std::pair<std::string, std::string>> chosen_;  // of what, and the word
};

/// One reading of a map. Its destructor adds to the record which keys were needed.
class ReadingRecord::Visit {
 public:
  /// Of the map that messages call `map`; the record outlives the visit.
  Visit(ReadingRecord& record, std::string map) : record_(record), map_(std::move(map)) {}
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit();

  /// It is asked whether the key is there: it need not be.
  void may(const std::string& key) { optional_.insert(key); }
  /// Without it reading fails, unless it has been asked before whether it is there.
  void must(const std::string& key) {
    if (!optional_.contains(key)) required_.insert(key);
  }
  /// At most one of these keys is given, and none of them need be unless `one_is_needed`.
  void exclusive(const std::vector<std::string>& keys, bool one_is_needed);
  /// What is known of one of the map's keys.
  AskedValue& value(const std::string& key) { return record_.value(map_, key); }

 private:
  ReadingRecord& record_;
  std::string map_;
  std::set<std::string> optional_;
  std::set<std::string> required_;
};

// Additions to what is known of a value, which may be nullptr.
void add_number(AskedValue* value, const Range& range);
void add_integer(AskedValue* value, std::int64_t min, std::int64_t max);
void add_words(AskedValue* value, const std::vector<std::string>& words);
void add_default(AskedValue* value, const Node& node);

}  // namespace fluidbatch::io
