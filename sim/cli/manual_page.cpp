// The manual page: the help of all commands on one page.
#include <fmt/format.h>

#include "sim/cli/command_text.h"
#include "sim/version.h"

namespace fluidbatch::sim::cli {
namespace {

/// Text that troff sets as it is: no requests, no escapes, hyphens that can be copied as such.
std::string as_it_is(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = i == 0 || text[i - 1] == '\n';
    if (begins && (text[i] == '.' || text[i] == '\'')) result += "\\&";
    if (text[i] == '\\') {
      result += "\\e";
    } else if (text[i] == '-') {
      result += "\\-";
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string name_of(const CommandText& command) {
  std::string name = "fluidbatch";
  for (const std::string& word : command.words) name += " " + word;
  return name;
}

std::string option_entry(const OptionText& option) {
  std::string names;
  for (const std::string& name : option.names) {
    names += (names.empty() ? "\\fB" : ", \\fB") + as_it_is(name) + "\\fR";
  }
  if (!option.value.empty()) names += " \\fI" + as_it_is(option.value) + "\\fR";
  return ".TP\n" + names + "\n" + as_it_is(option.about) + "\n";
}

/// A section of each command that does something, those below it after it.
std::string command_sections(const CommandText& command) {
  std::string text;
  if (command.commands.empty() || !command.positionals.empty()) {
    text += fmt::format(".SS {}\n{}.\n", as_it_is(name_of(command)), as_it_is(command.about));
    for (const OptionText& positional : command.positionals) text += option_entry(positional);
    for (const OptionText& option : command.options) text += option_entry(option);
  }
  for (const CommandText& below : command.commands) text += command_sections(below);
  return text;
}

std::string example(const std::string& what, const std::string& command) {
  return ".TP\n" + as_it_is(what) + "\n\\fB" + as_it_is(command) + "\\fR\n";
}

/// Examples, in an order in which they work after one another, files, and further reading.
std::string last_sections() {
  return ".SH FILES\n"
         ".TP\n\\fIruns/NAME/\\fR\nWhat a run of \\fINAME.yaml\\fR writes where \\fB\\-\\-out\\fR names "
         "no other folder: resolved.yaml (the configuration, with all defaults), and for each system "
         "summary.json (all statistics) and requests.csv.\n"
         ".TP\n\\fIPREFIX/share/fluidbatch/\\fR\nNetworks, NPUs and boards that are shipped, and examples of "
         "configurations.\n"
         ".SH ENVIRONMENT\n"
         ".TP\nFLUIDBATCH_SHARE\nThe folder of the shipped files, instead of that one.\n"
         ".SH EXAMPLES\n" +
         example("Files to start from, in a folder of their own:", "fluidbatch init start") +
         example("What a configuration means, without running it:", "fluidbatch check start/run.yaml") +
         example("Its systems side by side:", "fluidbatch run start/run.yaml") +
         example("The same at another load, for a program to read:",
                 "fluidbatch run start/run.yaml --set workload.arrivals.rho=0.5 --json") +
         example("The highest load at which each keeps its SLO:", "fluidbatch capacity start/run.yaml") +
         example("All points of a sweep:", "fluidbatch sweep start/sweep.yaml --out points.sqlite") +
         example("Systems at each of them:", "fluidbatch compare points.sqlite --metric p99_latency_s") +
         example("A page to look at in a browser:",
                 "fluidbatch sweep report points.sqlite --out points.html") +
         ".SH SEE ALSO\n\\fBfluidbatch help\\fR \\fICOMMAND\\fR, "
         "\\fIPREFIX/share/doc/fluidbatch/\\fR.\n";
}

}  // namespace

std::string manual_page(const CommandText& program) {
  std::string text = fmt::format(
      ".TH FLUIDBATCH 1 \"\" \"fluidbatch {}\" \"User Commands\"\n"
      ".SH NAME\nfluidbatch \\- simulator of an edge inference server\n"
      ".SH SYNOPSIS\n\\fBfluidbatch\\fR \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]\n"
      ".SH DESCRIPTION\n{}\n.SH OPTIONS\n",
      kVersion, as_it_is(program.about));
  for (const OptionText& option : program.options) text += option_entry(option);
  text += ".SH COMMANDS\n";
  for (const CommandText& command : program.commands) text += command_sections(command);
  return text +
         ".SH EXIT STATUS\n"
         ".TP\n0\nDone.\n"
         ".TP\n2\nSomething that the user has to mend: an argument, a file, a full disk.\n"
         ".TP\n3\nA bug of the program or of a policy.\n"
         ".TP\n4\nSome points of a sweep failed.\n"
         ".TP\n128 + N\nA sweep was ended by signal N.\n" +
         last_sections();
}

}  // namespace fluidbatch::sim::cli
