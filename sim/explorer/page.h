// The explorer's page without its data: what is drawn, by which scripts, and the library that draws.
#pragma once

#include <string>
#include <string_view>

namespace fluidbatch::sim {

/// The page up to where its data stand, and what follows them.
struct PageParts {
  std::string_view before;
  std::string_view after;
};

/// Of the program itself, which has them from its build. Throws InputError where it was built without, with
/// what to install.
PageParts page_parts();

}  // namespace fluidbatch::sim
