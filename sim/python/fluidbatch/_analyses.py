"""Results side by side, the highest loads, rare latencies and optima."""

from __future__ import annotations

import html
import os
from typing import TYPE_CHECKING, Any, Callable, Iterable, Mapping, Sequence, Union

from . import _core
from ._progress import Progress
from ._results import Overrides, PathLike, Scenario, scenario_of, wrong_argument

if TYPE_CHECKING:
    from ._records import Records

Config = Union[PathLike, "dict[str, Any]", Scenario]


def _records(columns: Mapping[str, Sequence[Any]]) -> Records:
    from ._records import records_of

    return records_of(columns)


def _labelled(label: str | None, labels: Sequence[str]) -> str:
    """`label`, or the only one there is."""
    if label is None and len(labels) == 1:
        return labels[0]
    if label is not None and label in labels:
        return label
    known = ", ".join(map(repr, labels))
    raise KeyError(f"which system? there are {known}" if label is None else f"no system {label!r}; there are {known}")


def _notes_html(notes: Iterable[str]) -> str:
    return "".join(f"<p>{html.escape(note)}</p>" for note in notes)


def _as_numbers(texts: Sequence[str]) -> Sequence[Any]:
    """The values of an axis, as numbers where all are."""
    for kind in (int, float):
        try:
            return [kind(text) for text in texts]
        except ValueError:
            pass
    return texts


