// `workload describe`.
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "sim/cli/commands.h"
#include "sim/config/run_config.h"
#include "sim/output/text_table.h"
#include "sim/run/workload_description.h"
#include "workloads/io/text_number.h"

namespace fluidbatch::sim::cli {
namespace {

void print_csv(const RunConfig& config, const WorkloadDescription& d) {
  fmt::print("name,unit,value\n");
  const auto row = [](const std::string& name, const char* unit, double value) {
    fmt::print("{},{},{}\n", name, unit, std::isnan(value) ? "" : io::shortest(value));
  };
  row("devices", "1", config.devices.size());
  row("requests", "1", static_cast<double>(d.requests));
  row("duration_s", "s", d.duration_s);
  row("rate_hz", "1/s", d.rate_hz);
  row("configured_rate_hz", "1/s", d.configured_rate_hz);
  row("offered_load", "1", d.offered_load);
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  row("load", "1", d.load);
  row("capacity_hz", "1/s", d.least_npu_time ? 1 / d.least_npu_time->request_s : unknown);
  row("capacity_batch", "samples", d.least_npu_time ? d.least_npu_time->batch : unknown);
  row("gap_cv", "1", d.gap_cv);
  for (const WindowCounts& w : d.windows) {
    const std::string suffix = "_" + io::shortest(w.window_s) + "s";
    row("window_mean" + suffix, "requests", w.mean);
    row("window_dispersion" + suffix, "1", w.dispersion);
    row("window_peak_rate_hz" + suffix, "1/s", w.peak_rate_hz);
  }
  for (std::size_t e = 0; e < d.exit_shares.size(); ++e) {
    row("exit_share_" + std::to_string(e), "1", d.exit_shares[e]);
  }
  row("accuracy", "1", d.accuracy);
  for (const AtThresholds& at : d.at_thresholds) {
    const std::string name = "_at_" + (std::isnan(at.threshold) ? "own" : io::shortest(at.threshold));
    row("accuracy" + name, "1", at.accuracy);
    for (std::size_t e = 0; e < at.exit_shares.size(); ++e) {
      row("exit_share_" + std::to_string(e) + name, "1", at.exit_shares[e]);
    }
    row("mean_work_s" + name, "s", at.mean_work_s);
  }
  row("mean_macs", "1", d.mean_macs);
  row("mean_work_s", "s", d.mean_work_s);
  row("load_after_exits", "1", d.load_after_exits);
  row("mean_uplink_s", "s", d.mean_uplink_s);
  row("sent_bytes_per_s", "B/s", d.sent_bytes_per_s);
}

std::string windows_table(const WorkloadDescription& d) {
  TextTable table({"window s", "requests", "dispersion", "peak 1/s"});
  for (const WindowCounts& w : d.windows) {
    table.add({rounded(w.window_s), rounded(w.mean), rounded(w.dispersion, 3), rounded(w.peak_rate_hz)});
  }
  return table.text();
}

std::string exits_table(const RunConfig& config, const WorkloadDescription& d) {
  TextTable table({"exit", "share %", "left by %"});
  double left = 0;
  for (std::size_t e = 0; e < d.exit_shares.size(); ++e) {
    left += d.exit_shares[e];
    table.add(
        {config.service().network.exits[e], rounded(100 * d.exit_shares[e], 3), rounded(100 * left, 3)});
  }
  return table.text();
}

/// What fixed thresholds would give, by the file.
std::string thresholds_table(const RunConfig& config, const WorkloadDescription& d) {
  std::vector<std::string> head{"threshold", "accuracy %"};
  for (const std::string& exit : config.service().network.exits) head.push_back(exit + " %");
  head.emplace_back("work ms");
  TextTable table(head);
  for (const AtThresholds& at : d.at_thresholds) {
    std::vector<std::string> row{std::isnan(at.threshold) ? "own" : io::shortest(at.threshold),
                                 rounded(100 * at.accuracy, 4)};
    for (const double share : at.exit_shares) row.push_back(rounded(100 * share, 3));
    row.push_back(rounded(1000 * at.mean_work_s));
    table.add(row);
  }
  return table.text();
}

void print_load(const WorkloadDescription& d) {
  if (!d.least_npu_time) return fmt::print("load not known: {}\n", d.why_no_load);
  fmt::print("load {} of the {} /s that the reference NPU can carry, in batches of {}\n", rounded(d.load, 3),
             rounded(1 / d.least_npu_time->request_s), d.least_npu_time->batch);
}

void print_uplink(const RunConfig& config, const WorkloadDescription& d) {
  if (config.uplink.model == workloads::UplinkSpec::Model::none) return;
  const double share = 100 * d.sent_bytes_per_s / config.uplink.access_point_bandwidth_bytes_per_s;
  fmt::print("\nuplink: {} MB/s, {} % of the access point; a sample is {} ms in the air\n",
             rounded(d.sent_bytes_per_s / 1e6), rounded(share, 3), rounded(1000 * d.mean_uplink_s));
}

}  // namespace

void workload_describe(const RunArguments& arguments, bool csv) {
  const RunConfig config = load_run_config(arguments.config, arguments.overrides, arguments.plugins);
  print_warnings(config.warnings);
  const WorkloadDescription d =
      describe_workload(config, *config.references[0], [&] { return config.least_npu_time(); });
  if (csv) return print_csv(config, d);
  fmt::print("{}: {} device{}, {} requests in {} s, seed {}\n", config.service().network.name,
             config.devices.size(), config.devices.size() == 1 ? "" : "s", d.requests, rounded(d.duration_s),
             config.seed);
  const std::string configured = std::isnan(d.configured_rate_hz)
                                     ? std::string()
                                     : fmt::format(" (configured: {})", rounded(d.configured_rate_hz));
  fmt::print("rate {} /s{}, offered load rho {}, CV of the gaps {}\n", rounded(d.rate_hz), configured,
             rounded(d.offered_load, 3), rounded(d.gap_cv, 3));
  print_load(d);
  if (config.devices.listen()) {
    fmt::print("closed loop: answered here as by an idle NPU for each request; under load it sends less\n");
  }
  fmt::print("\n{}\n{}", windows_table(d), exits_table(config, d));
  fmt::print("\nwork of a request: {} MMAC of {}, {} ms of {} ms on the reference NPU\nload after exits {}\n",
             rounded(d.mean_macs / 1e6),
             rounded(config.references[0]->macs(0, config.references[0]->layers()) / 1e6),
             rounded(1000 * d.mean_work_s), rounded(1000 * config.service().reference_latency_s),
             rounded(d.load_after_exits, 3));
  if (!std::isnan(d.accuracy)) fmt::print("accuracy {}\n", rounded(d.accuracy));
  if (!d.at_thresholds.empty()) {
    fmt::print("\nthe recorded samples at fixed thresholds, each once\n{}", thresholds_table(config, d));
  }
  print_uplink(config, d);
}

}  // namespace fluidbatch::sim::cli
