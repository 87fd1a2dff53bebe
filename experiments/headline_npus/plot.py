"""Ratios of latency and of violation rates for each NPU, beside the batching gain of its table."""

import math
import statistics

import figures
from experiments.headline_npus import findings, points
from figures import plt
from python_module import fb

LATENCY, GEOMETRIC, MEANS = (
    *("average latency", "counted violation rates,\ngeometric mean"),
    "counted violation rates,\nratio of means",
)


def interval_text(values):
    """`values`: of the replications, NaN in those in which ours is never late."""
    never = sum(map(math.isnan, values))
    if never:
        return "ours is never late" + (f" in {never} of {len(values)} replications" if never < len(values) else "")
    return "{:.2f} ± {:.2f}".format(*fb.interval(values))


def geometric_text(row, other):
    return "{:.2f} ({:.2f} to {:.2f})".format(*row.geometric_interval(other))


def marks(row, panel, other):
    """(value, length of the bar below, above) of a mark."""
    if panel == GEOMETRIC:
        middle, low, high = row.geometric_interval(other)
        return middle, middle - low, high - middle
    mean, half = fb.interval(row.latency_ratios(other) if panel == LATENCY else row.rate_ratios(other))
    return mean, half, half


def by_npu(page, rows):
    """Three panels with a line for each NPU and a mark for each other."""
    figure, axes = plt.subplots(1, 3, figsize=(9.6, 0.34 * len(rows) + 1.4), sharey=True)
    shipped = sum(not row.searched for row in rows)
    heights = [i + (0.6 if row.searched else 0) for i, row in enumerate(rows)]
    for axis, panel in zip(axes, (LATENCY, GEOMETRIC, MEANS)):
        for i, other in enumerate(points.OTHERS):
            color, marker, _ = figures.LOOKS[other]
            found = [marks(row, panel, other) for row in rows]
            axis.errorbar(
                [f[0] for f in found],
                [height + 0.22 * (i - 1) for height in heights],
                xerr=[[f[1] for f in found], [f[2] for f in found]],
                color=color,
                marker=marker,
                linestyle="",
                capsize=2,
                elinewidth=0.8,
                markerfacecolor="none",
                label=figures.NAMES[other],
            )
        axis.axvline(1, color="black", linewidth=0.8)
        axis.axhline(shipped - 0.2, color="#888888", linewidth=0.6)
        axis.set_title(panel, fontsize=9)
        axis.grid(axis="y", visible=False)
        axis.set_xscale("log")
        axis.set_xlim(left=0.8)
        right = axis.get_xlim()[1]
        wanted = (1, 1.5, 2, 3, 5, 10) if right < 20 else (1, 2, 5, 10, 20, 50, 100, 200, 500)
        ticks = [t for t in wanted if t <= right]
        axis.set_xticks(ticks, [f"{t:g}" for t in ticks])
        axis.minorticks_off()
    published = f"published latency: {findings.PUBLISHED}"
    axes[0].axvline(findings.PUBLISHED, color="#888888", linewidth=0.9, linestyle="--", label=published)
    axes[0].set_yticks(heights, [f"{row.name}  {i + 1}" for i, row in enumerate(rows)], fontsize=7)
    axes[0].set_ylim(heights[-1] + 0.6, -0.6)
    figure.supxlabel("other / ours", fontsize=9)
    figures.legend_below(figure, axes[0], 4)
    figure.tight_layout()
    lowest, highest = (choose(rows, key=lambda r: marks(r, LATENCY, "lazy")[0]) for choose in (min, max))
    counted, means = ([marks(row, panel, "lazy")[0] for row in rows] for panel in (GEOMETRIC, MEANS))
    page.save(
        figure,
        caption=f"""The others over ours on each NPU: mean over its {len(rows[0].settings)} settings of the ratio of
        average latencies, geometric mean of the ratios of violation rates, and ratio of the mean violation rates, each
        with its 95 % interval over {len(rows[0].replications)} replications; logarithmic. Violation rates are counted;
        none counts as half a request in the geometric mean, so that it is not reading (a) of the headline. Above the
        line the NPUs that ship, below it engines whose tiles are searched for each network and mode. Right of 1 ours is
        lower; dashed: the ratio of latencies that the paper claims on average.""",
        alternative=f"""Three panels of marks with bars in a line for each NPU. In average latency LazyBatching is
        nearest to ours on {lowest.name}, at {marks(lowest, LATENCY, "lazy")[0]:.2f}, and farthest on {highest.name}, at
        {marks(highest, LATENCY, "lazy")[0]:.2f}. Its marks in counted violation rates go from
        {findings.span(counted)} by the geometric mean, and {findings.span(means)} by the ratio of means.""",
    )


