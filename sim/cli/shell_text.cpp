#include "sim/cli/shell_text.h"

#include <algorithm>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

namespace fluidbatch::sim::cli {
namespace {

bool is_plain(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter || std::string_view("_@%+=:,./-").find(c) != std::string_view::npos;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string shell_word(std::string_view word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return std::string(word);
  const bool escaped = std::any_of(word.begin(), word.end(), is_control);
  std::string text = escaped ? "$'" : "'";
  for (const char c : word) {
    if (is_control(c)) {
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else if (escaped && (c == '\'' || c == '\\')) {
      text += '\\';
      text += c;
    } else if (c == '\'') {
      text += R"('\'')";
    } else {
      text += c;
    }
  }
  return text + "'";
}

}  // namespace

std::string shell_text(std::span<const char* const> words) {
  std::string text;
  for (const char* word : words) text += (text.empty() ? "" : " ") + shell_word(word);
  return text;
}

std::string in_lines(const std::string& text, std::size_t width) {
  std::string lines;
  std::size_t column = 0;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (column > 0 && column + 1 + word.size() > width) {
      lines += '\n';
      column = 0;
    } else if (column > 0) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += word.size();
  }
  return lines;
}

std::string hanging(const std::string& head, const std::string& text) {
  std::string result = head;
  for (const char c : in_lines(text, kTerminalColumns - std::min(head.size(), kTerminalColumns - 1))) {
    result += c;
    if (c == '\n') result.append(head.size(), ' ');
  }
  return result.erase(result.find_last_not_of(' ') + 1) + "\n";
}

}  // namespace fluidbatch::sim::cli
