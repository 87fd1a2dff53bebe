"""Mean ratios of latency, three readings of the tail, and what lies beyond the paper, with intervals."""

import statistics

import figures
from figures import plt

from headline import grid, readings
from headline.results import Runs, Tail, groups, loads

KIND_NAMES = {"poisson": "Poisson", "gamma": "gamma, CV 2", "periodic": "10 cameras", "mmpp": "bursts"}
NAMES = {**figures.NAMES, "adaptive": "exit_aware, adaptive exits"}
PUBLISHED_LATENCY = 1.97


def plus_minus(reading, unknown="not known"):
    if reading.value != reading.value:
        return unknown
    return f"{reading.value:.2f} ± {reading.high - reading.value:.2f}"


def upright(value):
    """A tick's text, in lines so short that they need not be turned."""
    if not isinstance(value, str):
        return f"{value:g}"
    name = KIND_NAMES.get(value, value)
    return name.replace("ee_", "").replace("_", "\n").replace(", ", ",\n").replace("10 ", "10\n")


def mean_rates(reading):
    return plus_minus(reading, "ours is never late in some replication")


def draw_marks(axis, found, other, aside):
    """Readings side by side, with their intervals."""
    color, marker, _ = figures.LOOKS[other]
    axis.errorbar(
        [x + aside for x in range(len(found))],
        [one.value for one in found],
        yerr=[[one.value - one.low for one in found], [one.high - one.value for one in found]],
        color=color,
        marker=marker,
        linestyle="",
        capsize=2,
        markerfacecolor="none",
        label=figures.NAMES[other],
    )


def draw(page, runs, tail):
    figure, axes = plt.subplots(2, 4, figsize=(10, 5), sharey="row")
    for column, title in enumerate(("network", "SLO (x unloaded)", "arrivals", "rho")):
        parts = groups(runs.settings, column)
        values = [k for k in grid.KINDS if k in parts] if title == "arrivals" else sorted(parts)
        for i, other in enumerate(grid.OTHERS):
            for row, reading in ((0, runs.latency), (1, tail.geometric)):
                found = [reading(other, settings=parts[value]) for value in values]
                draw_marks(axes[row][column], found, other, 0.2 * (i - 1))
        for row in (0, 1):
            axes[row][column].axhline(1, color="black", linewidth=0.8)
            axes[row][column].axhline((PUBLISHED_LATENCY, readings.PUBLISHED)[row], color="#888888", linestyle=":")
            axes[row][column].grid(axis="x", visible=False)
            ticks = [upright(value) for value in values] if row else []
            axes[row][column].set_xticks(range(len(values)), ticks, fontsize=7)
            axes[row][column].set_xlim(-0.6, len(values) - 0.4)
            axes[row][column].margins(y=0.08)
        axes[0][column].set_title(title)
        axes[1][column].set_yscale("log")
    axes[0][0].set_ylim(bottom=0)  # of the whole row, when all marks are there
    axes[0][0].set_ylabel("latency: other / ours")
    axes[1][0].set_ylabel("violation rate: other / ours")
    figures.legend_below(figure, axes[0][0], 3)
    figure.tight_layout()
    means = {other: runs.latency(other).value for other in grid.OTHERS}
    rates = {other: tail.geometric(other).value for other in grid.OTHERS}
    page.save(
        figure,
        caption=f"""Mean latency (above; mean of the ratios) and violation rates (below; geometric mean of the ratios,
        reading (a), logarithmic) of the others over those of exit_aware on fluid_stacked: above 1 ours is lower.
        Dotted: the published factors. Each panel splits the grid of {len(runs.settings)} settings by one of its axes;
        bars are 95 % intervals. Below, rates under 1e-9 count as that and unknown ones as 3 over the requests, without
        a bar of their own.""",
        alternative=f"""Eight panels of marks with bars. For latency dynamic batching is at {means['dynamic']:.1f} on
        average, without a delay at {means['greedy']:.1f}, LazyBatching at {means['lazy']:.1f}; for violation rates
        they are at {rates['dynamic']:.0f}, {rates['greedy']:.0f} and {rates['lazy']:.0f}.""",
    )


