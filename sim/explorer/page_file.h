// Puts a page together.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/explorer/page.h"

namespace fluidbatch::sim {

/// Writes the page with `data`, elements one after another, in place of an earlier one. Throws InputError,
/// also where `page` is `source`, what the data are from, or another file that is no such page.
void write_page(const std::filesystem::path& page, const std::filesystem::path& source,
                const std::vector<std::string>& data);

}  // namespace fluidbatch::sim
