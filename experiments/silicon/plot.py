"""Modelled over measured cycles of each layer of a Gemmini: unfitted, fitted, and held out."""

import figures
from experiments.silicon import errors
from figures import plt
from npu_fit.fits import NETWORKS
from npu_fit.plot import LOOKS

WAYS = {
    "least": "least cycles of the array",
    "unfitted": "unfitted",
    "fitted": "fitted to all",
    "held_out": "its network held out",
}
DRAWN = ("unfitted", "fitted", "held_out")


def pairs(rows, way, network=None):
    return [(row["measured"], row[way]) for row in rows if network in (None, row["network"])]


def spread(found):
    """Of pairs (measured, modelled), in words."""
    ratios = [modelled / measured for measured, modelled in found]
    return f"{min(ratios):.2f} to {max(ratios):.2f} and {100 * errors.summary(found)['median']:.1f} %"


def draw(page, rows):
    figure, axes = plt.subplots(1, len(DRAWN), figsize=(9.6, 3.8), sharey=True)
    ends = min(row["measured"] for row in rows) / 1.5, 1.5 * max(row["measured"] for row in rows)
    near = f"within a factor of {errors.NEAR:g}"
    for axis, way in zip(axes, DRAWN):
        axis.axhspan(1 / errors.NEAR, errors.NEAR, color="#eeeeee", label=near)
        axis.axhline(1, color="#888888", linewidth=0.8)
        for network, (name, color, marker) in LOOKS.items():
            points = pairs(rows, way, network)
            axis.plot(
                [measured for measured, _ in points],
                [modelled / measured for measured, modelled in points],
                linestyle="",
                color=color,
                marker=marker,
                markerfacecolor="none",
                label=name,
            )
        axis.set(xscale="log", xlim=ends, xlabel="measured (cycles)", title=WAYS[way])
        ratios = [row[w] / row["measured"] for row in rows for w in DRAWN]
        figures.log_scale(axis, min(ratios) / 1.1, 1.1 * max(ratios))
    axes[0].set_ylabel("modelled / measured")
    figures.legend_below(figure, axes[0], len(LOOKS) + 1)
    figure.tight_layout()
    seen = "; ".join(f"{WAYS[way]}, {spread(pairs(rows, way))}" for way in DRAWN)
    page.save(
        figure,
        caption="""Modelled over measured cycles of each layer against its measured cycles, both axes logarithmic: with
        the numbers that the NPU's file starts with, with two numbers fitted to all layers, and with these fitted to the
        three other networks. At 1 both are the same.""",
        alternative=f"""Three panels of points about a middle line at 1. From the lowest point to the highest, and off
        the line in the median: {seen}.""",
    )


def cells(found):
    return [
        f"{100 * found['median']:.1f}",
        f"{100 * found['largest']:.1f}",
        f"{found['bias']:.2f}",
        f"{100 * found['near']:.0f}",
        f"{found['rank_correlation']:.3f}",
    ]


def tables(page, rows):
    head = ["median error %", "largest %", "modelled / measured", f"within a factor of {errors.NEAR:g} (%)"]
    page.table(
        f"All {len(rows)} layers: relative errors, geometric mean of modelled over measured, and how many are near",
        ["way", *head, "rank correlation"],
        [[name, *cells(errors.summary(pairs(rows, way)))] for way, name in WAYS.items()],
    )
    page.table(
        "By network",
        ["network", "layers", "way", *head, "rank correlation"],
        [
            [name, len(pairs(rows, way, network)), WAYS[way], *cells(errors.summary(pairs(rows, way, network)))]
            for network, name in NETWORKS.items()
            for way in DRAWN
        ],
    )
    values = page.results.rows("SELECT held_out, bytes_per_cycle, layer_overhead_cycles FROM parameters ORDER BY rowid")
    said = {"unfitted": "(unfitted)", "none": "none: fitted to all", **NETWORKS}
    page.table(
        "The two numbers that are fitted",
        ["held out", "bytes per cycle", "start of a layer (cycles)"],
        [[said[v["held_out"]], f"{v['bytes_per_cycle']:.2f}", f"{v['layer_overhead_cycles']:.0f}"] for v in values],
    )


def percent(value):
    return f"{100 * value:.1f} %"


def findings(rows):
    whole = {way: errors.summary(pairs(rows, way)) for way in WAYS}
    medians = {
        name: {way: errors.summary(pairs(rows, way, network))["median"] for way in DRAWN}
        for network, name in NETWORKS.items()
    }
    worst = max(medians, key=lambda name: medians[name]["held_out"])
    better = [name for name, by_way in medians.items() if by_way["unfitted"] < by_way["held_out"]]
    far = max(rows, key=lambda row: errors.relative([(row["measured"], row["held_out"])]))
    error = errors.relative([(far["measured"], far["held_out"])])[0]
    return f"""{len(rows)} layers of {len(NETWORKS)} networks on a Gemmini in RTL simulation. With the numbers of its
        file the model is off by {percent(whole["unfitted"]["median"])} in the median, and takes
        {whole["unfitted"]["bias"]:.2f} times the measured cycles in the geometric mean; with two numbers fitted to all
        layers it is off by {percent(whole["fitted"]["median"])}, and of networks that the fit has not seen by
        {percent(whole["held_out"]["median"])}, with {100 * whole["held_out"]["near"]:.0f} % of the layers within a
        factor of {errors.NEAR:g}. Farthest by its median is {worst}, {percent(medians[worst]["fitted"])} off where
        the fit has seen it and {percent(medians[worst]["held_out"])} where it has not. Better unfitted than held out:
        {", ".join(f"{name} ({percent(medians[name]['unfitted'])})" for name in better) or "none"}. The farthest layer,
        {far["layer"]} of {NETWORKS[far["network"]]}, is off by {percent(error)}. Rank correlations
        of measured and modelled cycles are {whole["unfitted"]["rank_correlation"]:.3f} unfitted,
        {whole["held_out"]["rank_correlation"]:.3f} held out, and {whole["least"]["rank_correlation"]:.3f} for the least
        cycles of the array alone, which are off by {percent(whole["least"]["median"])} in the median."""


def make(page):
    rows = page.results.rows("SELECT * FROM layers ORDER BY rowid")
    draw(page, rows)
    tables(page, rows)
    page.seen(findings(rows))


def main():
    figures.main("silicon", "Fit and held out, on a machine that was built", make)
