"""What exit_aware gains over other policies, against the batching gain of the network on its NPU, at five loads."""

import statistics

import figures
from figures import plt

BASELINES = ("greedy", "lazy", "serial")
STATISTICS = (("mean_latency_s", "mean"), ("p99_latency_s", "p99"))
VARIANTS = (
    ("cap_2", "2 in flight"),
    ("cap_4", "4 in flight"),
    ("lazy", "as published: 8 in flight, slack x 1"),
    ("cap_16", "16 in flight"),
    ("cap_32", "32 in flight"),
    ("slack_half", "slack x 0.5"),
    ("slack_2", "slack x 2"),
    ("slack_4", "slack x 4"),
    ("no_test", "no test of slack"),
    ("ours", "(exit_aware)"),
)
HIGHEST = 10  # of the figure; what is above is drawn at its edge


def means(page, table, systems):
    """{(network, npu, mode, load): {system: {statistic: mean over replications, or None where one is saturated}}}."""
    found = {}
    names = ", ".join(f"CASE WHEN max(saturated) THEN NULL ELSE avg({s}) END AS {s}" for s, _ in STATISTICS)
    for row in page.results.rows(
        f"SELECT network, npu, npu_mode, load, system, {names} FROM {table} GROUP BY 1, 2, 3, "
        f"4, 5 ORDER BY 1, 2, 3, 4"
    ):
        if row["system"] in systems:
            key = (row["network"], row["npu"], row["npu_mode"], row["load"])
            found.setdefault(key, {})[row["system"]] = {s: row[s] for s, _ in STATISTICS}
    return found


def batching_gains(page):
    """{(network, npu, mode): 8 L(1) / L(8)}."""
    one_and_eight = {}
    for row in page.results.rows(
        "SELECT network, npu, mode, batch, sum(latency_s) AS s FROM layers WHERE batch IN (1, 8) GROUP BY 1, 2, 3, 4"
    ):
        one_and_eight.setdefault((row["network"], row["npu"], row["mode"]), {})[row["batch"]] = row["s"]
    return {key: 8 * both[1] / both[8] for key, both in one_and_eight.items()}


def ratio(systems, base, against, statistic):
    """How much slower `base` is than `against`; None where either is saturated."""
    a, b = systems[base][statistic], systems[against][statistic]
    return None if a is None or b is None else a / b


def draw(page, early, gains, loads):
    figure, axes = plt.subplots(2, 3, figsize=(9.2, 6), sharex=True, sharey=True)
    colors = plt.get_cmap("viridis")([0.9 * i / (len(loads) - 1) for i in range(len(loads))])
    for line, (statistic, name) in zip(axes, STATISTICS):
        for axis, base in zip(line, BASELINES):
            for load, color in zip(loads, colors):
                points = [
                    (gains[key[:3]], ratio(systems, base, "ours", statistic))
                    for key, systems in early.items()
                    if key[3] == load
                ]
                seen = [(x, y) for x, y in points if y is not None]
                inside = [(x, y) for x, y in seen if y <= HIGHEST]
                axis.scatter(
                    *zip(*inside) if inside else ([], []), s=9, color=color, label=f"load {load:g}", linewidths=0
                )
                above = [x for x, y in seen if y > HIGHEST]
                axis.scatter(above, [HIGHEST] * len(above), s=14, marker="^", color=color, linewidths=0)
                lost = [x for x, y in points if y is None]
                axis.scatter(lost, [1.25 * HIGHEST] * len(lost), s=14, marker="x", color=color, linewidths=0.8)
            axis.axhline(1, color="#888888", linewidth=0.8)
            axis.set_title(f"{figures.NAMES[base]}: {name}", fontsize=9)
            figures.log_scale(axis, 0.7, 1.5 * HIGHEST)
            axis.set_xscale("log", base=2)
            axis.set_xticks([1, 1.5, 2, 3], [1, 1.5, 2, 3])
            axis.minorticks_off()
    for axis in axes[1]:
        axis.set_xlabel("batching gain 8 L(1) / L(8)")
    for axis in axes[:, 0]:
        axis.set_ylabel("latency over that of exit_aware")
    figures.legend_below(figure, axes[0][0], len(loads))
    figure.tight_layout()
    page.save(
        figure,
        caption="""Latency of each baseline over that of exit_aware against the batching gain, a point for each
        network, NPU and mode, its colour the load; mean (above) and 99th percentile (below). Triangles lie above the
        scale; crosses at the upper edge are saturated baselines.""",
        alternative="""Six panels of points. Those of greedy batching lie on 1 at small gains and low loads and rise
        with the gain, the more the higher the load; those of LazyBatching lie above 1 at all gains; serial service has
        most points of high loads at the upper edge.""",
    )


def overview(page, early, loads):
    rows = []
    for base in BASELINES:
        for load in loads:
            cells = [figures.NAMES[base], f"{load:g}"]
            for statistic, _ in STATISTICS:
                all_of = [ratio(s, base, "ours", statistic) for key, s in early.items() if key[3] == load]
                known = [r for r in all_of if r is not None]
                cells.append(
                    f"{statistics.geometric_mean(known):.2f} ({min(known):.2f} to {max(known):.2f})"
                    if known
                    else "saturated"
                )
                if statistic == "mean_latency_s":
                    cells += [
                        f"{sum(r > 1.05 for r in known)} of {len(all_of)}",
                        f"{sum(r < 0.995 for r in known)}",
                        str(len(all_of) - len(known)),
                    ]
            rows.append(cells)
    page.table(
        "Latency over that of exit_aware, over all early-exit networks, NPUs and both modes",
        [
            "baseline",
            "load",
            "mean: geometric mean (least to most)",
            "5 % or more slower",
            "faster",
            "saturated",
            "p99: geometric mean (least to most)",
        ],
        rows,
    )


