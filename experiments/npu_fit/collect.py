"""Modelled cycles of each Gemmini layer, by the fit that has not seen the layer's network."""

import collect
from npu_fit import fits

FREE = (fits.BANDWIDTH, fits.OVERHEAD)


def fill(_program, database, _quick):
    database.execute("CREATE TABLE layers (network, layer, measured, modelled, bound, residency)")
    for network in fits.NETWORKS:
        _, rows = fits.fit(fits.LAYERS, fits.BASE, FREE, network)
        for row, given in zip(rows, fits.rows_of(fits.LAYERS)):
            if row["held_out"]:
                layer = (
                    "{in_channels}>{out_channels} {kernel_height}x{kernel_width} {output_height}x{output_width}".format(
                        **given
                    )
                )
                database.execute(
                    "INSERT INTO layers VALUES (?, ?, ?, ?, ?, ?)",
                    (network, layer, *(row[name].item() for name in ("measured", "modelled", "bound", "residency"))),
                )


def main():
    collect.main("Layers of a Gemmini, measured and modelled", fill)
