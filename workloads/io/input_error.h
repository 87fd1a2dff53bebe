// The one exception for what a user gave: a message that says where, what was found and what is allowed.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fluidbatch::io {

/// A place in the user's input: a file's line and column (from 1), or an option of the command line, which
/// has neither (line 0).
struct Mark {
  std::string source;
  int line = 0;
  int column = 0;
};

/// `file.yaml:12:3`, or the bare source where there is no line.
std::string to_string(const Mark& mark);

/// What the user can mend; ends a command with exit code 2.
class InputError : public std::runtime_error {
 public:
  InputError(const Mark& mark, const std::string& message)
      : std::runtime_error(to_string(mark) + ": " + message), mark_(mark) {}
  explicit InputError(const std::string& message) : std::runtime_error(message) {}

  /// Empty where the error has no place, or the place is a part of its message.
  [[nodiscard]] const Mark& mark() const { return mark_; }

 private:
  Mark mark_;
};

/// `'text'` for a message: a long text is cut, and control characters are escaped.
std::string in_quotes(std::string_view text);

/// ` (did you mean 'x'?)` with the nearest of `known`: a few letters apart, or with all of `found` in
/// it. Nothing where none is near.
std::string did_you_mean(std::string_view found, const std::vector<std::string>& known);

/// `'a', 'b', 'c'`; of a long list the first ones, and how many more there are.
std::string quoted_list(const std::vector<std::string>& words);

/// `unknown WHAT 'found' (did you mean 'x'?); allowed: 'a', 'b'`.
std::string unknown_word(std::string_view what, std::string_view found,
                         const std::vector<std::string>& allowed);

}  // namespace fluidbatch::io
