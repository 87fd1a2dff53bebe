"""Sweeps: a configuration over axes of its keys, into one SQLite file, and that file as a data frame."""

from __future__ import annotations

import json
import os
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Union

from . import _core
from ._progress import Progress
from ._results import Overrides, PathLike, Scenario, merged_overrides, wrong_argument

if TYPE_CHECKING:
    import pandas

#: The tables and views of a results file that `results` gives, by the names of its argument.
_TABLES = {"points": "results", "results": "results", "part_results": "part_results", "parts": "parts",
           "settings": "settings", "runs": "runs", "files": "files", "sweep": "sweep"}

#: Columns that have JSON.
_LISTS = ("exit_shares", "exit_accuracies", "segment_batches")


class SweepPlan(NamedTuple):
    """What a sweep would do."""

    #: Combinations of the axes' values.
    settings: int
    #: Of setting and system, in the part that was asked for.
    pairs: int
    #: One for each pair and replication; with `until`, the least.
    points: int
    #: Of these points; NaN where a length is given in seconds and no rate is known.
    requests: float


class SweepOutcome(NamedTuple):
    """What a sweep did."""

    #: Points that were run now.
    run: int
    #: That the file had already.
    before: int
    #: That are left, because of `limit` or of a signal.
    left: int
    #: Of those that were run now; the table points has their messages.
    failed: int


class Sweep:
    """A sweep, read and checked.

    `sweep` is the path of a YAML file or a dict with the same keys (docs/sweeps.md). In a dict, `base` is a path, a
    dict with the keys of a configuration, or a Scenario; paths are relative to the current folder. `set` overrides
    keys of the base, as `--set` does: {"requests": 1000}; keywords do the same, with two underscores for a dot.
    Raises InputError. What is legal and yet unlikely to be meant is a warning.
    """

    def __init__(self, sweep: Union[PathLike, dict[str, Any]], set: Overrides | None = None,
                 **overrides: Any) -> None:
        if isinstance(sweep, dict) and isinstance(sweep.get("base"), Scenario):
            sweep = {**sweep, "base": sweep["base"]._core}
        self._core = _core.read_sweep(sweep, merged_overrides(set, overrides))
        for warning in self._core.warnings():
            warnings.warn(warning, stacklevel=2)

    @property
    def axes(self) -> list[str]:
        """The keys that are varied, in their order."""
        return list(self._core.keys)

    @property
    def settings(self) -> int:
        """The number of combinations of the axes' values."""
        return int(self._core.settings)

    @property
    def points(self) -> int:
        """The number of points: of systems under settings, times the replications (with `until`: the least). Reads the
        configurations of all settings."""
        return self.plan().points

    def plan(self, shard: tuple[int, int] | None = None, driver: str | None = None) -> SweepPlan:
        """What `run` would do, as `fluidbatch sweep --dry-run` says it. Reads the configurations of all settings, and
        raises InputError for the first that is wrong. Arguments are as for `run`."""
        plan = _core.plan_sweep(self._core, shard, driver)
        return SweepPlan(plan.settings, plan.pairs, plan.points, plan.requests)

    def run(self, out: PathLike, jobs: int | None = None, resume: bool = False,
            progress: bool | Callable[[int, int | None], None] = False, driver: str | None = None,
            shard: tuple[int, int] | None = None, limit: int | None = None) -> SweepOutcome:
        """Runs the points that the file `out` lacks, each in a process of its own, as `fluidbatch sweep` does.

        out: an SQLite file, which must not exist yet, unless with `resume`.
        jobs: processes at a time; default: one for each core.
        resume: go on with a file of the same sweep; failed points are tried again.
        progress: True for a bar or a line, or a function that is told how many points are done, and of how many (with
            `until` these may become more).
        driver: "bare", "simgrid" or "simgrid_window"; all give the same rows.
        shard: (i, n) runs part i, from 1, of n.
        limit: start no more points than that.

        In the main thread Ctrl-C ends it in order: what is finished is in the file, then KeyboardInterrupt is raised.
        SIGTERM and SIGHUP do the same there, and are then answered as they would have been before. Raises InputError;
        of a point that fails the message is recorded, and that there are such points is a warning.
        """
        in_main_thread = threading.current_thread() is threading.main_thread()
        with Progress.of(progress, None, "points") as line:
            told = (lambda done, planned, failed: line.update(done, planned)) if line.wanted else None
            outcome = _core.run_sweep(self._core, os.fspath(out), jobs, resume, shard, driver, limit, told,
                                      in_main_thread)
            line.update(outcome.run)
        if outcome.failed:
            warnings.warn(f"{outcome.failed} point{'s' if outcome.failed > 1 else ''} failed: the column `message` of "
                          "fb.results has the reasons", stacklevel=2)
        return SweepOutcome(outcome.run, outcome.before, outcome.left, outcome.failed)

    def __repr__(self) -> str:
        return f"<fluidbatch.Sweep of {self.settings} setting{'' if self.settings == 1 else 's'}>"


def results(file: PathLike, table: str = "points") -> pandas.DataFrame:
    """The results of a sweep as a data frame.

    file: what Sweep.run or `fluidbatch sweep` has written; it may be unfinished.
    table: "points" has a row for each point: its number, setting, system, replication, seed, status, every statistic
        (docs/metrics.md; NaN where not defined) and a column for each axis, named by its key. "part_results" has a
        row for each service and each NPU of a site, likewise. The other tables are as docs/sweeps.md describes them:
        "parts", "settings", "runs", "files", "sweep".

    `saturated` is a truth value, missing where a point has failed; lists, such as exit_shares, are lists. Rows are in
    order of their points. Raises InputError where the file is not one of a sweep, or a sweep is at work on it;
    ImportError where pandas (Debian: python3-pandas) is not there.
    """
    import sqlite3

    pandas = _pandas()
    if table not in _TABLES:
        raise wrong_argument("table", f"there is no {table!r}; allowed: {', '.join(map(repr, _TABLES))}")
    path = Path(file)
    if not path.is_file():
        raise _core.InputError(f"{path}: no such file")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        rows = connection.execute(f"SELECT * FROM {_TABLES[table]} ORDER BY 1, 2")
        frame = pandas.DataFrame.from_records(rows.fetchall(), columns=[column[0] for column in rows.description])
    except sqlite3.DatabaseError as error:
        raise _core.InputError(f"{path}: can't be read as the results of a sweep: {error}") from None
    finally:
        connection.close()
    return _typed(frame)


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ImportError("fluidbatch.results needs pandas (Debian: python3-pandas)") from error
    return pandas


def _typed(frame: Any) -> Any:
    """The columns as what they are: SQLite has neither truth values nor lists, and a column of NULLs has no type."""
    numbers = {name for name, *_ in _core.all_statistics()}
    for name in frame.columns:
        if name == "saturated":
            frame[name] = frame[name].astype("Int64").astype("boolean")
        elif name in _LISTS:
            frame[name] = [None if text is None else json.loads(text) for text in frame[name]]
        elif name in numbers or "_tail" in name or name == "tail_events":
            frame[name] = frame[name].astype("float64")
    return frame
