"""What the scripts of this folder share: fits of a Gemmini that leave one network out."""

import csv
import io
import math
import statistics
import subprocess
import tempfile
from pathlib import Path

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


def write_npu(path, shape):
    """gemmini.yaml with the values of `shape`."""
    lines = []
    for line in (FOLDER / "gemmini.yaml").read_text().splitlines():
        key = line.split(":")[0]
        if key == BANDWIDTH and shape["channel"] == "separate":
            lines += ["input_" + line, "output_" + line]
        else:
            lines.append(f"{key}: {shape[key]}" if key in shape else line)
    path.write_text("\n".join(lines) + "\n")


def write_with_network_channels(path):
    """The layers with the input channels that the network has, instead of those that the array is filled up to."""
    rows = rows_of(LAYERS)
    with open(path, "w", newline="", encoding="ascii") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "in_channels": row["network_channels"]} for row in rows)


def value_of(yaml, key):
    return next(float(line.split(":")[1]) for line in yaml.splitlines() if line.startswith(key + ":"))


def fit(program, file, shape, free, network=None):
    """One fit: the fitted YAML and, for each row of the file, what `--csv` prints, as numbers."""
    with tempfile.TemporaryDirectory() as folder:
        npu, fitted = Path(folder) / "gemmini.yaml", Path(folder) / "fitted.yaml"
        write_npu(npu, shape)
        command = [program, "npu", "fit", "--measured", file, "--npu", npu, "--free", free, "--out", fitted, "--csv"]
        if network:
            command += ["--hold-out", f"network={network}"]
        text = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout
        rows = [
            {
                **row,
                "measured": float(row["measured"]),
                "modelled": float(row["modelled"]),
                "held_out": row["held_out"] == "1",
            }
            for row in csv.DictReader(io.StringIO(text))
        ]
        return fitted.read_text(), rows


def errors(rows):
    return [abs(row["modelled"] / row["measured"] - 1) for row in rows]


def root_mean_square(rows):
    return math.sqrt(statistics.fmean(math.log(row["modelled"] / row["measured"]) ** 2 for row in rows))


def best_shape(program, file, free, network, **more):
    """The shape with the least error on what a fit sees: the held-out network has no say in it."""

    def seen(shape):
        return root_mean_square([row for row in fit(program, file, shape, free, network)[1] if not row["held_out"]])

    return min(shapes(**more), key=seen)


def ranks(values):
    order = sorted(values)
    return [order.index(value) + (order.count(value) - 1) / 2 for value in values]


def rank_correlation(a, b):
    return statistics.correlation(ranks(a), ranks(b))
