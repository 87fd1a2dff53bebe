"""Heat maps of the control block's choices over layers and batch sizes: k, B_P, and what stays on the chip."""

import figures
from figures import plt

RESIDENCIES = ("stream", "row", "column", "weights")
PANELS = (("k", "stacking factor k"), ("b_p", "blocks side by side, B_P"), ("residency", "what stays on the chip"))


def draw(figure, axis, values, levels):
    """One heat map: a row a layer, a column a batch size; what is not the first of `levels` is written into its
    cell."""
    image = axis.imshow(
        [[levels.index(v) for v in line] for line in values],
        aspect="auto",
        cmap="cividis",
        vmin=-0.5,
        vmax=max(len(levels), 2) - 0.5,
        interpolation="nearest",
    )
    for y, line in enumerate(values):
        for x, value in enumerate(line):
            if value != levels[0]:
                dark = levels.index(value) < 0.6 * len(levels)
                axis.text(
                    x,
                    y,
                    value[:1] if isinstance(value, str) else value,
                    ha="center",
                    va="center",
                    fontsize=5,
                    color="white" if dark else "black",
                )
    bar = figure.colorbar(image, ax=axis, ticks=range(len(levels)), shrink=0.4)
    bar.ax.set_yticklabels(levels)


def control_block(page, npu):
    """The figure of one NPU; its rows by (layer, batch)."""
    rows = page.results.rows(
        "SELECT layer, batch, b_r, b_p, k, residency, latency_s FROM layers WHERE npu = ? ORDER BY rowid", npu
    )
    layers = list(dict.fromkeys(r["layer"] for r in rows))
    batches = sorted({r["batch"] for r in rows})
    chosen = {(r["layer"], r["batch"]): r for r in rows}
    panels = [p for p in PANELS if p[0] != "residency" or len({r["residency"] for r in rows}) > 1]
    figure, axes = plt.subplots(1, len(panels), figsize=(1 + 3.8 * len(panels), 8.2), sharey=True)
    for axis, (key, title) in zip(axes, panels):
        values = [[chosen[layer, batch][key] for batch in batches] for layer in layers]
        found = {v for line in values for v in line}
        draw(
            figure, axis, values, [r for r in RESIDENCIES if r in found] if key == "residency" else sorted(found | {1})
        )
        axis.set_title(title)
        axis.set_xticks(range(len(batches)), batches, fontsize=7)
        axis.set_xlabel("batch size")
        axis.grid(False)
    axes[0].set_yticks(range(len(layers)), layers, fontsize=5)
    figure.suptitle(f"ee_resnet50 on {npu}")
    figure.tight_layout()
    page.save(figure, "" if npu == "zu7ev_large" else f"_{npu}")
    return rows


def share(rows, holds):
    return 100 * sum(map(holds, rows)) / len(rows)


def make(page):
    rows, buffered = control_block(page, "zu7ev_large"), control_block(page, "zu7ev_buffered")
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
