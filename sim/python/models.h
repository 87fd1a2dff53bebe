// Networks and NPUs as Python has them, and what the bindings about them share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <pybind11/pybind11.h>

#include "npu_model/npu.h"
#include "npu_model/poll.h"
#include "workloads/io/column_table.h"
#include "workloads/io/yaml_node.h"
#include "workloads/models/network.h"

namespace fluidbatch::python {

struct NetworkModel {
  workloads::Network network;
  io::Node document;           ///< its YAML, good in any folder
  std::filesystem::path file;  ///< empty where it is from a dict
};

struct NpuModel {
  npu::Npu npu;
  io::Node document;           ///< its YAML, good in any folder
  std::filesystem::path file;  ///< empty where it is from a dict, or has been changed
};

using NetworkPointer = std::shared_ptr<const NetworkModel>;
using NpuPointer = std::shared_ptr<const NpuModel>;

/// An NPU from its YAML. Throws InputError.
NpuPointer npu_model(io::Node document, const std::string& name, std::filesystem::path file = {});

/// The columns by name, as NumPy arrays; texts as lists of str.
pybind11::dict columns_dict(const io::ColumnTable& table);

/// Answers signals (`check_signals`) some 50 times a second, from a computation without the GIL.
npu::Poll poll_for_signals();

/// A whole number that is Python's argument `place`. Throws InputError.
std::int64_t whole_number(pybind11::handle value, const std::string& place, std::int64_t min,
                          std::int64_t max);
/// Several, or a single one; none of None. Throws InputError.
std::vector<std::int64_t> whole_numbers(pybind11::handle values, const std::string& place, std::int64_t min,
                                        std::int64_t max);
/// Several texts, or a single one. Throws InputError.
std::vector<std::string> texts(pybind11::handle values, const std::string& place);

void bind_model_objects(pybind11::module_& module);
void bind_model_tables(pybind11::module_& module);
void bind_searches(pybind11::module_& module);
void bind_fits(pybind11::module_& module);
void bind_importer(pybind11::module_& module);

}  // namespace fluidbatch::python
