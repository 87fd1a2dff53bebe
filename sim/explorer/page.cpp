#include "sim/explorer/page.h"

#include "workloads/io/input_error.h"

#ifdef FLUIDBATCH_PAGE
// The page as CMake has put it together, byte by byte: as an array in C++ it would take as long to compile as
// all else here.
__asm__(
    ".section .rodata\n"
    ".global fluidbatch_page_begin\n"
    ".global fluidbatch_page_end\n"
    "fluidbatch_page_begin:\n"
    ".incbin \"" FLUIDBATCH_PAGE
    "\"\n"
    "fluidbatch_page_end:\n"
    ".byte 0\n"
    ".text\n");
extern "C" const char fluidbatch_page_begin[];  // NOLINT(readability-identifier-naming)
extern "C" const char fluidbatch_page_end[];    // NOLINT(readability-identifier-naming)
#endif

namespace fluidbatch::sim {

PageParts page_parts() {
#ifdef FLUIDBATCH_PAGE
  constexpr std::string_view kData = "<!-- data -->\n";
  const std::string_view page(fluidbatch_page_begin,
                              static_cast<std::size_t>(fluidbatch_page_end - fluidbatch_page_begin));
  const std::size_t place = page.find(kData);
  return {.before = page.substr(0, place), .after = page.substr(place + kData.size())};
#else
  throw io::InputError(
      "report: this program was built without the library that draws pages; install Debian's node-d3 "
      "(d3.min.js) and build again with -DFLUIDBATCH_EXPLORER=ON");
#endif
}

}  // namespace fluidbatch::sim
