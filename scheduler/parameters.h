// Parameters that what is registered by name declares, and their values.
#pragma once

#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fluidbatch::scheduler {

class FbeTable;

/// A number, one of several words, a yes or no, or a table of decisions, that is taken from the
/// configuration. The unit is part of its name.
struct Parameter {
  std::string name;
  double default_value = 0;  ///< of words: the index of the default; NaN: it need not be given
  double min = 0;
  double max = 0;
  bool integer = false;
  std::string meaning;
  std::vector<std::string> words = {};  ///< not empty: one of these is given, and the value is its index
  bool flag = false;                    ///< true or false: the value is 1 or 0
  bool table = false;                   ///< a file with a table of decisions, which must be given

  [[nodiscard]] bool optional() const { return std::isnan(default_value); }
};

/// The words that a parameter takes, each with what it stands for; the first is the default.
template <typename Meaning, std::size_t N>
using Words = std::array<std::pair<const char*, Meaning>, N>;

template <typename Meaning, std::size_t N>
Parameter word_parameter(std::string name, const Words<Meaning, N>& words, std::string meaning) {
  Parameter parameter{.name = std::move(name), .max = N - 1, .integer = true, .meaning = std::move(meaning)};
  for (const auto& [word, unused] : words) parameter.words.emplace_back(word);
  return parameter;
}

inline Parameter flag_parameter(std::string name, bool default_value, std::string meaning) {
  return {.name = std::move(name),
          .default_value = default_value ? 1.0 : 0.0,
          .max = 1,
          .integer = true,
          .meaning = std::move(meaning),
          .flag = true};
}

/// Values of parameters, in the order of their declaration; all are present and in range, but for optional
/// ones that were not given, which are NaN. The number of a table means nothing; there is at most one.
class ParameterValues {
 public:
  ParameterValues() = default;
  ParameterValues(const std::vector<Parameter>& parameters, std::vector<double> values,
                  std::shared_ptr<const FbeTable> table = nullptr);

  /// Throws std::logic_error where no such parameter was declared.
  [[nodiscard]] double number(std::string_view name) const;
  /// The same as a whole number, of a parameter that is one.
  [[nodiscard]] int integer(std::string_view name) const { return static_cast<int>(number(name)); }
  /// What the file held that the parameter of that kind named. Throws std::logic_error where there is none.
  [[nodiscard]] const std::shared_ptr<const FbeTable>& table() const;
  /// The same of a parameter that is true or false.
  [[nodiscard]] bool flag(std::string_view name) const { return number(name) != 0; }
  /// What the word that was given stands for.
  template <typename Meaning, std::size_t N>
  [[nodiscard]] Meaning word(std::string_view name, const Words<Meaning, N>& words) const {
    return words.at(static_cast<std::size_t>(number(name))).second;
  }

 private:
  std::vector<std::string> names_;
  std::vector<double> values_;
  std::shared_ptr<const FbeTable> table_;
};

}  // namespace fluidbatch::scheduler
