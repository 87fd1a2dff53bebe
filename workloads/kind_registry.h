// Kinds of one thing (arrival processes, exit models) by name, each reading its own part of the YAML.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <list>
#include <memory>
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

  void add(Kind kind) {
    const auto place = std::find_if(kinds_.begin(), kinds_.end(),
                                    [&](const Kind& other) { return other.name >= kind.name; });
    if (place != kinds_.end() && place->name == kind.name) {
      throw std::logic_error("two kinds are called " + kind.name);
    }
    kinds_.insert(place, std::move(kind));
  }

  /// Reads a map with a `kind`; the map with its defaults goes to `resolved`. Throws InputError.
  template <typename Context>
  auto read(const io::Node& node, const std::string& what, const Context& context, io::Node& resolved) const {
    std::vector<std::string> names;
    for (const Kind& kind : kinds_) names.push_back(kind.name);
    const auto index = static_cast<std::ptrdiff_t>(io::read_kind(node, what, "kind", names));
    const Kind& kind = *std::next(kinds_.begin(), index);
    std::vector<std::string> keys = kind.keys;
    keys.insert(keys.begin(), "kind");
    io::MapReader reader(node, what + " of kind " + kind.name, keys);
    reader.text("kind");
    auto spec = kind.read(reader, context);
    resolved = reader.resolved();
    return spec;
  }

 private:
  std::list<Kind> kinds_;  // by name; a list, so that they stay where they are
};

}  // namespace fluidbatch::workloads
