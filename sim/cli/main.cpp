// The command line: help, what is misspelt, and the commands that list things. The others are in
// *_options.cpp.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "sim/cli/command_text.h"
#include "sim/cli/commands.h"
#include "sim/cli/completion.h"
#include "sim/cli/exit_codes.h"
#include "sim/cli/options.h"
#include "sim/cli/shell_text.h"
#include "sim/version.h"
#include "workloads/io/input_error.h"
#include "workloads/io/names.h"

namespace {

namespace cli = fluidbatch::sim::cli;
using cli::Arguments;

/// Help that fits a terminal of 80 columns.
class Help final : public CLI::Formatter {
 public:
  std::string make_option_desc(const CLI::Option* option) const override {
    return cli::in_lines(CLI::Formatter::make_option_desc(option), described_width());
  }
  std::string make_subcommand(const CLI::App* command) const override {
    std::ostringstream out;
    CLI::detail::format_help(out, command->get_display_name(true),
                             cli::in_lines(command->get_description(), described_width()), column_width_);
    return out.str();
  }
  std::string make_description(const CLI::App* command) const override {
    return cli::in_lines(command->get_description(), kColumns) + "\n";
  }

 private:
  static constexpr std::size_t kColumns = cli::kTerminalColumns;

  [[nodiscard]] std::size_t described_width() const { return kColumns - column_width_; }
};

/// A command with the one subcommand `list`, which takes plug-ins.
void add_listing(CLI::App& app, Arguments& arguments, const char* name, const char* what, const char* about,
                 void (*print)(const std::vector<std::string>& plugins)) {
  CLI::App* command = app.add_subcommand(name, what)->require_subcommand(1);
  CLI::App* list = command->add_subcommand("list", about);
  cli::add_plugins(*list, arguments.plugins);
  list->callback([&arguments, print] { print(arguments.plugins); });
}

void add_policies(CLI::App& app, Arguments& arguments) {
  add_listing(app, arguments, "policy", "Scheduling policies", "Names, parameters and defaults",
              cli::policy_list);
  add_listing(app, arguments, "exit-control", "What decides exits at run time",
              "Kinds, parameters and defaults", cli::exit_control_list);
  add_listing(app, arguments, "arbiter", "Whose turn it is where several services share an NPU",
              "Names, parameters and defaults", cli::arbiter_list);
  add_listing(app, arguments, "router", "To which of several NPUs a request goes",
              "Names, parameters and defaults", cli::router_list);
}

void add_metrics(CLI::App& app, Arguments& arguments) {
  CLI::App* metric = app.add_subcommand("metric", "Statistics of a run")->require_subcommand(1);
  CLI::App* list = metric->add_subcommand("list", "Name, unit and meaning of each");
  list->add_option("--columns", arguments.columns, "The columns of that file of a run instead")
      ->check([](const std::string& name) {
        const std::vector<std::string> files = cli::files_with_columns();
        if (std::ranges::find(files, name) != files.end()) return std::string();
        return fluidbatch::io::unknown_word("file", name, files);
      })
      ->type_name("FILE");
  list->add_flag("--markdown", arguments.markdown, "As the table of docs/metrics.md");
  list->callback([&] { cli::metric_list(arguments.columns, arguments.markdown); });
}

void add_starters(CLI::App& app, Arguments& arguments) {
  CLI::App* init = app.add_subcommand("init", "Write files to start from: a run, a sweep, models, policies");
  init->add_option("folder", arguments.folder, "Folder to write into, made where needed; default: this one")
      ->type_name("DIR");
  init->callback([&] { cli::init(arguments.folder); });
  CLI::App* schema =
      app.add_subcommand("schema", "The JSON Schema of a kind of files, for editors and checks");
  schema->add_option("kind", arguments.schema, "run, sweep, network, npu or board")
      ->required()
      ->type_name("KIND");
  cli::add_plugins(*schema, arguments.plugins);
  schema->callback([&] { cli::schema(arguments.schema, arguments.plugins); });
}

std::string value_of(const CLI::Option& option) {
  return option.get_items_expected_max() == 0 ? "" : option.get_type_name();
}

/// `command`, and all below it, as plain values.
cli::CommandText text_of(const CLI::App& command, const std::vector<std::string>& words) {
  cli::CommandText text{
      .words = words, .about = command.get_description(), .options = {}, .positionals = {}, .commands = {}};
  for (const CLI::Option* option : command.get_options()) {
    cli::OptionText its{.names = {},
                        .value = value_of(*option),
                        .about = option->get_description(),
                        .repeated = option->get_items_expected_max() > 1 && option->get_allow_extra_args()};
    for (const std::string& name : option->get_lnames()) its.names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) its.names.push_back("-" + name);
    if (option->get_positional()) its.names.push_back(option->get_name());
    (option->get_positional() ? text.positionals : text.options).push_back(its);
  }
  for (const CLI::App* below : command.get_subcommands(cli::is_shown)) {
    std::vector<std::string> longer = words;
    longer.push_back(below->get_name());
    text.commands.push_back(text_of(*below, longer));
  }
  return text;
}

