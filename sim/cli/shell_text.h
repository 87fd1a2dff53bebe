// Texts for a terminal.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace fluidbatch::sim::cli {

/// Of a terminal, which tables and help are made to fit.
inline constexpr std::size_t kTerminalColumns = 80;

/// `words` on one line, quoted where a shell would need it: it can be pasted there, and nothing in it ends a
/// comment.
std::string shell_text(std::span<const char* const> words);

/// `text` in lines of at most `width` characters, broken at spaces; a longer word has a line of its own.
std::string in_lines(const std::string& text, std::size_t width);

/// `head` and beside it `text` in lines that end at the terminal's edge, with a line end.
std::string hanging(const std::string& head, const std::string& text);

}  // namespace fluidbatch::sim::cli