def of_tail(page, runs, tail):
    """The claims about the tail, and the table of the three readings; returns {other: {name: reading}}."""
    found, rows = {}, []
    holds, fails = loads(page, "load"), loads(page, "fails_from")
    drawn = [s for s in tail.settings if s.kind != "periodic"]
    for other in grid.OTHERS:
        load, left_out = readings.capacity_ratio(holds[other], holds["ours"])
        one = {"(a)": tail.geometric(other), "(b)": runs.pooled(other), "(c)": load}
        found[other] = one
        words = readings.verdict(one)
        others_of_a = [tail.geometric(other, at_the_floor=True).text(), tail.geometric(other, drawn).text()]
        open_loads = "{:.2f} to {:.2f}".format(*readings.capacity_bracket(holds, fails, other))
        cells = [one["(a)"].text(), *others_of_a, mean_rates(one["(b)"]), plus_minus(load), open_loads, left_out]
        rows.append([figures.NAMES[other], *cells, words])
        if other != "greedy":
            text = (
                f"(a) geometric mean of the ratios of rates {one['(a)'].text()}; (b) ratio of the mean rates "
                f"{mean_rates(one['(b)'])}; (c) ratio of the loads with 1 % late {plus_minus(load)}"
            )
            page.claim(f"SLO violations, against {figures.NAMES[other]}", "6.7x", text, words)
    page.table(
        "The tail in three readings, other over ours (of loads ours over other), with 95 % intervals. These leave out, "
        "of (a), rates that are not known, and of (c), loads that were neither shown to hold nor to fail",
        [
            "other",
            "(a) geometric mean",
            "(a) with unknown rates at 1e-9",
            "(a) without cameras",
            "(b) mean rates",
            "(c) loads with 1 % late",
            "(c) by what is open",
            "places left out of (c)",
            "verdict",
        ],
        rows,
    )
    return found


def of_loads(page):
    """Reading (c) by network, SLO and kind of arrivals, and the loads themselves."""
    holds = loads(page, "load")
    rows = []
    for place in range(3):
        parts = groups(holds["ours"], place)
        for value in [k for k in grid.KINDS if k in parts] if place == 2 else sorted(parts):
            of_part = {system: {p: holds[system][p] for p in parts[value]} for system in grid.CLAIMED}
            factors = [plus_minus(readings.capacity_ratio(of_part[other], of_part["ours"])[0]) for other in grid.OTHERS]
            means = [statistics.fmean(load for of in of_part[s].values() for load in of) for s in grid.CLAIMED]
            name = KIND_NAMES.get(value, f"SLO {value:g}" if place == 1 else value)
            rows.append([name, *factors, *(f"{mean:.2f}" for mean in means)])
    page.table(
        "Reading (c) by network, SLO and arrivals, ours over other ± 95 %, and the mean of the loads rho that each "
        "carries",
        [
            "of",
            *(figures.NAMES[other] for other in grid.OTHERS),
            *("rho: dynamic", "no delay", "lazy", "ours"),
        ],
        rows,
    )


def of_rates(page, runs, tail):
    rows = []
    for system in grid.CLAIMED:
        counts, wide, cameras = tail.counts(system)
        mean = statistics.fmean(runs.mean_late(system, r) for r in runs.replications)
        rows.append([figures.NAMES[system], *counts.values(), wide, cameras, f"{100 * mean:.3f}"])
    page.table(
        f"How the violation rates of {len(runs.settings)} settings are known",
        [
            "system",
            "from the runs",
            "by splitting",
            "below 1e-9, counted as that",
            "not known, counted as 3 over the requests",
            "wider than ±20 %",
            "of which with cameras",
            "mean rate (%)",
        ],
        rows,
    )


def of_latency(page, runs):
    rows = []
    by_load = dict(sorted(groups(runs.settings, 3).items()))
    for other in grid.OTHERS:
        reading = runs.latency(other)
        loads_apart = [f"{runs.latency(other, settings=part).value:.2f}" for part in by_load.values()]
        half = f"{100 * (reading.high / reading.value - 1):.1f}"
        lower = f"{runs.lower_in(other)} of {len(runs.settings)}"
        rows.append([figures.NAMES[other], plus_minus(reading), half, *loads_apart, lower])
        if other != "greedy":
            page.claim(
                f"Average latency, against {figures.NAMES[other]}",
                f"{PUBLISHED_LATENCY}x",
                plus_minus(reading) + " x",
                readings.of_latency(reading, PUBLISHED_LATENCY),
            )
    page.table(
        "Average latency, other over ours: mean of the ratios ± 95 % over replications, and by load",
        ["other", "all", "± (%)", *(f"rho {rho:g}" for rho in by_load), "settings in which ours is lower"],
        rows,
    )
    page.table(
        "How far each is from the lower bound of its own hardware, and saturated runs",
        ["system", "mean latency / bound", "saturated runs"],
        [
            [figures.NAMES[s], plus_minus(of_bound(runs, s)), f"{runs.saturated[s]} of {runs.runs[s]}"]
            for s in grid.CLAIMED
        ],
    )


def of_bound(runs, system):
    values = [statistics.fmean(runs.last[s, system, r] for s in runs.settings) for r in runs.replications]
    return readings.over_replications(values)


def accuracy_of(adaptive, system, settings):
    return statistics.fmean(adaptive.last[s, system, r] for s in settings for r in adaptive.replications)