/// What is written for shells and for `man`. `complete`, which those scripts call, is not among them, since
/// its words are those of other commands (run_program).
void add_written(CLI::App& app, std::string& shell) {
  CLI::App* completion =
      app.add_subcommand("completion", "Print a script that completes commands in a shell");
  completion->add_option("shell", shell, "bash, fish or zsh")
      ->required()
      ->type_name("SHELL")
      ->check([](const std::string& name) {
        if (std::ranges::find(cli::completed_shells(), name) != cli::completed_shells().end())
          return std::string();
        return fluidbatch::io::unknown_word("shell", name, cli::completed_shells());
      });
  completion->callback([&] { fmt::print("{}", cli::completion_script(shell)); });
  CLI::App* manual = app.add_subcommand("manual", "The manual page");
  manual->group("");
  manual->callback([&] { fmt::print("{}", cli::manual_page(text_of(app, {}))); });
}

/// The innermost command that was given, and its name with those around it.
struct GivenCommand {
  const CLI::App* command = nullptr;
  std::string name;
};

GivenCommand given_command(const CLI::App& app) {
  GivenCommand given{&app, app.get_name()};
  while (!given.command->get_subcommands().empty()) {
    given.command = given.command->get_subcommands().front();
    given.name += " " + given.command->get_name();
  }
  return given;
}

/// The subcommand of that name, or nullptr.
CLI::App* subcommand_of(CLI::App& command, const std::string& name) {
  const std::vector<CLI::App*> all = command.get_subcommands(nullptr);
  const auto found = std::ranges::find_if(all, [&](CLI::App* each) { return each->get_name() == name; });
  return found == all.end() ? nullptr : *found;
}

/// Adds the names of those below `command`, but not of its own, that are called `name`.
void add_deeper(const CLI::App& command, const std::string& path, const std::string& name,
                std::vector<std::string>& found) {
  for (const CLI::App* below : command.get_subcommands(cli::is_shown)) {
    const std::string longer = path + below->get_name();
    if (below->get_name() == name && !path.empty()) found.push_back(longer);
    add_deeper(*below, longer + " ", name, found);
  }
}

void say_unknown_command(const CLI::App& command, const std::string& name) {
  const std::vector<std::string> known = cli::names_of_commands(command);
  std::vector<std::string> deeper;
  add_deeper(command, "", name, deeper);
  const std::vector<std::string>& meant = deeper.empty() ? known : deeper;
  cli::note("unknown command '{}'{}; there {} {}\n", name,
            deeper.empty() ? fluidbatch::io::did_you_mean(name, known) : "", meant.size() == 1 ? "is" : "are",
            fluidbatch::io::quoted_list(meant));
}

