// The tables of a results file, and what they say of the sweep that the results are of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/measure/statistic.h"
#include "sim/sweep/sqlite.h"
#include "sim/sweep/sweep_file.h"
#include "sim/tail/tail.h"
#include "workloads/io/files_read.h"

namespace fluidbatch::sim {

/// What points were made from. Files with the same provenance can be merged.
struct Provenance {
  io::Node sweep;          ///< Sweep::identity
  std::int64_t pairs = 0;  ///< of setting and system, in all parts: point / most replications is below it
  io::FileHashes files;    ///< that the configurations name; shipped ones without the folder that they are in

  /// What is measured of the points' tails. Throws InputError.
  [[nodiscard]] std::optional<TailOptions> tail() const;
};

/// `files` as results keep them: those that come with the program are named by kind and name alone.
io::FileHashes portable_names(const io::FileHashes& files);

/// What a results file keeps.
struct ResultsFormat {
  const char* name = "";
  std::size_t statistics = 0;  ///< so many of all_statistics, the first ones
  bool parts = false;          ///< and those of the services and NPUs of sites
};

/// Number of columns of the table `points`, and of `parts`.
std::size_t point_columns(const std::optional<TailOptions>& tail);
std::size_t part_columns();

/// Makes the tables in a database that has none, in one transaction.
void create_tables(Database& database, const Provenance& provenance);

/// Throws InputError where `database` does not have the tables that create_tables makes: what a file says of
/// its own tables is never believed.
void require_results_file(Database& database);

/// The same for who only reads: files of the formats before are good too.
ResultsFormat require_readable_results(Database& database);

/// Of a results file.
Provenance read_provenance(Database& database);

/// Throws InputError where the results in `database` are not of `expected`; `what` is where that is from.
void require_same(Database& database, const Provenance& expected, const std::string& what);

}  // namespace fluidbatch::sim
