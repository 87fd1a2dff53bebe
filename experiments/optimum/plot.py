"""How far each policy is from the optimum against the load, what the single register costs, and the best decisions."""

import figures
from figures import plt
from optimum import tables
from optimum.points import NAMES, POLICIES, decisions, mixed, read

LOOKS = {**figures.LOOKS, "outlook": ("#D55E00", "D", "-")}
HIGHEST = 200  # of the figure, in percent; what is above leaves it


def style(policy):
    color, marker, dash = LOOKS[policy]
    return {"color": color, "marker": marker, "linestyle": dash, "markerfacecolor": "none", "label": NAMES[policy]}


def draw_distances(page, settings):
    """One panel for each network and mode: percent above the best engine, against the load."""
    networks = list(dict.fromkeys(s.network for s in settings))
    modes = list(dict.fromkeys(s.mode for s in settings))
    figure, axes = plt.subplots(len(modes), len(networks), figsize=(9.2, 5.4), sharex=True, sharey=True)
    for line, mode in zip(axes, modes):
        for axis, network in zip(line, networks):
            here = [s for s in settings if (s.network, s.mode) == (network, mode)]
            for policy in POLICIES:
                carried = [s for s in here if policy in s.above]
                axis.errorbar(
                    [s.load for s in carried],
                    [s.above[policy][0] for s in carried],
                    [s.above[policy][1] for s in carried],
                    **style(policy),
                    elinewidth=0.7,
                )
            axis.plot(
                [s.load for s in here],
                [s.register for s in here],
                color="#888888",
                linewidth=2.2,
                label="single register: fbe above free",
            )
            axis.set_title(f"{network}, {mode}", fontsize=8)
            axis.set_yscale("symlog", linthresh=2)
            ticks = (0, 1, 2, 5, 10, 20, 50, 100, 200)
            axis.set_yticks(ticks, [f"{t}" for t in ticks])
            axis.set_ylim(-0.5, HIGHEST)
            axis.minorticks_off()
    for axis in axes[-1]:
        axis.set_xlabel("load")
    for axis in axes[:, 0]:
        axis.set_ylabel("above the best engine (%)")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncol=3, bbox_to_anchor=(0.5, 0.0))
    figure.tight_layout()
    page.save(
        figure,
        caption="""How far each policy's mean latency lies above that of the best engine with several registers,
        against the load, in a panel for each network and mode; bars: 95 % intervals. The grey line is the best engine
        with a single register, likewise. The scale is linear below 2 % and logarithmic above.""",
        alternative="""Panels of curves that mostly rise with the load. exit_aware and the variant that looks ahead are
        lowest in most of them; greedy batching and LazyBatching lie above, and serial service by far where it can
        carry the load.""",
    )


def draw_decisions(page, found):
    """Newcomers by queue and batch left: a column for each policy, rows for an idle NPU and each later segment."""
    best = found["optimal"]
    longest, largest, last = (max(state[i] for state in best) for i in range(3))
    policies = ("ours", "outlook", "optimal")
    colors = plt.get_cmap("viridis_r", largest + 1)
    figure, axes = plt.subplots(
        last + 1,
        len(policies),
        figsize=(9.2, 7),
        sharex=True,
        sharey="row",
        gridspec_kw={"height_ratios": [1.5] + [largest] * last},
    )
    for segment, line in enumerate(axes):
        batches = range(1, largest + 1) if segment else range(1)
        for axis, policy in zip(line, policies):
            grid = [[found[policy][queue, left, segment] for queue in range(1, longest + 1)] for left in batches]
            image = axis.imshow(
                grid,
                origin="lower",
                aspect="auto",
                extent=(0.5, longest + 0.5, batches[0] - 0.5, batches[-1] + 0.5),
                cmap=colors,
                vmin=-0.5,
                vmax=largest + 0.5,
                interpolation="nearest",
            )
            axis.grid(False)
            where = f"before segment {segment}" if segment else "the NPU is idle"
            axis.set_title(f"{NAMES[policy]}: {where}", fontsize=8)
            axis.set_yticks(batches)
    for axis in axes[-1]:
        axis.set_xlabel("queue")
    for axis in axes[1:, 0]:
        axis.set_ylabel("batch left")
    figure.tight_layout()
    figure.colorbar(image, ax=axes, ticks=range(largest + 1), label="newcomers taken", pad=0.015)
    page.save(
        figure,
        "_decisions",
        caption="""How many newcomers are taken, by the length of the queue and what is left of the batch, when the NPU
        is idle (top) and before each later segment. Left and middle: two policies; right: what is best.""",
        alternative="""A grid of heat maps in three columns. All take more newcomers from longer queues while the batch
        has room. On an idle NPU both policies take up to eight at once, the best engine fewer; before the last segment
        the best engine takes none in most states in which the policies take some.""",
    )


def make(page):
    settings, found = read(page, "load"), decisions(page)
    draw_distances(page, settings)
    draw_decisions(page, found)
    tables.by_load(page, settings)
    tables.every_setting(page, settings)
    tables.by_rho(page, read(page, "rho"))
    tables.of_mixed(page, settings, mixed(page))
    compared = tables.of_decisions(page, found)
    page.seen(tables.summary(settings, compared, mixed(page)))


def main():
    figures.main("optimum", "How far from the optimum", make)
