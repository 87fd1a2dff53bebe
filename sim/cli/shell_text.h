// Texts for a terminal.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace fluidbatch::sim::cli {

/// `words` on one line, quoted where a shell would need it: it can be pasted there, and nothing in it ends a
/// comment.
std::string shell_text(std::span<const char* const> words);

/// `text` in lines of at most `width` characters, broken at spaces; a longer word has a line of its own.
std::string in_lines(const std::string& text, std::size_t width);

}  // namespace fluidbatch::sim::cli
