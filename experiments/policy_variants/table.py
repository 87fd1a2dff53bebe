"""Mean latency and SLO violations of exit_aware's variants at four loads, as Markdown tables.

    experiments/run.py policy_variants table [--program FLUIDBATCH]

The runs are those of variants.yaml; rho counts with the reference in mode r.
"""

import argparse
from pathlib import Path

from python_module import fb

FOLDER = Path(__file__).resolve().parent
LOADS = (0.8, 1.2, 1.6, 2.0)


def run(rho):
    """{label: its statistics}."""
    results = fb.run(FOLDER / "variants.yaml", workload__arrivals__rho=rho)
    return {row["system"]: row for row in results.table}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", help="whose Python module is taken")
    parser.parse_args()
    results = {rho: run(rho) for rho in LOADS}
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