/// `help COMMAND`; COMMAND may have several words.
void add_help(CLI::App& app, std::vector<std::string>& words, int& exit_code) {
  CLI::App* help = app.add_subcommand("help", "What a command does and takes, as its --help does");
  help->add_option("command", words, "Such as run, or npu table; without one: all commands")
      ->type_name("COMMAND ..");
  help->callback([&] {
    CLI::App* command = &app;
    std::string name = app.get_name();
    for (const std::string& word : words) {
      CLI::App* next = subcommand_of(*command, word);
      if (next == nullptr) {
        if (command->get_subcommands(nullptr).empty()) {
          cli::note("`{}` has no commands\n", name);
        } else {
          say_unknown_command(*command, word);
        }
        exit_code = cli::kUserError;
        return;
      }
      command = next;
      name += " " + word;
    }
    fmt::print("{}", app.get_formatter()->make_help(command, name, CLI::AppFormatMode::Normal));
  });
}

/// Says which option or command is not known, and what was probably meant; false where all are known. CLI11
/// says something else first: that a subcommand is missing, or what the help is.
bool explain_unknown(const CLI::App& app) {
  const GivenCommand given = given_command(app);
  const std::vector<std::string> left = app.remaining(true);
  const auto option = std::ranges::find_if(
      left, [](const std::string& word) { return word.size() > 1 && word.starts_with('-'); });
  std::vector<std::string> known;
  if (option != left.end()) {
    for (const CLI::Option* each : given.command->get_options()) {
      for (const std::string& name : each->get_lnames()) known.push_back("--" + name);
    }
    const std::string name = option->substr(0, option->find('='));
    cli::note("unknown option '{}'{}; `{} --help` lists all\n", name,
              fluidbatch::io::did_you_mean(name, known), given.name);
    return true;
  }
  if (const auto word = cli::misspelt_command(*given.command)) {
    say_unknown_command(*given.command, *word);
    return true;
  }
  if (left.empty() || given.command->get_require_subcommand_min() == 0) return false;
  say_unknown_command(*given.command, left.front());
  return true;
}

/// Says where the commands are listed of which one must be given; false where none is missing.
bool explain_missing(const CLI::App& app, const CLI::ParseError& error) {
  const GivenCommand given = given_command(app);
  const bool missing = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError) &&
                       given.command->get_require_subcommand_min() > 0;
  if (!missing) return false;
  std::string help = given.name;
  help.insert(app.get_name().size(), " help");
  cli::note("a command is required after `{}`; `{}` lists them\n", given.name, help);
  return true;
}

int run_program(int argc, char** argv) {
  CLI::App app(
      "fluidbatch: a simulator of an edge inference server, many devices and one NPU that runs an "
      "early-exit network.\nWhich batching policy, on which NPU, holds which load within which latency?");
  app.name("fluidbatch");
  app.formatter(std::make_shared<Help>());
  app.set_version_flag("--version", std::string("fluidbatch ") + fluidbatch::sim::kVersion);
  app.require_subcommand(1);
  Arguments arguments;
  std::vector<const char*> words(argv, argv + argc);
  words.front() = "fluidbatch";
  for (std::string* command :
       {&arguments.run.command, &arguments.compare.command, &arguments.capacity.command,
        &arguments.optimum.command, &arguments.tail.command, &arguments.table.command,
        &arguments.search.command, &arguments.fit.command})
    *command = cli::shell_text(words);
  cli::add_simulations(app, arguments);
  add_policies(app, arguments);
  cli::add_networks(app, arguments);
  add_metrics(app, arguments);
  cli::add_npus(app, arguments);
  add_starters(app, arguments);
  add_help(app, arguments.help, arguments.exit_code);
  add_written(app, arguments.shell);
  if (argc > 1 && std::string_view(argv[1]) == "complete") {
    for (const std::string& word : cli::completions(text_of(app, {}), {argv + 2, argv + argc}))
      fmt::print("{}\n", word);
    return cli::kDone;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (explain_unknown(app) || explain_missing(app, error)) return cli::kUserError;
    return app.exit(error) == 0 ? cli::kDone : cli::kUserError;  // 0: --help, --version
  }
  return arguments.exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  const int code = cli::exit_code_of([&] { return run_program(argc, argv); });
#ifndef __SANITIZE_ADDRESS__  // which looks for leaks at the end
  // Nothing is left to do but to destroy the static objects of ns-3, which SimGrid brings along: 1 ms.
  std::_Exit(code);
#endif
  return code;
}
