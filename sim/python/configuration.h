// A configuration as Python gives it: a file or a dict, with what is overridden.
#pragma once

#include <filesystem>
#include <memory>

#include <pybind11/pybind11.h>

#include "sim/config/run_config.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::python {

/// Read and checked.
struct Configuration {
  std::filesystem::path file;  ///< empty where it is from a dict
  io::Node document;           ///< as given, with the overrides: what is read again with other values
  sim::RunConfig config;
};

/// The document of `configuration`, a path or a dict, with `overrides`, a dict of dotted keys, as `--set` has
/// them. Throws io::InputError.
io::Node document_of(pybind11::handle configuration, const pybind11::dict& overrides);

/// Applies `overrides` to a document, and makes ready for its plug-ins. Throws io::InputError.
void override_values(io::Node& document, const pybind11::dict& overrides);

/// The same, read. `audit` as RunOptions of the program's. Throws io::InputError.
std::shared_ptr<Configuration> read_configuration(pybind11::handle configuration,
                                                  const pybind11::dict& overrides, bool audit);

}  // namespace fluidbatch::python
