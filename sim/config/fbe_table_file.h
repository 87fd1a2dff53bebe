// A table of an FBE's decisions as a file: `queue,active,segment,newcomers`.
#pragma once

#include <filesystem>
#include <string>

#include "scheduler/optimum/fbe_table.h"

namespace fluidbatch::sim {

/// The CSV of `table`: a row for each queue of 1 .. its longest, behind each active batch. Where the NPU is
/// idle, `active` and `segment` are 0; else `segment` is the one that the batch runs next, from 1 on.
std::string fbe_table_csv(const scheduler::FbeTable& table);

/// Reads such a file, whose rows may be in any order; other columns are passed over. The table has the
/// longest queue, the segments and the max_batch of the rows (of one segment: as many as ever start
/// together); each state up to those must be there once. Throws InputError, also where more newcomers start
/// than there are or than max_batch leaves room for, and where an idle NPU starts nobody with the longest
/// queue.
scheduler::FbeTable read_fbe_table(const std::filesystem::path& file);

}  // namespace fluidbatch::sim
