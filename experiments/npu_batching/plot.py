#!/usr/bin/python3
"""Utilisation and latency per sample against the batch size, for each mode of an NPU.

    plot.py [--program FLUIDBATCH] [--out FOLDER] [--network N] [--npu NPU ..] [--max-batch B]

Writes npu_batching.png, .svg and .csv, and prints the gain of each mode over r at batch 1, 2, 4 and 8. All numbers
come from `fluidbatch npu table --csv`.
"""

import argparse
import csv
import io
import subprocess
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams["svg.hashsalt"] = "fluidbatch"  # the same bytes each time
import matplotlib.pyplot as plt  # noqa: E402

MODES = ("r", "p", "fluid", "r_stacked", "fluid_stacked")
# Okabe and Ito's colours, and a marker and a dash each, so that it reads in grey too.
STYLES = {
    "r": ("#000000", "o", "-"),
    "p": ("#E69F00", "s", ":"),
    "fluid": ("#56B4E9", "^", "--"),
    "r_stacked": ("#009E73", "v", "-."),
    "fluid_stacked": ("#D55E00", "D", "-"),
}


def table(program, network, npu, mode, max_batch):
    """For each batch size: latency of the network in seconds, and its utilisation."""
    command = [program, "npu", "table", "--network", network, "--npu", npu, "--mode", mode, "--max-batch",
               str(max_batch), "--csv"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    latency = [0.0] * max_batch
    used = [0.0] * max_batch
    for row in csv.DictReader(io.StringIO(text)):
        batch = int(row["batch"]) - 1
        latency[batch] += float(row["latency_s"])
        used[batch] += float(row["latency_s"]) * float(row["mac_utilisation"])
    return latency, [u / t for u, t in zip(used, latency)]


def draw(results, npus, network, max_batch, out):
    figure, axes = plt.subplots(2, len(npus), figsize=(3.6 * len(npus), 6), sharex=True, sharey="row", squeeze=False)
    batches = range(1, max_batch + 1)
    for column, npu in enumerate(npus):
        for mode in MODES:
            latency, utilisation = results[npu, mode]
            color, marker, dash = STYLES[mode]
            style = {"color": color, "marker": marker, "linestyle": dash, "markersize": 4, "linewidth": 1.2,
                     "label": mode, "markerfacecolor": "none"}
            axes[0][column].plot(batches, [100 * u for u in utilisation], **style)
            axes[1][column].plot(batches, [1000 * t / b for t, b in zip(latency, batches)], **style)
        axes[0][column].set_title(npu)
        axes[1][column].set_xlabel("batch size (samples)")
    for row in axes:
        for axis in row:
            axis.grid(color="#dddddd", linewidth=0.6)
            axis.set_ylim(bottom=0)
            axis.set_xticks([b for b in (1, 2, 4, 8, 12, 16, 24, 32) if b <= max_batch])
    axes[0][0].set_ylabel("MAC utilisation (%)")
    axes[1][0].set_ylabel("latency per sample (ms)")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncol=len(MODES), frameon=False, bbox_to_anchor=(0.5, 0.0))
    figure.suptitle(f"{network}: what batching gives, by mode")
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    figure.savefig(out / "npu_batching.png", dpi=150, metadata={"Software": None})
    figure.savefig(out / "npu_batching.svg", metadata={"Date": None})


def write_csv(results, npus, max_batch, out):
    with open(out / "npu_batching.csv", "w", newline="", encoding="ascii") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["npu", "mode", "batch", "latency_s", "mac_utilisation"])
        for npu in npus:
            for mode in MODES:
                for batch in range(1, max_batch + 1):
                    latency, utilisation = (values[batch - 1] for values in results[npu, mode])
                    writer.writerow([npu, mode, batch, repr(latency), repr(utilisation)])


def print_gains(results, npus, max_batch):
    shown = [b for b in (1, 2, 4, 8) if b <= max_batch]
    print("speed-up over mode r, at batch " + ", ".join(map(str, shown)))
    for npu in npus:
        for mode in MODES[1:]:
            gains = (results[npu, "r"][0][b - 1] / results[npu, mode][0][b - 1] for b in shown)
            print(f"{npu:<16}{mode:<15}" + "".join(f"{gain:>7.2f}" for gain in gains))


def main():
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(root / "build/release/bin/fluidbatch"))
    parser.add_argument("--out", type=Path, default=Path("runs/npu_batching"))
    parser.add_argument("--network", default="ee_resnet50")
    parser.add_argument("--npu", nargs="+", default=["zu7ev_small", "zu7ev_middle", "zu7ev_large"])
    parser.add_argument("--max-batch", type=int, default=16)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    results = {(npu, mode): table(arguments.program, arguments.network, npu, mode, arguments.max_batch)
               for npu in arguments.npu for mode in MODES}
    draw(results, arguments.npu, arguments.network, arguments.max_batch, arguments.out)
    write_csv(results, arguments.npu, arguments.max_batch, arguments.out)
    print_gains(results, arguments.npu, arguments.max_batch)


if __name__ == "__main__":
    main()
