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

void print_row(const std::string& name, const char* unit, double value) {
  fmt::print("{},{},{}\n", name, unit, std::isnan(value) ? "" : io::shortest(value));
}

void print_capacity_rows(const ServiceDescription& d, const std::string& prefix) {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  print_row(prefix + "capacity_hz", "1/s", d.least_npu_time ? 1 / d.least_npu_time->request_s : unknown);
  print_row(prefix + "capacity_batch", "samples", d.least_npu_time ? d.least_npu_time->batch : unknown);
}

void print_exit_rows(const std::vector<double>& shares, const std::string& prefix,
                     const std::string& ending) {
  for (std::size_t e = 0; e < shares.size(); ++e) {
    print_row(fmt::format("{}exit_share_{}{}", prefix, e, ending), "1", shares[e]);
  }
}

void print_threshold_rows(const ServiceDescription& d, const std::string& prefix) {
  for (const AtThresholds& at : d.at_thresholds) {
    const std::string ending = "_at_" + (std::isnan(at.threshold) ? "own" : io::shortest(at.threshold));
    print_row(fmt::format("{}accuracy{}", prefix, ending), "1", at.accuracy);
    print_exit_rows(at.exit_shares, prefix, ending);
    print_row(fmt::format("{}mean_work_s{}", prefix, ending), "s", at.mean_work_s);
  }
}

/// Of one of several services, whose names their rows begin with.
void print_service_rows(const std::string& name, const ServiceDescription& d) {
  const std::string prefix = name + ".";
  print_row(prefix + "requests", "1", static_cast<double>(d.requests));
  print_row(prefix + "rate_hz", "1/s", d.rate_hz);
  print_row(prefix + "configured_rate_hz", "1/s", d.configured_rate_hz);
  print_row(prefix + "offered_load", "1", d.offered_load);
  print_row(prefix + "load", "1", d.load);
  print_capacity_rows(d, prefix);
  print_row(prefix + "gap_cv", "1", d.gap_cv);
  print_exit_rows(d.exit_shares, prefix, "");
  print_row(prefix + "accuracy", "1", d.accuracy);
  print_threshold_rows(d, prefix);
  print_row(prefix + "mean_macs", "1", d.mean_macs);
  print_row(prefix + "mean_work_s", "s", d.mean_work_s);
  print_row(prefix + "load_after_exits", "1", d.load_after_exits);
}

void print_csv(const RunConfig& config, const WorkloadDescription& d) {
  const bool one = d.services.size() == 1;
  const ServiceDescription& first = d.services.front();
  fmt::print("name,unit,value\n");
  print_row("devices", "1", config.devices.size());
  print_row("requests", "1", static_cast<double>(d.requests));
  print_row("duration_s", "s", d.duration_s);
  print_row("rate_hz", "1/s", d.rate_hz);
  print_row("configured_rate_hz", "1/s", d.configured_rate_hz);
  print_row("offered_load", "1", d.offered_load);
  print_row("load", "1", d.load);
  if (one) print_capacity_rows(first, "");
  print_row("gap_cv", "1", d.gap_cv);
  for (const WindowCounts& w : d.windows) {
    const std::string suffix = "_" + io::shortest(w.window_s) + "s";
    print_row("window_mean" + suffix, "requests", w.mean);
    print_row("window_dispersion" + suffix, "1", w.dispersion);
    print_row("window_peak_rate_hz" + suffix, "1/s", w.peak_rate_hz);
  }
  if (one) print_exit_rows(first.exit_shares, "", "");
  print_row("accuracy", "1", d.accuracy);
  if (one) print_threshold_rows(first, "");
  print_row("mean_macs", "1", d.mean_macs);
  print_row("mean_work_s", "s", d.mean_work_s);
  print_row("load_after_exits", "1", d.load_after_exits);
  print_row("mean_uplink_s", "s", d.mean_uplink_s);
  print_row("sent_bytes_per_s", "B/s", d.sent_bytes_per_s);
  for (std::size_t i = 0; i < d.services.size() && !one; ++i) {
    print_service_rows(config.services[i].name, d.services[i]);
  }
}

std::string windows_table(const WorkloadDescription& d) {
  TextTable table({"window s", "requests", "dispersion", "peak 1/s"});
  for (const WindowCounts& w : d.windows) {
    table.add({rounded(w.window_s), rounded(w.mean), rounded(w.dispersion, 3), rounded(w.peak_rate_hz)});
  }
  return table.text();
}

