#!/usr/bin/python3
"""sensitivities.py npu|preemption: numbers if what is not modelled took its toll, for docs/not_modelled.md."""

import sys

import fluidbatch as fb

NPUS = ("zu7ev_large", "zu7ev_buffered", "edge_8tops")
NETWORKS = ("ee_resnet50", "ee_mobilenet_v2", "ee_vgg16")
MODE = "fluid_stacked"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return text.replace("| --- ", "|---").replace("--- |", "---|")


def latencies(network, npu):
    """Seconds of the whole network, no exit taken, at batch 1 and 8."""
    whole = fb.latency_table(network, npu, mode=MODE, max_batch=8).sum(axis=0)
    return whole[0], whole[7]


def npu_table():
    rows = []
    for name in NPUS:
        npu = fb.Npu(name)
        bandwidth, clock = npu.bandwidth_bytes_per_s, npu.clock_hz
        changes = ({"bandwidth_bytes_per_s": 0.8 * bandwidth}, {"bandwidth_bytes_per_s": 0.6 * bandwidth},
                   {"clock_hz": 0.7 * clock}, {"layer_overhead_cycles": 2000})
        cases = [fb.Npu(npu, **change) for change in changes]
        for network in NETWORKS:
            usual = latencies(network, npu)
            cells = [" / ".join(f"{now / then:.2f}" for now, then in zip(latencies(network, case), usual))
                     for case in cases]
            rows.append([name, network, " / ".join(f"{1000 * one:.2f}" for one in usual), *cells])
    return table(["NPU", "network", "ms at batch 1 / 8", "bandwidth at 80 %", "at 60 %", "clock at 70 %",
                  "2,000 cycles a layer"], rows)


def preemption_table():
    costs_ms = (0, 0.1, 1, 5)
    labels = ("exit_aware", "lazy_batching")
    means = {label: [] for label in labels}
    workload = {"arrivals": {"kind": "poisson", "rho": 1.6}, "exits": {"kind": "rates", "rates": [0.3, 0.35, 0.4]}}
    for cost_ms in costs_ms:
        systems = [{"label": label, "policy": {"name": label}, "npu_mode": MODE, "preemption_cost_s": cost_ms / 1000}
                   for label in labels]
        run = fb.run({"network": "ee_resnet50", "requests": 100000, "warmup_requests": 1000, "slo": {"latency_ms": 120},
                      "workload": workload, "systems": systems})
        for row in run.table:
            means[row["system"]].append(row["mean_latency_s"])
    rows = [[label, *(f"{1000 * mean:.2f}" for mean in means[label])] for label in labels]
    return table(["mean latency (ms) where a preemption costs", *(f"{cost} ms" for cost in costs_ms)], rows)


if __name__ == "__main__":
    print({"npu": npu_table, "preemption": preemption_table}[sys.argv[1]]())
