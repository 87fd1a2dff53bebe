// A sweep as its file says it: a base configuration, axes over its keys, replications.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/sweep/replications.h"
#include "sim/tail/tail.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {

/// One value for each of some keys, in their order.
using Setting = std::vector<io::Node>;

/// Keys whose values go in step: an axis of a grid, all of a zip, or a list.
struct AxisBlock {
  std::vector<std::string> keys;
  std::vector<Setting> rows;
};

/// Settings are the combinations of all blocks' rows, the last block's running fastest. They are made when
/// they are asked for: there may be millions.
struct Sweep {
  io::Node base;  ///< the configuration that the settings are laid over
  std::vector<AxisBlock> axes;
  Replications replications;
  std::optional<TailOptions> tail;  ///< of each point, where it is measured

  /// Of all axes, in order.
  [[nodiscard]] std::vector<std::string> keys() const;
  [[nodiscard]] std::size_t settings() const;
  /// Which row of `axes[block]` a setting has.
  [[nodiscard]] std::size_t row(std::size_t setting, std::size_t block) const;
  /// The values of all keys.
  [[nodiscard]] Setting setting(std::size_t number) const;
  /// The configuration of one setting.
  [[nodiscard]] io::Node configuration(std::size_t setting) const;
  /// All that the results depend on, but for the files that the configurations name: two sweeps with equal
  /// ones give equal results.
  [[nodiscard]] io::Node identity() const;
};

/// Reads a sweep (keys: docs/sweeps.md) and the base that it names, to which `overrides` (KEY=VALUE) are
/// applied and `plugins` (as for `add_plugins`) added. Throws InputError.
Sweep load_sweep(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                 const std::vector<std::string>& plugins = {});

/// The same from a document that has been read; `edit` changes the base before anything is made of it.
Sweep read_sweep(const io::Node& document, const std::function<void(io::Node& base)>& edit);

/// A value of an axis as a short text: a scalar as it is, anything else on one line.
std::string value_text(const io::Node& value);

/// Path of the first key in which two documents differ, or nothing.
std::optional<std::string> first_difference(const io::Node& a, const io::Node& b);

}  // namespace fluidbatch::sim
