"""Mean and p99 latency against the offered load."""

import figures
from figures import plt

RHO = "workload.arrivals.rho"


def make(page):
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.4), sharex=True)
    means = {}
    for axis, statistic, name in ((axes[0], "mean_latency_s", "mean"), (axes[1], "p99_latency_s", "p99")):
        series = page.results.series(RHO, statistic)
        for system in ("serial", "dynamic", "lazy", "ours"):
            points = series.get(system, [])
            axis.plot([x for x, _ in points], [1000 * y for _, y in points], **figures.look(system))
            if name == "mean":
                means[system] = dict(points)
        figures.log_scale(axis, 10, 5000)
        axis.set_xlabel("offered load rho")
        axis.set_title(f"{name} latency (ms)")
        axis.axhline(120, color="#888888", linewidth=0.8)
        axis.text(0.2, 124, "SLO", fontsize=7, color="#555555")
    figures.legend_below(figure, axes[0], 4)
    figure.tight_layout()
    page.save(figure)
    loads = sorted(means["ours"])
    rows = []
    for rho in loads:
        rows.append(
            [f"{rho:g}"]
            + [
                f"{1000 * means[s][rho]:.2f}" if rho in means[s] else "saturated"
                for s in ("serial", "dynamic", "lazy", "ours")
            ]
        )
    page.table("Mean latency in ms", ["rho", "serial", "dynamic", "lazy", "ours"], rows)
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
