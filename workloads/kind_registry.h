// Kinds of one thing (arrival processes, exit models) by name, each reading its own part of the YAML.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "workloads/io/map_reader.h"

namespace fluidbatch::workloads {

/// `Kind` has a name, its keys besides `kind`, and `read(MapReader&, const Context&)`.
template <typename Kind>
class KindRegistry {
 public:
  /// The one registry of this sort; a function's static, since registrations run before main.
  static KindRegistry& instance() {
    static KindRegistry registry;
    return registry;
  }

  /// Adds a kind that stays.
  void add(Kind kind) {
    const std::unique_lock lock(mutex_);
    const auto place = place_of(kind.name);
    if (is_at(place, kind.name)) throw std::logic_error("two kinds are called " + kind.name);
    entries_.insert(place, {.kind = std::make_shared<const Kind>(std::move(kind)), .stays = true});
  }

  /// Adds a kind while the program runs, in place of one of its name that was defined so before; what has
  /// been read with that stays good. Throws std::invalid_argument where a kind of that name stays.
  void define(Kind kind) {
    std::shared_ptr<const Kind> replaced;  // which ends when others may read again
    const std::unique_lock lock(mutex_);
    const auto place = place_of(kind.name);
    if (!is_at(place, kind.name)) {
      entries_.insert(place, {.kind = std::make_shared<const Kind>(std::move(kind)), .stays = false});
      return;
    }
    if (place->stays) {
      throw std::invalid_argument("there is a kind called " + io::in_quotes(kind.name) +
                                  " already; take another name");
    }
    replaced = std::exchange(place->kind, std::make_shared<const Kind>(std::move(kind)));
  }

  /// Reads a map with a `kind`; the map with its defaults goes to `resolved`. Throws InputError.
  template <typename Context>
  auto read(const io::Node& node, const std::string& what, const Context& context, io::Node& resolved) const {
    const std::vector<std::shared_ptr<const Kind>> kinds = all();
    std::vector<std::string> names;
    names.reserve(kinds.size());
    for (const auto& kind : kinds) names.push_back(kind->name);
    const Kind& kind = *kinds[io::read_kind(node, what, "kind", names)];
    std::vector<std::string> keys = kind.keys;
    keys.insert(keys.begin(), "kind");
    io::MapReader reader(node, what + " of kind " + kind.name, keys);
    reader.text("kind");
    auto spec = kind.read(reader, context);
    resolved = reader.resolved();
    return spec;
  }

 private:
  struct Entry {
    std::shared_ptr<const Kind> kind;
    bool stays = true;
  };
  using Entries = std::vector<Entry>;

  typename Entries::iterator place_of(const std::string& name) {
    return std::ranges::lower_bound(entries_, name, {}, [](const Entry& entry) { return entry.kind->name; });
  }
  [[nodiscard]] bool is_at(typename Entries::iterator place, const std::string& name) const {
    return place != entries_.end() && place->kind->name == name;
  }

  /// As they are now. A kind may take long to read, or define others: nothing is locked meanwhile.
  [[nodiscard]] std::vector<std::shared_ptr<const Kind>> all() const {
    const std::shared_lock lock(mutex_);
    std::vector<std::shared_ptr<const Kind>> kinds;
    kinds.reserve(entries_.size());
    for (const Entry& entry : entries_) kinds.push_back(entry.kind);
    return kinds;
  }

  // Who reads does not keep a child that was forked meanwhile from reading.
  mutable std::shared_mutex mutex_;
  Entries entries_;  // by name
};

}  // namespace fluidbatch::workloads
