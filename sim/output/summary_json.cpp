#include "sim/output/summary_json.h"

#include <algorithm>
#include <cmath>

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include "sim/measure/precision.h"
#include "sim/measure/statistics.h"
#include "sim/output/parts.h"
#include "sim/scenario/scenario.h"
#include "sim/version.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim {
namespace {

class JsonText {
 public:
  JsonText() {
    writer_.SetIndent(' ', 2);
    writer_.StartObject();
  }

  void key(const char* name) { writer_.Key(name); }
  void text(const char* name, const std::string& value) {
    key(name);
    writer_.String(value.c_str(), static_cast<rapidjson::SizeType>(value.size()));
  }
  void integer(const char* name, std::uint64_t value) {
    key(name);
    writer_.Uint64(value);
  }
  void boolean(const char* name, bool value) {
    key(name);
    writer_.Bool(value);
  }
  void number(const char* name, double value) {
    key(name);
    number(value);
  }
  void number(double value) {
    if (!std::isfinite(value)) {
      writer_.Null();
      return;
    }
    const std::string text = io::shortest(value);
    writer_.RawValue(text.data(), text.size(), rapidjson::kNumberType);
  }
  void open_object(const char* name) {
    key(name);
    writer_.StartObject();
  }
  void open_object() { writer_.StartObject(); }
  void open_list(const char* name) {
    key(name);
    writer_.StartArray();
  }
  void close_list() { writer_.EndArray(); }
  void close_object() { writer_.EndObject(); }
  void numbers(const char* name, const std::vector<double>& values) {
    key(name);
    writer_.SetFormatOptions(rapidjson::kFormatSingleLineArray);
    writer_.StartArray();
    for (const double value : values) number(value);
    writer_.EndArray();
    writer_.SetFormatOptions(rapidjson::kFormatDefault);
  }

