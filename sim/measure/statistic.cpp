#include "sim/measure/statistic.h"

#include <array>

namespace fluidbatch::sim {
namespace {

using Id = StatisticId;

constexpr std::array<Statistic, kStatistics> kDeclared{{
    {Id::requests, "requests", "requests", "measured requests: all but the first `warmup_requests`"},
    {Id::drop_rate, "drop_rate", "1",
     "share of the measured requests that were dropped; they count as SLO violations, and "
     "in no statistic of latency",
     Better::lower},
    {Id::mean_latency, "mean_latency_s", "s", "mean of completion minus arrival", Better::lower},
    {Id::mean_latency_ci95, "mean_latency_ci95_s", "s",
     "half-width of the 95 % interval of the mean latency"},
    {Id::p50_latency, "p50_latency_s", "s", "median latency; percentiles are exact, by nearest rank",
     Better::lower},
    {Id::p90_latency, "p90_latency_s", "s", "90th percentile of the latency", Better::lower},
    {Id::p95_latency, "p95_latency_s", "s", "95th percentile of the latency", Better::lower},
    {Id::p99_latency, "p99_latency_s", "s", "99th percentile of the latency", Better::lower},
    {Id::p99_latency_ci95, "p99_latency_ci95_s", "s",
     "half-width of the 95 % interval of the 99th percentile, its larger side"},
    {Id::p99_9_latency, "p99_9_latency_s", "s", "99.9th percentile of the latency", Better::lower},
    {Id::p99_9_latency_ci95, "p99_9_latency_ci95_s", "s",
     "half-width of the 95 % interval of the 99.9th percentile, its larger side"},
    {Id::max_latency, "max_latency_s", "s", "largest latency", Better::lower},
    {Id::mean_end_to_end, "mean_end_to_end_s", "s",
     "mean time from sending, at the device, to having the answer there; without an uplink the same as the "
     "latency, "
     "here and below",
     Better::lower},
    {Id::mean_end_to_end_ci95, "mean_end_to_end_ci95_s", "s", "half-width of the 95 % interval of that mean"},
    {Id::p50_end_to_end, "p50_end_to_end_s", "s", "median from end to end", Better::lower},
    {Id::p99_end_to_end, "p99_end_to_end_s", "s", "99th percentile from end to end", Better::lower},
    {Id::max_end_to_end, "max_end_to_end_s", "s", "largest time from end to end", Better::lower},
    {Id::slo_violation_rate, "slo_violation_rate", "1",
     "share of the measured requests above the SLO (by more than 1e-9 s): with their latency or, for "
     "`slo.measured: end_to_end`, from end to end",
     Better::lower},
    {Id::slo_violation_rate_ci95, "slo_violation_rate_ci95", "1",
     "half-width of the 95 % interval of the SLO violation rate"},
    {Id::goodput, "goodput_hz", "1/s", "measured requests within the SLO, per second of the measured window",
     Better::higher},
    {Id::throughput, "throughput_hz", "1/s", "measured requests completed, per second of the measured window",
     Better::higher},
    {Id::mean_uplink, "mean_uplink_s", "s", "mean time from sending to arrival at the server"},
    {Id::mean_queueing, "mean_queueing_s", "s", "mean time from arrival to the start of the first step",
     Better::lower},
    {Id::mean_suspended, "mean_suspended_s", "s", "mean time spent in a suspended batch", Better::lower},
    {Id::mean_executing, "mean_executing_s", "s", "mean time spent in the active batch", Better::lower},
    {Id::busy_fraction, "busy_fraction", "1", "share of the measured window in which the NPU runs a step"},
    {Id::mac_utilisation, "mac_utilisation", "1",
     "useful multiply-accumulates over what the PEs could do in the busy time; not defined on a measured "
     "table",
     Better::higher},
    {Id::mean_batch, "mean_batch", "samples", "mean active batch size over the busy time"},
    {Id::mean_start_batch, "mean_start_batch", "samples",
     "mean number of requests taken from the queue at once, over the batches begun in the measured window, "
     "newcomers of a preemption and requests of the warm-up included"},
    {Id::mean_in_system, "mean_in_system", "requests",
     "mean number of requests queued or in a batch, over the whole run, warm-up included", Better::lower},
    {Id::accuracy, "accuracy", "1",
     "share of right answers, of the completed requests for which `confidences` or a trace say it",
     Better::higher},
    {Id::mean_threshold, "mean_threshold", "1",
     "mean, over the completed requests, of the confidence that was asked for where they left; of those that "
     "left by no early exit, of the last one's by then"},
    {Id::p5_threshold, "p5_threshold", "1", "5th percentile of these"},
    {Id::p95_threshold, "p95_threshold", "1", "95th percentile of these"},
    {Id::forced_exit_rate, "forced_exit_rate", "1",
     "share of the completed requests that left for their deadline, below the threshold"},
    {Id::preemptions, "preemptions", "1",
     "times that newcomers suspended the active batch (or joined it at its start)"},
    {Id::merges, "merges", "1", "times that newcomers caught up with a suspended batch"},
    {Id::refused_no_gain, "refused_no_gain", "1",
     "decisions against a preemption since it gained nothing, at each boundary"},
    {Id::refused_slo, "refused_slo", "1",
     "decisions against a preemption for a deadline's sake, at each boundary"},
    {Id::unloaded_bound, "unloaded_bound_s", "s",
     "lower bound of the mean latency: of each request on an idle NPU, given its true exit"},
    {Id::clairvoyant_bound, "clairvoyant_bound_s", "s",
     "lower bound of the mean latency: all exits known, best time per sample, shortest remaining first, no "
     "time for the warm-up (docs/policies.md)"},
    {Id::distance_to_bound, "distance_to_bound", "1",
     "mean latency over the higher of both bounds, at least 1; like these not defined where requests were "
     "dropped",
     Better::lower},
    {Id::antt, "antt", "1",
     "in a site: average normalised turnaround time, the mean over the completed requests of the latency "
     "over "
     "that of the same request alone on its NPU, up to the exit that it took",
     Better::lower},
    {Id::stp, "stp", "1",
     "in a site: system throughput, the sum over the services of the mean of the inverse, each service's "
     "progress against running alone; at most the number of services",
     Better::higher},
    {Id::fairness, "fairness", "1",
     "in a site of several services: Jain's index of their mean normalised turnaround times, 1 where all are "
     "slowed down alike",
     Better::higher},
    {Id::energy_per_request, "energy_per_request_j", "J",
     "energy that the NPU takes in the measured window, idle time included, over the measured requests "
     "completed; this and what follows only where the NPU has `energy`, which a measured table has not",
     Better::lower},
    {Id::mac_energy_per_request, "mac_energy_per_request_j", "J",
     "of it, for multiply-accumulates with their operand registers", Better::lower},
    {Id::buffer_energy_per_request, "buffer_energy_per_request_j", "J",
     "of it, for words into and out of the input, weight and output buffers", Better::lower},
    {Id::dram_energy_per_request, "dram_energy_per_request_j", "J",
     "of it, for words over the memory channel", Better::lower},
    {Id::static_energy_per_request, "static_energy_per_request_j", "J",
     "of it, what passes with time, busy or idle; a service has the share of its busy time on each NPU, or "
     "an equal one of an NPU that was never busy",
     Better::lower},
    {Id::average_power, "average_power_w", "W", "energy in the measured window over its length"},
    {Id::energy_delay_product, "energy_delay_product_js", "J s",
     "`energy_per_request_j` times `mean_latency_s`", Better::lower},
}};

}  // namespace

std::span<const Statistic> all_statistics() { return kDeclared; }

}  // namespace fluidbatch::sim
