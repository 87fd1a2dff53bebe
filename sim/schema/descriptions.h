// What keys mean, where the program has it in words: as its listings of policies, statistics and the like say
// it.
#pragma once

#include <string>
#include <string_view>

namespace fluidbatch::sim {

/// Of a map that its reader calls `map`: what the policy (exit control, arbiter, router) that it configures
/// does; `map` itself where it is none of those.
std::string description_of(std::string_view map);

/// Of a key of that map: what the parameter, or the statistic, means; empty where that is not known.
std::string description_of_key(std::string_view map, std::string_view key);

}  // namespace fluidbatch::sim
