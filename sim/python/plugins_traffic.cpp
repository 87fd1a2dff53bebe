// Arrivals from Python: arrays of dates, and classes whose iterators give them.
#include <cmath>
#include <utility>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "sim/config/parameters_reader.h"
#include "sim/python/bindings.h"
#include "sim/python/iterator_feed.h"
#include "sim/python/plugins_call.h"
#include "workloads/io/files_read.h"
#include "workloads/io/text_number.h"
#include "workloads/traffic/processes.h"

namespace fluidbatch::python {
namespace {

namespace py = pybind11;
using workloads::Arrival;

/// A class that is registered: it makes objects from the values of its parameters.
struct ArrivalClass {
  std::string name;
  Kept make;
  std::vector<scheduler::Parameter> parameters;
};

/// What `dates(seed, stream)` of an object gives.
class DateFeed final : public IteratorFeed {
 public:
  DateFeed(std::string name, Kept object, std::uint64_t seed, std::uint64_t stream)
      : name_(std::move(name)), object_(std::move(object)), seed_(seed), stream_(stream) {}

 protected:
  py::object start() override {
    const py::object dates = call(py::handle(object_.get()).attr("dates"), seed_, stream_);
    auto iterator = py::reinterpret_steal<py::object>(PyObject_GetIter(dates.ptr()));
    if (iterator) return iterator;
    PyErr_Clear();
    throw io::InputError("arrivals of kind '" + name_ +
                         "': dates() must return an iterator of dates, found " + shown(dates));
  }

  double number_of(py::handle item, std::uint64_t index) override {
    const double date_s = PyFloat_AsDouble(item.ptr());
    if (PyErr_Occurred() != nullptr) {
      PyErr_Clear();
      refuse(index, "must be a number of seconds, found " + shown(item));
    }
    if (!std::isfinite(date_s) || date_s < 0) {
      refuse(index, "must be a finite number of seconds, at least 0; found " + io::shortest(date_s));
    }
    if (date_s < last_s_) {
      refuse(index,
             "must not be before the last one, " + io::shortest(last_s_) + "; found " + io::shortest(date_s));
    }
    return last_s_ = date_s;
  }

 private:
  [[noreturn]] void refuse(std::uint64_t index, const std::string& why) const {
    throw io::InputError("arrivals of kind '" + name_ + "': date " + std::to_string(index) + " of stream " +
                         std::to_string(stream_) + " " + why);
  }

  std::string name_;
  Kept object_;
  std::uint64_t seed_;
  std::uint64_t stream_;
  double last_s_ = 0;
};

class IteratedDates final : public workloads::ArrivalStream {
 public:
  explicit IteratedDates(FeedReader reader) : reader_(std::move(reader)) {}

  void draw(std::span<double> dates) override {
    for (double& date_s : dates) {
      if (!reader_.next(date_s)) date_s = std::numeric_limits<double>::infinity();
    }
  }
  std::unique_ptr<ArrivalStream> clone() const override { return std::make_unique<IteratedDates>(*this); }
  void split(std::uint64_t /*branch*/) override {}  // as splits() says

 private:
  FeedReader reader_;
};

class IteratedArrivals final : public workloads::ArrivalSpec {
 public:
  IteratedArrivals(std::string name, Kept object, double rate_hz)
      : name_(std::move(name)), object_(std::move(object)), rate_hz_(rate_hz) {}

  std::unique_ptr<workloads::ArrivalStream> start(std::uint64_t seed, std::uint64_t key) const override {
    return std::make_unique<IteratedDates>(FeedReader(std::make_shared<DateFeed>(name_, object_, seed, key)));
  }
  double mean_rate_hz() const override { return rate_hz_; }
  bool splits() const override { return false; }

