"""Energy of a request against load and by what takes it, weight words by mode, and tiles by latency and energy."""

import figures
from experiments.energy import points
from figures import plt

WORDS_NPUS = ("zu7ev_small", "zu7ev_middle", "zu7ev_buffered", "edge_8tops")
PARTS_NPUS = ("zu7ev_middle", "zu7ev_buffered", "edge_8tops")
SHOWN_NPU, SHOWN_NETWORK = "zu7ev_buffered", "ee_resnet50"
PART_NAMES = {"mac": "MAC", "buffer": "buffers", "dram": "DRAM", "static": "static"}
PART_COLORS = {"mac": "#0072B2", "buffer": "#56B4E9", "dram": "#E69F00", "static": "#BBBBBB"}
OURS = ("ours", "fluid_stacked")
OTHERS = (("dynamic", "r"), ("greedy", "r"), ("lazy", "r"), ("ours", "r"), ("greedy", "fluid_stacked"))
HATCHES = {"mac": "", "buffer": "//", "dram": "..", "static": ""}


def plain_log_scale(axis, values):
    """Decades and what is between them as plain numbers, from a little below the least value to a little above."""
    figures.log_scale(axis, min(values) / 1.15, max(values) * 1.15)


def against_load(page, found):
    """Lines of energy per request and of the energy-delay product; each policy in its usual mode."""
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.4), sharex=True)
    curves = (("energy_per_request_j", "energy per request (mJ)"), ("energy_delay_product_js", "energy x delay (mJ s)"))
    for axis, (statistic, title) in zip(axes, curves):
        shown = []
        for policy in points.POLICIES:
            mode = "fluid_stacked" if policy == "ours" else "r"
            curve = found.get((SHOWN_NPU, SHOWN_NETWORK, policy, mode), {})
            values = [1000 * v[statistic] for v in curve.values()]
            axis.plot(list(curve), values, **figures.look(policy))
            shown += values
        plain_log_scale(axis, shown)
        axis.set_xlabel("offered load rho")
        axis.set_title(title)
    figures.legend_below(figure, axes[0], 3)
    figure.suptitle(f"{SHOWN_NETWORK} on {SHOWN_NPU}; baselines in mode r")
    figure.tight_layout()
    page.save(
        figure,
        caption="""Energy of a request (left) and its product with the mean latency (right) against the offered load;
        logarithmic. Baselines run in mode r, exit_aware in fluid_stacked. A curve ends where the queue grew through
        the whole run.""",
        alternative="""Two panels with a curve for each policy. Left, the energy of a request falls with the load, as
        less of it is spent idle, and is nearly the same for all. Right, its product with the latency is lowest for
        exit_aware at every load, and that of serial service rises steeply at the end.""",
    )


def by_part(page, found):
    """Stacked bars: what a request takes for each policy and mode at the highest load, on two NPUs."""
    rho = max(rho for values in found.values() for rho in values)
    npus = [npu for npu in PARTS_NPUS if (npu, SHOWN_NETWORK, "ours", "r") in found]
    figure, axes = plt.subplots(1, len(npus), figsize=(8.4, 3.8), squeeze=False)
    for axis, npu in zip(axes[0], npus):
        names = [
            (policy, mode)
            for policy in points.POLICIES
            for mode in points.MODES
            if rho in found.get((npu, SHOWN_NETWORK, policy, mode), {})
        ]
        bottoms = [0.0] * len(names)
        for part in points.PARTS:
            key = f"{part}_energy_per_request_j"
            heights = [1000 * found[npu, SHOWN_NETWORK, *name][rho][key] for name in names]
            axis.bar(
                range(len(names)),
                heights,
                bottom=bottoms,
                color=PART_COLORS[part],
                hatch=HATCHES[part],
                label=PART_NAMES[part],
                width=0.8,
                edgecolor="white",
                linewidth=0.3,
            )
            bottoms = [b + h for b, h in zip(bottoms, heights)]
        axis.set_xticks(range(len(names)), [f"{policy}, {mode}" for policy, mode in names], rotation=90, fontsize=6)
        axis.set_title(npu)
        axis.grid(axis="x", visible=False)
    axes[0][0].set_ylabel("mJ per request")
    figures.legend_below(figure, axes[0][0], len(points.PARTS))
    figure.suptitle(f"{SHOWN_NETWORK} at rho {rho:g}, by what takes it; saturated ones left out")
    figure.tight_layout()
    page.save(
        figure,
        "_parts",
        caption="""What the energy of a request is spent on, for each policy and mode, at the highest load on two NPUs.
        Saturated ones are left out.""",
        alternative="""Two panels of stacked bars with a bar for each policy and mode, all of nearly the same height on
        one NPU. DRAM takes the largest part of each.""",
    )


