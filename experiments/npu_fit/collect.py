"""Modelled cycles of each Gemmini layer, by the fit that has not seen the layer's network."""

import collect
from npu_fit import fits

FREE = f"{fits.BANDWIDTH},{fits.OVERHEAD}"


def fill(program, database, _quick):
    database.execute("CREATE TABLE layers (network, layer, measured, modelled, bound, residency)")
    for network in fits.NETWORKS:
        _, rows = fits.fit(program, fits.LAYERS, fits.BASE, FREE, network)
        for row, given in zip(rows, fits.rows_of(fits.LAYERS)):
            if row["held_out"]:
                layer = (
                    "{in_channels}>{out_channels} {kernel_height}x{kernel_width} {output_height}x{output_width}".format(
                        **given
                    )
                )
                database.execute(
                    "INSERT INTO layers VALUES (?, ?, ?, ?, ?, ?)",
                    (network, layer, row["measured"], row["modelled"], row["bound"], row["residency"]),
                )


def main():
    collect.main("Layers of a Gemmini, measured and modelled", fill)
