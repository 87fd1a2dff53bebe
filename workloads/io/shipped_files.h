// The files that come with the program (networks, NPUs, boards), and names that stand for them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "workloads/io/yaml_node.h"

namespace fluidbatch::io {

/// The folder above the running program's own, in a build tree and installed alike: what comes with the
/// program is in `share/fluidbatch` and `libexec/fluidbatch` below it. Throws InputError where the system
/// does not tell.
std::filesystem::path prefix();

/// From here on that folder is `folder`: for a library in a program that is not ours.
void set_prefix(const std::filesystem::path& folder);

/// The folder with the shipped files: the one that the environment's FLUIDBATCH_SHARE names; or
/// `share/fluidbatch` of the installed copy that this program was compiled with, if it is a user's own; or
/// that beside the running program's folder, in a build tree and installed alike. Throws InputError where
/// there is none.
std::filesystem::path shipped_folder();

/// Names (file names without .yaml) of the shipped files of a kind: `networks`, `npus` or `boards`; sorted.
std::vector<std::string> shipped_names(const std::string& kind);

/// The file that a user means: a word is a shipped name; text with a slash or ending in .yaml or .yml is
/// a path, as for `resolve_path`. Throws InputError with the nearest name.
std::filesystem::path find_file(const std::string& kind, const Node& name_or_path);

/// The file that a path of the user's names, as an absolute path: relative to the folder of the file that
/// `node` is in, or to the current folder where it comes from the command line. Throws InputError at its
/// place where there is no such file, or where it may not be read.
std::filesystem::path resolve_path(const Node& node);

/// `name_or_path` as resolved.yaml should hold it: a shipped name as it is, a path absolute.
std::string portable_name(const std::string& kind, const Node& name_or_path);

}  // namespace fluidbatch::io
