#include "sim/explorer/results_page.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "sim/explorer/page_data.h"
#include "sim/explorer/page_file.h"
#include "sim/explorer/results_data.h"
#include "sim/measure/confidence.h"
#include "sim/sweep/compare.h"
#include "sim/version.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

const char* word_of(Better better) {
  return better == Better::lower ? "lower" : better == Better::higher ? "higher" : "neither";
}

/// A column of the page: what it is, for `meta`, and its values.
class Columns {
 public:
  /// `facts`: more members of its object, each with a comma in front.
  void add(std::string_view role, const std::string& name, const std::string& json,
           const std::string& facts = "") {
    const auto [same, is_new] = ids_.try_emplace(json, ids_.size());
    if (is_new) elements_ += data_element(fmt::format("column-{}", same->second), json);
    if (!list_.empty()) list_ += ",\n";
    list_ += fmt::format(R"({{"role":"{}","name":{},"column":"column-{}"{}}})", role, json_text(name),
                         same->second, facts);
  }

  [[nodiscard]] const std::string& list() const { return list_; }
  [[nodiscard]] const std::string& elements() const { return elements_; }

 private:
  std::map<std::string, std::size_t> ids_;  // of the columns by their text: equal ones are kept once
  std::string list_;
  std::string elements_;
};

/// As numbers where all of them are, without a loss.
void add_axis(Columns& columns, const std::string& key, const std::vector<std::string>& texts) {
  std::vector<double> numbers;
  for (const std::string& text : texts) {
    const auto number = io::parse_number(text);
    if (!number || io::shortest(*number) != text) break;
    numbers.push_back(*number);
  }
  const bool all = numbers.size() == texts.size() && key != "system" && key != "part";
  columns.add("axis", key, all ? number_column(numbers) : text_column(texts),
              fmt::format(R"(,"numeric":{})", all));
}

void add_metric(Columns& columns, const PointMetric& metric, const std::vector<double>& values) {
  const bool share =
      metric.statistic == StatisticId::slo_violation_rate || metric.statistic == StatisticId::drop_rate;
  const std::string meaning = metric.statistic
                                  ? all_statistics()[static_cast<std::size_t>(*metric.statistic)].meaning
                                  : "estimate of the tail, by splitting (docs/tail.md)";
  columns.add(
      "statistic", metric.name, number_column(values),
      fmt::format(R"(,"unit":{},"meaning":{},"better":"{}","share":{},"counts_drops":{},"low":{},"high":{})",
                  json_text(metric.unit), json_text(meaning), word_of(metric.better), share,
                  metric.counts_drops, json_text(metric.low), json_text(metric.high)));
}

/// The Student's t of 95 % intervals, by degrees of freedom from 1 on, up to what the points may need.
std::string students_t_list(const std::vector<double>& replication) {
  double most = 1;
  for (const double number : replication) {
    if (number > most) most = number;
  }
  std::string list;
  for (int freedom = 1; freedom <= static_cast<int>(std::min(most, 10'000.0)); ++freedom) {
    if (!list.empty()) list += ',';
    append_json_number(list, students_t(freedom));
  }
  return list;
}

std::string meta_json(const std::filesystem::path& file, const ResultsData& data, const Columns& columns) {
  const SweepState& state = data.state;
  std::string unfinished = unfinished_text(state);
  if (!unfinished.empty()) unfinished.pop_back();  // the line's end
  return fmt::format(
      R"({{"format":1,"kind":"sweep","version":{},"source":{},"name":{},"rows":{},)"
      R"("state":{{"done":{},"failed":{},"planned":{},"at_least":{},"missing_pairs":{},"text":{}}},)"
      R"("replications":{},"students_t":[{}],"columns":[{}]}})",
      json_text(kVersion), json_text(file.string()), json_text(file.stem().string()), data.rows(), state.done,
      state.failed, state.planned, state.at_least, state.missing_pairs, json_text(unfinished),
      data.replications.least, students_t_list(data.replication), "\n" + columns.list() + "\n");
}

Columns columns_of(const ResultsData& data) {
  Columns columns;
  for (std::size_t k = 0; k < data.keys.size(); ++k) add_axis(columns, data.keys[k], data.values[k]);
  for (std::size_t m = 0; m < data.metrics.size(); ++m) {
    const bool defined = std::ranges::any_of(data.statistics[m], [](double v) { return std::isfinite(v); });
    if (defined) add_metric(columns, data.metrics[m], data.statistics[m]);
  }
  columns.add("fact", "point", number_column(data.numbers));
  columns.add("fact", "status", text_column(data.status));
  columns.add("fact", "replication", number_column(data.replication));
  columns.add("fact", "seed", text_column(data.seeds));
  columns.add("fact", "message", text_column(data.messages));
  columns.add("fact", "saturated", number_column(data.saturated));
  columns.add("fact", "all_replications", number_column(data.all_replications));
  for (std::size_t i = 0; i < data.exit_shares.size(); ++i) {
    columns.add("exit", fmt::format("exit {}", i), number_column(data.exit_shares[i]));
  }
  return columns;
}

}  // namespace

void write_results_page(const std::filesystem::path& results, const std::filesystem::path& page) {
  page_parts();  // refuses before anything is read
  const ResultsData data = read_results(results, kMostPagePoints);
  const Columns columns = columns_of(data);
  write_page(page, results,
             {data_element("meta", meta_json(results, data, columns)), columns.elements(),
              data_element("configurations", data.configurations.json())});
}

}  // namespace fluidbatch::sim
