"""A spiking load over time: queue, batch size and latency of each policy; and an excerpt of the timelines."""

import figures
from figures import plt
from matplotlib.patches import Patch

SYSTEMS = ("dynamic", "lazy", "ours")
UNTIL_S = 40
EXCERPT_S = (8.0, 8.4)
LARGEST = 8
HATCH = "////"


def value(row, key):
    """What a point of a curve is; None, a gap, where nothing is served or completed."""
    return None if key == "mean_batch" and row["busy_fraction"] == 0 else row[key]


def over_time(page):
    figure, axes = plt.subplots(3, 1, figsize=(8.4, 6.2), sharex=True)
    most = {}
    for system in SYSTEMS:
        rows = page.results.rows(
            "SELECT t_s, queue, mean_batch, busy_fraction, mean_latency_s FROM series WHERE system = ? AND t_s <= ? "
            "ORDER BY t_s",
            system,
            UNTIL_S,
        )
        most[system] = 1000 * max(r["mean_latency_s"] or 0 for r in rows)
        style = figures.look(system, marker="")
        for axis, key, scale in ((axes[0], "queue", 1), (axes[1], "mean_batch", 1), (axes[2], "mean_latency_s", 1000)):
            values = [value(r, key) for r in rows]
            axis.plot([r["t_s"] for r in rows], [scale * v if v is not None else None for v in values], **style)
    for axis, label in zip(axes, ("requests in the queue", "mean batch size", "mean latency (ms)")):
        axis.set_ylabel(label)
        axis.set_ylim(bottom=0)
        for begin in (8, 28):
            axis.axvspan(begin, begin + 3, color="#eeeeee", zorder=0)
    for begin in (8, 28):
        axes[0].text(begin + 1.5, 1.02, "spike", ha="center", transform=axes[0].get_xaxis_transform())
    axes[2].axhline(120, color="#888888", linewidth=0.8)
    axes[2].text(UNTIL_S, 124, "SLO of a request", ha="right", va="bottom", fontsize=7, color="#555555")
    axes[2].set_xlabel("time (s)")
    figures.legend_below(figure, axes[0], 3)
    figure.tight_layout()
    page.save(
        figure,
        caption="""Queue, batch size and latency over the first 40 s, in steps of a quarter of a second. In the grey
        spikes requests come 4 times as fast as serial service without exits could carry them, otherwise 0.6 times as
        fast. A gap: nothing was served, or completed, in that step.""",
        alternative=f"""Three curves over time in each of three panels. Between the spikes queues are nearly empty and
        batches have one or two samples; in both spikes all three rise together and fall within a second or two. The
        longest mean latency of a step is {most['dynamic']:.0f} ms under dynamic batching, {most['lazy']:.0f} ms under
        LazyBatching and {most['ours']:.0f} ms under exit_aware.""",
    )


def timeline(page):
    """An excerpt: what the NPU serves, and what is suspended meanwhile."""
    figure, axes = plt.subplots(3, 1, figsize=(8.4, 4), sharex=True)
    scale = plt.get_cmap("cividis_r")
    suspended = {}
    for axis, system in zip(axes, SYSTEMS):
        rows = page.results.rows(
            "SELECT lane, begin_s, end_s, batch FROM steps WHERE system = ? AND end_s >= ? AND begin_s <= ?",
            system,
            *EXCERPT_S,
        )
        suspended[system] = sum(r["lane"] != "NPU" for r in rows)
        for row in rows:
            on_npu = row["lane"] == "NPU"
            axis.barh(
                int(on_npu),
                row["end_s"] - row["begin_s"],
                left=row["begin_s"],
                height=0.8,
                color=scale(min(row["batch"], LARGEST) / LARGEST),
                hatch="" if on_npu else HATCH,
                edgecolor="black",
                linewidth=0.4,
            )
        axis.set_yticks((0, 1), ("suspended", "NPU"))
        axis.set_ylim(-0.6, 1.6)
        axis.grid(axis="y", visible=False)
        axis.set_title(figures.NAMES[system], loc="left", fontsize=8)
    axes[2].set_xlim(*EXCERPT_S)
    axes[2].set_xlabel("time (s), from the begin of the first spike")
    edge = {"edgecolor": "black", "linewidth": 0.4}
    key = [Patch(facecolor=scale(b / LARGEST), label=f"batch of {b}", **edge) for b in range(1, LARGEST + 1)]
    key.append(Patch(facecolor="white", hatch=HATCH, label="suspended: waits for the batch above it", **edge))
    figure.legend(handles=key, loc="upper center", ncol=5, bbox_to_anchor=(0.5, 0.0))
    figure.tight_layout()
    page.save(
        figure,
        "_timeline",
        caption="""An excerpt of the timelines, as `run --timeline` writes them: each bar on the upper row of a policy
        is a segment of a batch on the NPU; each hatched bar below it a batch that is suspended, from its preemption
        until it goes on or is merged with the one that caught up.""",
        alternative=f"""Three rows of bars, nearly without gaps. Dynamic batching suspends nothing; in this excerpt
        LazyBatching suspends {suspended['lazy']} batches and exit_aware {suspended['ours']}.""",
    )


def make(page):
    over_time(page)
    timeline(page)
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
