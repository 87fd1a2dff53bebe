"""What the scripts of this folder share: fits of a Gemmini that leave one network out."""

import csv
import math
import statistics
from pathlib import Path

from python_module import fb

FOLDER = Path(__file__).resolve().parent
DATA = FOLDER.parent / "data"
LAYERS, ALL = DATA / "gemmini_layers.csv", DATA / "gemmini_rtl.csv"
NETWORKS = {"bert": "BERT", "resnet50": "ResNet-50", "retinanet": "RetinaNet", "unet": "U-Net"}
BANDWIDTH, OVERHEAD = "bandwidth_bytes_per_s", "layer_overhead_cycles"
BASE = {"t_r": 32, "edge_rows": "pad", "input_path": "line_buffer", "channel": "shared"}


def shapes(paths=("line_buffer",)):
    """What a fit of numbers can't choose. The design says how windows are fetched, but not what a row tile is."""
    return [
        {**BASE, "t_r": t_r, "edge_rows": rows, "input_path": path}
        for path in paths
        for rows in ("pad", "trim")
        for t_r in (16, 32, 64, 128)
    ]


def rows_of(file):
    with open(file, newline="", encoding="ascii") as lines:
        return list(csv.DictReader(lines))


def npu_of(shape):
    """gemmini.yaml with the values of `shape`, and with a bandwidth for each way where these are separate channels."""
    changes = dict(shape)
    if shape["channel"] == "separate":
        total = fb.Npu(FOLDER / "gemmini.yaml").bandwidth_bytes_per_s
        changes |= {BANDWIDTH: None, f"input_{BANDWIDTH}": total, f"output_{BANDWIDTH}": total}
    return fb.Npu(FOLDER / "gemmini.yaml", **changes)


def write_with_network_channels(path):
    """The layers with the input channels that the network has, instead of those that the array is filled up to."""
    rows = rows_of(LAYERS)
    with open(path, "w", newline="", encoding="ascii") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "in_channels": row["network_channels"]} for row in rows)


def fit(file, shape, free, network=None):
    """One fit: the fitted NPU, and for each row of the file what is measured and modelled."""
    found = fb.fit(file, npu_of(shape), free, hold_out=f"network={network}" if network else None)
    return found.npu, found.table


def errors(rows):
    return [abs(row["modelled"] / row["measured"] - 1) for row in rows]


def root_mean_square(rows):
    return math.sqrt(statistics.fmean(math.log(row["modelled"] / row["measured"]) ** 2 for row in rows))


def best_shape(file, free, network, **more):
    """The shape with the least error on what a fit sees: the held-out network has no say in it."""

    def seen(shape):
        return root_mean_square([row for row in fit(file, shape, free, network)[1] if not row["held_out"]])

    return min(shapes(**more), key=seen)


def ranks(values):
    order = sorted(values)
    return [order.index(value) + (order.count(value) - 1) / 2 for value in values]


def rank_correlation(a, b):
    return statistics.correlation(ranks(a), ranks(b))
