#include "sim/run/statistics_transfer.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace fluidbatch::sim {

std::string to_bytes(const RunStatistics& statistics) {
  std::vector<double> numbers{static_cast<double>(statistics.admitted), statistics.saturated ? 1.0 : 0.0};
  numbers.insert(numbers.end(), statistics.values.begin(), statistics.values.end());
  for (const Absence absence : statistics.absences) numbers.push_back(static_cast<double>(absence));
  numbers.insert(numbers.end(), statistics.exit_shares.begin(), statistics.exit_shares.end());
  numbers.insert(numbers.end(), statistics.segment_batches.begin(), statistics.segment_batches.end());
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(double)};
}

RunStatistics from_bytes(const std::string& bytes) {
  std::vector<double> numbers(bytes.size() / sizeof(double));
  std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(double));
  constexpr std::size_t kValues = 2;
  constexpr std::size_t kAbsences = kValues + kStatistics;
  constexpr std::size_t kExits = kAbsences + kStatistics;
  RunStatistics statistics;
  statistics.admitted = static_cast<std::uint64_t>(numbers[0]);
  statistics.saturated = numbers[1] != 0;
  std::copy_n(numbers.begin() + kValues, kStatistics, statistics.values.begin());
  std::transform(numbers.begin() + kAbsences, numbers.begin() + kExits, statistics.absences.begin(),
                 [](double number) { return static_cast<Absence>(number); });
  // One number for each exit, then one for each segment: as many.
  const auto middle = numbers.begin() + kExits + (numbers.end() - (numbers.begin() + kExits)) / 2;
  statistics.exit_shares.assign(numbers.begin() + kExits, middle);
  statistics.segment_batches.assign(middle, numbers.end());
  return statistics;
}

}  // namespace fluidbatch::sim
