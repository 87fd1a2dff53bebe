"""A trace that `fluidbatch` has served, for other programs to serve again, and the latencies of the NPU's steps."""

import csv
import io
import subprocess
import tempfile
from pathlib import Path

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
SHARES = (0.3, 0.7 * 0.35, 0.7 * 0.65 * 0.4, 0.7 * 0.65 * 0.6)  # of all requests, by exit


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


def served(program, requests, rho):
    """By system of CONFIG: lists of arrivals_s, exits and completions_s, a value for each request."""
    traces = {}
    with tempfile.TemporaryDirectory(prefix="fluidbatch-trace-") as folder:
        config = Path(folder) / "c.yaml"
        config.write_text(CONFIG.format(requests=requests, rho=rho), encoding="ascii")
        subprocess.run([program, "run", str(config), "--out", f"{folder}/out"], check=True, stdout=subprocess.DEVNULL)
        for system in MAX_BATCH:
            with open(f"{folder}/out/{system}/requests.csv", encoding="ascii") as file:
                rows = list(csv.DictReader(file))
            traces[system] = (
                [float(row["arrival_s"]) for row in rows],
                [int(row["exit"]) for row in rows],
                [float(row["completion_s"]) for row in rows],
            )
    return traces
