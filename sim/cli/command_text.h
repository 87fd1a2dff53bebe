// The commands as plain values, which completions and the manual page are made from.
#pragma once

#include <string>
#include <vector>

namespace fluidbatch::sim::cli {

struct OptionText {
  std::vector<std::string> names;  ///< with their dashes; of a positional, its one name
  std::string value;               ///< what the help calls its value; empty for a flag
  std::string about;
  bool repeated = false;  ///< takes all words up to the next option
};

struct CommandText {
  std::vector<std::string> words;  ///< after the program's name
  std::string about;
  std::vector<OptionText> options;
  std::vector<OptionText> positionals;
  std::vector<CommandText> commands;  ///< below it
};

/// The manual page of the program, in the language of man(7).
std::string manual_page(const CommandText& program);

}  // namespace fluidbatch::sim::cli
