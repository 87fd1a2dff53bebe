// A run's folder as one page: its statistics, latencies, queue and exits.
#pragma once

#include <filesystem>

namespace fluidbatch::sim {

/// Writes the page of the run in `folder` to `page`, in place of an earlier one. It needs no other file and
/// no network. Throws InputError where `folder` is not a run's, or a file in it is damaged.
void write_run_page(const std::filesystem::path& folder, const std::filesystem::path& page);

}  // namespace fluidbatch::sim
