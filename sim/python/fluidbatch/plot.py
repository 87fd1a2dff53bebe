"""Pictures of results: latency and late requests against the load, an interval of a run, and how busy NPUs are.

    ax = fb.plot.load_latency("runs/sweep.sqlite", metric="p99_latency_s")
    ax.figure.savefig("latency.svg")

Each function draws into `ax`, or into a figure of its own that pyplot does not know, and returns the Axes; a notebook
shows these as a picture. matplotlib (Debian: python3-matplotlib) is imported when something is drawn.

A colour, with its marker and dash, is a system's, in all plots of a session alike (`look`). What was not measured is
marked and never drawn as a value: saturated systems with a cross at the upper edge, a share of which nothing was seen
with a triangle at its bound.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from . import _core
from ._intervals import interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ._results import Results

__all__ = ["load_latency", "look", "timeline", "utilisation", "violations"]

# Okabe and Ito's colours, without the yellow, which is too light for lines on white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#000000")
_MARKERS = ("o", "s", "D", "^", "P")
_DASHES = ("-", "--", "-.", ":")
_systems: dict[str, int] = {}  # in the order in which plots met them


def look(system: str) -> dict[str, Any]:
    """Colour, marker and line style of a system, as keywords of matplotlib's `plot`. The first systems that are met get
    the colours that are easiest to tell apart; from the eighth on colours come again with other markers and dashes.

    system: its label.
    """
    index = _systems.setdefault(system, len(_systems))
    return {"color": _COLOURS[index % len(_COLOURS)], "marker": _MARKERS[index % len(_MARKERS)],
            "linestyle": _DASHES[index % len(_DASHES)], "markersize": 4.5, "linewidth": 1.4}


def _axes(ax: Axes | None, width: float = 5.6, height: float = 3.6) -> Any:
    from ._axes import grid, new_axes

    ax = new_axes(width, height) if ax is None else ax
    grid(ax)
    return ax


def _scale(metric: str) -> tuple[float, str]:
    """What to multiply a statistic by, and its label with the unit."""
    units = {name: unit for name, unit, *_ in _core.all_statistics()}
    words = metric
    for ending in ("_s", "_hz", "_js", "_j", "_w"):
        words = words.removesuffix(ending)
    words = words.replace("_", " ")
    unit = units.get(metric, "s" if metric.endswith("_s") else "1")
    if unit == "s":
        return 1000.0, f"{words} (ms)"
    return 1.0, words if unit in ("1", words) else f"{words} ({unit})"


def _mark_saturated(ax: Any, places: dict[str, list[Any]]) -> None:
    """Crosses at the upper edge, of each system in a row of its own."""
    rows = 0
    for system, points in places.items():
        lost = [place.x for place in points if place.saturated]
        if not lost:
            continue
        height = 0.97 - 0.04 * rows
        ax.plot(lost, [height] * len(lost), marker="x", linestyle="none", color=look(system)["color"], markersize=6,
                transform=ax.get_xaxis_transform(), zorder=3)
        rows += 1
    if rows:
        ax.plot([], [], marker="x", linestyle="none", color="#555555",
                label="saturated: no value that\ndoes not depend on the length")


def _draw_lines(ax: Any, places: dict[str, list[Any]], factor: float, drawn: Any) -> None:
    """A line and a band for each system, through the places for which `drawn` holds; the line has a gap at others."""
    for system, points in places.items():
        xs = [place.x for place in points]
        means, lows, highs = [], [], []
        for place in points:
            found = interval(place.values) if drawn(place) else interval([math.nan])
            width = found.half_width if math.isfinite(found.half_width) else 0.0
            means.append(factor * found.mean)
            lows.append(factor * (found.mean - width))
            highs.append(factor * (found.mean + width))
        style = look(system)
        ax.plot(xs, means, label=system, markerfacecolor="none", **style)
        ax.fill_between(xs, lows, highs, color=style["color"], alpha=0.2, linewidth=0)


def _mark_unseen(ax: Any, places: dict[str, list[Any]]) -> None:
    """Triangles at the bounds of shares of which nothing was seen, of each system a little beside those of others."""
    from matplotlib.transforms import ScaledTranslation

    style: dict[str, Any] = {"linestyle": "none", "marker": "v", "markersize": 6, "markerfacecolor": "none"}
    unseen: list[int] = []
    for index, (system, points) in enumerate(places.items()):
        none = [place for place in points if place.values and not any(place.values) and not place.saturated]
        requests = [sum(place.requests) for place in none]
        unseen += requests
        points_aside = 7.0 * (index - (len(places) - 1) / 2)
        aside = ScaledTranslation(points_aside / 72, 0, ax.figure.dpi_scale_trans)
        at = [(place.x, 100.0 * _core.none_of(count)) for place, count in zip(none, requests)]
        ax.plot([x for x, _ in at], [y for _, y in at], color=look(system)["color"], transform=ax.transData + aside,
                **style)
        if at:  # the limits of the axes would leave out what is moved aside
            ax.update_datalim(at)
    ax.autoscale_view()
    if unseen:
        least, most = min(unseen), max(unseen)
        count = f"{least:,}" if least == most else f"{least:,} to {most:,}"
        ax.plot([], [], color="#555555", label=f"none seen in {count}\nrequests: at most 3 / requests", **style)


def _finish(ax: Any, x: str) -> None:
    from ._axes import legend_beside
    from ._points import LOADS

    ax.set_xlabel(LOADS.get(x.rsplit(".", 1)[-1], x))
    legend_beside(ax)


def load_latency(results: Any, metric: str = "mean_latency_s", x: str | None = None, ax: Axes | None = None) -> Axes:
    """A statistic against the load, a line for each system.

    results: the path of a sweep's results, or a table with a row for each point, such as `fb.results` gives.
    metric: the name of a statistic (docs/metrics.md). Seconds are drawn as milliseconds.
    x: the axis of the sweep that is the load, by its key; default: the only one that is called rho, load or rate_hz, or
        the only one of numbers.
    ax: the Axes to draw into; default: new ones.

    A line goes through the means over replications; the band is their 95 % interval (Student's t; none of a single
    one). A place where any replication is saturated has a cross at the upper edge, and no value. Raises InputError for
    an unknown statistic or axis, and where points of different settings fall on one place.
    """
    from ._points import frame_of, places_of

    key, places = places_of(frame_of(results), metric, x)
    ax = _axes(ax)
    factor, label = _scale(metric)
    _draw_lines(ax, places, factor, lambda place: place.values and not place.saturated)
    _mark_saturated(ax, places)
    ax.set_ylabel(label)
    _finish(ax, key)
    return ax


def violations(results: Any, x: str | None = None, ax: Axes | None = None) -> Axes:
    """The share of late requests against the load, on a logarithmic scale, a line for each system.

    results, x, ax: as for `load_latency`. Dropped requests count as late.

    Where no replication had a late request, a hollow triangle marks how many there may be with 95 % confidence, by the
    rule of three: 3 over the number of requests in all replications, as if these were independent; late ones come in
    bursts, for which that is too low a bound.
    """
    from ._points import frame_of, places_of

    key, places = places_of(frame_of(results), "slo_violation_rate", x)
    ax = _axes(ax)
    ax.set_yscale("log", nonpositive="clip")
    _draw_lines(ax, places, 100.0, lambda place: sum(place.values) > 0 and not place.saturated)
    _mark_unseen(ax, places)
    _mark_saturated(ax, places)
    ax.set_ylabel("late requests (%)")
    _finish(ax, key)
    return ax


_MOST_BOXES = 3000


def timeline(results: Results, label: str | None = None, first_s: float = 0.0, last_s: float = math.inf,
             ax: Axes | None = None) -> Axes:
    """What each NPU did between two dates: a box is a batch in a segment, above, or suspended, hatched, below. Its
    colour and its number are the size of the batch.

    results: of a run with `timeline=True`.
    label: the system; may be left out where there is one.
    first_s, last_s: dates of the simulation, in seconds. Raises InputError where more than 3,000 boxes would be drawn.
    ax: the Axes to draw into; default: new ones.
    """
    from ._timeline import boxes_of, draw_boxes

    rows, boxes = boxes_of(results.timeline(label), first_s, last_s)
    if len(boxes) > _MOST_BOXES:
        raise _core.InputError(f"last_s: {len(boxes):,} boxes, more than {_MOST_BOXES:,}: choose a shorter time")
    ax = _axes(ax, 9.0, 1.1 + 0.45 * len(rows))
    draw_boxes(ax, rows, boxes)
    ends = [end for _, _, end, *_ in boxes]
    ax.set_xlim(first_s, last_s if math.isfinite(last_s) else max(ends, default=first_s + 1.0))
    ax.set_xlabel("time (s)")
    return ax


def utilisation(results: Results, ax: Axes | None = None) -> Axes:
    """How busy the NPU is, by system: the share of time in which it runs a batch, light, and of that busy time the
    share of its multiply-accumulate units that do useful work, dark.

    results: of a run.
    ax: the Axes to draw into; default: new ones.

    MAC utilisation is not defined where latencies come from a measured table; that is written beside the bar.
    """
    from ._axes import Patch, legend_beside

    table = results.table
    ax = _axes(ax, 5.6, 0.9 + 0.6 * len(table))
    kinds = (("busy_fraction", 0.2, 0.4), ("mac_utilisation", -0.2, 1.0))
    for row, system in enumerate(table):
        for name, offset, strength in kinds:
            share = float(system[name])
            known = not math.isnan(share)
            ax.barh(-row + offset, 100 * share if known else 0, height=0.36, alpha=strength,
                    color=look(system["system"])["color"])
            ax.annotate(f"{100 * share:.0f}" if known else "not defined", (100 * share if known else 0, -row + offset),
                        xytext=(3, 0), textcoords="offset points", va="center", fontsize=8)
    ax.set_yticks([-row for row in range(len(table))],
                  [system["system"] + ("\n(saturated)" if system["saturated"] else "") for system in table])
    ax.set_xlim(0, 108)
    ax.set_xticks(range(0, 101, 20))
    ax.set_xlabel("utilisation (%)")
    ax.grid(False, axis="y")
    words = ("busy: share of time", "MACs: share of the\nbusy time")
    legend_beside(ax, [Patch(facecolor="#555555", alpha=strength, label=text)
                       for (_, _, strength), text in zip(kinds, words)])
    return ax
