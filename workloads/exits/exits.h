// Models of which exit each request takes, by name.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "workloads/traffic/devices.h"
#include "workloads/traffic/exit_source.h"

namespace fluidbatch::workloads {

/// What a model of exits may need to understand its configuration.
struct ExitContext {
  int exits = 1;  ///< of the network, the final one included
  /// That the exits are for; nullptr where they are read first, since a load of the devices takes their
  /// rates.
  const Devices* devices = nullptr;
  std::size_t service = 0;  ///< that the exits are of, among those that the devices send for
};

/// A model of exits as it registers: its name, its keys besides `kind`, and how it is read.
struct ExitKind {
  std::string name;
  std::vector<std::string> keys;
  std::function<std::unique_ptr<ExitSpec>(io::MapReader&, const ExitContext&)> read;
};

/// Reads `workload.exits`; the map with its defaults goes to `resolved`. Throws InputError.
std::unique_ptr<ExitSpec> read_exits(const io::Node& node, const ExitContext& context, io::Node& resolved);

/// What speaks against so many values of `key`, one for each early exit of a network; or nothing.
std::optional<std::string> objection_to_count(const std::string& key, std::size_t values, int exits);

// The models from plain values; reading one from YAML ends in the same calls. All throw
// std::invalid_argument for values out of the ranges that docs/configuration.md gives. `exits` is their
// number in the network, the final one included; rates are for each early exit, of the samples that reach it.

std::unique_ptr<ExitSpec> make_no_exits(int exits);
std::unique_ptr<ExitSpec> make_rates(std::vector<double> rates);
/// `correlation` of the difficulties of a device's consecutive samples, from -1 to 1.
std::unique_ptr<ExitSpec> make_correlated(std::vector<double> rates, double correlation);
/// The exit of each request, in order of sending. Policies know `known_rates` or, where empty, those of the
/// list.
std::unique_ptr<ExitSpec> make_exit_list(std::vector<int> taken, int exits,
                                         std::vector<double> known_rates = {});
/// The exits that recorded arrivals name.
std::unique_ptr<ExitSpec> make_exits_of_arrivals(const Devices& devices, int exits,
                                                 std::vector<double> known_rates = {},
                                                 std::size_t service = 0);

/// Every request is one of `samples`, drawn with replacement; it leaves at the first early exit whose
/// confidence is at least its threshold.
std::unique_ptr<ExitSpec> make_confidences(const std::vector<JudgedSample>& samples,
                                           const std::vector<double>& thresholds);

/// The same of samples that are put together already; confidences, verdicts and thresholds must be in range.
std::unique_ptr<ExitSpec> make_confidences(RecordedConfidences samples);

/// Reads `threshold`, one for all early exits, or `thresholds`, one for each. Throws InputError.
std::vector<double> read_thresholds(io::MapReader& reader, const ExitContext& context);

/// Reads the list `rates`, a probability for each early exit. Throws InputError.
std::vector<double> read_exit_rates(io::MapReader& reader, const ExitContext& context);

/// Reads the list under `key`: numbers from 0 to 1, one for each early exit. Throws InputError.
std::vector<double> read_per_early_exit(io::MapReader& reader, const std::string& key,
                                        const std::string& what, const ExitContext& context);

/// Which exit a number drawn takes, given each early exit's upper end in rising order: the first that lies
/// above it. There are few, and none is likely: counted without branches.
inline int exit_below(const std::vector<double>& ends, double drawn) {
  int exit = 0;
  for (const double end : ends) exit += drawn >= end ? 1 : 0;
  return exit;
}

/// The probability to have left by early exit 0, 1, .., from the conditional rates.
std::vector<double> left_by(const std::vector<double>& rates);

/// Of the samples that reach each early exit, the share that leaves there, from the exits taken.
std::vector<double> rates_of(const std::vector<int>& taken, int exits);

/// As define_arrivals.
void define_exits(ExitKind kind);

/// Registers a model of exits before main; one static object of it in each model's .cpp.
class ExitRegistration {
 public:
  explicit ExitRegistration(ExitKind kind);
};

}  // namespace fluidbatch::workloads
