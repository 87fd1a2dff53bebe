// A command line as text.
#pragma once

#include <span>
#include <string>

namespace fluidbatch::sim::cli {

/// `words` on one line, quoted where a shell would need it: it can be pasted there, and nothing in it ends a
/// comment.
std::string shell_text(std::span<const char* const> words);

}  // namespace fluidbatch::sim::cli
