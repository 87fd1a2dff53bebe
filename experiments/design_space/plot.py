"""Pareto sets of latency at batch 1 against throughput at batch 8, per mode, on two boards."""

import figures
from figures import plt

MODES = ("r", "p", "fluid", "r_stacked", "fluid_stacked")


def make(page):
    boards = [r["board"] for r in page.results.rows("SELECT DISTINCT board FROM designs ORDER BY board DESC")]
    figure, axes = plt.subplots(1, len(boards), figsize=(8.4, 3.4), squeeze=False)
    for axis, board in zip(axes[0], boards):
        for mode in MODES:
            rows = page.results.rows(
                "SELECT throughput_hz, latency_b1_s FROM designs WHERE board = ? AND mode = ? AND "
                "pareto "
                "ORDER BY latency_b1_s",
                board,
                mode,
            )
            axis.plot(
                [1000 * r["latency_b1_s"] for r in rows],
                [r["throughput_hz"] for r in rows],
                **figures.look(mode, drawstyle="steps-post"),
            )
        axis.set_title(board)
        axis.set_xlabel("latency at batch 1 (ms)")
    axes[0][0].set_ylabel("samples/s at batch 8")
    figures.legend_below(figure, axes[0][0], len(MODES))
    figure.tight_layout()
    page.save(
        figure,
        caption="""Throughput at batch 8 against the latency of a single sample, of the designs that no other beats in
        both, for each mode on each board. Each corner of a step is a design: a choice of tiles.""",
        alternative="""Two panels of rising steps, one for each board. The stacked modes reach lower latencies and
        somewhat higher throughputs than r and fluid, which are one line, and mode p lies lowest.""",
    )
    best = {(r["board"], r["mode"]): r for r in page.results.rows("SELECT * FROM designs WHERE rank = 1")}
    page.table(
        "The best design for batches of 1, 2, 4 and 8 alike",
        [
            "board",
            "mode",
            "T_R, T_P, T_C",
            "DSPs",
            "mean latency per sample (ms)",
            "latency at batch 1 (ms)",
            "samples/s at batch 8",
        ],
        [
            [
                board,
                mode,
                f"{b['t_r']}, {b['t_p']}, {b['t_c']}",
                b["dsps"],
                f"{1000 * b['latency_per_sample_s']:.2f}",
                f"{1000 * b['latency_b1_s']:.2f}",
                f"{b['throughput_hz']:.1f}",
            ]
            for board in boards
            for mode in MODES
            for b in [best[board, mode]]
        ],
    )

    def gain(board, key):
        return best[board, "r"][key] / best[board, "fluid_stacked"][key]

    page.seen(
        "Where each mode may choose its own tiles, r needs "
        + " and ".join(
            f"{gain(b, 'latency_per_sample_s'):.2f} times the time of fluid_stacked on {b} "
            f"({gain(b, 'latency_b1_s'):.2f} times at batch 1)"
            for b in boards
        )
        + """. That is less than on a given engine with tall tiles: a search for R-batching picks tiles that waste
              little by themselves. Stacking and fluid batching make one engine good for all layers and batch sizes;
              they do not beat a tile that was cut for the job by as much."""
    )


def main():
    figures.main("design_space", "Design space", make)
