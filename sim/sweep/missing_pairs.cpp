#include "sim/sweep/missing_pairs.h"

#include <optional>
#include <set>
#include <string_view>

#include "sim/sweep/replications.h"

namespace fluidbatch::sim {
namespace {

std::vector<std::string> split(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    parts.emplace_back(text.substr(begin, end == std::string_view::npos ? end : end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + separator.size();
  }
}

/// An axis as a results file keeps it, in text.
struct Block {
  std::vector<std::string> keys;
  std::vector<std::string> rows;
};

std::vector<Block> blocks_of(const Provenance& provenance) {
  std::vector<Block> blocks;
  for (const io::Node::Entry& axis : provenance.sweep.find("axes")->entries) {
    blocks.push_back({.keys = split(axis.key, ", "), .rows = split(axis.value.scalar, "; ")});
  }
  return blocks;
}

/// What the settings that have points tell of all settings.
class Settings {
 public:
  Settings(Database& database, std::vector<Block> blocks) : blocks_(std::move(blocks)) {
    Query values(database, "SELECT setting, key, value FROM settings");
    while (values.step()) {
      const auto setting = static_cast<std::size_t>(values.integer(0));
      for (std::size_t b = 0; b < blocks_.size(); ++b) {
        for (const std::string& key : blocks_[b].keys) {
          if (key == values.text(1)) known_[{b, row(setting, b)}][key] = values.value_text(2);
        }
      }
    }
  }

  /// How many there are; `most` + 1 where there are more than that.
  [[nodiscard]] std::size_t count(std::size_t most) const {
    std::size_t count = 1;
    for (const Block& block : blocks_) {
      if (block.rows.size() > most / count) return most + 1;
      count *= block.rows.size();
    }
    return count;
  }

  /// Nothing where they are not known.
  [[nodiscard]] std::optional<std::map<std::string, std::string>> values(std::size_t setting) const {
    std::map<std::string, std::string> values;
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      const std::size_t place = row(setting, b);
      const auto known = known_.find({b, place});
      if (known != known_.end()) {
        values.insert(known->second.begin(), known->second.end());
        continue;
      }
      const std::vector<std::string> texts = split(blocks_[b].rows[place], " | ");
      if (texts.size() != blocks_[b].keys.size()) return std::nullopt;
      for (std::size_t k = 0; k < texts.size(); ++k) values[blocks_[b].keys[k]] = texts[k];
    }
    return values;
  }

 private:
  [[nodiscard]] std::size_t row(std::size_t setting, std::size_t block) const {
    for (std::size_t b = blocks_.size(); b-- > block + 1;) setting /= blocks_[b].rows.size();
    return setting % blocks_[block].rows.size();
  }

  std::vector<Block> blocks_;
  std::map<std::pair<std::size_t, std::size_t>, std::map<std::string, std::string>> known_;
};

/// The labels of the systems by their place: those that the sweep's configuration gives. Empty where these
/// are not `count` systems, as where an axis exchanges them.
std::map<std::int64_t, std::string> labels_of(const Provenance& provenance, std::int64_t count) {
  const io::Node* base = provenance.sweep.find("base");
  const io::Node* systems = base == nullptr ? nullptr : base->find("systems");
  if (systems == nullptr || static_cast<std::int64_t>(systems->items.size()) != count) return {};
  std::map<std::int64_t, std::string> labels;
  for (const io::Node& system : systems->items) {
    const io::Node* label = system.find("label");
    if (label != nullptr) labels.emplace(&system - systems->items.data(), label->scalar);
  }
  return labels;
}

}  // namespace

std::vector<MissingPair> missing_pairs(Database& database, const Provenance& provenance, std::size_t most) {
  const std::int64_t replications = replications_from(*provenance.sweep.find("replications")).most;
  const Settings settings(database, blocks_of(provenance));
  const auto count = static_cast<std::int64_t>(settings.count(static_cast<std::size_t>(provenance.pairs)));
  if (count > provenance.pairs || provenance.pairs % count != 0) return {};
  const std::int64_t systems = provenance.pairs / count;
  std::map<std::int64_t, std::string> labels = labels_of(provenance, systems);
  std::set<std::int64_t> there;
  Query points(database, "SELECT DISTINCT point / ?, setting, system FROM points");
  points.bind(replications);
  while (points.step()) {
    const std::int64_t pair = points.integer(0);
    const std::int64_t place = pair - points.integer(1) * systems;
    const auto [label, is_new] = labels.try_emplace(place, points.text(2));
    if (label->second != points.text(2) || place < 0 || place >= systems) return {};
    there.insert(pair);
  }
  if (provenance.pairs - static_cast<std::int64_t>(there.size()) > static_cast<std::int64_t>(most)) return {};
  std::vector<MissingPair> missing;
  for (std::int64_t pair = 0; pair < provenance.pairs; ++pair) {
    const auto label = labels.find(pair % systems);
    if (there.contains(pair) || label == labels.end()) continue;
    auto values = settings.values(static_cast<std::size_t>(pair / systems));
    if (!values) return {};
    missing.push_back(
        {.first_point = pair * replications, .system = label->second, .values = std::move(*values)});
  }
  return missing;
}

}  // namespace fluidbatch::sim
