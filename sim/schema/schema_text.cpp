#include "sim/schema/schema_text.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include <rapidjson/document.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include "sim/schema/descriptions.h"
#include "sim/schema/relations.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

using io::AskedKinds;
using io::AskedMap;
using io::AskedValue;

/// Of what a map is called, the last part of a reference.
std::string reference_name(const std::string& what) {
  std::string name = what;
  std::ranges::replace_if(
      name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

class SchemaText {
 public:
  SchemaText(FileKind kind, const io::ReadingRecord& record) : kind_(kind), record_(record) {
    writer_.SetIndent(' ', 2);
  }

  std::string text(const char* title) {
    writer_.StartObject();
    member("$schema", "https://json-schema.org/draft/2020-12/schema");
    member("title", title);
    value(record_.root());
    writer_.Key("$defs");
    writer_.StartObject();
    while (!open_.empty()) {
      const std::string name = *open_.begin();
      open_.erase(open_.begin());
      done_.insert(name);
      writer_.Key(reference_name(name).c_str());
      if (const auto kinds = record_.kinds().find(name); kinds != record_.kinds().end()) {
        define(kinds->second);
      } else {
        define(name, record_.maps().at(name));
      }
    }
    writer_.EndObject();
    writer_.EndObject();
    return buffer_.GetString();
  }

 private:
  void member(const char* key, const std::string& text) {
    writer_.Key(key);
    string(text);
  }
  void string(const std::string& text) {
    writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  }
  void strings(const auto& texts) {
    writer_.StartArray();
    for (const std::string& text : texts) string(text);
    writer_.EndArray();
  }
  void raw(const std::string& number) {
    writer_.RawValue(number.data(), number.size(), rapidjson::kNumberType);
  }
  /// JSON that is written here already, in the layout of the rest.
  void json(std::string_view text) {
    rapidjson::Document document;
    document.Parse(text.data(), text.size());
    document.Accept(writer_);
  }
  void refer(const std::string& name) {
    if (!done_.contains(name)) open_.insert(name);
    member("$ref", "#/$defs/" + reference_name(name));
  }

  void range(const io::Range& range) {
    constexpr double kLargest = std::numeric_limits<double>::max();
    member("type", "number");
    if (std::isfinite(range.min) || range.finite) {
      writer_.Key(range.above_min && std::isfinite(range.min) ? "exclusiveMinimum" : "minimum");
      raw(io::shortest(std::max(range.min, -kLargest)));
    }
    if (std::isfinite(range.max) || range.finite) {
      writer_.Key("maximum");
      raw(io::shortest(std::min(range.max, kLargest)));
    }
  }

  void list(const AskedValue& asked) {
    member("type", "array");
    const bool is_empty_allowed = asked.sizes.empty() && !asked.filled;
    if (!is_empty_allowed) {
      writer_.Key("minItems");
      writer_.Uint64(asked.sizes.empty() ? 1 : *asked.sizes.begin());
    }
    if (!asked.sizes.empty()) {
      writer_.Key("maxItems");
      writer_.Uint64(*asked.sizes.rbegin());
    }
    if (asked.sizes.contains(2) && asked.sizes.contains(4))
      json_member("not", R"({"minItems":3,"maxItems":3})");
    writer_.Key("items");
    writer_.StartObject();
    value(*asked.items);
    writer_.EndObject();
  }
  void json_member(const char* key, std::string_view text) {
    writer_.Key(key);
    json(text);
  }

  /// What a value may be, each a function that writes the members of a schema.
  std::vector<std::function<void()>> alternatives(const AskedValue& asked) {
    std::vector<std::function<void()>> all;
    if (!asked.words.empty()) {
      all.emplace_back([&] {
        writer_.Key("enum");
        strings(asked.words);
      });
    }
    if (asked.integer) {
      all.emplace_back([&] {
        member("type", "integer");
        writer_.Key("minimum");
        writer_.Int64(asked.integer->first);
        writer_.Key("maximum");
        writer_.Int64(asked.integer->second);
      });
    }
    if (asked.number) all.emplace_back([&] { range(*asked.number); });
    if (asked.boolean) all.emplace_back([&] { member("type", "boolean"); });
    // YAML gives a text such as 18 or true without quotes another type, and the reader takes it for a text.
    if (asked.text) all.emplace_back([&] { json_member("type", R"(["string","number","boolean"])"); });
    for (const std::string& map : asked.maps) all.emplace_back([&] { refer(map); });
    if (!asked.kinds.empty()) all.emplace_back([&] { refer(asked.kinds); });
    if (asked.items) all.emplace_back([&] { list(asked); });
    if (asked.values) {
      all.emplace_back([&] {
        member("type", "object");
        writer_.Key("additionalProperties");
        writer_.StartObject();
        value(*asked.values);
        writer_.EndObject();
      });
    }
    return all;
  }

  /// Writes the members of a schema.
  void value(const AskedValue& asked) {
    const auto all = alternatives(asked);
    if (all.size() == 1) {
      all.front()();
    } else if (!all.empty()) {
      writer_.Key("anyOf");
      writer_.StartArray();
      for (const auto& alternative : all) {
        writer_.StartObject();
        alternative();
        writer_.EndObject();
      }
      writer_.EndArray();
    }
    if (asked.defaults.size() == 1) write_default(asked, asked.defaults.front().scalar);
  }

  void write_default(const AskedValue& asked, const std::string& text) {
    const bool is_number = asked.number || asked.integer;
    const auto number = io::parse_number(text);
    if (is_number && (!number || !std::isfinite(*number))) return;  // JSON has no infinity
    writer_.Key("default");
    if (is_number) {
      raw(text);
    } else if (asked.boolean) {
      writer_.Bool(text == "true");
    } else {
      string(text);
    }
  }

  void define(const AskedKinds& kinds) {
    for (const std::string& word : kinds.words) {
      if (!kinds.maps.contains(word)) throw std::logic_error("schema: no probe has the kind " + word);
    }
    writer_.StartObject();
    member("type", "object");
    writer_.Key("required");
    strings(std::vector{kinds.key});
    writer_.Key("properties");
    writer_.StartObject();
    writer_.Key(kinds.key.c_str());
    writer_.StartObject();
    writer_.Key("enum");
    strings(kinds.words);
    writer_.EndObject();
    writer_.EndObject();
    writer_.Key("allOf");
    writer_.StartArray();
    for (const auto& [word, map] : kinds.maps) {
      writer_.StartObject();
      writer_.Key("if");
      writer_.StartObject();
      writer_.Key("properties");
      writer_.StartObject();
      writer_.Key(kinds.key.c_str());
      writer_.StartObject();
      member("const", word);
      writer_.EndObject();
      writer_.EndObject();
      writer_.EndObject();
      writer_.Key("then");
      writer_.StartObject();
      refer(map);
      writer_.EndObject();
      writer_.EndObject();
    }
    writer_.EndArray();
    writer_.EndObject();
  }

  void define(const std::string& name, const AskedMap& map) {
    if (const auto free = keys_of_the_user(name); !free.empty()) return json(free);
    writer_.StartObject();
    member("description", description_of(name));
    member("type", "object");
    writer_.Key("properties");
    writer_.StartObject();
    for (const std::string& key : map.keys) {
      writer_.Key(key.c_str());
      writer_.StartObject();
      if (const std::string meaning = description_of_key(name, key); !meaning.empty())
        member("description", meaning);
      if (key == map.kind.first) {
        member("const", map.kind.second);
      } else if (name == "a group of devices" && key == "service") {
        json_member("type", R"("string")");  // of the user's names: the probe's are not the only ones
      } else {
        value(asked(name, map, key));
      }
      writer_.EndObject();
    }
    writer_.EndObject();
    writer_.Key("additionalProperties");
    writer_.Bool(false);
    if (!map.required.empty()) {
      writer_.Key("required");
      strings(map.required);
    }
    relations(name, map);
    writer_.EndObject();
  }

  /// What is known of a key, where something is.
  static const AskedValue& asked(const std::string& name, const AskedMap& map, const std::string& key) {
    const auto value = map.values.find(key);
    if (value == map.values.end() || !value->second.is_asked()) {
      throw std::logic_error("schema: no probe has made the reader of " + name + " ask for its key " + key);
    }
    return value->second;
  }

  void relations(const std::string& name, const AskedMap& map) {
    const std::string_view more = relations_of(kind_, name);
    if (map.exclusive.empty() && map.one_needed.empty() && more.empty()) return;
    writer_.Key("allOf");
    writer_.StartArray();
    for (const auto& keys : map.exclusive) {
      for (std::size_t i = 0; i < keys.size(); ++i) {
        for (std::size_t j = i + 1; j < keys.size(); ++j) {
          writer_.StartObject();
          writer_.Key("not");
          required(std::vector{keys[i], keys[j]});
          writer_.EndObject();
        }
      }
    }
    for (const auto& keys : map.one_needed) {
      writer_.StartObject();
      writer_.Key("anyOf");
      writer_.StartArray();
      for (const std::string& key : keys) required(std::vector{key});
      writer_.EndArray();
      writer_.EndObject();
    }
    if (!more.empty()) {
      rapidjson::Document document;
      document.Parse(("[" + std::string(more) + "]").c_str());
      for (const auto& item : document.GetArray()) item.Accept(writer_);
    }
    writer_.EndArray();
  }
  void required(const std::vector<std::string>& keys) {
    writer_.StartObject();
    writer_.Key("required");
    strings(keys);
    writer_.EndObject();
  }

  FileKind kind_;
  const io::ReadingRecord& record_;
  rapidjson::StringBuffer buffer_;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer_{buffer_};
  std::set<std::string> open_;  // referred to, and not defined yet
  std::set<std::string> done_;
};

}  // namespace

std::string schema_text(FileKind kind, const char* title, const io::ReadingRecord& record) {
  return SchemaText(kind, record).text(title);
}

}  // namespace fluidbatch::sim
