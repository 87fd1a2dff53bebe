#include "sim/explorer/run_page.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <rapidjson/document.h>

#include "sim/explorer/page_data.h"
#include "sim/explorer/page_file.h"
#include "sim/explorer/request_curves.h"
#include "sim/measure/statistic.h"
#include "sim/version.h"
#include "workloads/io/input_error.h"
#include "workloads/io/input_file.h"
#include "workloads/io/yaml_node.h"

namespace fluidbatch::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLatencyBins = 80;
constexpr std::size_t kTimeBins = 600;

/// What is known of one system of the run.
struct SystemFiles {
  std::string label;
  std::string summary;  ///< JSON
  std::string configuration;
  bool saturated = false;
  bool has_requests = false;
  Requests requests;
};

/// The labels of the systems, none with a way out of the folder.
std::vector<std::string> labels_in(const fs::path& folder) {
  const fs::path file = folder / "resolved.yaml";
  if (!fs::exists(file))
    throw io::InputError(folder.string() + ": is not the folder of a run: it has no resolved.yaml");
  const io::Node document = io::load_yaml(file);
  const io::Node* systems = document.find("systems");
  std::vector<std::string> labels;
  if (systems != nullptr) {
    for (const io::Node& system : systems->items) {
      const io::Node* label = system.find("label");
      if (label == nullptr || fs::path(label->scalar).filename() != label->scalar) {
        throw io::InputError(system.mark, "a system of a run has a label that is the name of a folder");
      }
      labels.push_back(label->scalar);
    }
  }
  if (labels.empty()) throw io::InputError(file.string() + ": has no systems");
  return labels;
}

bool has_statistics(const rapidjson::Value& values) {
  if (!values.IsObject()) return false;
  const auto statistics = values.FindMember("statistics");
  if (statistics == values.MemberEnd() || !statistics->value.IsObject()) return false;
  const auto requests = statistics->value.FindMember("requests");
  return requests != statistics->value.MemberEnd() && requests->value.IsNumber();
}

/// Whether `summary` has what the page takes for granted.
bool is_summary(const rapidjson::Document& summary) {
  if (!has_statistics(summary) || !summary.HasMember("admitted") || !summary["admitted"].IsUint64()) {
    return false;
  }
  if (summary.HasMember("exit_shares") && !summary["exit_shares"].IsArray()) return false;
  if (summary.HasMember("services") != summary.HasMember("npus")) return false;
  for (const char* parts : {"services", "npus"}) {
    if (!summary.HasMember(parts)) continue;
    const rapidjson::Value& list = summary[parts];
    if (!list.IsArray() || !std::all_of(list.Begin(), list.End(), has_statistics)) return false;
  }
  return true;
}

/// How many of the first requests are not measured.
std::size_t warmup_of(const rapidjson::Document& summary) {
  const double measured = summary["statistics"]["requests"].GetDouble();
  const double first = static_cast<double>(summary["admitted"].GetUint64()) - measured;
  return static_cast<std::size_t>(std::max(first, 0.0));
}

/// As it is, but for what HTML would take for an end of the script.
std::string in_html(std::string json) {
  for (std::size_t i = json.find('<'); i != std::string::npos; i = json.find('<', i))
    json.replace(i, 1, "\\u003c");
  return json;
}

SystemFiles read_system(const fs::path& folder, const std::string& label) {
  const fs::path place = folder / label;
  SystemFiles system{.label = label,
                     .summary = io::read_file(place / "summary.json"),
                     .configuration = io::read_file(place / "resolved.yaml"),
                     .saturated = false,
                     .has_requests = fs::exists(place / "requests.csv"),
                     .requests = {}};
  rapidjson::Document summary;
  summary.Parse(system.summary.c_str());
  if (summary.HasParseError() || !is_summary(summary)) {
    throw io::InputError((place / "summary.json").string() + ": is not the summary of a run");
  }
  system.saturated =
      summary.HasMember("saturated") && summary["saturated"].IsBool() && summary["saturated"].GetBool();
  system.summary = in_html(system.summary);
  if (system.has_requests) system.requests = read_requests(place / "requests.csv", warmup_of(summary));
  return system;
}

std::string list_of(const std::vector<double>& values) {
  std::string json = "[";
  for (const double value : values) {
    if (json.size() > 1) json += ',';
    append_json_number(json, value);
  }
  return json + "]";
}

/// The width of bins that show 99.9 % of the latencies of every system that is not saturated, of all systems
/// where all are; 0 where there are none.
double bin_width_s(const std::vector<SystemFiles>& systems) {
  constexpr double kShown = 0.999;
  double most_s = 0;
  const bool all = std::ranges::all_of(systems, &SystemFiles::saturated);
  for (const SystemFiles& system : systems) {
    if (system.saturated && !all) continue;
    const std::vector<double>& latencies_s = system.requests.latencies_s;
    if (latencies_s.empty()) continue;
    const auto place = static_cast<std::size_t>(kShown * static_cast<double>(latencies_s.size() - 1));
    most_s = std::max(most_s, latencies_s[place]);
  }
  return most_s / kLatencyBins;
}

std::string requests_json(const Requests& requests, double width_s) {
  const QueueCurve queue = queue_curve(requests, kTimeBins);
  std::string json =
      fmt::format(R"({{"measured":{},"dropped":{},"exceedance":{},)", requests.latencies_s.size(),
                  requests.dropped, exceedance_json(requests.latencies_s));
  json += R"("bin_width_s":)";
  append_json_number(json, width_s);
  json += R"(,"histogram":)" +
          (width_s > 0 ? list_of(histogram(requests.latencies_s, width_s, kLatencyBins)) : "[]");
  json += R"(,"queue_width_s":)";
  append_json_number(json, queue.width_s);
  return json + R"(,"queue_mean":)" + list_of(queue.mean) + R"(,"queue_most":)" + list_of(queue.most) + "}";
}

std::string statistics_json() {
  std::string json;
  for (const Statistic& statistic : all_statistics()) {
    if (!json.empty()) json += ",\n";
    json += fmt::format(R"({{"name":{},"unit":{},"meaning":{}}})", json_text(statistic.name),
                        json_text(statistic.unit), json_text(statistic.meaning));
  }
  return "[" + json + "]";
}

}  // namespace

void write_run_page(const fs::path& folder, const fs::path& page) {
  page_parts();  // refuses before anything is read
  if (!fs::is_directory(folder)) throw io::InputError(folder.string() + ": is not the folder of a run");
  std::vector<SystemFiles> systems;
  for (const std::string& label : labels_in(folder)) systems.push_back(read_system(folder, label));
  const double width_s = bin_width_s(systems);
  std::string list;
  for (const SystemFiles& system : systems) {
    if (!list.empty()) list += ",\n";
    list += fmt::format(R"({{"label":{},"summary":{},"configuration":{},"requests":{}}})",
                        json_text(system.label), system.summary, json_text(system.configuration),
                        system.has_requests ? requests_json(system.requests, width_s) : "null");
  }
  const fs::path name = folder.has_filename() ? folder : folder.parent_path();
  const std::string meta = fmt::format(
      R"({{"format":1,"kind":"run","version":{},"source":{},"name":{},"statistics":{},"systems":[{}]}})",
      json_text(kVersion), json_text((folder / "").string()), json_text(name.filename().string()),
      statistics_json(), list);
  write_page(page, folder / "resolved.yaml", {data_element("meta", meta)});
}

}  // namespace fluidbatch::sim
