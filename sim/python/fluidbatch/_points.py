"""The points of a sweep, put together for plots: by system and by place on an axis."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _core

#: The last words of the keys that are a load, the usual ones first.
LOADS = {"rho": "offered load rho", "load": "load", "rate_hz": "arrival rate (1/s)"}

#: Columns of `results` that are neither statistics nor axes.
_OTHERS = {"point", "setting", "system", "replication", "seed", "status", "message", "policy", "npu", "npu_mode",
           "network", "version", "admitted", "saturated", "exit_shares", "exit_accuracies", "segment_batches",
           "configuration"}


@dataclass
class Place:
    """All replications of one system at one place of the axis."""

    x: float
    values: list[float] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    saturated: bool = False  # one of them


def frame_of(results: Any) -> Any:
    """`results` as a table of points: one already (a data frame or Records), or read from the path of a sweep's file.
    """
    if isinstance(results, (str, os.PathLike)):
        import fluidbatch

        return fluidbatch.results(results)
    if hasattr(results, "columns"):
        return results
    raise _core.InputError("results: must be the path of a sweep's results or a table of points such as fb.results "
                           f"gives, found {type(results).__name__}")


def axes_of(frame: Any) -> list[str]:
    """Names of the columns that are axes of the sweep."""
    statistics = {name for name, *_ in _core.all_statistics()}
    return [name for name in frame.columns
            if name not in _OTHERS and name not in statistics and "tail" not in name]


def _axis(frame: Any, x: str | None) -> str:
    axes = axes_of(frame)
    if x is not None:
        if x in frame.columns:
            return x
        raise _core.InputError("x: " + _core.unknown_word("axis", x, axes))
    loads = [name for name in axes if name.rsplit(".", 1)[-1] in LOADS]
    numeric = [name for name in axes if np.asarray(frame[name]).dtype.kind in "iuf"]
    for candidates in (loads, numeric):
        if len(candidates) == 1:
            return candidates[0]
    raise _core.InputError(f"x: which axis? There are {', '.join(axes) or 'none'}")


def _check_unmixed(frame: Any, rows: list[int], x: str, system: str) -> None:
    """One place of the axis has replications of one setting, or a mean over them would mix what differs."""
    for name in axes_of(frame):
        values = np.asarray(frame[name])[rows]
        if name != x and len({str(value) for value in values}) > 1:
            first = values[0] if isinstance(values[0], str) else f"{values[0]:g}"
            raise _core.InputError(f"results: points of '{system}' at one {x} differ in {name}; draw one value at a "
                                   f"time, as in results[results['{name}'] == {first!r}]")


def places_of(frame: Any, metric: str, x: str | None) -> tuple[str, dict[str, list[Place]]]:
    """The axis, and by system its places in rising order, of the points that are done. Raises InputError where a column
    is missing, and where one place has points of several settings."""
    if metric not in frame.columns:
        numbers = [name for name, *_ in _core.all_statistics() if name in frame.columns]
        raise _core.InputError("metric: " + _core.unknown_word("statistic", metric, numbers))
    x = _axis(frame, x)
    column = {name: np.asarray(frame[name]) for name in ("system", x, metric, "saturated", "requests")}
    done = np.asarray(frame["status"]) == "done" if "status" in frame.columns else np.ones(len(frame), bool)
    rows: dict[tuple[str, float], list[int]] = {}
    for row in np.flatnonzero(done):
        rows.setdefault((str(column["system"][row]), float(column[x][row])), []).append(int(row))
    found: dict[str, list[Place]] = {}
    for (system, position), members in rows.items():
        _check_unmixed(frame, members, x, system)
        place = Place(position, saturated=bool(column["saturated"][members].any()))
        for row in members:
            value = column[metric][row]
            if value is not None and not np.isnan(float(value)):
                place.values.append(float(value))
                place.requests.append(int(column["requests"][row]))
        found.setdefault(system, []).append(place)
    return x, {system: sorted(places, key=lambda place: place.x) for system, places in found.items()}
