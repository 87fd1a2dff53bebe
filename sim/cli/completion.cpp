#include "sim/cli/completion.h"

#include <algorithm>
#include <cctype>
#include <exception>
#include <functional>
#include <map>
#include <string_view>

#include "npu_model/batch_policies.h"
#include "npu_model/design_search.h"
#include "scheduler/registry.h"
#include "sim/cli/commands.h"
#include "sim/config/file_kind.h"
#include "sim/config/run_config.h"
#include "sim/drive/driver_names.h"
#include "sim/measure/precision.h"
#include "sim/measure/statistic.h"
#include "sim/schema/json_schema.h"
#include "sim/sweep/capacity_key.h"
#include "sim/sweep/point_table.h"
#include "sim/sweep/sweep_file.h"
#include "workloads/io/names.h"
#include "workloads/io/shipped_files.h"

namespace fluidbatch::sim::cli {
namespace {

using Words = std::vector<std::string>;

template <typename Info>
Words names_of(const std::list<Info>& infos) {
  Words names;
  for (const Info& info : infos) names.push_back(info.name);
  return names;
}

Words metrics() {
  Words names;
  for (const Statistic& statistic : all_statistics()) names.emplace_back(statistic.name);
  return names;
}

Words targets() {
  Words names;
  for (const StatisticId id : statistics_with_interval())
    names.push_back(std::string(all_statistics()[static_cast<std::size_t>(id)].name) + ":");
  return names;
}

Words modes() { return io::words_of(io::names_of(npu::all_modes())); }

using Values = std::map<std::string, std::function<Words()>, std::less<>>;

/// What options take, where that is known by name.
const Values& values_of_options() {
  static const Values values{
      {"--board", [] { return io::shipped_names("boards"); }},
      {"--columns", files_with_columns},
      {"--driver", [] { return io::words_of(kDriverNames); }},
      {"--metric", metrics},
      {"--mode", modes},
      {"--network", [] { return io::shipped_names("networks"); }},
      {"--npu", [] { return io::shipped_names("npus"); }},
      {"--objective", [] { return io::words_of(io::names_of(npu::all_objectives())); }},
      {"--until", targets},
  };
  return values;
}

/// What keys of a configuration take, likewise, by how their paths end.
const Values& values_of_keys() {
  static const Values values{
      {"arbiter.name", [] { return names_of(scheduler::all_arbiters()); }},
      {"exit_control.kind", [] { return names_of(scheduler::all_exit_controls()); }},
      {"network", [] { return io::shipped_names("networks"); }},
      {"npu", [] { return io::shipped_names("npus"); }},
      {"npu_mode", modes},
      {"policy.name", [] { return names_of(scheduler::all_policies()); }},
      {"router.name", [] { return names_of(scheduler::all_routers()); }},
  };
  return values;
}

/// What the first words after commands are, likewise; a command is called by its words.
const std::map<Words, std::function<Words()>>& values_of_positionals() {
  static const std::map<Words, std::function<Words()>> values{
      {{"completion"}, completed_shells},
      {{"network", "show"}, [] { return io::shipped_names("networks"); }},
      {{"schema"}, schema_kinds},
  };
  return values;
}

Words values_of_key(std::string_view key) {
  for (const auto& [ending, values] : values_of_keys()) {
    if (key == ending || key.ends_with("." + ending)) return values();
  }
  return {};
}

/// Of an element of a list: what --set calls it.
std::string name_of_element(const io::Node& element, std::size_t number) {
  for (const char* key : {"label", "name"}) {
    const io::Node* name = element.find(key);
    if (name != nullptr) return name->scalar;
  }
  return std::to_string(number);
}

/// The paths of all values of `node`, each with `=`.
void add_keys(const io::Node& node, const std::string& path, Words& keys) {
  const std::string before = path.empty() ? "" : path + ".";
  for (const io::Node::Entry& entry : node.entries) add_keys(entry.value, before + entry.key, keys);
  bool of_maps = false;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    if (node.items[i].entries.empty()) continue;
    of_maps = true;
    add_keys(node.items[i], before + name_of_element(node.items[i], i), keys);
  }
  if (node.entries.empty() && !of_maps) keys.push_back(path + "=");
}

/// What `read` finds in a file, or nothing where that is half a name, or a file that the user is at.
template <typename Read>
Words found_in_file(const Read& read) {
  try {
    return read();
  } catch (const std::exception&) {
    return {};
  }
}

/// Of the configuration that the words after a command name: of a sweep that of its first setting.
RunConfig named_configuration(const CommandText& command, const std::string& file) {
  if (command.words != Words{"sweep"}) return load_run_config(file, {}, {});
  return read_run_config(load_sweep(file, {}).configuration(0));
}

/// Keys that a configuration has, and values of those that take names.
Words assignments(const CommandText& command, const std::string& file, const std::string& current) {
  const std::size_t equals = current.find('=');
  Words found;
  if (equals != std::string::npos) {
    for (const std::string& value : values_of_key(current.substr(0, equals)))
      found.push_back(current.substr(0, equals + 1) + value);
    return found;
  }
  return found_in_file([&] {
    add_keys(named_configuration(command, file).resolved, "", found);
    return found;
  });
}

Words labels(const std::string& file) {
  Words found;
  for (const System& system : load_run_config(file, {}, {}).systems) found.push_back(system.label);
  return found;
}

/// Those of `words` that a shell takes as they are: a file may hold any.
Words plain(Words words) {
  constexpr std::string_view kMarks = "._-+,:/@%";
  const auto is_plain = [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || kMarks.find(c) != std::string_view::npos;
  };
  std::erase_if(words, [&](const std::string& word) { return !std::ranges::all_of(word, is_plain); });
  return words;
}

const OptionText* option_of(const CommandText& command, const std::string& name) {
  for (const OptionText& option : command.options) {
    if (std::ranges::find(option.names, name) != option.names.end()) return &option;
  }
  return nullptr;
}

/// Where a command line stands before its last word.
struct Place {
  const CommandText* command = nullptr;
  const OptionText* option = nullptr;  ///< whose value comes next, or may
  Words positionals;
  std::string by = "system";  ///< the value of --by

