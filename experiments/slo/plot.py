"""SLO violation rate against the offered load, and against the SLO."""

import figures
from figures import plt

RHO, SLO = "workload.arrivals.rho", "slo.unloaded_multiple"


def make(page):
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.4), sharey=True)
    panels = (
        (axes[0], RHO, f'"{SLO}" = 3', "SLO of 3 single-sample latencies", "offered load rho"),
        (axes[1], SLO, f'abs("{RHO}" - 1.6) < 0.01', "offered load rho of 1.6", "SLO (single-sample latencies)"),
    )
    at_three = {}
    for axis, x, where, title, label in panels:
        series = page.results.series(x, "slo_violation_rate", where)
        for system in ("serial", "dynamic", "lazy", "ours"):
            points = series.get(system, [])
            axis.plot([p[0] for p in points], [max(100 * p[1], 1e-4) for p in points], **figures.look(system))
            if x == RHO:
                at_three[system] = dict(points)
        axis.set_yscale("log")
        axis.set_ylim(0.7e-4, 130)
        axis.set_title(title)
        axis.set_xlabel(label)
    axes[0].set_ylabel("late requests (%); 0.0001 stands for less")
    figures.legend_below(figure, axes[0], 4)
    figure.tight_layout()
    page.save(figure)
    rows = [
        [f"{rho:g}"]
        + [
            f"{100 * at_three[s][rho]:.4f}" if rho in at_three[s] else "saturated"
            for s in ("serial", "dynamic", "lazy", "ours")
        ]
        for rho in sorted(at_three["ours"])
    ]
    page.table(
        "Late requests in %, SLO of 3 single-sample latencies", ["rho", "serial", "dynamic", "lazy", "ours"], rows
    )
    top = max(
        r for r in at_three["ours"] if r in at_three["dynamic"] and r in at_three["lazy"] and at_three["ours"][r] > 0
    )
    page.seen(
        f"""At rho {top:g} and an SLO of three single-sample latencies, {100 * at_three['ours'][top]:.3f} % of the
        requests are late under exit_aware, {100 * at_three['dynamic'][top]:.2f} % under dynamic batching and
        {100 * at_three['lazy'][top]:.2f} % under LazyBatching. A tight SLO shows the largest differences: what is late
        there is what waited for the batch before it."""
    )


def main():
    figures.main("slo", "SLO violations against load and SLO", make)
