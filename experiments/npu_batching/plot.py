"""Utilisation and latency per sample against the batch size, for each mode."""

import math
import statistics

import figures
from figures import plt

MODES = ("r", "p", "fluid", "r_stacked", "fluid_stacked")
PAIRS = (("r", "fluid"), ("r_stacked", "fluid_stacked"))
BATCHES = (1, 2, 4, 8)
SHOWN = "zu7ev_large"


def apart(table, networks, batches, pair):
    """The most, in %, that two modes are from each other in latency on the NPU that is shown."""
    return 100 * max(
        abs(table[SHOWN, n, pair[0], b]["latency_s"] / table[SHOWN, n, pair[1], b]["latency_s"] - 1)
        for n in networks
        for b in batches
    )


def draw(page, table, networks, batches):
    """Two modes are one thick line below a thin one, and the key says how far they are from each other."""
    figure, axes = plt.subplots(2, len(networks), figsize=(2.5 * len(networks), 4.8), sharex=True, squeeze=False)
    below = {lower: (upper, apart(table, networks, batches, (lower, upper))) for lower, upper in PAIRS}
    for column, network in enumerate(networks):
        for mode in MODES:
            points = [table[SHOWN, network, mode, b] for b in batches]
            wide = {"linewidth": 5, "linestyle": "-", "alpha": 0.35, "marker": ""} if mode in below else {}
            style = figures.look(mode, **{"markersize": 3, **wide})
            if mode in below:
                upper, percent = below[mode]
                style["label"] = f"{mode}; {upper} lies on it, within {math.ceil(10 * percent) / 10:g} %"
            axes[0][column].plot(batches, [100 * p["mac_utilisation"] for p in points], **style)
            axes[1][column].plot(batches, [1000 * p["latency_s"] / p["batch"] for p in points], **style)
        axes[0][column].set_title(network)
        axes[0][column].set_ylim(0, 100)
        axes[1][column].set_ylim(bottom=0)
        axes[1][column].set_xlabel("batch size")
        axes[1][column].set_xticks((1, 4, 8, 12, 16))
    axes[0][0].set_ylabel("MAC utilisation (%)")
    axes[1][0].set_ylabel("latency per sample (ms)")
    figures.legend_below(figure, axes[0][0], 3)
    figure.tight_layout()

    def mean(mode):
        return 100 * statistics.fmean(table[SHOWN, n, mode, 1]["mac_utilisation"] for n in networks)

    page.save(
        figure,
        caption=f"""Share of the MACs that work (above) and latency per sample (below) against the batch size, for each
        mode on {SHOWN}, in a column for each network. The bands of r and r_stacked are wide, so that the lines of fluid
        and fluid_stacked, which lie on them, can be seen.""",
        alternative=f"""Ten panels of lines. At batch 1 the MACs are used to {mean('r'):.0f} % by r and fluid and to
        {mean('fluid_stacked'):.0f} % by both stacked modes, averaged over the networks; the four come together as the
        batch grows, and mode p stays behind. r and fluid are one curve, and r_stacked and fluid_stacked another.""",
    )


def make(page):
    rows = page.results.rows("SELECT npu, network, mode, batch, latency_s, mac_utilisation FROM networks")
    table = {(r["npu"], r["network"], r["mode"], r["batch"]): r for r in rows}
    networks = sorted({r["network"] for r in rows})
    draw(page, table, networks, sorted({r["batch"] for r in rows}))

    def gain(npu, network, mode, batch):
        return table[npu, network, "r", batch]["latency_s"] / table[npu, network, mode, batch]["latency_s"]

    for npu in dict.fromkeys(r["npu"] for r in rows):
        page.table(
            f"Speed-up over mode r on {npu}",
            ["network", "mode", *(f"batch {b}" for b in BATCHES)],
            [[n, m, *(f"{gain(npu, n, m, b):.2f}" for b in BATCHES)] for n in networks for m in MODES[1:]],
        )
    means = {b: statistics.fmean(gain(SHOWN, n, "fluid_stacked", b) for n in networks) for b in BATCHES}
    used = {
        m: statistics.fmean(table[SHOWN, n, m, 1]["mac_utilisation"] for n in networks) for m in ("r", "fluid_stacked")
    }
    unstacked = max(gain(*key[:2], "fluid", key[3]) for key in table if key[2] == "fluid")
    small = statistics.fmean(gain("zu7ev_small", n, "fluid_stacked", 1) for n in networks)
    page.seen(
        f"""On the NPU with tall row tiles (zu7ev_large, T_R = 392) fluid batching with stackable PEs runs a single
        sample {means[1]:.2f} times as fast as R-batching, averaged over the networks, a batch of 4 {means[4]:.2f} times
        and one of 8 {means[8]:.2f} times. Nearly all of it at batch 1 comes from stacking: one sample leaves most rows
        of a tall tile empty, and stacking turns them into depth. With short tiles (zu7ev_small, T_R = 64) the factor at
        batch 1 is {small:.2f}. Fluid batching without stacking is at most {100 * (unstacked - 1):.1f} % faster than
        R-batching: two output tiles side by side need room that mostly stacking makes."""
    )
    page.claim(
        "Utilisation is significantly better even at small batches (zu7ev_large, batch 1, mean of five networks)",
        "significantly better",
        f"{100 * used['r']:.0f} % with R-batching, {100 * used['fluid_stacked']:.0f} % with fluid batching and "
        f"stackable PEs",
        "holds on tall tiles" if means[1] > 1.1 else "does not hold",
    )


def main():
    figures.main("npu_batching", "What batching gives, by mode", make)