def weight_words(page, words):
    """Weight words of a sample at each batch, over those of one sample in mode r."""
    npus = WORDS_NPUS
    batches = sorted({key[3] for key in words})
    figure, axes = plt.subplots(1, len(npus), figsize=(2.1 * len(npus), 3.0), sharey=True, squeeze=False)
    for axis, npu in zip(axes[0], npus):
        for mode in points.MODES:
            values = [
                words[npu, SHOWN_NETWORK, mode, batch]["weight_words"]
                / batch
                / words[npu, SHOWN_NETWORK, "r", 1]["weight_words"]
                for batch in batches
            ]
            axis.plot(batches, values, **figures.look(mode))
        axis.set_title(npu)
        axis.set_xlabel("batch size")
        axis.set_xticks(batches)
    axes[0][0].set_ylabel("weight words per sample\n(one sample in mode r: 1)")
    axes[0][0].set_ylim(bottom=0)
    figures.legend_below(figure, axes[0][0], len(points.MODES))
    figure.suptitle(SHOWN_NETWORK)
    figure.tight_layout()
    page.save(
        figure,
        "_words",
        caption="""Words of weights that are fetched for a sample, against the batch size, over those of one sample in
        mode r; a panel for each NPU.""",
        alternative="""Panels of curves that fall with the batch size, as one fetch serves more samples. On edge_8tops
        they halve with each doubling at first; on zu7ev_middle fluid_stacked falls furthest; on zu7ev_buffered both
        stacked modes fetch more than the others at every batch size.""",
    )


def tiles(page):
    """Latency and energy per sample over tiles, with those that no other beats in both."""
    npus = [r["npu"] for r in page.results.rows("SELECT DISTINCT npu FROM tiles ORDER BY npu DESC")]
    figure, axes = plt.subplots(1, len(npus), figsize=(8.4, 3.4), squeeze=False)
    rows = []
    for axis, npu in zip(axes[0], npus):
        shown = []
        for mode in ("r", "fluid_stacked"):
            all_tiles = page.results.rows("SELECT * FROM tiles WHERE npu = ? AND mode = ? AND batch = 1", npu, mode)
            front = points.front(all_tiles)
            look = figures.look(mode)
            axis.scatter(*in_millis(all_tiles), s=6, color=look["color"], marker=look["marker"], alpha=0.3, linewidth=0)
            axis.plot(*in_millis(front), **{**look, "drawstyle": "steps-post"})
            shown += in_millis(all_tiles)[1]
            rows += [
                [
                    npu,
                    mode,
                    f"{r['t_r']}, {r['t_p']}, {r['t_c']}",
                    *(f"{1000 * r[key]:.2f}" for key in ("latency_per_sample_s", "energy_per_sample_j")),
                ]
                for r in dict.fromkeys((front[0], front[-1]))
            ]
        plain_log_scale(axis, shown)
        axis.set_title(npu)
        axis.set_xlabel("latency of one sample (ms)")
    axes[0][0].set_ylabel("energy of one sample (mJ)")
    figures.legend_below(figure, axes[0][0], 2)
    figure.suptitle(f"{SHOWN_NETWORK} on engines of other tiles; lines: what no other beats in both")
    figure.tight_layout()
    page.save(
        figure,
        "_tiles",
        caption="""Energy against latency of one sample, for engines of other tiles and the same number of DSPs: a
        point for each, and a line through those that no other beats in both.""",
        alternative="""Two panels of clouds of points, one for each NPU, with the lines of both modes along their lower
        left edge.""",
    )
    page.table(
        f"Both ends of each front, {SHOWN_NETWORK}, one sample: the fastest tiles, and those of least energy",
        ["NPU", "mode", "T_R, T_P, T_C", "latency (ms)", "energy (mJ)"],
        rows,
    )


def in_millis(rows):
    """Latencies and energies of tiles, in ms and mJ."""
    return [[1000 * row[key] for row in rows] for key in ("latency_per_sample_s", "energy_per_sample_j")]


def at_loads(page, found):
    """The numbers of the lines, and how they split."""
    rows = []
    for policy in points.POLICIES:
        for mode in ("r", "fluid_stacked"):
            for rho, values in found.get((SHOWN_NPU, SHOWN_NETWORK, policy, mode), {}).items():
                total = values["energy_per_request_j"]
                shares = [100 * values[f"{part}_energy_per_request_j"] / total for part in points.PARTS]
                rows.append(
                    [
                        f"{policy}, {mode}",
                        f"{rho:g}",
                        f"{1000 * total:.2f}",
                        f"{values['average_power_w']:.3f}",
                        *(f"{share:.0f}" for share in shares),
                    ]
                )
    page.table(
        f"{SHOWN_NETWORK} on {SHOWN_NPU}: energy of a request, and the share of each part in %",
        ["policy, mode", "rho", "mJ per request", "average power (W)", *(PART_NAMES[part] for part in points.PARTS)],
        rows,
    )


