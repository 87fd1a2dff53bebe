#!/usr/bin/python3
"""Accuracy against mean latency over thresholds on confidence, as a table and a picture.

    curve.py [--program FLUIDBATCH] [--out FOLDER] [--requests N]
"""

import argparse
import csv
import json
import subprocess
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams["svg.hashsalt"] = "fluidbatch"
import matplotlib.pyplot as plt  # noqa: E402

FOLDER = Path(__file__).resolve().parent
THRESHOLDS = (0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1)
MARKERS = {"dynamic": ("o", "#0072B2"), "lazy": ("s", "#E69F00"), "ours": ("^", "#009E73")}


def run(program, threshold, requests, out):
    subprocess.run([program, "run", str(FOLDER / "curve.yaml"), "--out", out, "--set",
                    f"workload.exits.threshold={threshold}", "--set", f"requests={requests}"], check=True,
                   capture_output=True)
    return {p.parent.name: json.loads(p.read_text()) for p in Path(out).glob("*/summary.json")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(FOLDER.parents[1] / "build/release/bin/fluidbatch"))
    parser.add_argument("--out", type=Path, default=Path("runs/accuracy_latency"))
    parser.add_argument("--requests", type=int, default=100000)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for threshold in THRESHOLDS:
        with tempfile.TemporaryDirectory() as out:
            for label, summary in sorted(run(arguments.program, threshold, arguments.requests, out).items()):
                s = summary["statistics"]
                rows.append({"threshold": threshold, "system": label, "accuracy": s["accuracy"],
                             "mean_latency_s": s["mean_latency_s"], "slo_violation_rate": s["slo_violation_rate"],
                             "saturated": int(summary["saturated"])})
    with open(arguments.out / "curve.csv", "w", newline="", encoding="ascii") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    figure, axes = plt.subplots(figsize=(6.4, 3.8))
    for label, (marker, color) in MARKERS.items():
        mine = [r for r in rows if r["system"] == label and not r["saturated"]]
        axes.plot([1000 * r["mean_latency_s"] for r in mine], [100 * r["accuracy"] for r in mine], marker=marker,
                  color=color, label=label, markersize=5)
    for row in rows:
        if row["system"] == "ours" and row["threshold"] in (0, 0.7, 0.9, 0.98, 1) and not row["saturated"]:
            axes.annotate(f"{row['threshold']}", (1000 * row["mean_latency_s"], 100 * row["accuracy"]),
                          textcoords="offset points", xytext=(-4, 6), ha="right", fontsize=8)
    axes.set_xlabel("mean latency (ms)")
    axes.set_ylabel("accuracy (%)")
    axes.set_title("A threshold on confidence: accuracy against latency, rho 1.2")
    axes.grid(alpha=0.3)
    axes.legend(title="system (threshold at points of ours)", fontsize=8, title_fontsize=8)
    figure.tight_layout()
    figure.savefig(arguments.out / "curve.svg", metadata={"Date": None})
    figure.savefig(arguments.out / "curve.png", dpi=150)
    print(f"{arguments.out}/curve.csv, curve.svg, curve.png")


if __name__ == "__main__":
    main()