  std::string take() {
    writer_.EndObject();
    return std::string(buffer_.GetString(), buffer_.GetSize()) + "\n";
  }

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer_{buffer_};
};

/// What `until` asked for and what the run came to; and the warm-up, where it was found.
void add_found_length(JsonText& json, const Scenario& scenario, const RunStatistics& statistics) {
  if (scenario.automatic_warmup) {
    json.integer("warmup_requests", scenario.warmup_requests);
    json.boolean("warmup_at_end", scenario.warmup_at_end);
  }
  if (scenario.until.empty()) return;
  const auto name_of = [](const PrecisionTarget& target) {
    return all_statistics()[static_cast<std::size_t>(target.statistic)].name;
  };
  json.open_object("until");
  for (const PrecisionTarget& target : scenario.until) {
    json.number(name_of(target), target.relative_half_width);
  }
  json.close_object();
  json.open_object("relative_half_widths");
  for (const PrecisionTarget& target : scenario.until) {
    json.number(name_of(target), relative_half_width(statistics, target.statistic));
  }
  json.close_object();
  json.boolean("until_reached", reaches(statistics, scenario.until));
}

void add_slo(JsonText& json, const Service& service) {
  json.number("slo_s", service.slo.latency_s);
  json.text("slo_measured", service.slo.end_to_end ? "end_to_end" : "server");
  json.number("reference_latency_s", service.reference_latency_s);
}

/// The values of a run or of a part of it, and why some are missing.
void add_values(JsonText& json, const RunStatistics& statistics) {
  json.integer("admitted", statistics.admitted);
  json.boolean("saturated", statistics.saturated);
  json.open_object("statistics");
  const auto is_of_this_run = [&](const Statistic& statistic) {
    return !is_out_of_question(statistics.absence(statistic.id));
  };
  for (const Statistic& statistic : all_statistics()) {
    if (is_of_this_run(statistic)) json.number(statistic.name, statistics[statistic.id]);
  }
  json.close_object();
  json.open_object("absent");
  for (const Statistic& statistic : all_statistics()) {
    const Absence why = statistics.absence(statistic.id);
    if (why != Absence::none && is_of_this_run(statistic)) json.text(statistic.name, absence_text(why));
  }
  json.close_object();
}

/// What is known of one network's exits and segments.
void add_exits(JsonText& json, const Service& service, const ExitControlChoice& control,
               const RunStatistics& statistics) {
  json.numbers("exit_shares", statistics.exit_shares);
  if (service.exits->confidences() != nullptr || control.decides()) {
    json.numbers("exit_accuracies", statistics.exit_accuracies);
  }
  json.numbers("segment_batches", statistics.segment_batches);
  if (control.decides()) json.text("exit_control", control.info->name);
  const double target = control.accuracy_target();
  if (!std::isnan(target)) {
    json.number("accuracy_target", target);
    json.boolean("accuracy_target_missed", misses_accuracy(statistics, target));
  }
}

/// A service of a site; its single-sample latency where that is the same on every NPU.
void add_service(JsonText& json, const Scenario& scenario, const System& system, std::size_t number,
                 const RunStatistics& statistics) {
  const Service& service = scenario.services[number];
  json.open_object();
  if (!service.name.empty()) json.text("name", service.name);
  json.text("network", service.network.name);
  add_slo(json, service);
  const double alone_s = system.npus.front().tables[number]->single_sample_latency_s();
  const bool alike = std::ranges::all_of(system.npus, [&](const SystemNpu& npu) {
    return npu.tables[number]->single_sample_latency_s() == alone_s;
  });
  if (alike) json.number("single_sample_latency_s", alone_s);
  add_values(json, statistics);
  add_exits(json, service, system.exit_controls[number], statistics);
  json.close_object();
}

/// An NPU of a site, with the single-sample latencies of all services on it.
void add_npu(JsonText& json, const SystemNpu& npu, const RunStatistics& statistics) {
  json.open_object();
  json.text("npu", npu.name);
  json.text("npu_mode", std::string(npu.tables.front()->mode_name()));
  std::vector<double> alone_s;
  for (const auto& table : npu.tables) alone_s.push_back(table->single_sample_latency_s());
  json.numbers("single_sample_latencies_s", alone_s);
  add_values(json, statistics);
  json.close_object();
}

/// The parts of a site. One that there is once has what the whole has.
void add_parts(JsonText& json, const Scenario& scenario, const System& system,
               const RunStatistics& statistics) {
  json.open_list("services");
  for (std::size_t i = 0; i < scenario.services.size(); ++i)
    add_service(json, scenario, system, i, of_service(statistics, i));
  json.close_list();
  json.open_list("npus");
  for (std::size_t i = 0; i < system.npus.size(); ++i) add_npu(json, system.npus[i], of_npu(statistics, i));
  json.close_list();
}

}  // namespace

std::string summary_json(const Scenario& scenario, const System& system, const RunStatistics& statistics) {
  JsonText json;
  json.text("label", system.label);
  json.text("policy", system.policy->name);
  json.text("npu", system.npu_names());
  json.text("npu_mode", system.npu_mode_names());
  const bool is_site = scenario.is_site(system);
  if (!is_site) json.text("network", scenario.service().network.name);
  json.integer("seed", scenario.seed);
  json.text("version", kVersion);
  if (is_site) {
    if (system.arbiter.info != nullptr) {
      json.text("arbiter", system.arbiter.info->name);
      json.boolean("preemptive", system.arbiter.preemptive);
    }
    if (system.router.info != nullptr) json.text("router", system.router.info->name);
    add_values(json, statistics);
    add_parts(json, scenario, system, statistics);
  } else {
    add_slo(json, scenario.service());
    json.number("single_sample_latency_s", system.table()->single_sample_latency_s());
    add_values(json, statistics);
    add_exits(json, scenario.service(), system.exit_control(), statistics);
  }
  add_found_length(json, scenario, statistics);
  return json.take();
}

}  // namespace fluidbatch::sim
