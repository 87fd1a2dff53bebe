#!/usr/bin/python3
"""Heat map of the chosen stacking factor k and number of blocks B_P over layers and batch sizes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import figures  # noqa: E402
from figures import plt  # noqa: E402


def make(page):
    rows = page.results.rows("SELECT layer, batch, b_r, b_p, k, latency_s FROM layers ORDER BY rowid")
    layers = list(dict.fromkeys(r["layer"] for r in rows))
    batches = sorted({r["batch"] for r in rows})
    chosen = {(r["layer"], r["batch"]): r for r in rows}
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 8.2), sharey=True)
    for axis, key, title in ((axes[0], "k", "stacking factor k"), (axes[1], "b_p", "blocks side by side, B_P")):
        values = [[chosen[layer, batch][key] for batch in batches] for layer in layers]
        levels = sorted({v for line in values for v in line})
        image = axis.imshow([[levels.index(v) for v in line] for line in values], aspect="auto", cmap="cividis",
                            vmin=-0.5, vmax=len(levels) - 0.5, interpolation="nearest")
        for y, line in enumerate(values):
            for x, value in enumerate(line):
                if value > 1:
                    dark = levels.index(value) < 0.6 * len(levels)
                    axis.text(x, y, value, ha="center", va="center", fontsize=5, color="white" if dark else "black")
        axis.set_title(title)
        axis.set_xticks(range(len(batches)), batches, fontsize=7)
        axis.set_xlabel("batch size")
        axis.grid(False)
        bar = figure.colorbar(image, ax=axis, ticks=range(len(levels)), shrink=0.4)
        bar.ax.set_yticklabels(levels)
    axes[0].set_yticks(range(len(layers)), layers, fontsize=5)
    figure.tight_layout()
    page.save(figure)
    count = len(rows)
    stacked = sum(r["k"] > 1 for r in rows)
    blocks = sum(r["b_p"] > 1 for r in rows)
    single = [r for r in rows if r["batch"] == 1]
    page.seen(f"""At batch 1 the control block stacks {sum(r['k'] > 1 for r in single)} of {len(single)} layers, those whose output has fewer rows than the tile;
        over all batch sizes {100 * stacked / count:.0f} % of the entries are stacked and {100 * blocks / count:.0f} % use more than one block. As the batch
        grows, rows fill the tiles by themselves, and k falls back to 1 from the early layers on: it pays to choose again for every layer and batch
        size.""")


figures.main("control_block", "The control block's choices", make)