std::string exits_table(const RunConfig& config, const WorkloadDescription& d) {
  const bool one = d.services.size() == 1;
  std::vector<std::string> head{"exit", "share %", "left by %"};
  if (!one) head.insert(head.begin(), "service");
  TextTable table(head);
  for (std::size_t i = 0; i < d.services.size(); ++i) {
    const std::vector<double>& shares = d.services[i].exit_shares;
    double left = 0;
    for (std::size_t e = 0; e < shares.size(); ++e) {
      left += shares[e];
      std::vector<std::string> row{config.services[i].network.exits[e], rounded(100 * shares[e], 3),
                                   rounded(100 * left, 3)};
      if (!one) row.insert(row.begin(), e == 0 ? config.services[i].name : "");
      table.add(row);
    }
  }
  return table.text();
}

/// What fixed thresholds would give, by the file.
std::string thresholds_table(const Service& service, const ServiceDescription& d) {
  std::vector<std::string> head{"threshold", "accuracy %"};
  for (const std::string& exit : service.network.exits) head.push_back(exit + " %");
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

void print_thresholds(const RunConfig& config, const WorkloadDescription& d) {
  for (std::size_t i = 0; i < d.services.size(); ++i) {
    if (d.services[i].at_thresholds.empty()) continue;
    const std::string owner = d.services.size() == 1 ? "the" : config.services[i].name + ": the";
    fmt::print("\n{} recorded samples at fixed thresholds, each once\n{}", owner,
               thresholds_table(config.services[i], d.services[i]));
  }
}

/// What each of several services asks of the reference NPU.
std::string services_table(const RunConfig& config, const WorkloadDescription& d) {
  TextTable table({"service", "network", "requests", "1/s", "rho", "load", "carried 1/s", "in batches of",
                   "single ms", "work ms", "after exits"});
  for (std::size_t i = 0; i < d.services.size(); ++i) {
    const ServiceDescription& its = d.services[i];
    const Service& service = config.services[i];
    const auto& least = its.least_npu_time;
    table.add({service.name, service.network.name, std::to_string(its.requests), rounded(its.rate_hz),
               rounded(its.offered_load, 3), rounded(its.load, 3),
               least ? rounded(1 / least->request_s) : "-", least ? std::to_string(least->batch) : "-",
               rounded(1000 * service.reference_latency_s), rounded(1000 * its.mean_work_s),
               rounded(its.load_after_exits, 3)});
  }
  return table.text();
}

void print_load(const RunConfig& config, const WorkloadDescription& d) {
  if (d.services.size() > 1) {
    for (std::size_t i = 0; i < d.services.size(); ++i) {
      if (d.services[i].least_npu_time) continue;
      fmt::print("load of {} not known: {}\n", config.services[i].name, d.services[i].why_no_load);
    }
    return fmt::print("load {} of what the reference NPU can carry, all services together\n\n{}",
                      rounded(d.load, 3), services_table(config, d));
  }
  const ServiceDescription& only = d.services.front();
  if (!only.least_npu_time) return fmt::print("load not known: {}\n", only.why_no_load);
  fmt::print("load {} of the {} /s that the reference NPU can carry, in batches of {}\n",
             rounded(only.load, 3), rounded(1 / only.least_npu_time->request_s), only.least_npu_time->batch);
}

void print_work(const RunConfig& config, const WorkloadDescription& d) {
  if (d.services.size() > 1) {
    return fmt::print("\nload after exits {}\n", rounded(d.load_after_exits, 3));
  }
  const npu::BatchPolicyTable& reference = *config.references.front();
  fmt::print("\nwork of a request: {} MMAC of {}, {} ms of {} ms on the reference NPU\nload after exits {}\n",
             rounded(d.mean_macs / 1e6), rounded(reference.macs(0, reference.layers()) / 1e6),
             rounded(1000 * d.mean_work_s), rounded(1000 * config.service().reference_latency_s),
             rounded(d.load_after_exits, 3));
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
  const WorkloadDescription d = describe_workload(
      config, config.references, [&](std::size_t service) { return config.least_npu_time(service); });
  if (csv) return print_csv(config, d);
  fmt::print("{}: {} device{}, {} requests in {} s, seed {}\n", config.network_names(), config.devices.size(),
             config.devices.size() == 1 ? "" : "s", d.requests, rounded(d.duration_s), config.seed);
  const std::string configured = std::isnan(d.configured_rate_hz)
                                     ? std::string()
                                     : fmt::format(" (configured: {})", rounded(d.configured_rate_hz));
  fmt::print("rate {} /s{}, offered load rho {}, CV of the gaps {}\n", rounded(d.rate_hz), configured,
             rounded(d.offered_load, 3), rounded(d.gap_cv, 3));
  print_load(config, d);
  if (config.devices.listen()) {
    fmt::print("closed loop: answered here as by an idle NPU for each request; under load it sends less\n");
  }
  fmt::print("\n{}\n{}", windows_table(d), exits_table(config, d));
  print_work(config, d);
  if (!std::isnan(d.accuracy)) fmt::print("accuracy {}\n", rounded(d.accuracy));
  print_thresholds(config, d);
  print_uplink(config, d);
}

}  // namespace fluidbatch::sim::cli