  /// The file that the command is about, if it has been named.
  [[nodiscard]] std::string file() const { return positionals.empty() ? "" : positionals.front(); }

  void pass(const std::string& word) {
    if (word.starts_with("--")) {
      constexpr std::string_view kBy = "--by=";
      if (word.starts_with(kBy)) by = word.substr(kBy.size());
      const OptionText* given = option_of(*command, word);
      option = given != nullptr && !given->value.empty() ? given : nullptr;
    } else if (option != nullptr) {
      if (option->names.front() == "--by") by = word;
      if (!option->repeated) option = nullptr;
    } else {
      const auto& below = command->commands;
      const auto next = std::ranges::find_if(below, [&](const auto& c) { return c.words.back() == word; });
      if (next != below.end() && positionals.empty()) {
        command = &*next;
      } else {
        positionals.push_back(word);
      }
    }
  }
};

Words values_of(const OptionText& option, const Place& place, const std::string& current) {
  const std::string& name = option.names.front();
  const std::string file = place.file();
  if (name == "--set") return assignments(*place.command, file, current);
  if (name == "--system") return found_in_file([&] { return labels(file); });
  if (name == "--over")
    return found_in_file([&] { return capacity_keys(load_document(file, FileKind::run)); });
  if (name == "--by")
    return file.empty() ? Words{"system", "service", "npu"} : found_in_file([&] { return keys_in(file); });
  if (name == "--base") return found_in_file([&] { return plain(values_in(file, place.by)); });
  const auto known = values_of_options().find(name);
  return known == values_of_options().end() ? Words{} : known->second();
}

/// Of `help`: the commands below those that were given.
Words commands_below(const CommandText& program, const Words& given) {
  Place place{.command = &program, .option = nullptr, .positionals = {}, .by = "system"};
  for (const std::string& word : given) place.pass(word);
  Words names;
  for (const CommandText& command : place.command->commands) names.push_back(command.words.back());
  return names;
}

Words candidates(const CommandText& program, const Place& place, const std::string& current) {
  const CommandText& command = *place.command;
  const std::size_t equals = current.find('=');
  if (current.starts_with("--") && equals != std::string::npos) {
    const OptionText* option = option_of(command, current.substr(0, equals));
    if (option == nullptr) return {};
    Words found = values_of(*option, place, current.substr(equals + 1));
    for (std::string& word : found) word.insert(0, current, 0, equals + 1);
    return found;
  }
  Words found;
  if (current.starts_with("-")) {
    for (const OptionText& option : command.options)
      found.insert(found.end(), option.names.begin(), option.names.end());
    return found;
  }
  if (place.option != nullptr) return values_of(*place.option, place, current);
  if (command.words == Words{"help"}) return commands_below(program, place.positionals);
  if (!place.positionals.empty()) return {};
  const auto known = values_of_positionals().find(command.words);
  if (known != values_of_positionals().end()) return known->second();
  for (const CommandText& below : command.commands) found.push_back(below.words.back());
  return found;
}

}  // namespace

std::vector<std::string> completions(const CommandText& program, const std::vector<std::string>& words) {
  const std::string current = words.empty() ? "" : words.back();
  Place place{.command = &program, .option = nullptr, .positionals = {}, .by = "system"};
  for (std::size_t i = 0; i + 1 < words.size(); ++i) place.pass(words[i]);
  Words found = candidates(program, place, current);
  std::erase_if(found, [&](const std::string& word) { return !word.starts_with(current); });
  const bool names_commands =
      place.option == nullptr && place.positionals.empty() && !current.starts_with("-");
  if (!found.empty() && names_commands && !place.command->commands.empty() &&
      !place.command->positionals.empty())
    found.emplace_back("/");
  return found;
}

}  // namespace fluidbatch::sim::cli
