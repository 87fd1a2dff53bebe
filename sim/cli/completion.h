// What a shell offers to complete a command line with.
#pragma once

#include <string>
#include <vector>

#include "sim/cli/command_text.h"

namespace fluidbatch::sim::cli {

/// What the last of `words`, those after the program's name, may become: commands, options and what is
/// registered or shipped by name; of --set the keys of the configuration that stands before it. Empty where a
/// file, a number or nothing known is wanted; with "/" at the end where a file may stand beside commands.
std::vector<std::string> completions(const CommandText& program, const std::vector<std::string>& words);

/// The shells that there are scripts for.
const std::vector<std::string>& completed_shells();

/// What makes `shell`, one of those, ask `fluidbatch complete` for completions.
std::string completion_script(const std::string& shell);

}  // namespace fluidbatch::sim::cli
