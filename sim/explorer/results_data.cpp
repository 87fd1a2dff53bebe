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

/// What is known of a row; the rest stays undefined.
struct Row {
  double number = kUndefined;
  const char* status = "";
  std::vector<std::string> values;  ///< by key
  double replication = kUndefined;
  std::string seed;
  std::string message;
  double saturated = kUndefined;
  double all_replications = kUndefined;
  std::vector<double> statistics;  ///< by metric; empty: all undefined
  std::vector<double> exit_shares;
};

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
    for (MissingPair& pair : missing_pairs(database_, provenance, room)) add(std::move(pair));
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

  void add(const Query& point, std::map<std::string, std::string>& setting, const FinishedPoint* finished) {
    Row row = row_of(point.text(3), setting);
    row.number = point.number(0);
    row.status = finished != nullptr ? "done" : "failed";
    row.replication = point.number(4);
    row.seed = point.text(5);
    row.message = point.text(6);
    if (finished != nullptr) {
      row.saturated = truth(finished->saturated);
      row.all_replications = truth(finished->all_replications);
      row.statistics = finished->metrics;
    }
    row.exit_shares = numbers_in(point.text(7));
    add(row);
    data_.configurations.add(point.text(3), point.text(8));
  }

  /// A service or an NPU of the point in row `place`.
  void add_part(const Query& part, std::size_t place) {
    Row row;
    row.number = data_.numbers[place];
    row.status = "done";
    for (std::size_t k = 0; k < axes_; ++k) row.values.push_back(data_.values[k][place]);
    row.values.push_back(part.text(1));
    row.replication = data_.replication[place];
    row.seed = data_.seeds[place];
    row.saturated = truth(part.integer(2) != 0);
    row.all_replications = data_.all_replications[place];
    for (std::size_t m = 0; m < data_.metrics.size(); ++m) {
      row.statistics.push_back(part.number(4 + static_cast<int>(m)));
    }
    row.exit_shares = numbers_in(part.text(3));
    add(row);
    data_.configurations.add_again(place);
  }

  void add(MissingPair pair) {
    Row row = row_of(pair.system, pair.values);
    row.number = static_cast<double>(pair.first_point);
    row.status = "missing";
    add(row);
    data_.configurations.add(pair.system, "");
  }

  /// Of the whole system, whose axes have these values.
  [[nodiscard]] Row row_of(const std::string& system, std::map<std::string, std::string>& setting) const {
    Row row;
    row.values.push_back(system);
    for (std::size_t k = 1; k < axes_; ++k) row.values.push_back(setting[data_.keys[k]]);
    if (has_parts_) row.values.emplace_back(kWhole);
    return row;
  }

  void add(const Row& row) {
    data_.numbers.push_back(row.number);
    data_.status.emplace_back(row.status);
    for (std::size_t k = 0; k < row.values.size(); ++k) data_.values[k].push_back(row.values[k]);
    data_.replication.push_back(row.replication);
    data_.seeds.push_back(row.seed);
    data_.messages.push_back(row.message);
    data_.saturated.push_back(row.saturated);
    data_.all_replications.push_back(row.all_replications);
    for (std::size_t m = 0; m < data_.metrics.size(); ++m) {
      data_.statistics[m].push_back(row.statistics.empty() ? kUndefined : row.statistics[m]);
    }
    if (row.exit_shares.size() > data_.exit_shares.size()) data_.exit_shares.resize(row.exit_shares.size());
    for (std::size_t i = 0; i < row.exit_shares.size(); ++i) {
      data_.exit_shares[i].resize(data_.rows() - 1, kUndefined);
      data_.exit_shares[i].push_back(row.exit_shares[i]);
    }
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
