#!/usr/bin/python3
"""A preemption, drawn from timeline.json: what the NPU runs, what waits, and the queue.

    plot.py [--program FLUIDBATCH] [--out FOLDER]
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams["svg.hashsalt"] = "fluidbatch"
import matplotlib.pyplot as plt  # noqa: E402

FOLDER = Path(__file__).resolve().parent
sys.path.append(str(FOLDER.parent))
from dark import follows_light_and_dark  # noqa: E402

COLORS = ("#56B4E9", "#E69F00", "#009E73", "#F0E442")  # by segment
HATCHES = ("", "//", "..", "xx")


def events(program):
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(
            [program, "run", str(FOLDER / "preemption.yaml"), "--out", out, "--timeline"],
            check=True,
            capture_output=True,
        )
        return json.loads((Path(out) / "timeline.json").read_text())["traceEvents"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(FOLDER.parents[1] / "build/release/bin/fluidbatch"))
    parser.add_argument("--out", type=Path, default=Path("runs/preemption"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    figure, (lanes, queue) = plt.subplots(2, 1, figsize=(9, 3.4), sharex=True, height_ratios=(3, 1))
    steps, last = [(0, 0)], 0
    for event in events(arguments.program):
        begin, length = event.get("ts", 0) / 1000, event.get("dur", 0) / 1000
        if event["ph"] == "X" or event["name"] == "queue":
            last = max(last, begin + length)
        if event["name"] == "queue":
            steps.append((begin, event["args"]["requests"]))
        elif event["ph"] == "X" and event["tid"] == 1:
            segment, batch = event["args"]["segment"], event["args"]["batch"]
            lanes.barh(
                1,
                length,
                left=begin,
                height=0.6,
                color=COLORS[segment],
                hatch=HATCHES[segment],
                edgecolor="black",
                linewidth=0.8,
            )
            lanes.text(
                begin + length / 2,
                1,
                f"s{segment}\nB={batch}",
                ha="center",
                va="center",
                fontsize=8,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
            )
        elif event["ph"] == "X":
            lanes.barh(0, length, left=begin, height=0.6, color="#bbbbbb", edgecolor="black", linewidth=0.8)
            lanes.text(begin + length / 2, 0, f"{event['args']['B_old']} waiting", ha="center", va="center", fontsize=8)
    lanes.set_yticks([0, 1], ["suspended", "NPU"])
    lanes.set_ylim(-0.5, 1.5)
    lanes.set_title("exit_aware: samples leave after segment 0 and 1, newcomers catch up and merge")
    steps.append((last, steps[-1][1]))
    queue.step([t for t, _ in steps], [n for _, n in steps], where="post", color="black")
    queue.set_ylabel("queue")
    queue.set_ylim(-0.3, max(n for _, n in steps) + 0.7)
    queue.set_xlabel("time (ms)")
    figure.tight_layout()
    figure.savefig(arguments.out / "preemption.png", dpi=150, metadata={"Software": None})
    svg = io.StringIO()
    figure.savefig(svg, format="svg", metadata={"Date": None})
    (arguments.out / "preemption.svg").write_text(follows_light_and_dark(svg.getvalue()), encoding="utf-8")


if __name__ == "__main__":
    main()
