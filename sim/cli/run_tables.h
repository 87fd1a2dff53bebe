// The tables of `run` of whole systems, and what is said below them.
#pragma once

#include <string>
#include <vector>

#include "sim/measure/statistics.h"

namespace fluidbatch::sim {
struct RunConfig;
}

namespace fluidbatch::sim::cli {

// `results` by system; `free_s`: the mean of each system's optimum, or nothing where there is no theory of
// any. Each line of a table has at most 80 characters where labels have up to 15.

/// How long requests take, and what the NPUs do for it.
std::string results_tables(const RunConfig& config, const std::vector<RunStatistics>& results,
                           const std::vector<double>& free_s);

/// What exit controls have made of the exits, and what requests take; empty where nothing is known of either.
std::string further_tables(const RunConfig& config, const std::vector<RunStatistics>& results);

/// What the columns are, and what the tables can't say by themselves.
std::string remarks(const RunConfig& config, const std::vector<RunStatistics>& results,
                    const std::vector<double>& free_s);

}  // namespace fluidbatch::sim::cli
