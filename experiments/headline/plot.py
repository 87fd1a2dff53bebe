"""Mean ratios of latency and of SLO violation rates over the declared grid, with intervals over replications."""

import re
import statistics

import figures
from figures import plt
from python_module import fb

OTHERS = ("dynamic", "greedy", "lazy")
KINDS = {"poisson": ("Poisson", 1), "gamma": ("gamma, CV 2", 1), "periodic": ("10 cameras", 10), "mmpp": ("bursts", 2)}


def describe(devices):
    """Kind of arrivals and offered load of an axis value."""
    kind = re.search(r"kind: (\w+)", devices)[1]
    name, factor = KINDS[kind]
    return name, round(factor * float(re.search(r"rho: ([\d.]+)", devices)[1]), 6)


class Grid:
    def __init__(self, rows):
        self.cells = {(r["setting"], r["system"], r["replication"]): r for r in rows}
        self.settings = sorted({r["setting"] for r in rows})
        self.replications = sorted({r["replication"] for r in rows})
        self.about = {r["setting"]: (r["network"], r["multiple"], *describe(r["devices"])) for r in rows}

    def latency_ratios(self, other, settings=None):
        """In each replication: mean over settings of other over ours."""
        return [
            statistics.fmean(
                self.cells[s, other, r]["mean_s"] / self.cells[s, "ours", r]["mean_s"]
                for s in settings or self.settings
            )
            for r in self.replications
        ]

    def violation_ratios(self, other, settings=None):
        """In each replication: mean violation rate of other over that of ours."""
        found = []
        for r in self.replications:
            ours = statistics.fmean(self.cells[s, "ours", r]["late"] for s in settings or self.settings)
            theirs = statistics.fmean(self.cells[s, other, r]["late"] for s in settings or self.settings)
            found.append(theirs / ours if ours > 0 else float("nan"))
        return found

    def mean_of_violation_ratios(self, other, settings=None, mean=statistics.fmean):
        """In each replication: mean over settings of (late requests of other + 1) / (late requests of ours + 1)."""

        def late(setting, system, replication):
            cell = self.cells[setting, system, replication]
            return round(cell["late"] * cell["requests"])

        return [
            mean((late(s, other, r) + 1) / (late(s, "ours", r) + 1) for s in settings or self.settings)
            for r in self.replications
        ]

    def groups(self, place):
        """{value: settings} of network, SLO, arrivals or load."""
        found = {}
        for setting in self.settings:
            found.setdefault(self.about[setting][place], []).append(setting)
        return found


def text_of(values):
    mean, half = fb.interval(values)
    return f"{mean:.2f} ± {half:.2f}" if mean == mean else "ours is never late"


def verdict(values, published):
    mean, half = fb.interval(values)
    if not mean == mean:
        return "holds in direction"
    if mean - half >= published:
        return "holds"
    return "holds in direction, smaller" if mean - half > 1 else "does not hold"


def upright(name):
    """A tick's text, in lines so short that they need not be turned."""
    if not isinstance(name, str):
        return f"{name:g}"
    return name.replace("ee_", "").replace("_", "\n").replace(", ", ",\n").replace("10 ", "10\n")


def draw(page, grid):
    figure, axes = plt.subplots(2, 4, figsize=(10, 5), sharey="row")
    for column, (place, title) in enumerate(((0, "network"), (1, "SLO (x unloaded)"), (2, "arrivals"), (3, "rho"))):
        groups = grid.groups(place)
        names = sorted(groups, key=lambda v: (isinstance(v, str), v))
        for i, other in enumerate(OTHERS):
            color, marker, _ = figures.LOOKS[other]
            for row, ratios in ((0, grid.latency_ratios), (1, grid.mean_of_violation_ratios)):
                found = [fb.interval(ratios(other, groups[n])) for n in names]
                axes[row][column].errorbar(
                    [x + 0.2 * (i - 1) for x in range(len(names))],
                    [m for m, _ in found],
                    yerr=[h if h == h else 0 for _, h in found],
                    color=color,
                    marker=marker,
                    linestyle="",
                    capsize=2,
                    markerfacecolor="none",
                    label=figures.NAMES[other],
                )
        for row in (0, 1):
            axes[row][column].axhline(1, color="black", linewidth=0.8)
            axes[row][column].grid(axis="x", visible=False)
            axes[row][column].set_xticks(
                range(len(names)),
                [] if row == 0 else [upright(n) for n in names],
                fontsize=7,
            )
            axes[row][column].set_xlim(-0.6, len(names) - 0.4)
        axes[0][column].set_title(title)
        axes[0][column].set_ylim(bottom=0)
        axes[0][column].margins(y=0.08)
        axes[1][column].set_yscale("log")
        axes[1][column].margins(y=0.08)
    axes[0][0].set_ylabel("latency: other / ours")
    axes[1][0].set_ylabel("late requests: other / ours")
    figures.legend_below(figure, axes[0][0], 3)
    figure.tight_layout()
    means = {other: statistics.fmean(grid.latency_ratios(other)) for other in OTHERS}
    page.save(
        figure,
        caption=f"""Mean latency (above) and late requests (below; mean of the ratios, logarithmic) of the others over
        those of exit_aware on fluid_stacked: above 1 ours is lower. Each panel splits the grid of
        {len(grid.settings)} settings by one of its axes, each mark is the mean over the settings of its kind, and its
        bar is the 95 % interval of that mean over {len(grid.replications)} replications.""",
        alternative=f"""Eight panels of marks with bars, all above 1. For latency dynamic batching is at
        {means['dynamic']:.1f} on average, without a delay at {means['greedy']:.1f}, LazyBatching at
        {means['lazy']:.1f}; for late requests the marks spread over orders of magnitude, with the same order.""",
    )


