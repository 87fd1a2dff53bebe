"""Modelled cycles of each Gemmini layer: unfitted, fitted to all, and by the fit that has not seen its network."""

import math

import collect
from npu_fit import fits
from python_module import fb

FREE = (fits.BANDWIDTH, fits.OVERHEAD)
ARRAY = 16  # rows and columns of multipliers


def least_cycles(row):
    """R ceil(P / 16) ceil(C / 16): one row of activations a cycle, for each tile of weights."""
    rows = int(row["output_height"]) * int(row["output_width"]) * int(row["batch"])
    depth = int(row["network_channels"]) * int(row["kernel_height"]) * int(row["kernel_width"])
    return rows * math.ceil(depth / ARRAY) * math.ceil(int(row["out_channels"]) / ARRAY)


def modelled_cycles(row, npu):
    """What the model says of a measured layer on an NPU with the memory of that row: the latency of a network of this
    layer alone, whose input is as large as the windows of its output reach."""
    kernel, stride, output = (
        [int(row[f"{name}_{side}"]) for side in ("height", "width")] for name in ("kernel", "stride", "output")
    )
    sides = [(o - 1) * s + k for o, s, k in zip(output, stride, kernel)]
    channels = {"out_channels": int(row["out_channels"])}
    layer = {"name": "measured", "kind": "conv", **channels, "kernel": kernel, "stride": stride}
    network = {"name": "measured", "input": [int(row["in_channels"]), *sides], "layers": [layer]}
    batch = int(row["batch"])
    there = fb.Npu(npu, on_chip_bytes=int(row["on_chip_bytes"]))
    return float(fb.latency_table(network, there, "fluid_stacked", batch)[0, batch - 1]) * npu.clock_hz


def name_of(row):
    return "{in_channels}>{out_channels} {kernel_height}x{kernel_width} {output_height}x{output_width}".format(**row)


def fill(_program, database, _quick):
    database.execute("CREATE TABLE layers (network, layer, measured, least, unfitted, fitted, held_out)")
    database.execute("CREATE TABLE parameters (held_out, bytes_per_cycle, layer_overhead_cycles)")

    def keep(held_out, npu):
        values = npu.bandwidth_bytes_per_s / npu.clock_hz, npu.layer_overhead_cycles
        database.execute("INSERT INTO parameters VALUES (?, ?, ?)", (held_out, *map(float, values)))

    given = fits.rows_of(fits.LAYERS)
    start = fits.npu_of(fits.BASE)
    keep("unfitted", start)
    npu, fitted = fits.fit(fits.LAYERS, fits.BASE, FREE)
    keep("none", npu)
    held_out = [None] * len(given)
    for network in fits.NETWORKS:
        npu, rows = fits.fit(fits.LAYERS, fits.BASE, FREE, network)
        keep(network, npu)
        for i, row in enumerate(rows):
            if row["held_out"]:
                held_out[i] = float(row["modelled"])
    for row, seen, unseen in zip(given, fitted, held_out):
        database.execute(
            "INSERT INTO layers VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                *(row["network"], name_of(row), int(row["cycles"]), least_cycles(row)),
                *(modelled_cycles(row, start), float(seen["modelled"]), unseen),
            ),
        )


def main():
    collect.main("Layers of a Gemmini, unfitted, fitted and held out", fill)
