"""Mean latency of each policy on each hardware mode."""

import figures
from figures import plt

POLICIES = ("dynamic", "lazy", "ours")
SHORT = {"dynamic": "dynamic_batching", "lazy": "lazy_batching", "ours": "exit_aware"}
MODES = ("r", "p", "fluid", "r_stacked", "fluid_stacked")
HATCHES = {"dynamic": "", "lazy": "//", "ours": ".."}


def make(page):
    rows = page.results.rows(
        'SELECT "workload.arrivals.rho" AS rho, system, avg(mean_latency_s) AS mean_s, '
        'avg(slo_violation_rate) AS late, '
        "max(saturated) AS saturated FROM results WHERE status = 'done' GROUP BY 1, 2"
    )
    cells = {(r["rho"], *r["system"].split("_", 1)): r for r in rows}
    loads = sorted({r["rho"] for r in rows})
    figure, axes = plt.subplots(1, len(loads), figsize=(3.1 * len(loads), 3.2), squeeze=False)
    for axis, rho in zip(axes[0], loads):
        for i, policy in enumerate(POLICIES):
            heights = [
                1000 * cells[rho, policy, mode]["mean_s"] if not cells[rho, policy, mode]["saturated"] else 0
                for mode in MODES
            ]
            axis.bar(
                [x + 0.27 * (i - 1) for x in range(len(MODES))],
                heights,
                width=0.25,
                color=figures.LOOKS[policy][0],
                hatch=HATCHES[policy],
                edgecolor="black",
                linewidth=0.5,
                label=SHORT[policy],
            )
        axis.set_title(f"rho {rho:g}")
        axis.set_xticks(range(len(MODES)), MODES, rotation=30, ha="right")
        axis.grid(axis="x", visible=False)
    axes[0][0].set_ylabel("mean latency (ms)")
    figures.legend_below(figure, axes[0][0], 3)
    figure.tight_layout()
    page.save(figure)
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
