// What test_own_declarations.py lets clang-tidy find in a header of the project.
#pragma once

#include <string>
#include <vector>

namespace fluidbatch {

struct Base {
  virtual ~Base() {}
  virtual void step(int count);
};

struct Derived : Base {
  virtual void step(int count);
  int never_set;
};

typedef std::vector<Derived> AllDerived;

template <class T>
T twice(const T value) {
  std::string text = "";
  return value == NULL ? value : value;
}

}  // namespace fluidbatch
