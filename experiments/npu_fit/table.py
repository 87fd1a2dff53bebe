"""A Gemmini fitted to all networks but one, and how good it is on that one, as Markdown tables.

    experiments/run.py npu_fit table [--program FLUIDBATCH]
"""

import argparse
import math
import statistics
import tempfile
from pathlib import Path

from npu_fit import fits

FREE = (fits.BANDWIDTH, fits.OVERHEAD)
SEPARATE = (f"input_{fits.BANDWIDTH}", f"output_{fits.BANDWIDTH}", fits.OVERHEAD)


def percent(errors, of=statistics.median):
    return f"{100 * of(errors):.1f}"


def held_out(rows):
    return [row for row in rows if row["held_out"]]


def accuracy(rows):
    errors = fits.errors(rows)
    correlation = fits.rank_correlation([row["measured"] for row in rows], [row["modelled"] for row in rows])
    return f"{percent(errors)} | {percent(errors, max)} | {correlation:.3f}"


def splits():
    print(
        "| held out | layers | T_R, rows | bytes per cycle | start, cycles | median error % | largest error % | rank "
        "correlation |"
    )
    print("|---" * 8 + "|")
    pool = []
    for network, name in fits.NETWORKS.items():
        shape = fits.best_shape(fits.LAYERS, FREE, network)
        npu, rows = fits.fit(fits.LAYERS, shape, FREE, network)
        rows = held_out(rows)
        pool += rows
        bandwidth = npu.bandwidth_bytes_per_s / npu.clock_hz
        print(
            f"| {name} | {len(rows)} | {shape['t_r']}, {shape['edge_rows']} | {bandwidth:.2f} | "
            f"{npu.layer_overhead_cycles:.0f} | {accuracy(rows)} |"
        )
    print(f"| each in turn | {len(pool)} | | | | {accuracy(pool)} |")


def others(network_channels):
    """Other ways to fit and to read the data, with the shape of gemmini.yaml."""
    print(
        "\n| data | free besides the start of a layer | " + " | ".join(fits.NETWORKS.values()) + " | each in "
        "turn |\n" + "|---" * 7 + "|"
    )
    layers = "71 layers"
    ways = [
        (layers, fits.LAYERS, "shared", FREE, "bandwidth"),
        (layers, fits.LAYERS, "shared", (*FREE, "fill_cycles"), "bandwidth, fill"),
        (layers, fits.LAYERS, "separate", SEPARATE, "bandwidths in and out"),
        (layers, fits.LAYERS, "separate", (*SEPARATE, "fill_cycles"), "bandwidths in and out, fill"),
        ("71 layers, channels not filled up", network_channels, "shared", FREE, "bandwidth"),
        ("all 222 rows", fits.ALL, "shared", FREE, "bandwidth"),
    ]
    paths = ("line_buffer", "im2col")
    for data, file, channel, free, name in [*ways, (layers, fits.LAYERS, "", FREE, "bandwidth, input path, T_R, rows")]:
        pool, cells = [], []
        for network in fits.NETWORKS:
            shape = (
                {**fits.BASE, "channel": channel}
                if channel
                else fits.best_shape(file, free, network, paths=paths)
            )
            _, rows = fits.fit(file, shape, free, network)
            cells.append(percent(fits.errors(held_out(rows))))
            pool += held_out(rows)
        print(f"| {data} | {name} | " + " | ".join([*cells, percent(fits.errors(pool))]) + " |")


def compute_alone():
    def cycles(row):
        r, p, c = (
            int(row["output_height"]) * int(row["output_width"]) * int(row["batch"]),
            int(row["network_channels"]) * int(row["kernel_height"]) * int(row["kernel_width"]),
            int(row["out_channels"]),
        )
        return r * math.ceil(p / 16) * math.ceil(c / 16)

    rows = fits.rows_of(fits.LAYERS)
    measured, least = [int(row["cycles"]) for row in rows], [cycles(row) for row in rows]
    ratios = [m / c for m, c in zip(measured, least)]
    print(
        f"\nR ceil(P / 16) ceil(C / 16) alone, without any parameter: measured over it at least {min(ratios):.3f}, "
        f"median "
        f"{statistics.median(ratios):.2f}; rank correlation {fits.rank_correlation(measured, least):.3f}."
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", help="whose Python module is taken")
    parser.parse_args()
    splits()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "layers.csv"
        fits.write_with_network_channels(file)
        others(file)
    compute_alone()