def comparison(page, found):
    """Ours over the others, over all places and loads."""
    rows = []
    for other in OTHERS:
        cells = [
            points.spread(points.ratios(found, statistic, OURS, other))
            for statistic in ("energy_per_request_j", "dram_energy_per_request_j", "energy_delay_product_js")
        ]
        lower = [r < 1 for r in points.ratios(found, "energy_per_request_j", OURS, other)]
        rows.append([", ".join(other), *cells, f"{sum(lower)} of {len(lower)}"])
    page.table(
        f"exit_aware in mode fluid_stacked over others, {len(points.places(found))} pairs of NPU and network, all "
        "loads: geometric mean (least to most)",
        ["other", "energy per request", "of it DRAM", "energy x delay", "lower energy in"],
        rows,
    )


def saved_words(page, words):
    """What fluid batching moves, over R-batching on the same PEs, at the largest batch."""
    npus = list(dict.fromkeys(key[0] for key in words))
    networks = list(dict.fromkeys(key[1] for key in words))
    batch = max(key[3] for key in words)
    rows = []
    for npu in npus:
        for mode, base in (("fluid", "r"), ("fluid_stacked", "r_stacked"), ("fluid_stacked", "r")):
            cells = [
                points.spread([words[npu, n, mode, batch][c] / words[npu, n, base, batch][c] for n in networks])
                for c in ("weight_words", "latency_s", "energy_j")
            ]
            rows.append([npu, f"{mode} over {base}", *cells])
    page.table(
        f"A batch of {batch}, {len(networks)} networks: geometric mean (least to most)",
        ["NPU", "mode", "weight words", "latency", "energy"],
        rows,
    )


def make(page):
    found, words = points.loads(page), points.words(page)
    against_load(page, found)
    by_part(page, found)
    weight_words(page, words)
    comparison(page, found)
    at_loads(page, found)
    saved_words(page, words)
    tiles(page)
    page.seen(findings(found, words))


def shares(found, part, rho):
    """Least and most of a request's energy in per cent, over all places, policies and modes at a load."""
    values = [
        100 * curve[rho][f"{part}_energy_per_request_j"] / curve[rho]["energy_per_request_j"]
        for curve in found.values()
        if rho in curve
    ]
    return f"{min(values):.0f} to {max(values):.0f} %"


def findings(found, words):
    rhos = sorted({rho for curve in found.values() for rho in curve})
    same_mode = [
        ratio
        for mode in points.MODES
        for policy in ("dynamic", "lazy", "ours")
        for ratio in points.ratios(found, "energy_per_request_j", (policy, mode), ("greedy", mode))
    ]
    modes = points.ratios(found, "energy_per_request_j", OURS, ("ours", "r"))
    delays = points.ratios(found, "energy_delay_product_js", OURS, ("greedy", "r"))
    batch = max(key[3] for key in words)
    blocks, stacked = (
        {key[:2]: row["weight_words"] for key, row in words.items() if key[2:] == (mode, batch)}
        for mode in ("fluid_stacked", "r_stacked")
    )
    fewer = [blocks[place] / stacked[place] for place in blocks]
    return f"""What a request takes depends on how busy the NPU is, above all: static power is
        {shares(found, "static", rhos[0])} of it at rho {rhos[0]:g} and {shares(found, "static", rhos[-1])} at rho
        {rhos[-1]:g}, where MACs are {shares(found, "mac", rhos[-1])} and the memory channel
        {shares(found, "dram", rhos[-1])}. In one and the same mode policies differ little: over that of greedy
        batching a request's energy is {points.spread(same_mode)}, since batches share only weights. exit_aware in mode
        fluid_stacked takes {points.spread(modes)} of what it takes in mode r: stacking ends layers sooner, and may cost
        words. Energy times delay is what gains: {points.spread(delays)} of greedy batching in mode r. With a batch of
        {batch} blocks side by side move {points.spread(fewer)} of the weight words that stacked PEs alone do: fewer
        where row tiles are short, and more where a row block stays on the chip anyway and blocks are chosen for their
        latency. Energies are assumptions (docs/model.md): ratios are to be believed, not joules."""


def main():
    figures.main("energy", "Energy", make)