def make(page):
    grid = Grid(
        page.results.rows(
            """SELECT setting, system, replication, network, "slo.unloaded_multiple" AS multiple, "workload.devices" AS
                                     devices, mean_latency_s AS mean_s, slo_violation_rate AS late, requests,
                                     distance_to_bound AS distance, saturated FROM results WHERE status = 'done' ORDER
                                     BY point"""
        )
    )
    draw(page, grid)
    rows = []
    for other in OTHERS:
        latency, violations, pooled = (
            grid.latency_ratios(other),
            grid.mean_of_violation_ratios(other),
            grid.violation_ratios(other),
        )
        geometric = grid.mean_of_violation_ratios(other, mean=lambda ratios: statistics.geometric_mean(list(ratios)))
        wins = sum(
            statistics.fmean(grid.cells[s, other, r]["mean_s"] for r in grid.replications)
            > statistics.fmean(grid.cells[s, "ours", r]["mean_s"] for r in grid.replications)
            for s in grid.settings
        )
        rows.append(
            [
                figures.NAMES[other],
                text_of(latency),
                text_of(violations),
                text_of(geometric),
                text_of(pooled),
                f"{wins} of {len(grid.settings)}",
            ]
        )
        if other != "greedy":
            page.claim(
                f"Average latency, against {figures.NAMES[other]}",
                "1.97x",
                text_of(latency) + " x",
                verdict(latency, 1.97),
            )
    for other in ("dynamic", "lazy"):
        violations = grid.mean_of_violation_ratios(other)
        geometric = grid.mean_of_violation_ratios(other, mean=lambda ratios: statistics.geometric_mean(list(ratios)))
        rates = grid.violation_ratios(other)
        found = (
            f"{text_of(violations)} x (geometric mean {text_of(geometric)} x, "
            f"ratio of the mean rates {text_of(rates)} x)"
        )
        page.claim(f"SLO violations, against {figures.NAMES[other]}", "6.7x", found, verdict(violations, 6.7))
    page.table(
        "Other over ours, mean over the grid ± 95 % over replications",
        [
            "other",
            "average latency",
            "late requests, mean of ratios",
            "geometric mean",
            "violation rates, ratio of means",
            "settings in which ours is lower",
        ],
        rows,
    )
    page.table(
        "How far each is from the lower bound of its own hardware, and saturated runs",
        ["system", "mean latency / bound", "mean violation rate (%)", "saturated runs"],
        [
            [
                figures.NAMES[s],
                text_of(
                    [
                        statistics.fmean(grid.cells[x, s, r]["distance"] for x in grid.settings)
                        for r in grid.replications
                    ]
                ),
                f"{100 * statistics.fmean(c['late'] for k, c in grid.cells.items() if k[1] == s):.3f}",
                f"{sum(c['saturated'] for k, c in grid.cells.items() if k[1] == s)} of "
                f"{len(grid.settings) * len(grid.replications)}",
            ]
            for s in (*OTHERS, "ours")
        ],
    )
    by_load = grid.groups(3)
    low, high = min(by_load), max(by_load)
    dynamic, lazy = (statistics.fmean(grid.latency_ratios(o)) for o in ("dynamic", "lazy"))
    page.seen(
        f"""Over {len(grid.settings)} settings the average latency of dynamic batching is {dynamic:.2f} times ours, that
        of LazyBatching {lazy:.2f} times. Against dynamic batching the factor is
        {statistics.fmean(grid.latency_ratios('dynamic', by_load[low])):.2f} at rho {low:g}, where its delay counts, and
        {statistics.fmean(grid.latency_ratios('dynamic', by_load[high])):.2f} at rho {high:g}; without that delay it is
        {statistics.fmean(grid.latency_ratios('greedy')):.2f} on average. The factor of the violation rates depends on
        the load and the SLO, over orders of magnitude: where nobody is late there is nothing to improve, and where all
        are, nothing helps. The mean of the ratios is ruled by the settings in which ours is hardly ever late (and grows
        with the length of the runs there); the geometric mean counts every setting alike; the ratio of the mean rates
        is ruled by the overloaded ones (bursts of three times the load), in which everybody is late."""
    )


def main():
    figures.main("headline", "The headline", make)
