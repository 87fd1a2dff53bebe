"""A spiking load over time: queue, batch size and latency of each policy; and an excerpt of the timelines."""

import figures
from figures import plt

SYSTEMS = ("dynamic", "lazy", "ours")
UNTIL_S = 40
EXCERPT_S = (8.0, 8.4)


def make(page):
    figure, axes = plt.subplots(3, 1, figsize=(8.4, 6.2), sharex=True)
    for system in SYSTEMS:
        rows = page.results.rows(
            "SELECT t_s, queue, mean_batch, mean_latency_s FROM series WHERE system = ? AND t_s <= ? ORDER BY t_s",
            system,
            UNTIL_S,
        )
        style = figures.look(system, marker="")
        for axis, key, scale in ((axes[0], "queue", 1), (axes[1], "mean_batch", 1), (axes[2], "mean_latency_s", 1000)):
            axis.plot([r["t_s"] for r in rows], [scale * r[key] if r[key] is not None else None for r in rows], **style)
    for axis, label in zip(axes, ("queue", "batch size", "latency (ms)")):
        axis.set_ylabel(label)
        for begin in (8, 28):
            axis.axvspan(begin, begin + 3, color="#eeeeee", zorder=0)
    axes[2].axhline(120, color="#888888", linewidth=0.8)
    axes[2].set_xlabel("time (s); the load is 0.6, in the grey spikes 4")
    figures.legend_below(figure, axes[0], 3)
    figure.tight_layout()
    page.save(figure)

    figure, axes = plt.subplots(3, 1, figsize=(8.4, 3.8), sharex=True)
    for axis, system in zip(axes, SYSTEMS):
        for row in page.results.rows(
            "SELECT lane, begin_s, end_s, batch FROM steps WHERE system = ? AND end_s >= ? AND begin_s <= ?",
            system,
            *EXCERPT_S,
        ):
            lane = row["lane"] == "NPU"
            shade = 1 - 0.1 * min(row["batch"], 8)
            axis.barh(
                int(lane),
                row["end_s"] - row["begin_s"],
                left=row["begin_s"],
                height=0.8,
                color=str(shade),
                edgecolor="black",
                linewidth=0.4,
            )
        axis.set_yticks((0, 1), ("suspended", "NPU"))
        axis.set_ylim(-0.6, 1.6)
        axis.set_title(figures.NAMES[system], loc="left", fontsize=8)
    axes[2].set_xlim(*EXCERPT_S)
    axes[2].set_xlabel("time (s), the begin of the first spike; the darker a step, the larger its batch (1 to 8)")
    figure.tight_layout()
    page.save(figure, "_timeline")

    late = {}
    for row in page.results.rows(
        "SELECT system, avg(1 - slo_met) AS late, avg(latency_s) AS mean_s, max(latency_s) AS "
        "max_s FROM requests GROUP BY 1"
    ):
        late[row["system"]] = row
    page.table(
        "The whole run",
        ["system", "mean latency (ms)", "largest (ms)", "late (%)"],
        [
            [
                figures.NAMES[s],
                f"{1000 * late[s]['mean_s']:.1f}",
                f"{1000 * late[s]['max_s']:.1f}",
                f"{100 * late[s]['late']:.2f}",
            ]
            for s in SYSTEMS
        ],
    )
    peaks = {
        r["system"]: r["queue"] for r in page.results.rows("SELECT system, max(queue) AS queue FROM series GROUP BY 1")
    }
    page.seen(
        f"""Over the whole run the queue of dynamic batching grows to {peaks['dynamic']}, that of LazyBatching to
        {peaks['lazy']}, that of exit_aware to {peaks['ours']}; {100 * late['dynamic']['late']:.1f} %,
        {100 * late['lazy']['late']:.1f} % and {100 * late['ours']['late']:.1f} % of the requests are late. Between the
        spikes dynamic batching still pays its delay, and the others do not."""
    )


def main():
    figures.main("spikes", "A spiking load over time", make)