 private:
  std::string name_;
  Kept object_;
  double rate_hz_;
};

std::unique_ptr<workloads::ArrivalSpec> read_class(const ArrivalClass& its, io::MapReader& reader) {
  const scheduler::ParameterValues values = sim::read_parameters(reader, its.parameters);
  const py::gil_scoped_acquire gil;
  const auto made = call(py::handle(its.make.get()), values_of(its.parameters, values)).cast<py::tuple>();
  const auto rate_hz = made[1].cast<double>();
  const auto objection = std::isnan(rate_hz) ? std::nullopt : workloads::objection_to_rate(rate_hz);
  if (objection) throw io::InputError(reader.mark(), "rate_hz of '" + its.name + "': " + *objection);
  return std::make_unique<IteratedArrivals>(its.name, keep(made[0]), rate_hz);
}

/// `make(values)` returns an object with `dates` and its rate.
void define_class(const std::string& name, py::object make, const py::list& declarations) {
  const auto its = std::make_shared<const ArrivalClass>(
      ArrivalClass{.name = name, .make = keep(std::move(make)), .parameters = parameters_of(declarations)});
  workloads::ArrivalKind kind{.name = name, .keys = {}, .read = {}};
  for (const scheduler::Parameter& parameter : its->parameters) kind.keys.push_back(parameter.name);
  kind.read = [its](io::MapReader& reader, const workloads::ArrivalContext&) {
    return read_class(*its, reader);
  };
  workloads::define_arrivals(std::move(kind));
}

template <typename Number>
using Column = py::array_t<Number, py::array::c_style>;

/// As the rows of a trace; `devices` and `exits` may be empty.
std::vector<Arrival> arrivals_of(const Column<double>& dates, const Column<std::int64_t>& devices,
                                 const Column<std::int64_t>& exits) {
  std::vector<Arrival> arrivals;
  arrivals.reserve(static_cast<std::size_t>(dates.size()));
  for (py::ssize_t i = 0; i < dates.size(); ++i) {
    Arrival arrival = Arrival::at(dates.at(i));
    if (devices.size() > 0) arrival.device = static_cast<std::uint32_t>(devices.at(i));
    if (exits.size() > 0) arrival.exit = static_cast<int>(exits.at(i));
    arrivals.push_back(arrival);
  }
  return arrivals;
}

/// The numbers of all columns, that tell them from others.
std::string content_of(const Column<double>& dates, const Column<std::int64_t>& devices,
                       const Column<std::int64_t>& exits) {
  std::string content;
  const auto append = [&](const py::array& column) {
    content.append(static_cast<const char*>(column.data()), static_cast<std::size_t>(column.nbytes()));
    content += ';';
  };
  append(dates);
  append(devices);
  append(exits);
  return content;
}

void define_dates(const std::string& name, const Column<double>& dates, const Column<std::int64_t>& devices,
                  const Column<std::int64_t>& exits) {
  const auto arrivals = std::make_shared<const std::vector<Arrival>>(arrivals_of(dates, devices, exits));
  const auto read = [name, arrivals, content = io::content_hash(content_of(dates, devices, exits))](
                        io::MapReader& /*reader*/, const workloads::ArrivalContext& context) {
    io::FilesRead::note_data("arrivals of kind '" + name + "'", content);
    std::vector<Arrival> sent = *arrivals;
    // What is sent at once is in order of device number, as in a trace.
    if (context.uplink) {
      std::ranges::stable_sort(sent, [](const Arrival& a, const Arrival& b) {
        return a.date_s != b.date_s ? a.date_s < b.date_s : a.device < b.device;
      });
    }
    return workloads::make_recorded(std::move(sent));
  };
  workloads::define_arrivals({.name = name, .keys = {}, .read = read});
}

}  // namespace

void bind_traffic(py::module_& module) {
  module.def("define_arrival_dates", &define_dates, py::arg("name"), py::arg("dates"), py::arg("devices"),
             py::arg("exits"),
             "Registers recorded arrivals: dates in seconds; devices and exits may be empty.");
  module.def(
      "define_arrivals", &define_class, py::arg("name"), py::arg("make"), py::arg("parameters"),
      "Registers arrivals: make(values) gives an object with dates(seed, stream), and its rate in hertz.");
}

}  // namespace fluidbatch::python