def every_pair(page, early, gains, loads):
    rows = []
    for key in dict.fromkeys(k[:3] for k in early):
        cells = [ratio(early[*key, load], "greedy", "ours", "mean_latency_s") for load in loads]
        rows.append([*key, f"{gains[key]:.2f}"] + ["saturated" if c is None else f"{c:.3f}" for c in cells])
    page.table(
        "Mean latency of greedy dynamic_batching over that of exit_aware, by load",
        ["network", "NPU", "mode", "batching gain", *(f"{load:g}" for load in loads)],
        sorted(rows, key=lambda row: float(row[3])),
    )


def lazy_bounds(page):
    found = means(page, "lazy", {"greedy", *(name for name, _ in VARIANTS)})
    loads = sorted({key[3] for key in found})
    rows = []
    for name, what in VARIANTS:
        cells = [what]
        for load in loads:
            all_of = [ratio(s, name, "greedy", "mean_latency_s") for key, s in found.items() if key[3] == load]
            known = [r for r in all_of if r is not None]
            cells.append(f"{statistics.geometric_mean(known):.3f} ({min(known):.2f} to {max(known):.2f})")
            cells.append(f"{sum(r > 1.005 for r in known) + len(all_of) - len(known)} of {len(all_of)}")
        rows.append(cells)
    head = ["lazy_batching with"]
    for load in loads:
        head += [f"mean over that of greedy, load {load:g} (least to most)", "worse than greedy, or saturated"]
    page.table("LazyBatching with its bound swept, over all early-exit networks, NPUs and both modes", head, rows)
    return found, loads


def make(page):
    results, gains = means(page, "pairs", {*BASELINES, "ours"}), batching_gains(page)
    early = {key: systems for key, systems in results.items() if key[0].startswith("ee_")}
    others = [
        ratio(systems, "greedy", "ours", "mean_latency_s")
        for key, systems in results.items()
        if not key[0].startswith("ee_")
    ]
    loads = sorted({key[3] for key in early})
    draw(page, early, gains, loads)
    overview(page, early, loads)
    every_pair(page, early, gains, loads)
    lazy, lazy_loads = lazy_bounds(page)

    def greedy(load, low=0, high=1):
        """Ratios at a load, of the pairs from one share to another in the order of their batching gains."""
        keys = sorted((key for key in early if key[3] == load), key=lambda key: gains[key[:3]])
        keys = keys[round(low * len(keys)) : round(high * len(keys))]
        known = [ratio(early[key], "greedy", "ours", "mean_latency_s") for key in keys]
        return [r for r in known if r is not None], gains[keys[0][:3]], gains[keys[-1][:3]]

    def third(load, index):
        ratios, least, most = greedy(load, index / 3, (index + 1) / 3)
        return f"{statistics.geometric_mean(ratios):.2f} times (gains of {least:.2f} to {most:.2f})"

    high, low = loads[-1], loads[0]
    worse = {
        load: [ratio(s, "lazy", "greedy", "mean_latency_s") for key, s in lazy.items() if key[3] == load]
        for load in lazy_loads
    }
    untested = {
        load: [ratio(s, "no_test", "greedy", "mean_latency_s") for key, s in lazy.items() if key[3] == load]
        for load in lazy_loads
    }

    def count(ratios):
        return sum(r is None or r > 1.005 for r in ratios)

    light, heavy = greedy(low)[0], greedy(high)[0]
    page.seen(
        f"""Each point is a network with exits on an NPU in a mode; a load of 1 is what that NPU can carry at its best
        batch size. Greedy batching is within 5 % of exit_aware on {sum(r <= 1.05 for r in light)} of {len(light)} at
        load {low:g}; at load {high:g} it takes {statistics.geometric_mean(heavy):.2f} times as long on average
        ({min(heavy):.2f} to {max(heavy):.2f}). What decides is the batching gain: at load {high:g}, in the third of the
        pairs with the least gain greedy takes {third(high, 0)} as long, in the middle third {third(high, 1)}, in the
        third with the most {third(high, 2)}. Without exits there is nothing to be aware of: over all {len(others)}
        settings of the five networks that have none, greedy takes between {min(others):.3f} and {max(others):.3f} times
        as long. Crosses above the upper edge are saturated baselines, triangles lie above {HIGHEST}. LazyBatching is
        slower than greedy on {count(worse[lazy_loads[0]])} of {len(worse[lazy_loads[0]])} at load {lazy_loads[0]:g} and
        on {count(worse[lazy_loads[1]])} of {len(worse[lazy_loads[1]])} at load {lazy_loads[1]:g}. Its test of slack is
        not why: without it, it is so on {count(untested[lazy_loads[0]])} and {count(untested[lazy_loads[1]])}. It
        preempts at every layer for whoever comes, which costs those that wait more than the company is worth."""
    )


def main():
    figures.main("when_it_pays", "When an exit-aware scheduler pays", make)
