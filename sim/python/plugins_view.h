// What policies see of the server, as Python sees it: good only while they are asked.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "scheduler/view.h"
#include "sim/python/plugins_table.h"

namespace fluidbatch::python {

/// A view that Python holds an object of. The object stays; the view is there while a question is asked.
template <typename View>
class Shown {
 public:
  /// Throws std::runtime_error outside of a question.
  [[nodiscard]] const View& view() const {
    if (view_ == nullptr) throw_over();
    return *view_;
  }
  /// The same for what was taken from the view at that question.
  [[nodiscard]] const View& view_of(std::uint64_t question) const {
    if (question != question_) throw_over();
    return view();
  }
  [[nodiscard]] std::uint64_t question() const { return question_; }
  [[nodiscard]] pybind11::object table_object(const npu::BatchPolicyTable& table) { return table_.of(table); }

  void begin(const View& view) {
    view_ = &view;
    ++question_;
  }
  void end() { view_ = nullptr; }

 private:
  [[noreturn]] static void throw_over() {
    throw std::runtime_error(
        "a view is good only while the question that it comes with is answered: copy what is needed later");
  }

  const View* view_ = nullptr;
  std::uint64_t question_ = 0;
  TableObject table_;
};

/// While it lives, `view` is what Python sees.
template <typename View>
class Showing {
 public:
  Showing(Shown<View>& shown, const View& view) : shown_(shown) { shown_.begin(view); }
  Showing(const Showing&) = delete;
  Showing& operator=(const Showing&) = delete;
  ~Showing() { shown_.end(); }

 private:
  Shown<View>& shown_;
};

/// A Shown with its Python object.
template <typename View>
struct ViewObject {
  std::shared_ptr<Shown<View>> shown = std::make_shared<Shown<View>>();
  Kept object = keep(pybind11::cast(shown));
};

/// One number for each request of a queue.
template <typename Number, typename Value>
pybind11::array_t<Number> by_request(std::span<const scheduler::RequestId> ids, const Value& value) {
  pybind11::array_t<Number> numbers(static_cast<pybind11::ssize_t>(ids.size()));
  Number* next = numbers.mutable_data();
  for (const scheduler::RequestId id : ids) *next++ = static_cast<Number>(value(id));
  return numbers;
}

/// The numbers of requests themselves.
inline pybind11::array_t<std::int64_t> numbers_of(std::span<const scheduler::RequestId> ids) {
  return by_request<std::int64_t>(ids, [](scheduler::RequestId id) { return id; });
}

/// What no view is good for: a copy. For copy.deepcopy of what holds one.
template <typename Object>
void refuse_copies(pybind11::class_<Object, std::shared_ptr<Object>>& type) {
  type.def(
      "__deepcopy__",
      [](const Object&, const pybind11::object&) -> pybind11::object {
        throw pybind11::type_error(
            "a view can't be copied, so what keeps one as an attribute can't be either: keep what is needed "
            "of it");
      },
      pybind11::arg("memo"));
}

void bind_server_view(pybind11::module_& module);

}  // namespace fluidbatch::python