def against_tables(page, rows):
    """Latency ratios against what can be said of the table of latencies alone."""
    figure, axes = plt.subplots(1, len(findings.CAUSES), figsize=(9.6, 3.4), sharey=True)
    for axis, (title, cause) in zip(axes, findings.CAUSES.items()):
        for other in points.OTHERS:
            color, marker, _ = figures.LOOKS[other]
            axis.plot(
                [cause(row) for row in rows],
                [marks(row, LATENCY, other)[0] for row in rows],
                color=color,
                marker=marker,
                linestyle="",
                markerfacecolor="none",
                label=figures.NAMES[other],
            )
        for i, row in enumerate(rows):
            axis.annotate(
                f"{i + 1}",
                (cause(row), max(marks(row, LATENCY, other)[0] for other in points.OTHERS)),
                xytext=(0, 4),
                textcoords="offset points",
                ha="center",
                fontsize=6,
            )
        axis.axhline(1, color="black", linewidth=0.8)
        axis.margins(y=0.12)
        axis.set_yscale("log")
        top = axis.get_ylim()[1]
        ticks = [tick for tick in (1, 2, 5, 10, 20) if tick <= top]
        axis.set_yticks(ticks, [f"{tick}" for tick in ticks])
        axis.minorticks_off()
        axis.set_xlabel(title, fontsize=8)
    axes[0].set_ylabel("latency: other / ours")
    figures.legend_below(figure, axes[0], 3)
    figure.tight_layout()
    closest = findings.closest(rows, "lazy")
    page.save(
        figure,
        "_tables",
        caption="""Ratio of average latencies on each NPU against four numbers of its table of latencies alone: the
        batching gain 8 L(1) / L(8) in mode r, how many times as long as fluid_stacked a single sample and a batch of 8
        take in mode r, and the share of the MACs that work for a single sample in mode r. Numbers beside the marks are
        those of the NPUs above.""",
        alternative=f"""Four panels of points, three for each NPU. By rank correlation those of LazyBatching go best
        with "{closest}", and least with "{findings.farthest(rows, "lazy")}".""",
    )


def table_of_latencies(page, rows):
    page.table(
        f"Average latency, other over ours: mean over {len(rows[0].settings)} settings ± 95 % over replications; "
        "beside it the tables of latencies (geometric means over the networks)",
        [
            *("NPU", "T_R, T_P, T_C", "batching gain, r", "batching gain, fluid_stacked"),
            *("utilisation at batch 1, r (%)", "fluid_stacked (%)", "r / fluid_stacked, batch 1", "batch 8"),
            *(figures.NAMES[other] for other in points.OTHERS),
        ],
        [
            [
                f"{i + 1} {row.name}",
                "by network and mode" if row.searched else row.tiles(),
                *(f"{row.batching_gain(mode):.2f}" for mode in points.MODES),
                *(f"{100 * row.utilisation(mode):.0f}" for mode in points.MODES),
                *(f"{row.speed_up(batch):.2f}" for batch in (1, 8)),
                *(interval_text(row.latency_ratios(other)) for other in points.OTHERS),
            ]
            for i, row in enumerate(rows)
        ],
    )


def table_of_rates(page, rows):
    page.table(
        "Counted violation rates, other over ours: geometric mean over the settings (95 % interval), where none counts "
        "as half a request, so that it is not reading (a) of the headline; of how many settings nobody is late on "
        "either side, and on ours alone (least to most over the others); and saturated runs",
        [
            *("NPU", *(figures.NAMES[other] for other in points.OTHERS)),
            *("neither late", "ours never late", "saturated runs"),
        ],
        [
            [
                f"{i + 1} {row.name}",
                *(geometric_text(row, other) for other in points.OTHERS),
                *(findings.span([row.never_late(other)[side] for other in points.OTHERS], "d") for side in (0, 1)),
                f"{row.saturated()} of {len(row.cells)}",
            ]
            for i, row in enumerate(rows)
        ],
    )
    page.table(
        "Counted violation rates, other over ours: ratio of the mean rates over the settings ± 95 % over replications",
        ["NPU", "batching gain, r", *(figures.NAMES[other] for other in points.OTHERS)],
        [
            [
                f"{i + 1} {row.name}",
                f"{row.batching_gain('r'):.2f}",
                *(interval_text(row.rate_ratios(other)) for other in points.OTHERS),
            ]
            for i, row in enumerate(rows)
        ],
    )


def table_of_parts(page, rows):
    def geometric(row, other, own):
        return interval_text(row.latency_ratios(other, own, statistics.geometric_mean))

    page.table(
        "What makes the ratio of latencies, in geometric means over the settings, which multiply: the others over "
        "exit_aware in mode r (the scheduler alone, on the same engine), exit_aware in mode r over ours (the engine "
        "and its mode alone), and both together, the others over ours",
        [
            *("NPU", *(f"{figures.NAMES[other]}: scheduler" for other in points.OTHERS), "engine and mode"),
            *(f"{figures.NAMES[other]}: both" for other in points.OTHERS),
        ],
        [
            [
                f"{i + 1} {row.name}",
                *(geometric(row, other, "ours_r") for other in points.OTHERS),
                geometric(row, "ours_r", "ours"),
                *(geometric(row, other, "ours") for other in points.OTHERS),
            ]
            for i, row in enumerate(rows)
        ],
    )


def table_of_tiles(page, rows):
    def tiles(engine):
        sizes = (engine[key] for key in ("t_r", "t_p", "t_c"))
        return ", ".join(map(str, sizes)), f"{1000 * engine['latency_b1_s']:.3f}"

    page.table(
        "The tiles that are found (T_R, T_P, T_C), and how long a single sample takes with them",
        ["NPU", "network", "for r", "ms", "for fluid_stacked", "ms"],
        [
            [
                f"{i + 1} {row.name}",
                network,
                *tiles(row.engines[network, "r"]),
                *tiles(row.engines[network, "fluid_stacked"]),
            ]
            for i, row in enumerate(rows)
            if row.searched
            for network in row.networks
        ],
    )


def make(page):
    rows = points.read(page)
    by_npu(page, rows)
    against_tables(page, rows)
    table_of_latencies(page, rows)
    table_of_rates(page, rows)
    table_of_parts(page, rows)
    table_of_tiles(page, rows)
    page.seen(findings.text(rows))


def main():
    figures.main("headline_npus", "The headline on every NPU", make)
