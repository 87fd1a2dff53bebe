#include "sim/python/models.h"

#include <chrono>
#include <utility>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "sim/python/bindings.h"
#include "sim/python/conversion.h"
#include "sim/python/supervise.h"
#include "workloads/io/map_reader.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;

template <typename Cell>
py::object array_of(const std::vector<Cell>& values) {
  return py::array_t<Cell>(static_cast<py::ssize_t>(values.size()), values.data());
}

py::object array_of(const std::vector<bool>& values) {
  py::array_t<bool> array(static_cast<py::ssize_t>(values.size()));
  auto cells = array.mutable_unchecked<1>();
  for (std::size_t i = 0; i < values.size(); ++i) cells(static_cast<py::ssize_t>(i)) = values[i];
  return array;
}

py::object array_of(const std::vector<std::string>& values) { return py::cast(values); }

/// The items of a list, or the value itself, as nodes with places.
std::vector<io::Node> items_of(py::handle values, const std::string& place) {
  io::Node node = node_of(values, place);
  if (node.kind == io::Node::Kind::sequence) return node.items;
  return {std::move(node)};
}

}  // namespace

py::dict columns_dict(const io::ColumnTable& table) {
  py::dict columns;
  for (const io::Column& column : table.columns()) {
    columns[py::str(column.name)] =
        std::visit([](const auto& values) -> py::object { return array_of(values); }, column.values);
  }
  return columns;
}

npu::Poll poll_for_signals() {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kWait(20);
  return [next = Clock::now() + kWait, kWait]() mutable {
    if (Clock::now() < next) return;
    check_signals();
    next = Clock::now() + kWait;
  };
}

std::int64_t whole_number(py::handle value, const std::string& place, std::int64_t min, std::int64_t max) {
  return io::read_integer(node_of(value, place), place, min, max);
}

std::vector<std::int64_t> whole_numbers(py::handle values, const std::string& place, std::int64_t min,
                                        std::int64_t max) {
  std::vector<std::int64_t> numbers;
  if (values.is_none()) return numbers;
  for (const io::Node& item : items_of(values, place)) {
    numbers.push_back(io::read_integer(item, place, min, max));
  }
  return numbers;
}

std::vector<std::string> texts(py::handle values, const std::string& place) {
  std::vector<std::string> all;
  for (const io::Node& item : items_of(values, place)) all.push_back(io::read_text(item, place));
  return all;
}

void bind_models(py::module_& module) {
  bind_model_objects(module);
  bind_model_tables(module);
  bind_searches(module);
  bind_fits(module);
  bind_importer(module);
}

}  // namespace fluidbatch::python
