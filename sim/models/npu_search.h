// A search for the best tile sizes of an engine on a board: what is asked, and what is shown of what was
// found.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "npu_model/design_search.h"
#include "workloads/io/column_table.h"
#include "workloads/io/yaml_node.h"
#include "workloads/models/network.h"

namespace fluidbatch::sim {

/// Keys of an NPU's YAML that a search takes as they are; `energy` may also be the name or path of an NPU,
/// whose energies are taken.
std::span<const char* const> search_engine_keys();

struct SearchRequest {
  npu::Board board;
  io::Node mode;                  ///< the word for one
  std::vector<int> batches;       ///< the mix, in any order
  std::vector<std::int64_t> t_r;  ///< to try; the search's own choice where empty, as of the next two
  std::vector<std::int64_t> t_p;
  std::vector<std::int64_t> t_c;
  int k_max = 1;
  int dsps_per_mac = 1;
  int accumulator_bytes = 4;
  io::Node objective = io::Node::text("latency");  ///< the word for one
  io::Node engine = io::Node::map();  ///< of the keys of `search_engine_keys`, those that are given
  std::string option_prefix;          ///< before the name of a key in messages: `--` of a command's options
};

/// Throws InputError where a key is wrong, or more than the board has, and where the objective needs energies
/// that are not given.
npu::SearchSettings search_settings(const SearchRequest& request);

/// As npu::search_designs; InputError at `place` where nothing fits.
npu::SearchResult find_designs(const workloads::Network& network, const npu::SearchSettings& settings,
                               const io::Mark& place, const npu::Poll& poll = {});

/// Indices of the designs to show: the best `top` by score, and all of the Pareto set.
std::vector<std::size_t> shown_designs(const npu::SearchResult& result, int top);

bool is_pareto(const npu::SearchResult& result, std::size_t index);

/// Joules of `design` by batch of the mix: those that it was ranked by, or worked out where it was not.
/// Precondition: the base has energies.
std::vector<double> design_energies_j(const npu::Design& design, const npu::SearchSettings& settings,
                                      const workloads::Network& network);

/// A row for each of the designs to show; with columns of energy where the base has energies.
io::ColumnTable design_columns(const npu::SearchResult& result, const npu::SearchSettings& settings,
                               const workloads::Network& network, int top, const npu::Poll& poll = {});

/// The YAML of a design that a search of `request` has found, on the board called `board`.
io::Node found_npu(const npu::Npu& npu, const SearchRequest& request, const std::string& network,
                   const std::string& board);

}  // namespace fluidbatch::sim