class Comparison:
    """Metrics of a sweep's results, systems (or other values of one axis) side by side; made by `compare`."""

    def __init__(self, found: dict[str, Any], metrics: Sequence[str], by: str) -> None:
        self._axes: list[str] = found["axes"]
        self._columns: list[str] = found["columns"]
        self._metrics = list(metrics)
        self._by = by
        self._table = _records({name: self._values(name, values) for name, values in found["table"].items()})
        self.notes: list[str] = [*([found["unfinished"].strip()] if found["unfinished"] else []),
                                 *(f"{metric}: not defined at any point: {why}" for metric, why in found["undefined"])]

    def _values(self, name: str, values: Sequence[Any]) -> Sequence[Any]:
        """Those of a column of the table."""
        return _as_numbers(values) if name in (*self._axes, self._by) and name != "system" else values

    @property
    def table(self) -> Records:
        """A row for each metric, values of the other axes, and value of `by`: the columns of `compare --csv`.

        The axes and `by`, under their keys; metric, unit; replications; mean over them and ci95, half of its 95 %
        interval, with its ends low and high; ratio to the base, paired by replication, with ratio_low and ratio_high;
        best of its row; saturated and base_saturated: the number depends on the length of the run; upper: a bound
        where not one request counted; drop_rate. NaN: not defined. See docs/sweeps.md#comparing."""
        return self._table

    @property
    def axes(self) -> list[str]:
        """The axes other than `by` that more than one value was given for."""
        return list(self._axes)

    @property
    def columns(self) -> list[str]:
        """The values of `by` that stand side by side; the base first."""
        return list(self._columns)

    def __repr__(self) -> str:
        rows = [f"<fluidbatch.Comparison of {', '.join(self._metrics)} by {self._by}>"]
        for row in self._table:
            where = ", ".join(f"{axis}={row[axis]}" for axis in self._axes)
            rows.append(f"  {row['metric']}{' at ' + where if where else ''}, {row[self._by]}: {_value_text(row)}"
                        f"{_ratio_text(row)}{' best' if row['best'] else ''}{' saturated' if row['saturated'] else ''}")
        return "\n".join([*rows, *self.notes])

    def _repr_html_(self) -> str:
        """A table for each metric: a row for each combination of the axes' values, a column for each value of `by`; the
        best of a row in bold, * for saturated."""
        parts = [self._metric_html(metric) for metric in self._metrics]
        marks = []
        if self._table["best"].any():
            marks.append("bold: best of its row; ratios are to the first column, with 95 % intervals")
        if self._table["saturated"].any():
            marks.append("* saturated: the numbers depend on the length of the run")
        return "".join(parts) + _notes_html([*self.notes, *marks])

    def _metric_html(self, metric: str) -> str:
        mine = self._table[self._table["metric"] == metric]
        rows: dict[tuple[str, ...], dict[str, str]] = {}
        for row in mine:
            text = html.escape(_value_text(row) + _ratio_text(row)) + (" *" if row["saturated"] else "")
            cells = rows.setdefault(tuple(str(row[axis]) for axis in self._axes), {})
            cells[str(row[self._by])] = f"<b>{text}</b>" if row["best"] else text
        columns = [str(value) for value in self._values(self._by, self._columns)]
        head = "".join(f"<th>{html.escape(name)}</th>" for name in (*self._axes, *columns))
        body = "".join("<tr>" + "".join(f"<td>{html.escape(value)}</td>" for value in values)
                       + "".join(f"<td>{cells.get(name, '-')}</td>" for name in columns) + "</tr>"
                       for values, cells in rows.items())
        unit = str(mine["unit"][0]) if len(mine) else ""
        return (f"<table><caption>{html.escape(metric)} ({html.escape(unit)})</caption>"
                f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _value_text(row: Any) -> str:
    if row["mean"] != row["mean"]:
        return "n/a"
    if row["upper"] == row["upper"]:
        return f"{row['mean']:.4g} (≤ {row['upper']:.2g})"
    return f"{row['mean']:.4g}" + (f" ±{row['ci95']:.2g}" if row["ci95"] == row["ci95"] else "")


def _ratio_text(row: Any) -> str:
    if row["ratio"] != row["ratio"]:
        return ""
    ends = f" [{row['ratio_low']:.3g}, {row['ratio_high']:.3g}]" if row["ratio_low"] == row["ratio_low"] else ""
    return f", {row['ratio']:.3g}x{ends}"


def compare(file: PathLike, metrics: str | Sequence[str], by: str = "system", base: str | None = None) -> Comparison:
    """Results of a sweep side by side, as `fluidbatch compare` has them.

    file: what Sweep.run or `fluidbatch sweep` has written.
    metrics: the name of a statistic (docs/metrics.md) or of a column of tails, or several.
    by: whose values stand side by side: "system", the key of an axis or, of sites, "service" or "npu".
    base: the value that ratios are to; default: the first.

    Raises InputError.
    """
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    if not names:
        raise wrong_argument("metrics", "at least one is needed")
    return Comparison(_core.compare(os.fspath(file), names, by, "" if base is None else str(base)), names, by)


class Capacities:
    """The highest loads at which systems hold their SLO; made by `capacity`."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.key: str = found["key"]
        self._table = _records(found["table"])
        self._probes = _records(found["probes"])

    @property
    def table(self) -> Records:
        """A row for each system and seed (the number of the search, from 0): value, the highest load that was shown to
        hold, of the key that was raised (0 where none did); endless: even the highest that was tried holds;
        fails_from, the lowest load that surely fails (NaN: none was met); throughput_hz and late_share of the runs at
        value (NaN where none held), and of sites the service that this share is of; loads and runs that it took;
        energy_per_request_j and average_power_w at value (NaN: no energies)."""
        return self._table

    @property
    def probes(self) -> Records:
        """A row for each load that was tried and each service with an SLO: the columns of `capacity --csv`."""
        return self._probes

    @property
    def labels(self) -> list[str]:
        """Labels of the systems."""
        return list(dict.fromkeys(str(label) for label in self._table["system"]))

    def value(self, label: str | None = None) -> float:
        """The capacity of a system, in units of the key that was raised; of several seeds, their mean, in which a
        search that found none counts as 0. No label is needed where there is one system. Raises KeyError."""
        label = _labelled(label, self.labels)
        return float(self._table["value"][self._table["system"] == label].mean())

    def __repr__(self) -> str:
        return "\n".join([f"<fluidbatch.Capacities: highest {self.key}>",
                          *(f"  {label}: {self.value(label):.4g}" for label in self.labels)])

    def _repr_html_(self) -> str:
        return f"<p>highest {html.escape(self.key)}</p>" + self._table._repr_html_()


def capacity(config: Config, over: str | None = None, violation_rate: float = 0.01, confidence: float = 0.99,
             tolerance: float = 0.01, whole: bool = False, most_runs: int = 64, seeds: int = 1, jobs: int | None = None,
             driver: str | None = None, set: Overrides | None = None, **overrides: Any) -> Capacities:
    """The highest load at which each system holds its SLO, as `fluidbatch capacity` finds it (docs/sweeps.md#capacity).

    config, set, overrides: as for fb.run.
    over: the key that is raised; default: workload.arrivals.rho, .rate_hz or .load, whichever there is; of sites the
        rates of all groups of devices.
    violation_rate: share of the requests that may be late, 1e-6 to 0.5; 0.01 asks for p99 <= SLO.
    confidence: of the verdict on one load, 0.5 to 0.999999.
    tolerance: of the answer, relative, 1e-6 to 1.
    whole: the key takes whole numbers, such as a count of devices.
    most_runs: at one load, to be sure of a verdict.
    seeds: how often the search is repeated, with other random draws.
    jobs: processes at a time; default: one for each core.
    driver: "bare", "simgrid" or "simgrid_window"; all give the same numbers.

    Ctrl-C ends it, and its processes. Raises InputError, PolicyError.
    """
    scenario = scenario_of(config, set, overrides)
    options = {"violation_rate": violation_rate, "confidence": confidence, "tolerance": tolerance, "whole": whole,
               "most_runs": most_runs, "seeds": seeds, "jobs": jobs, "driver": driver}
    return Capacities(_core.capacity(scenario._core, over, options))


class Tails:
    """How rare late answers are, and far quantiles of latencies; made by `tail`."""

    def __init__(self, found: dict[str, Any]) -> None:
        self._table = _records(found["table"])
        #: What the numbers don't say: systems without a tail, intervals that are wider than asked for.
        self.notes: list[str] = list(found["notes"])

    @property
    def table(self) -> Records:
        """A row for each system and estimate: the columns of `tail --csv`.

        metric: slo_violation_rate, a share, of all or of a service; or latency_p99.9, in seconds. value, and low and
        high, the ends of its 95 % interval (NaN: not known); events of the simulation that it took, crude_events that
        runs without splitting would take, and levels. reached: it is known as precisely as was asked for. A saturated
        system has no rows, and a note."""
        return self._table

    def __repr__(self) -> str:
        rows = [f"  {row['system']}: {row['metric']} {row['value']:.4g} [{row['low']:.4g}, {row['high']:.4g}]"
                for row in self._table]
        return "\n".join(["<fluidbatch.Tails>", *rows, *(f"  {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        return self._table._repr_html_() + _notes_html(self.notes)


def tail(config: Config, system: str | None = None, precision: float = 0.05, quantiles: Sequence[float] | None = None,
         max_events: float | None = None, jobs: int | None = None,
         progress: bool | Callable[[int, int | None], None] = False, set: Overrides | None = None,
         **overrides: Any) -> Tails:
    """How rare late answers are, and far quantiles of the latency, by splitting of runs, as `fluidbatch tail` has them
    (docs/tail.md).

    config, set, overrides: as for fb.run.
    system: the label of the only one that matters; default: all.
    precision: half of each 95 % interval over its estimate, 0.001 to 0.5.
    quantiles: of the latency, above 0.5 and below 1; default: 0.999, 0.9999, 0.99999.
    max_events: of the simulation of one system, after which it ends, precise or not; default: 5e8.
    jobs: processes at a time; default: one for each core. The numbers do not depend on it.
    progress: True for a bar or a line, or a function that is told of the events so far (and None: how many it takes is
        not known).

    Ctrl-C ends it, and its processes. Raises InputError, also where all systems are saturated, and PolicyError.
    """
    scenario = scenario_of(config, set, overrides)
    with Progress.of(progress, None, "events") as line:
        return Tails(_core.tail(scenario._core, system, precision, None if quantiles is None else list(quantiles),
                                max_events, jobs, line.update if line.wanted else None))


class Optima:
    """The least mean latencies that are possible, and those of the systems; made by `optimum`."""

    def __init__(self, core: _core.Optima) -> None:
        self._core = core
        self._table = _records(core.table())

    @property
    def labels(self) -> list[str]:
        """Labels of the systems."""
        return list(self._core.labels)

    @property
    def table(self) -> Records:
        """A row for each system, in seconds: the columns of `optimum --csv`.

        free_s: the least mean latency of all schedules of batches, segment by segment; fbe_s: of those that a Fluid
        Batching Engine can carry out (NaN: not known, `missing` says why); policy_mean_s: the mean of the system's own
        policy, simulated, with the ends of its 95 % interval, policy_mean_low_s and policy_mean_high_s; saturated: that
        mean depends on the length of the run."""
        return self._table

    @property
    def solutions(self) -> Records:
        """How each optimum is known, a row for each form ("free", "fbe") of each system; systems in which they are the
        same once: at_least_s and at_most_s, its bounds for queues of up to `queue`; states and iterations."""
        return _records(self._core.solutions())

    @property
    def missing(self) -> dict[str, list[str]]:
        """By label of a system, the reasons why an optimum is not known; those of which both are known are left out."""
        return {label: list(reasons) for label, reasons in self._core.missing.items()}

    @property
    def notes(self) -> list[str]:
        """What the numbers don't say: why an optimum is missing, or is no bound of the simulated mean."""
        return list(self._core.notes)

    def save(self, label: str | None, path: PathLike, own: bool = False) -> None:
        """Writes the decisions of the best Fluid Batching Engine in the place of a system as a CSV, as
        `fluidbatch optimum --save` does; with `own` those of the system's own policy. No label (None) is needed where
        there is one system. Raises KeyError, and InputError where there is no such table or the file already exists.
        """
        label = _labelled(label, self.labels)
        self._core.save(self.labels.index(label), os.fspath(path), own)

    def __repr__(self) -> str:
        rows = [f"  {row['system']}: free {1000 * row['free_s']:.5g} ms, fbe {1000 * row['fbe_s']:.5g} ms, "
                f"its mean {1000 * row['policy_mean_s']:.5g} ms" for row in self._table]
        return "\n".join(["<fluidbatch.Optima>", *rows, *(f"  {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        return self._table._repr_html_() + _notes_html(self.notes)


def optimum(config: Config, system: str | None = None, set: Overrides | None = None, **overrides: Any) -> Optima:
    """The least mean latency that any policy could have, computed, and the systems' own, simulated, as
    `fluidbatch optimum` has them.

    config, set, overrides: as for fb.run.
    system: the label of the only one that matters; default: all.

    Ctrl-C ends it. Raises InputError, also where no system has an optimum that is known, and PolicyError.
    """
    return Optima(_core.optimum(scenario_of(config, set, overrides)._core, system))
