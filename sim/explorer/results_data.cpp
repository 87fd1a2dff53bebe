#include "sim/explorer/results_data.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "sim/sweep/missing_pairs.h"
#include "workloads/io/input_error.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

using SettingValues = std::map<std::int64_t, std::map<std::string, std::string>>;

SettingValues values_of_settings(Database& database) {
  SettingValues values;
  Query rows(database, "SELECT setting, key, value FROM settings");
  while (rows.step()) values[rows.integer(0)][rows.text(1)] = rows.value_text(2);
  return values;
}

/// `[0.25,null]`, up to kMostExits of them; what is not such a list has no numbers.
std::vector<double> numbers_in(const std::string& json) {
  constexpr std::size_t kMostExits = 256;
  std::vector<double> numbers;
  if (json.size() <= 2) return numbers;
  for (std::size_t begin = 1; begin < json.size() && numbers.size() < kMostExits;) {
    const std::size_t end = std::min(json.find_first_of(",]", begin), json.size());
    numbers.push_back(io::parse_number(json.substr(begin, end - begin)).value_or(kUndefined));
    begin = end + 1;
  }
  return numbers;
}

/// More of them than this are counted, but not named: they would hide the points that there are.
constexpr std::size_t kMostMissing = 20'000;

constexpr const char* kWhole = "whole";

double truth(bool value) { return value ? 1 : 0; }

class Reader {
 public:
  Reader(const std::filesystem::path& file, std::size_t most)
      : database_(file, Database::Access::read), most_(most) {
    const ResultsContents contents = contents_of(file);
    data_.metrics = contents.metrics;
    PointTable table = read_points(file, data_.metrics);
    finished_ = std::move(table.points);
    data_.keys = std::move(table.keys);
    data_.state = table.state;
    axes_ = data_.keys.size();
    has_parts_ = !contents.part_kinds.empty();
    if (has_parts_) data_.keys.emplace_back("part");
    data_.values.resize(data_.keys.size());
    data_.statistics.resize(data_.metrics.size());
  }

  ResultsData read() {
    const Provenance provenance = read_provenance(database_);
    data_.replications = replications_from(*provenance.sweep.find("replications"));
    read_points_of_file();
    if (has_parts_) read_parts();
    const std::size_t room = std::min(kMostMissing, most_ - data_.rows());
    for (const MissingPair& pair : missing_pairs(database_, provenance, room)) add(pair);
    for (auto& share : data_.exit_shares) share.resize(data_.rows(), kUndefined);
    return std::move(data_);
  }

 private:
  void read_points_of_file() {
    SettingValues settings = values_of_settings(database_);
    Query rows(database_,
               "SELECT point, status = 'done', setting, system, replication, seed, message, exit_shares, "
               "configuration FROM points ORDER BY point");
    std::size_t done = 0;
    while (rows.step()) {
      require_room();
      const bool is_done = rows.integer(1) != 0 && done < finished_.size();
      add(rows, settings[rows.integer(2)], is_done ? &finished_[done++] : nullptr);
    }
  }

  /// The rows of their points are there.
  void read_parts() {
    std::map<double, std::size_t> places;  // of the points
    for (std::size_t row = 0; row < data_.rows(); ++row) {
      if (data_.status[row] == "done") places.emplace(data_.numbers[row], row);
    }
    std::string sql =
        "SELECT point, CASE kind WHEN 'npu' THEN 'NPU ' || number ELSE kind || ' ' || name END, saturated, "
        "exit_shares";
    for (const PointMetric& metric : data_.metrics) {
      sql += metric.statistic ? ", " + metric.name : ", NULL";  // a tail is of whole systems
    }
    Query rows(database_, sql + " FROM parts ORDER BY point, kind, number");
    while (rows.step()) {
      const auto place = places.find(rows.number(0));
      if (place == places.end()) continue;
      require_room();
      add_part(rows, place->second);
    }
  }

  void require_room() const {
    if (data_.rows() < most_) return;
    throw io::InputError(
        fmt::format("{}: has more than {} points, too many for a page", database_.file().string(), most_));
  }

  void add(const Query& row, std::map<std::string, std::string>& setting, const FinishedPoint* point) {
    data_.numbers.push_back(row.number(0));
    data_.status.emplace_back(point != nullptr ? "done" : "failed");
    data_.values[0].push_back(row.text(3));
    for (std::size_t k = 1; k < axes_; ++k) data_.values[k].push_back(setting[data_.keys[k]]);
    if (has_parts_) data_.values.back().emplace_back(kWhole);
    data_.replication.push_back(row.number(4));
    data_.seeds.push_back(row.text(5));
    data_.messages.push_back(row.text(6));
    data_.saturated.push_back(point != nullptr ? truth(point->saturated) : kUndefined);
    data_.all_replications.push_back(point != nullptr ? truth(point->all_replications) : kUndefined);
    for (std::size_t m = 0; m < data_.metrics.size(); ++m) {
      data_.statistics[m].push_back(point != nullptr ? point->metrics[m] : kUndefined);
    }
    add_exit_shares(row.text(7));
    data_.configurations.add(row.text(3), row.text(8));
  }

  /// A service or an NPU of the point in row `place`.
  void add_part(const Query& part, std::size_t place) {
    data_.numbers.push_back(data_.numbers[place]);
    data_.status.emplace_back("done");
    for (std::size_t k = 0; k < axes_; ++k) data_.values[k].push_back(data_.values[k][place]);
    data_.values.back().push_back(part.text(1));
    data_.replication.push_back(data_.replication[place]);
    data_.seeds.push_back(data_.seeds[place]);
    data_.messages.emplace_back();
    data_.saturated.push_back(truth(part.integer(2) != 0));
    data_.all_replications.push_back(data_.all_replications[place]);
    for (std::size_t m = 0; m < data_.metrics.size(); ++m) {
      data_.statistics[m].push_back(part.number(4 + static_cast<int>(m)));
    }
    add_exit_shares(part.text(3));
    data_.configurations.add_again(place);
  }

  /// Of the last row.
  void add_exit_shares(const std::string& json) {
    const std::vector<double> shares = numbers_in(json);
    if (shares.size() > data_.exit_shares.size()) data_.exit_shares.resize(shares.size());
    for (std::size_t i = 0; i < shares.size(); ++i) {
      data_.exit_shares[i].resize(data_.rows() - 1, kUndefined);
      data_.exit_shares[i].push_back(shares[i]);
    }
  }

  void add(const MissingPair& pair) {
    data_.numbers.push_back(static_cast<double>(pair.first_point));
    data_.status.emplace_back("missing");
    data_.values[0].push_back(pair.system);
    for (std::size_t k = 1; k < axes_; ++k) {
      const auto value = pair.values.find(data_.keys[k]);
      data_.values[k].push_back(value == pair.values.end() ? std::string() : value->second);
    }
    if (has_parts_) data_.values.back().emplace_back(kWhole);
    data_.replication.push_back(kUndefined);
    data_.seeds.emplace_back();
    data_.messages.emplace_back();
    data_.saturated.push_back(kUndefined);
    data_.all_replications.push_back(kUndefined);
    for (auto& statistic : data_.statistics) statistic.push_back(kUndefined);
    data_.configurations.add(pair.system, "");
  }

  Database database_;
  std::size_t most_;
  std::size_t axes_ = 0;  // the system among them
  bool has_parts_ = false;
  std::vector<FinishedPoint> finished_;
  ResultsData data_;
};

}  // namespace

ResultsData read_results(const std::filesystem::path& file, std::size_t most) {
  return Reader(file, most).read();
}

}  // namespace fluidbatch::sim
