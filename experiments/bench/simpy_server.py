#!/usr/bin/python3
"""The same server in SimPy 3 (python3-simpy3): a source, a store and a server process, one request or a greedy batch
at a time.

    simpy_server.py [--program FLUIDBATCH] [--requests N]

Runs a trace through `fluidbatch` and through the model here, on the same table of latencies, and compares all
completions.
"""

import argparse
import csv
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import simpy

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """\
network: ee_resnet50
requests: {requests}
slo: {{latency_ms: 250}}
workload:
  arrivals: {{kind: poisson, rho: {rho}}}
  exits: {{kind: rates, rates: [0.30, 0.35, 0.40]}}
systems:
  - {{label: serial, policy: {{name: serial}}, npu: zu7ev_large, npu_mode: r}}
  - {{label: dynamic, policy: {{name: dynamic_batching, max_batch: 8}}, npu: zu7ev_large, npu_mode: r}}
"""
MAX_BATCH = {"serial": 1, "dynamic": 8}


def segment_latencies(program, max_batch=8):
    """latency[segment][batch] in seconds."""

    def rows(*command):
        text = subprocess.run([program, *command, "--csv"], check=True, capture_output=True, text=True).stdout
        return csv.DictReader(io.StringIO(text))

    segments = {row["layer"]: int(row["segment"]) for row in rows("network", "show", "ee_resnet50")}
    latencies = [[0.0] * (max_batch + 1) for _ in range(1 + max(segments.values()))]
    for row in rows(
        "npu", "table", "--network", "ee_resnet50", "--npu", "zu7ev_large", "--mode", "r", "--max-batch", str(max_batch)
    ):
        latencies[segments[row["layer"]]][int(row["batch"])] += float(row["latency_s"])
    return latencies


def simulate(latencies, arrivals_s, exits, max_batch):
    """Completion date of each request."""
    env = simpy.Environment()
    queue = simpy.Store(env)
    completions_s = [0.0] * len(arrivals_s)

    def source():
        for number, date_s in enumerate(arrivals_s):
            yield env.timeout(date_s - env.now)
            queue.put(number)

    def server():
        while True:
            batch = [(yield queue.get())]
            while len(batch) < max_batch and queue.items:
                batch.append((yield queue.get()))
            for segment, by_batch in enumerate(latencies):
                yield env.timeout(by_batch[len(batch)])
                for number in batch:
                    if exits[number] == segment:
                        completions_s[number] = env.now
                batch = [number for number in batch if exits[number] != segment]
                if not batch:
                    break

    env.process(source())
    env.process(server())
    env.run()
    return completions_s


def compare(program, requests, rho):
    """For each system: SimPy's seconds a request, and the largest difference of a completion."""
    latencies = segment_latencies(program)
    results = {}
    with tempfile.TemporaryDirectory(prefix="fluidbatch-simpy-") as folder:
        config = Path(folder) / "c.yaml"
        config.write_text(CONFIG.format(requests=requests, rho=rho))
        subprocess.run([program, "run", str(config), "--out", f"{folder}/out"], check=True, stdout=subprocess.DEVNULL)
        for system, max_batch in MAX_BATCH.items():
            with open(f"{folder}/out/{system}/requests.csv", encoding="ascii") as file:
                rows = list(csv.DictReader(file))
            arrivals_s, exits = [float(r["arrival_s"]) for r in rows], [int(r["exit"]) for r in rows]
            begin = time.process_time()
            completions_s = simulate(latencies, arrivals_s, exits, max_batch)
            took_s = time.process_time() - begin
            furthest_s = max(abs(c - float(r["completion_s"])) for c, r in zip(completions_s, rows))
            results[system] = (took_s / requests, furthest_s)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(ROOT / "build/release/bin/fluidbatch"))
    parser.add_argument("--requests", type=int, default=20000)
    arguments = parser.parse_args()
    worst_s = 0.0
    for rho in (0.4, 1.0, 2.0):
        for system, (per_request_s, furthest_s) in compare(arguments.program, arguments.requests, rho).items():
            print(
                f"rho {rho}, {system}: SimPy takes {1e6 * per_request_s:.1f} us a request; completions differ by "
                f"{furthest_s:.1e} s at most"
            )
            worst_s = max(worst_s, furthest_s)
    return 0 if worst_s <= 1e-9 else 1


if __name__ == "__main__":
    sys.exit(main())
