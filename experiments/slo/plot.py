"""SLO violation rate against the offered load, and against the SLO."""

import figures
from figures import plt

RHO, SLO = "workload.arrivals.rho", "slo.unloaded_multiple"
SYSTEMS = ("serial", "dynamic", "lazy", "ours")


def make(page):
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.4), sharey=True)
    panels = (
        (axes[0], RHO, f'"{SLO}" = 3', "SLO of 3 single-sample latencies", "offered load rho"),
        (axes[1], SLO, f'abs("{RHO}" - 1.6) < 0.01', "offered load rho of 1.6", "SLO (single-sample latencies)"),
    )
    at_three, requests = {}, {}
    for axis, x, where, title, label in panels:
        series = page.results.series(x, "slo_violation_rate", where)
        counts = page.results.series(x, "requests", where, together="sum")
        for place, system in enumerate(SYSTEMS):
            points = [(*point, count) for point, (_, count) in zip(series.get(system, []), counts.get(system, []))]
            figures.plot_shares(axis, points, system, 5 * (place - 1.5))
            if x == RHO:
                at_three[system] = {p[0]: p[1] for p in points}
                requests[system] = {p[0]: p[2] for p in points}
        axis.set_yscale("log")
        axis.set_ylim(top=130)
        axis.set_title(title)
        axis.set_xlabel(label)
    axes[0].set_ylabel("late requests (%)")
    figures.legend_below(figure, axes[0], 4)
    figure.tight_layout()
    never = [rho for rho, share in at_three["ours"].items() if share == 0]
    page.save(
        figure,
        caption="""Share of the requests that are late, against the offered load (left) and against the SLO (right). An
        arrow: none of the n requests of that point was late, and it stands at 3 / n, below which the share is then with
        95 % confidence, were requests independent (they are late together, so that this is optimistic). A curve ends
        where the queue grew through the whole run.""",
        alternative=f"""Two panels of curves on a logarithmic scale; late requests become more with the load and fewer
        with a longer SLO, over orders of magnitude. exit_aware has the fewest everywhere, and none at
        {len(never)} of {len(at_three['ours'])} loads; LazyBatching and dynamic
        batching lie close together above it, and serial service highest.""",
    )

    def cell(system, rho):
        if rho not in at_three[system]:
            return "saturated"
        late = at_three[system][rho]
        return f"{100 * late:.4f}" if late > 0 else figures.none_seen(requests[system][rho])

    page.table(
        "Late requests in %, SLO of 3 single-sample latencies",
        ["rho", *SYSTEMS],
        [[f"{rho:g}", *(cell(s, rho) for s in SYSTEMS)] for rho in sorted(at_three["ours"])],
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
