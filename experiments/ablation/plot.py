"""Mean latency of each policy on each hardware mode."""

import figures
from figures import plt

POLICIES = ("dynamic", "lazy", "ours")
SHORT = {"dynamic": "dynamic_batching", "lazy": "lazy_batching", "ours": "exit_aware"}
MODES = ("r", "p", "fluid", "r_stacked", "fluid_stacked")


def draw(page, cells, loads):
    """Marks on one logarithmic scale, which has no zero for bars to stand on; saturated ones at its upper edge."""
    figure, axes = plt.subplots(1, len(loads), figsize=(3.1 * len(loads), 3.4), sharey=True, squeeze=False)
    known = [1000 * cell["mean_s"] for cell in cells.values() if not cell["saturated"]]
    low, high = 0.8 * min(known), 2 * max(known)
    for axis, rho in zip(axes[0], loads):
        for i, policy in enumerate(POLICIES):
            color, marker, _ = figures.LOOKS[policy]
            places = {mode: x + 0.22 * (i - 1) for x, mode in enumerate(MODES)}
            lost = [mode for mode in MODES if cells[rho, policy, mode]["saturated"]]
            seen = [mode for mode in MODES if mode not in lost]
            heights = [1000 * cells[rho, policy, mode]["mean_s"] for mode in seen]
            style = {"color": color, "linestyle": "", "markersize": 6}
            axis.plot([places[m] for m in seen], heights, marker=marker, label=SHORT[policy], **style)
            for mode in lost:
                axis.plot(places[mode], 0.85 * high, marker="$\\uparrow$", **style)
        axis.set_title(f"rho {rho:g}")
        axis.set_xticks(range(len(MODES)), [mode.replace("_", "\n") for mode in MODES])
        for x in range(len(MODES) - 1):
            axis.axvline(x + 0.5, color="#dddddd", linewidth=0.6)
        axis.set_xlim(-0.5, len(MODES) - 0.5)
        axis.grid(axis="x", visible=False)
        figures.log_scale(axis, low, high)
    axes[0][0].set_ylabel("mean latency (ms)")
    axes[0][-1].plot([], [], color="#888888", linestyle="", marker="$\\uparrow$", label="saturated: no mean")
    figures.legend_below(figure, axes[0][-1], 4)
    figure.tight_layout()
    count = sum(bool(cell["saturated"]) for cell in cells.values())
    groups = [{p: cells[rho, p, mode]["mean_s"] for p in POLICIES} for rho in loads for mode in MODES]
    lowest = sum(min(group, key=group.get) == "ours" for group in groups)
    page.save(
        figure,
        caption="""Mean latency of each policy on each mode of the NPU, in a panel for each load, all on one logarithmic
        scale. An arrow at the upper edge: the queue grew through the whole run, so that there is no mean.""",
        alternative=f"""Panels of marks in groups of three, at {len(loads)} loads. exit_aware is lowest in {lowest} of
        {len(groups)} groups; r and fluid are alike, r_stacked and fluid_stacked are alike and lower, and mode p is the
        highest. {count} of {len(cells)} points are saturated.""",
    )


def make(page):
    rows = page.results.rows(
        'SELECT "workload.arrivals.rho" AS rho, system, avg(mean_latency_s) AS mean_s, '
        'avg(slo_violation_rate) AS late, '
        "max(saturated) AS saturated FROM results WHERE status = 'done' GROUP BY 1, 2"
    )
    cells = {(r["rho"], *r["system"].split("_", 1)): r for r in rows}
    loads = sorted({r["rho"] for r in rows})
    draw(page, cells, loads)
    for rho in loads:
        page.table(
            f"Mean latency in ms (late requests in %) at rho {rho:g}",
            ["policy", *MODES],
            [
                [SHORT[p]]
                + [
                    "saturated"
                    if cells[rho, p, m]["saturated"]
                    else f"{1000 * cells[rho, p, m]['mean_s']:.2f} ({100 * cells[rho, p, m]['late']:.3f})"
                    for m in MODES
                ]
                for p in POLICIES
            ],
        )

    def mean(policy, mode, rho=1.6):
        return cells[rho, policy, mode]["mean_s"]

    both = mean("dynamic", "r") / mean("ours", "fluid_stacked")
    page.seen(
        f"""At rho 1.6 the scheduler alone (exit_aware on mode r) lowers the mean of dynamic batching
        {mean('dynamic', 'r') / mean('ours', 'r'):.2f} times, the hardware alone (dynamic batching on fluid_stacked)
        {mean('dynamic', 'r') / mean('dynamic', 'fluid_stacked'):.2f} times, and both together {both:.2f} times.
        LazyBatching on the same hardware reaches {mean('dynamic', 'r') / mean('lazy', 'fluid_stacked'):.2f} times. Of
        the factor {mean('lazy', 'r') / mean('ours', 'fluid_stacked'):.2f} over LazyBatching on r, the hardware gives
        {mean('lazy', 'r') / mean('lazy', 'fluid_stacked'):.2f} and the scheduler on that hardware
        {mean('lazy', 'fluid_stacked') / mean('ours', 'fluid_stacked'):.2f}."""
    )


def main():
    figures.main("ablation", "What the scheduler gives, and what the hardware gives", make)
