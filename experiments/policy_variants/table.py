"""Mean latency and SLO violations of exit_aware's variants at four loads, as Markdown tables.

    experiments/run.py policy_variants table [--program FLUIDBATCH]

The runs are those of variants.yaml; rho counts with the reference in mode r.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
LOADS = (0.8, 1.2, 1.6, 2.0)


def run(program, rho, out):
    subprocess.run(
        [program, "run", str(FOLDER / "variants.yaml"), "--out", out, "--set", f"workload.arrivals.rho={rho}"],
        check=True,
        capture_output=True,
    )
    return {p.parent.name: json.loads(p.read_text())["statistics"] for p in Path(out).glob("*/summary.json")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(FOLDER.parents[1] / "build/release/bin/fluidbatch"))
    program = parser.parse_args().program
    with tempfile.TemporaryDirectory() as out:
        results = {rho: run(program, rho, out) for rho in LOADS}
    labels = (
        "exit_aware",
        "exit_event",
        "every_layer",
        "depth_3",
        "oracle",
        "no_knowledge",
        "worst_case",
        "dynamic",
        "lazy",
    )
    heading = "| variant | " + " | ".join(f"rho {rho}" for rho in LOADS) + " |\n" + "|---" * (len(LOADS) + 1) + "|"
    print("Mean latency in ms (and against `exit_aware`):\n\n" + heading)
    for label in labels:
        cells = []
        for rho in LOADS:
            mean, base = results[rho][label]["mean_latency_s"], results[rho]["exit_aware"]["mean_latency_s"]
            cells.append(f"{1000 * mean:.2f} ({100 * (mean / base - 1):+.1f} %)")
        print(f"| {label} | " + " | ".join(cells) + " |")
    print("\nRequests over the SLO of 120 ms, in %, and preemptions per 1,000 requests:\n\n" + heading)
    for label in labels:
        cells = []
        for rho in LOADS:
            s = results[rho][label]
            cells.append(f"{100 * s['slo_violation_rate']:.3f}; {1000 * s['preemptions'] / s['requests']:.0f}")
        print(f"| {label} | " + " | ".join(cells) + " |")
