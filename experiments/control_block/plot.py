"""Heat maps of the control block's choices over layers and batch sizes: k, B_P, and what stays on the chip."""

import dark
import figures
from figures import plt
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

RESIDENCIES = ("stream", "row", "column", "weights")
PANELS = (("k", "stacking factor k"), ("b_p", "blocks side by side, B_P"), ("residency", "what stays on the chip"))


def colors_of(levels):
    """A colour for each level, evenly from dark to light."""
    scale = plt.get_cmap("cividis")
    return [scale(0.1 + 0.85 * i / max(len(levels) - 1, 1)) for i in range(len(levels))]


def draw(axis, values, levels):
    """One heat map: a row a layer, a column a batch size; what is not the first of `levels` is written into its
    cell."""
    axis.imshow(
        [[levels.index(v) for v in line] for line in values],
        aspect="auto",
        cmap=ListedColormap(colors_of(levels)),
        vmin=-0.5,
        vmax=len(levels) - 0.5,
        interpolation="nearest",
    )
    for y, line in enumerate(values):
        for x, value in enumerate(line):
            if value != levels[0]:
                letter = value[:1] if isinstance(value, str) else value
                color = dark.ON_DARK if levels.index(value) < 0.5 * len(levels) else dark.ON_LIGHT
                axis.text(x, y, letter, ha="center", va="center", fontsize=5, color=color)


def key(axis, levels, title):
    """The colours of the levels, below a panel."""
    patches = [Patch(facecolor=c, edgecolor="black", linewidth=0.5) for c in colors_of(levels)]
    axis.legend(patches, levels, title=title, ncol=4, loc="upper center", bbox_to_anchor=(0.5, -0.06), fontsize=7)


def control_block(page, npu, numbers):
    """The figure of one NPU; its rows by (layer, batch). `numbers`: those that k and B_P have on any NPU."""
    rows = page.results.rows(
        "SELECT layer, batch, b_r, b_p, k, residency, latency_s FROM layers WHERE npu = ? ORDER BY rowid", npu
    )
    layers = list(dict.fromkeys(r["layer"] for r in rows))
    batches = sorted({r["batch"] for r in rows})
    chosen = {(r["layer"], r["batch"]): r for r in rows}
    panels = [p for p in PANELS if p[0] != "residency" or len({r["residency"] for r in rows}) > 1]
    figure, axes = plt.subplots(1, len(panels), figsize=(1 + 3.4 * len(panels), 8.6), sharey=True)
    for axis, (name, title) in zip(axes, panels):
        levels = RESIDENCIES if name == "residency" else numbers
        draw(axis, [[chosen[layer, batch][name] for batch in batches] for layer in layers], levels)
        key(axis, levels, "what stays" if name == "residency" else title)
        axis.set_title(title)
        axis.set_xticks(range(len(batches)), batches, fontsize=7)
        axis.set_xlabel("batch size")
        axis.grid(False)
    axes[0].set_yticks(range(len(layers)), layers, fontsize=5)
    figure.suptitle(f"ee_resnet50 on {npu}")
    figure.tight_layout()
    single = [r for r in rows if r["batch"] == 1]
    page.save(
        figure,
        "" if npu == "zu7ev_large" else f"_{npu}",
        caption=f"""What the control block chooses for each layer (a row) and batch size (a column) of ee_resnet50 on
        {npu}. A colour stands for the same number in k and in B_P, and on both NPUs; a cell without a number has
        1{", one without a letter streams" if len(panels) > 2 else ""}.""",
        alternative=f"""{len(panels)} heat maps with layers from the first at the top to the last. Stacking is in
        {share(single, lambda r: r['k'] > 1):.0f} % of the layers at batch 1 and in
        {share([r for r in rows if r['batch'] == batches[-1]], lambda r: r['k'] > 1):.0f} % at batch {batches[-1]};
        {share(rows, lambda r: r['b_p'] > 1):.0f} % of all cells have more than one block.""",
    )
    return rows


def share(rows, holds):
    return 100 * sum(map(holds, rows)) / len(rows)


def make(page):
    levels = page.results.rows("SELECT k AS n FROM layers UNION SELECT b_p FROM layers UNION SELECT 1 ORDER BY n")
    numbers = [r["n"] for r in levels]
    rows, buffered = (control_block(page, npu, numbers) for npu in ("zu7ev_large", "zu7ev_buffered"))
    single = [r for r in rows if r["batch"] == 1]
    stays = {name: share(buffered, lambda r, name=name: r["residency"] == name) for name in RESIDENCIES}
    page.seen(
        f"""On zu7ev_large, where tiles alone are on the chip, the control block stacks
        {sum(r['k'] > 1 for r in single)} of {len(single)} layers at batch 1, those whose output has fewer rows than the
        tile; over all batch sizes {share(rows, lambda r: r['k'] > 1):.0f} % of the entries are stacked and
        {share(rows, lambda r: r['b_p'] > 1):.0f} % use more than one block. As the batch grows, rows fill the tiles by
        themselves, and k falls back to 1 from the early layers on: it pays to choose again for every layer and batch
        size. On zu7ev_buffered the second figure, which has line buffers and uses the board's whole memory,
        {stays['stream']:.0f} % of the entries stream, {stays['row']:.0f} % keep a row block of the input,
        {stays['column']:.0f} % a column of weights and {stays['weights']:.0f} % all weights of the layer;
        {share(buffered, lambda r: r['k'] > 1):.0f} % are stacked and {share(buffered, lambda r: r['b_p'] > 1):.0f} %
        use more than one block, whose work a row block that stays does as well."""
    )


def main():
    figures.main("control_block", "The control block's choices", make)
