"""Modelled against measured cycles of layers that the fit has not seen."""

import statistics

import figures
from figures import plt

LOOKS = {
    "bert": ("BERT", "#D55E00", "s"),
    "resnet50": ("ResNet-50", "#0072B2", "o"),
    "retinanet": ("RetinaNet", "#009E73", "^"),
    "unet": ("U-Net", "#000000", "x"),
}


def make(page):
    rows = page.results.rows("SELECT network, layer, measured, modelled, bound FROM layers")
    figure, axis = plt.subplots(figsize=(5.2, 4.6))
    ends = (min(row["measured"] for row in rows) / 2, 2 * max(row["measured"] for row in rows))
    axis.plot(ends, ends, color="#888888", linewidth=0.8, label="equal")
    axis.fill_between(
        ends, [e / 1.25 for e in ends], [e * 1.25 for e in ends], color="#eeeeee", label="within a factor of 1.25"
    )
    for network, (name, color, marker) in LOOKS.items():
        points = [row for row in rows if row["network"] == network]
        axis.plot(
            [p["measured"] for p in points],
            [p["modelled"] for p in points],
            linestyle="",
            color=color,
            marker=marker,
            markerfacecolor="none",
            label=name,
        )
    axis.set(xscale="log", yscale="log", xlim=ends, ylim=ends, xlabel="measured (cycles)", ylabel="modelled (cycles)")
    figures.legend_below(figure, axis, 3)
    figure.tight_layout()
    page.save(
        figure,
        caption="""Modelled against measured cycles of each layer, its network being left out of the fit; on the
        diagonal both are the same.""",
        alternative="""Points along the diagonal over several orders of magnitude, with a few clearly off it.""",
    )

    def error(row):
        return abs(row["modelled"] / row["measured"] - 1)

    def errors(network):
        return [error(row) for row in rows if row["network"] == network]

    page.table(
        "Relative errors by network, each left out in turn",
        ["network", "layers", "median %", "largest %"],
        [
            [LOOKS[n][0], len(errors(n)), f"{100 * statistics.median(errors(n)):.1f}", f"{100 * max(errors(n)):.1f}"]
            for n in LOOKS
        ],
    )
    worst = max(rows, key=error)
    page.seen(
        f"""Each of {len(rows)} layers is modelled by a fit to the other networks. The median relative error is
        {100 * statistics.median(map(error, rows)):.1f} %; the largest, {100 * error(worst):.0f} %, is that of the layer
        {worst["layer"]} of {LOOKS[worst["network"]][0]}."""
    )


def main():
    figures.main("npu_fit", "Modelled against measured cycles of a Gemmini", make)
