#include "workloads/io/reading_record.h"

#include <algorithm>
#include <exception>

namespace fluidbatch::io {
namespace {

thread_local ReadingRecord* the_record = nullptr;

/// Sets the thread's record for as long as it is there.
class Current {
 public:
  explicit Current(ReadingRecord& record) : before_(std::exchange(the_record, &record)) {}
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;
  ~Current() { the_record = before_; }

 private:
  ReadingRecord* before_;
};

}  // namespace

bool AskedValue::is_asked() const {
  return number || integer || text || boolean || !words.empty() || !maps.empty() || !kinds.empty() || items ||
         values;
}

ReadingRecord* ReadingRecord::current() { return the_record; }

void ReadingRecord::note(const Node& document, const std::function<void()>& reader) {
  places_ = {{place_of(document), &root_}};
  chosen_.clear();
  const Current current(*this);
  reader();
}

AskedValue* ReadingRecord::value(const Node& node) {
  const auto found = places_.find(place_of(node));
  return found == places_.end() ? nullptr : found->second;
}

std::shared_ptr<ReadingRecord::Visit> ReadingRecord::visit(const Node& node, const std::string& what,
                                                           const std::vector<std::string>& keys) {
  AskedMap& map = maps_[what];
  for (const std::string& key : keys) {
    if (std::ranges::find(map.keys, key) == map.keys.end()) map.keys.push_back(key);
  }
  // An empty one may stand for what is not given, and have the place of what it is not in.
  if (node.entries.empty()) return nullptr;
  if (const auto chosen = chosen_.find(place_of(node)); chosen != chosen_.end()) {
    AskedKinds& kinds = kinds_[chosen->second.first];
    kinds.maps[chosen->second.second] = what;
    map.kind = {kinds.key, chosen->second.second};
  } else if (AskedValue* place = value(node)) {
    place->maps.insert(what);
  }
  for (const Node::Entry& entry : node.entries) places_[place_of(entry.value)] = &map.values[entry.key];
  return std::make_shared<Visit>(*this, what);
}

void ReadingRecord::kind(const Node& node, const std::string& what, const std::string& key,
                         const std::vector<std::string>& words, const std::string& found) {
  kinds_[what].key = key;
  kinds_[what].words = words;
  if (AskedValue* place = value(node)) {
    place->kinds = what;
    chosen_[place_of(node)] = {what, found};
  }
}

void ReadingRecord::items(const Node& list) {
  AskedValue* place = value(list);
  if (place == nullptr) return;
  if (!place->items) place->items = std::make_unique<AskedValue>();
  for (const Node& item : list.items) places_[place_of(item)] = place->items.get();
}

void ReadingRecord::values(const Node& map) {
  AskedValue* place = value(map);
  if (place == nullptr) return;
  if (!place->values) place->values = std::make_unique<AskedValue>();
  for (const Node::Entry& entry : map.entries) places_[place_of(entry.value)] = place->values.get();
}

ReadingRecord::Visit::~Visit() {
  AskedMap& map = record_.maps_[map_];
  // Where reading has failed, keys that come later are not known: good enough while there is nothing better.
  const bool to_its_end = std::uncaught_exceptions() == 0;
  if (map.was_read && !to_its_end) return;
  if (map.was_read) {
    std::erase_if(map.required, [this](const std::string& key) { return !required_.contains(key); });
  } else {
    map.required = required_;
  }
  map.was_read = to_its_end;
}

void ReadingRecord::Visit::exclusive(const std::vector<std::string>& keys, bool one_is_needed) {
  optional_.insert(keys.begin(), keys.end());
  AskedMap& map = record_.maps_[map_];
  map.exclusive.insert(keys);
  if (one_is_needed) map.one_needed.insert(keys);
}

void add_number(AskedValue* value, const Range& range) {
  if (value == nullptr) return;
  if (!value->number) {
    value->number = range;
    return;
  }
  Range& widest = *value->number;
  if (range.min < widest.min) widest.above_min = range.above_min;
  if (range.min == widest.min) widest.above_min = widest.above_min && range.above_min;
  widest.min = std::min(widest.min, range.min);
  widest.max = std::max(widest.max, range.max);
  widest.finite = widest.finite && range.finite;
}

void add_integer(AskedValue* value, std::int64_t min, std::int64_t max) {
  if (value == nullptr) return;
  if (!value->integer) value->integer = {min, max};
  value->integer = {std::min(min, value->integer->first), std::max(max, value->integer->second)};
}

void add_words(AskedValue* value, const std::vector<std::string>& words) {
  if (value == nullptr) return;
  for (const std::string& word : words) {
    if (std::ranges::find(value->words, word) == value->words.end()) value->words.push_back(word);
  }
}

void add_default(AskedValue* value, const Node& node) {
  if (value == nullptr) return;
  const auto same = [&](const Node& other) { return other.scalar == node.scalar; };
  if (std::ranges::none_of(value->defaults, same)) value->defaults.push_back(node);
}

}  // namespace fluidbatch::io
