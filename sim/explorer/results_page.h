// The results of a sweep as one page, to be explored in a browser.
#pragma once

#include <cstddef>
#include <filesystem>

namespace fluidbatch::sim {

/// A file with more points is refused: the page would be too large for a browser.
inline constexpr std::size_t kMostPagePoints = 1'000'000;

/// Writes the page of the results in `results` to `page`, in place of an earlier one. It needs no other file
/// and no network. Throws InputError.
void write_results_page(const std::filesystem::path& results, const std::filesystem::path& page);

}  // namespace fluidbatch::sim
