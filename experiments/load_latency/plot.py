"""Mean and p99 latency against the offered load."""

import figures
from figures import plt
from python_module import fb

RHO = "workload.arrivals.rho"
SYSTEMS = ("serial", "dynamic", "lazy", "ours")


def intervals(page, statistic):
    """{system: [(rho, mean in ms, half width of the interval over replications, or 0 where there is one)]}."""
    values = {}
    for row in page.results.rows(
        f'SELECT system, "{RHO}" AS rho, {statistic} AS y FROM results WHERE status = \'done\' AND NOT saturated '
        "ORDER BY system, rho, replication"
    ):
        values.setdefault(row["system"], {}).setdefault(row["rho"], []).append(1000 * row["y"])
    found = {}
    for system, points in values.items():
        several = {rho: fb.interval(v) for rho, v in points.items()}
        found[system] = [(rho, mean, half if half == half else 0) for rho, (mean, half) in several.items()]
    return found


def draw(page):
    """Draws both panels; the mean in ms by system and load."""
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.4), sharex=True)
    means = {}
    for axis, statistic, name in ((axes[0], "mean_latency_s", "mean"), (axes[1], "p99_latency_s", "p99")):
        for system, points in sorted(intervals(page, statistic).items(), key=lambda one: SYSTEMS.index(one[0])):
            rho, mean, half = zip(*points)
            style = figures.look(system)
            axis.errorbar(rho, mean, half, **style, elinewidth=0.8, capsize=2)
            if name == "mean":
                means[system] = {x: y / 1000 for x, y, _ in points}
        figures.log_scale(axis, 10, 5000)
        axis.set_xlabel("offered load rho")
        axis.set_title(f"{name} latency (ms)")
    slo_ms = 120
    axes[1].axhline(slo_ms, color="#888888", linewidth=0.8)
    axes[1].text(0.2, 1.03 * slo_ms, "SLO", fontsize=7, color="#555555")
    figures.legend_below(figure, axes[0], 4)
    figure.tight_layout()
    top = max(means["ours"])
    page.save(
        figure,
        caption="""Mean (left) and 99th percentile (right) of the latency against the offered load, 1 being what serial
        service carries without exits; bars: 95 % intervals over the replications, often smaller than the marks. The SLO
        is a bound on single requests, so it is drawn where nearly all of them are meant. A curve ends where the queue
        grew through the whole run.""",
        alternative=f"""Two panels of rising lines on logarithmic scales. exit_aware is lowest throughout: a mean of
        {1000 * means['ours'][min(means['ours'])]:.0f} ms at the least load and of {1000 * means['ours'][top]:.0f} ms at
        rho {top:g}, where LazyBatching has {1000 * means['lazy'][top]:.0f} and dynamic batching
        {1000 * means['dynamic'][top]:.0f} ms. Serial service bends upwards first and leaves
        the panel.""",
    )
    return means


def make(page):
    means = draw(page)
    loads = sorted(means["ours"])
    rows = []
    for rho in loads:
        rows.append(
            [f"{rho:g}"]
            + [
                f"{1000 * means[s][rho]:.2f}" if rho in means[s] else "saturated"
                for s in SYSTEMS
            ]
        )
    page.table("Mean latency in ms", ["rho", *SYSTEMS], rows)
    ratio = {
        base: [means[base][r] / means["ours"][r] for r in loads if r in means[base]] for base in ("dynamic", "lazy")
    }
    page.seen(
        f"""At every load the exit-aware scheduler on the stacked, fluid NPU has the lowest mean:
        {min(ratio['dynamic']):.2f} to {max(ratio['dynamic']):.2f} times lower than dynamic batching,
        {min(ratio['lazy']):.2f} to {max(ratio['lazy']):.2f} times lower than LazyBatching. At low load the gain over
        dynamic batching is the delay that it waits for company; at high load it is what the shrunken batches leave
        unused. Serial service leaves the picture where its backlog grows through the whole run."""
    )


def main():
    figures.main("load_latency", "Latency against load", make)
