"""Boxes of a timeline. Imports matplotlib, so that it is imported late."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence


class Box(NamedTuple):
    """A batch in a segment or suspended."""

    row: int
    begin_s: float
    end_s: float
    batch: int
    suspended: bool


def boxes_of(events: Sequence[Mapping[str, Any]], first_s: float, last_s: float) -> tuple[list[str], list[Box]]:
    """The names of the rows, and the boxes that reach into the time from first_s to last_s. Batches that are suspended
    at the same time have rows of their own, the one that was suspended first above."""
    tracks = {event["tid"]: event["args"]["name"] for event in events
              if event["name"] == "thread_name" and event["args"]["name"] != "requests"}
    slices: dict[int, list[tuple[float, float, int]]] = {track: [] for track in tracks}
    for event in events:
        if event["ph"] != "X":
            continue
        begin_s, end_s = 1e-6 * event["ts"], 1e-6 * (event["ts"] + event["dur"])
        if end_s >= first_s and begin_s <= last_s:
            of = event["args"]
            slices[event["tid"]].append((begin_s, end_s, of.get("batch", of.get("B_old", of.get("samples")))))
    rows: list[str] = []
    boxes: list[Box] = []
    for track, name in sorted(tracks.items()):
        suspended = name.endswith("suspended batches")
        levels: list[float] = [0.0] if not suspended else []  # when each row of the track is free again
        first = len(rows)
        for begin_s, end_s, batch in sorted(slices[track]):
            # A last digit of begin and end may differ, which is no overlap.
            level = next((i for i, free_s in enumerate(levels) if free_s <= begin_s + 1e-9), len(levels))
            if level == len(levels):
                levels.append(end_s)
            levels[level] = end_s
            boxes.append(Box(first + level, begin_s, end_s, batch, suspended))
        rows += [name if level == 0 else f"{name} ({level + 1})" for level in range(len(levels))]
    return rows, boxes


def draw_boxes(ax: Any, rows: Sequence[str], boxes: Sequence[Box]) -> None:
    """Draws them, the first row at the top; numbers only where they fit."""
    from matplotlib import colormaps

    from ._axes import Patch, Rectangle, legend_beside

    sizes = sorted({box.batch for box in boxes})
    colour = {size: colormaps["Purples"](0.35 + 0.65 * (size - 1) / max(sizes[-1] - 1, 7)) for size in sizes}
    width_s = max((box.end_s for box in boxes), default=1.0) - min((box.begin_s for box in boxes), default=0.0)
    for box in boxes:
        ax.add_patch(Rectangle((box.begin_s, -box.row - 0.4), box.end_s - box.begin_s, 0.8, facecolor=colour[box.batch],
                               edgecolor="white", linewidth=0.3, hatch="////" if box.suspended else None))
        if box.end_s - box.begin_s > 0.012 * width_s:
            red, green, blue, _ = colour[box.batch]
            dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.5
            ax.text((box.begin_s + box.end_s) / 2, -box.row, str(box.batch), ha="center", va="center", fontsize=8,
                    color="white" if dark else "black", clip_on=True)
    ax.set_yticks([-row for row in range(len(rows))], rows)
    ax.set_ylim(-len(rows) + 0.4, 0.6)
    ax.grid(False, axis="y")
    handles = [Patch(facecolor=colour[size], label=f"batch of {size}") for size in sizes]
    if any(box.suspended for box in boxes):
        handles.append(Patch(facecolor="#bbbbbb", edgecolor="white", hatch="////", label="suspended"))
    legend_beside(ax, handles)