def held(adaptive):
    """The settings in which the steered thresholds have at most 0.2 points less than fixed ones on the same samples."""
    return [
        s
        for s in adaptive.settings
        if accuracy_of(adaptive, "adaptive", [s]) >= accuracy_of(adaptive, "ours", [s]) - 0.002
    ]


def of_held(adaptive):
    """In words, where the accuracy is held and where not."""
    kept = held(adaptive)
    text = f"at most 0.2 points less than fixed ones in {len(kept)} of {len(adaptive.settings)} settings"
    lost = groups([s for s in adaptive.settings if s not in kept], 2)
    parts = [f"{len(f)} with {KIND_NAMES[kind]}, rho {min(s.rho for s in f):g} and more" for kind, f in lost.items()]
    return text + (f"; the others are {' and '.join(parts)}" if parts else "")


def beyond(page, runs, adaptive):
    """What the paper has not: its own table, and no claim."""
    steered = [("adaptive", adaptive, adaptive.settings)]
    if held(adaptive) and held(adaptive) != adaptive.settings:
        steered.append(("adaptive", adaptive, held(adaptive)))
    rows = []
    for ours, among, settings in (("optimal", runs, runs.settings), *steered):
        for other in grid.CLAIMED:
            pair = [f"{100 * accuracy_of(among, name, settings):.2f}" for name in (other, ours)]
            cells = [plus_minus(among.latency(other, ours, settings)), mean_rates(among.pooled(other, ours, settings))]
            accuracies = ", ".join(pair) if among is adaptive else "-"
            rows.append([NAMES[ours], len(settings), NAMES[other], *cells, accuracies])
    page.table(
        "Beyond the paper, no part of the claim: other over the optimal policy, and over exits that are steered to the "
        "accuracy of a fixed threshold, in all settings, and in those where they have at most 0.2 points less, which "
        "are picked by what came out: the text says which are not among them (± 95 %)",
        [
            "in the place of ours",
            "settings",
            "other",
            "average latency",
            "mean violation rates",
            "accuracy (%): other, this",
        ],
        rows,
    )


def in_words(runs, tail, adaptive, found):
    """What is seen."""
    by_load = groups(runs.settings, 3)
    low, high = min(by_load), max(by_load)
    of_highest = statistics.fmean(
        sum(runs.late[s, "ours", r] for s in by_load[high]) / sum(runs.late[s, "ours", r] for s in runs.settings)
        for r in runs.replications
    )
    unknown = [s for s in tail.settings if tail.rates[s, "ours"].origin == "unknown"]
    cameras = sum(s.kind == "periodic" for s in unknown)
    dynamic, lazy = found["dynamic"], found["lazy"]
    return f"""Over {len(runs.settings)} settings the average latency of dynamic batching is
        {runs.latency("dynamic").value:.2f} times ours, that of LazyBatching {runs.latency("lazy").value:.2f} times.
        Against dynamic batching the factor is {runs.latency("dynamic", settings=by_load[low]).value:.2f} at rho
        {low:g} and {runs.latency("dynamic", settings=by_load[high]).value:.2f} at rho {high:g}; without its delay it is
        {runs.latency("greedy").value:.2f} on average. How much better the tail is depends on what is asked: the
        geometric mean of the ratios of violation rates (a) is {dynamic["(a)"].value:.1f} against dynamic batching and
        {lazy["(a)"].value:.1f} against LazyBatching; the ratio of the mean rates (b), of which settings at rho {high:g}
        make {100 * of_highest:.0f} % of ours, {dynamic["(b)"].value:.2f} and {lazy["(b)"].value:.2f}; and ours carries
        {dynamic["(c)"].value:.2f} and {lazy["(c)"].value:.2f} times the load with at most 1 % late (c). Rates of ours
        that are not known ({len(unknown)} settings, {cameras} of them with cameras) count as 3 over the requests in
        (a), a convention that decides much of it: with 1e-9 in the place of all unknown rates (a) would be
        {tail.geometric("dynamic", at_the_floor=True).value:.1f} and
        {tail.geometric("lazy", at_the_floor=True).value:.1f}. Beyond the paper, thresholds that are steered to the
        accuracy of fixed ones have {of_held(adaptive)}."""


def make(page):
    runs, adaptive = Runs(page, "runs", "distance_to_bound"), Runs(page, "adaptive", "accuracy")
    tail = Tail(page, runs)
    draw(page, runs, tail)
    of_latency(page, runs)
    found = of_tail(page, runs, tail)
    of_loads(page)
    of_rates(page, runs, tail)
    beyond(page, runs, adaptive)
    page.seen(in_words(runs, tail, adaptive, found))


def main():
    figures.main("headline", "The headline", make)
