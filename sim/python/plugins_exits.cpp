// Exits from Python: recorded confidences, lists, and classes whose iterators give them.
#include <utility>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "sim/config/parameters_reader.h"
#include "sim/python/bindings.h"
#include "sim/python/iterator_feed.h"
#include "sim/python/plugins_call.h"
#include "workloads/exits/exits.h"
#include "workloads/io/files_read.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;
using workloads::ExitContext;
using workloads::ExitSpec;

/// A class that is registered: it makes objects from the values of its parameters.
struct ExitClass {
  std::string name;
  Kept make;
  std::vector<scheduler::Parameter> parameters;
};

/// An object of such a class.
struct ExitObject {
  std::string name;
  Kept object;
  int exits = 1;
  std::vector<double> rates;
};

/// What `exits(seed, device)` of an object gives.
class ExitFeed final : public IteratorFeed {
 public:
  ExitFeed(const ExitObject& its, std::uint64_t seed, std::uint64_t device)
      : its_(its), seed_(seed), device_(device) {}

 protected:
  py::object start() override {
    const py::object exits = call(py::handle(its_.object.get()).attr("exits"), seed_, device_);
    auto iterator = py::reinterpret_steal<py::object>(PyObject_GetIter(exits.ptr()));
    if (iterator) return iterator;
    PyErr_Clear();
    throw io::InputError("exits of kind '" + its_.name +
                         "': exits() must return an iterator of exits, found " + shown(exits));
  }

  double number_of(py::handle item, std::uint64_t index) override {
    const bool whole = PyIndex_Check(item.ptr()) != 0;
    const py::ssize_t exit =
        whole ? PyNumber_AsSsize_t(item.ptr(), nullptr) : -1;  // beyond its range: its end
    if (PyErr_Occurred() != nullptr) PyErr_Clear();
    if (exit >= 0 && exit < its_.exits) return static_cast<double>(exit);
    throw io::InputError("exits of kind '" + its_.name + "': exit " + std::to_string(index) + " of device " +
                         std::to_string(device_) + " must be a whole number from 0 to " +
                         std::to_string(its_.exits - 1) + ", found " + shown(item));
  }

 private:
  const ExitObject& its_;
  std::uint64_t seed_;
  std::uint64_t device_;
};

class IteratedExitStream final : public workloads::ExitStream {
 public:
  IteratedExitStream(const ExitObject& its, std::uint64_t seed, const std::vector<std::uint64_t>& device_keys)
      : its_(its), seed_(seed), keys_(device_keys), readers_(device_keys.size()) {}

  void draw(std::span<workloads::Arrival> requests) override {
    for (workloads::Arrival& request : requests) {
      FeedReader& reader = readers_[request.device];
      if (!reader.begun())
        reader = FeedReader(std::make_shared<ExitFeed>(its_, seed_, keys_[request.device]));
      double exit = 0;
      if (!reader.next(exit)) {
        throw io::InputError("exits of kind '" + its_.name + "': exits() of device " +
                             std::to_string(keys_[request.device]) + " ended after " +
                             std::to_string(reader.count()) + ", but the device sends more requests");
      }
      request.exit = static_cast<int>(exit);
      request.correct = -1;
    }
  }
  std::unique_ptr<ExitStream> clone() const override { return std::make_unique<IteratedExitStream>(*this); }
  void split(std::uint64_t /*branch*/) override {}  // as splits() says

 private:
  const ExitObject& its_;
  std::uint64_t seed_;
  std::vector<std::uint64_t> keys_;
  std::vector<FeedReader> readers_;  // by device, begun with its first request
};

class IteratedExits final : public ExitSpec {
 public:
  explicit IteratedExits(ExitObject its) : its_(std::move(its)) {}

  std::unique_ptr<workloads::ExitStream> start(std::uint64_t seed,
                                               const std::vector<std::uint64_t>& device_keys) const override {
    return std::make_unique<IteratedExitStream>(its_, seed, device_keys);
  }
  std::vector<double> rates() const override { return its_.rates; }
  bool splits() const override { return false; }

 private:
  ExitObject its_;
};

/// The rates that an object knows; those of the configuration come before.
std::vector<double> known_rates(const ExitClass& its, py::handle of_object, const io::MapReader& reader,
                                const ExitContext& context) {
  if (of_object.is_none()) {
    throw io::InputError(reader.mark(),
                         "exits of kind '" + its.name +
                             "' need rates, which policies know: for each early exit, of the samples "
                             "that reach it the share that leaves; as a key, or as the attribute "
                             "'rates' of the class");
  }
  auto rates = of_object.cast<std::vector<double>>();
  auto objection = workloads::objection_to_count("rates", rates.size(), context.exits);
  for (const double rate : rates) {
    if (io::Range::probability().contains(rate)) continue;
    objection =
        "an exit rate must be a number, " + io::Range::probability().text() + "; found " + io::shortest(rate);
  }
  if (objection) throw io::InputError(reader.mark(), "exits of kind '" + its.name + "': " + *objection);
  return rates;
}

