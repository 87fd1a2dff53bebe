// Code that clang-tidy has much to say of, in each kind of declaration: test_own_declarations.py counts on
// it.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <signal.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/lint/own.h"

using std::map;
namespace unused_alias = std::chrono;

#define TEST_BODY(name) static void name()
#define TWICE(x) x * 2

namespace fluidbatch {
namespace inner {

class lower_case_name {
 public:
  lower_case_name(std::string text) : text_(text) {}
  lower_case_name(lower_case_name&& other) : text_(std::move(other.text_)) {}
  int value() { return value_; }

 private:
  std::string text_;
  int value_ = 0;
  int member = 1;
};

TEST_BODY(InAMacro) {
  int unset;
  std::vector<int> numbers;
  for (int i = 0; i < 10; ++i) numbers.push_back(i);
  for (std::vector<int>::iterator it = numbers.begin(); it != numbers.end(); ++it) unset = *it;
  if (numbers.size() == 0) return;
  std::unique_ptr<int> owned(new int(1));
  if (owned.get()) unset = TWICE(1 + 1);
}

int use_after_move(std::vector<std::string> names) {
  auto taken = std::move(names);
  const auto found = std::remove(taken.begin(), taken.end(), "x");
  std::vector<std::pair<int, int>> pairs;
  pairs.push_back(std::make_pair(1, 2));
  auto in_lambda = [&](int unused, const std::pair<int, int> pair) {
    int* pointer = 0;
    return pointer == NULL && pair.first == pair.first ? 1 : 1.5;
  };
  for (const auto pair : pairs) in_lambda(1, pair);
  std::remove(taken.begin(), taken.end(), found->c_str());
  return names.size();
}

template <class T>
class Holder {
 public:
  explicit Holder(const T& value) : value_(value) {}
  bool same(T other) const {
    if (other == value_) {
      return true;
    } else {
      return false;
    }
  }

 private:
  T value_;
};

const int slices(Derived derived) {
  Base base = derived;
  std::string_view view = nullptr;
  char text[4];
  if (strcmp(text, "abc")) return sizeof(view) / 2.0;
  std::bind(slices, derived);
  return Holder<std::string>("a").same(std::string("b").c_str());
}

void slices_declared(int other_name);
void slices_declared(int other_name);
void slices_declared(int name) {
  switch (name) {
    case 1:
      name = 2;
      break;
    case 2:
      name = 2;
      break;
  }
  for (short i = 0; i < name; ++i) continue;
  return;
}

}  // namespace inner
}  // namespace fluidbatch

// What is in a system's namespace, and in a block of C, is the project's nonetheless.
namespace std {
template <>
struct hash<fluidbatch::Derived> {
  typedef int number;
  size_t operator()(const fluidbatch::Derived derived) const { return derived.never_set == 0 ? NULL : 1; }
};
}  // namespace std

extern "C" {
typedef void (*callback)(void);
void _Reserved(void* data, callback function) { memset(data, sizeof(int), 0); }
}

int main() {
  signal(SIGINT, SIG_DFL);
  fluidbatch::inner::use_after_move({"a"});
}
