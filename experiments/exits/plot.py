"""Sensitivity to exit rates, to their correlation, and to the threshold on confidences."""

import re

import figures
from figures import plt

SYSTEMS = ("dynamic", "lazy", "ours")
LABELLED = {0: (-6, 0), 0.7: (-6, 0), 0.8: (-6, 0), 0.9: (-5, -5), 1: (4, -9)}  # and how far beside it, in points


def make(page):
    rows = page.results.rows(
        """SELECT system, "workload.exits" AS exits, avg(mean_latency_s) AS mean_s, avg(accuracy) AS accuracy,
                                avg(slo_violation_rate) AS late FROM results WHERE status = 'done' AND NOT saturated
                                GROUP BY 1, 2"""
    )

    def points(kind, key):
        found = {s: [] for s in SYSTEMS}
        for row in rows:
            if f"kind: {kind}," in row["exits"]:
                found[row["system"]].append((float(re.search(key + r": \[?([\d.]+)", row["exits"])[1]), row))
        return {s: sorted(p, key=lambda one: one[0]) for s, p in found.items()}

    rates, correlation, threshold = (
        points("rates", "rates"),
        points("correlated", "correlation"),
        points("confidences", "threshold"),
    )
    figure, axes = plt.subplots(1, 3, figsize=(9.2, 3.3))
    for system in SYSTEMS:
        axes[0].plot(
            [x for x, _ in rates[system]], [1000 * r["mean_s"] for _, r in rates[system]], **figures.look(system)
        )
        axes[1].plot(
            [x for x, _ in correlation[system]],
            [1000 * r["mean_s"] for _, r in correlation[system]],
            **figures.look(system),
        )
        axes[2].plot(
            [1000 * r["mean_s"] for _, r in threshold[system]],
            [100 * r["accuracy"] for _, r in threshold[system]],
            **figures.look(system),
        )
    for x, row in threshold["ours"]:
        if x in LABELLED:
            axes[2].annotate(
                f"{x:g}",
                (1000 * row["mean_s"], 100 * row["accuracy"]),
                textcoords="offset points",
                xytext=LABELLED[x],
                ha="right",
                va="center",
                fontsize=7,
                color=figures.LOOKS["ours"][0],
            )
    axes[2].set_xscale("log")
    axes[2].set_xlim(3, 100)
    axes[2].set_xticks((5, 10, 20, 50, 100), (5, 10, 20, 50, 100))
    axes[2].minorticks_off()
    figures.log_scale(axes[0], 5, 100)
    for axis, label in zip(axes, ("exit rate at each exit", "correlation of a device's samples", "mean latency (ms)")):
        axis.set_xlabel(label)
    axes[0].set_ylabel("mean latency (ms)")
    axes[1].set_ylabel("mean latency (ms)")
    axes[1].set_ylim(bottom=0)
    axes[2].set_ylabel("accuracy (%)")
    axes[2].set_title("numbers: threshold, on exit_aware's curve", fontsize=8)
    figures.legend_below(figure, axes[0], 3)
    figure.tight_layout()
    page.save(
        figure,
        caption="""Mean latency against the exit rate (left; logarithmic) and against the correlation of what one device
        sends (middle), and accuracy against mean latency as the threshold on recorded confidences grows (right).""",
        alternative="""Three panels of curves. Left, all means fall as more samples leave early, dynamic batching's the
        least, exit_aware's being lowest. Middle, three nearly level lines, exit_aware's lowest. Right, each curve rises
        steeply to a highest accuracy that is the same for all, and falls a little as latency grows further; exit_aware
        has it at the shortest latency.""",
    )
    ours, base = dict(rates["ours"]), dict(rates["dynamic"])
    shared = [x for x in ours if x in base]
    page.table(
        "Mean latency of dynamic batching over that of exit_aware",
        ["exit rate at each exit", "ratio"],
        [[f"{x:g}", f"{base[x]['mean_s'] / ours[x]['mean_s']:.2f}"] for x in shared],
    )
    flat = [r["mean_s"] for _, r in correlation["ours"]]
    best = max(threshold["ours"], key=lambda one: one[1]["accuracy"])
    page.seen(
        f"""Without early exits the mean of dynamic batching is {base[0]['mean_s'] / ours[0]['mean_s']:.2f} times ours:
        the hardware's part, and that of its delay. The factor grows with the exit rates to
        {max(base[x]['mean_s'] / ours[x]['mean_s'] for x in shared):.2f} times. Correlated exits change the mean of
        exit_aware by {100 * (max(flat) / min(flat) - 1):.1f} % at most (one device sends all; the more alike its
        samples, the more alike those of a batch). On the recorded confidences a threshold of {best[0]:g} has the
        highest accuracy ({100 * best[1]['accuracy']:.1f} %) and costs {1000 * best[1]['mean_s']:.1f} ms; higher
        thresholds cost more latency and accuracy, since this network's later exits correct less than they spoil."""
    )


def main():
    figures.main("exits", "Sensitivity to exits", make)