std::unique_ptr<ExitSpec> read_class(const ExitClass& its, io::MapReader& reader,
                                     const ExitContext& context) {
  std::optional<std::vector<double>> given;
  if (reader.has("rates")) given = workloads::read_exit_rates(reader, context);
  const scheduler::ParameterValues values = sim::read_parameters(reader, its.parameters);
  const py::gil_scoped_acquire gil;
  const auto made =
      call(py::handle(its.make.get()), values_of(its.parameters, values), given).cast<py::tuple>();
  std::vector<double> rates = known_rates(its, made[1], reader, context);
  if (!given) {
    io::Node resolved = io::Node::sequence();
    for (const double rate : rates) resolved.items.push_back(io::Node::number(rate));
    reader.resolve("rates", std::move(resolved));
  }
  return std::make_unique<IteratedExits>(ExitObject{
      .name = its.name, .object = keep(made[0]), .exits = context.exits, .rates = std::move(rates)});
}

/// `make(values, rates)` returns an object with `exits`, and the rates that it knows or None.
void define_class(const std::string& name, py::object make, const py::list& declarations) {
  const auto its = std::make_shared<const ExitClass>(
      ExitClass{.name = name, .make = keep(std::move(make)), .parameters = parameters_of(declarations)});
  workloads::ExitKind kind{.name = name, .keys = {"rates"}, .read = {}};
  for (const scheduler::Parameter& parameter : its->parameters) kind.keys.push_back(parameter.name);
  kind.read = [its](io::MapReader& reader, const ExitContext& context) {
    return read_class(*its, reader, context);
  };
  workloads::define_exits(std::move(kind));
}

template <typename Number>
using Table = py::array_t<Number, py::array::c_style>;

/// Rows that every configuration reads with thresholds of its own.
struct Samples {
  std::vector<workloads::JudgedSample> rows;
  std::size_t exits = 0;
  std::string content;  ///< hash that tells them from others
};

Samples samples_of(const Table<double>& confidence, const Table<std::int8_t>& correct) {
  Samples samples{.rows = {}, .exits = static_cast<std::size_t>(confidence.shape(1)), .content = {}};
  for (py::ssize_t row = 0; row < confidence.shape(0); ++row) {
    workloads::JudgedSample sample;
    sample.confidences.assign(confidence.data(row, 0), confidence.data(row, 0) + samples.exits);
    sample.correct.assign(correct.data(row, 0), correct.data(row, 0) + samples.exits);
    samples.rows.push_back(std::move(sample));
  }
  std::string content(reinterpret_cast<const char*>(confidence.data()),
                      static_cast<std::size_t>(confidence.nbytes()));
  content.append(reinterpret_cast<const char*>(correct.data()), static_cast<std::size_t>(correct.nbytes()));
  samples.content = io::content_hash(content);
  return samples;
}

void define_recorded(const std::string& name, const Table<double>& confidence,
                     const Table<std::int8_t>& correct) {
  const auto samples = std::make_shared<const Samples>(samples_of(confidence, correct));
  const auto read = [name, samples](io::MapReader& reader, const ExitContext& context) {
    io::FilesRead::note_data("exits of kind '" + name + "'", samples->content);
    if (static_cast<int>(samples->exits) != context.exits) {
      throw io::InputError(reader.mark_of("kind"),
                           "'" + name + "' has confidences of " + std::to_string(samples->exits) +
                               " exits, but the network has " + std::to_string(context.exits) +
                               (context.exits == 1 ? " exit" : " exits"));
    }
    workloads::RecordedConfidences recorded(workloads::read_thresholds(reader, context));
    for (const workloads::JudgedSample& row : samples->rows) recorded.add(row);
    return workloads::make_confidences(std::move(recorded));
  };
  workloads::define_exits({.name = name, .keys = {"threshold", "thresholds"}, .read = read});
}

void define_list(const std::string& name, const std::vector<int>& taken) {
  const auto exits = std::make_shared<const std::vector<int>>(taken);
  const auto read = [name, exits](io::MapReader& reader, const ExitContext& context) {
    io::FilesRead::note_data("exits of kind '" + name + "'",
                             {reinterpret_cast<const char*>(exits->data()), exits->size() * sizeof(int)});
    const auto wrong = std::ranges::find_if(*exits, [&](int exit) { return exit >= context.exits; });
    if (wrong != exits->end()) {
      throw io::InputError(reader.mark_of("kind"), "'" + name + "' has exit " + std::to_string(*wrong) +
                                                       " at index " + std::to_string(wrong - exits->begin()) +
                                                       "; the network has exits 0 to " +
                                                       std::to_string(context.exits - 1));
    }
    std::vector<double> rates;
    if (reader.has("rates")) rates = workloads::read_exit_rates(reader, context);
    return workloads::make_exit_list(*exits, context.exits, std::move(rates));
  };
  workloads::define_exits({.name = name, .keys = {"rates"}, .read = read});
}

}  // namespace

void bind_exit_sources(py::module_& module) {
  module.def(
      "define_recorded_exits", &define_recorded, py::arg("name"), py::arg("confidence"), py::arg("correct"),
      "Registers recorded samples: arrays of samples by exits, of numbers from 0 to 1 and of 0 and 1.");
  module.def("define_exit_list", &define_list, py::arg("name"), py::arg("exits"),
             "Registers the exit of each request, in order of sending.");
  module.def("define_exits", &define_class, py::arg("name"), py::arg("make"), py::arg("parameters"),
             "Registers exits: make(values, rates) gives an object with exits(seed, device), and its rates "
             "or None.");
}

}  // namespace fluidbatch::python
