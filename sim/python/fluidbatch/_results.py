"""Runs and what they give."""

from __future__ import annotations

import html
import json
import os
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterable, Mapping, Sequence, Union

from . import _core
from ._progress import Progress

if TYPE_CHECKING:
    from ._records import Records

PathLike = Union[str, "os.PathLike[str]"]
Overrides = Mapping[str, Any]

#: The statistics of a run that `Results.table` leaves out have no single number: summaries have them.
_SHARES = ("exit_shares", "exit_accuracies", "segment_batches")


def wrong_argument(name: str, message: str) -> _core.InputError:
    """What to raise for an argument."""
    error = _core.InputError(f"{name}: {message}")
    error.file = name
    return error


def merged_overrides(given: Overrides | None, keywords: Overrides) -> dict[str, Any]:
    """Overrides by dotted key: those of a dict, and keywords, in which two underscores stand for a dot."""
    merged = dict(given or {})
    for key, value in keywords.items():
        merged[key.replace("__", ".")] = value
    return merged


class Scenario:
    """A configuration, read and checked: what is to be simulated.

    `config` is the path of a YAML file or a dict with the same keys (docs/configuration.md); paths in a dict are
    relative to the current folder. `set` overrides keys, as `--set` does: {"workload.arrivals.rho": 0.9}. Keywords
    do the same, with two underscores for a dot: workload__arrivals__rho=0.9. With `audit` each policy is held to what
    it says of the boundaries to come. Raises InputError. What is legal and yet unlikely to be meant is a warning.
    """

    def __init__(self, config: PathLike | dict[str, Any], set: Overrides | None = None, *, audit: bool = False,
                 **overrides: Any) -> None:
        self._core = _core.read_configuration(config, merged_overrides(set, overrides), audit)
        for warning in self._core.warnings:
            warnings.warn(warning, stacklevel=2)

    @property
    def labels(self) -> list[str]:
        """Labels of the systems, in the order of the configuration."""
        return list(self._core.labels)

    @property
    def services(self) -> list[str]:
        """Names of the services; one empty name where there is one network."""
        return list(self._core.services)

    @property
    def resolved(self) -> dict[str, Any]:
        """The configuration with every default, as resolved.yaml has it."""
        return dict(self._core.resolved)

    def __repr__(self) -> str:
        return f"<fluidbatch.Scenario of {', '.join(self.labels)}>"


def scenario_of(config: PathLike | dict[str, Any] | Scenario, set: Overrides | None, keywords: Overrides,
                audit: bool = False) -> Scenario:
    """`config` where it is a scenario already, which takes no overrides; otherwise a new one."""
    if not isinstance(config, Scenario):
        return Scenario(config, merged_overrides(set, keywords), audit=audit)
    if set or keywords:
        raise _core.InputError("a Scenario takes no overrides: they belong to fb.Scenario(config, ..)")
    return config


class Results:
    """What a run gave, system by system; made by `run` and `load`.

    Systems are named by their labels; where there is one system, no label need be given.
    """

    def __init__(self, source: _Source) -> None:
        self._source = source

    @property
    def labels(self) -> list[str]:
        """Labels of the systems, in the order of the configuration."""
        return self._source.labels

    @property
    def services(self) -> list[str]:
        """Names of the services; one empty name where there is one network."""
        return self._source.services

    @property
    def notes(self) -> list[str]:
        """What the numbers don't say by themselves: a run that ended early, or is not as precise as was asked for."""
        return self._source.notes

    def _index(self, label: str | None) -> int:
        if label is None and len(self.labels) == 1:
            return 0
        if label in self.labels:
            return self.labels.index(label)
        known = ", ".join(repr(known) for known in self.labels)
        raise KeyError(f"no system {label!r}; there are {known}" if label is not None
                       else f"which system? there are {known}")

    def summary(self, label: str | None = None) -> dict[str, Any]:
        """All statistics of a system, as its summary.json has them (docs/metrics.md); None where one is not defined."""
        summary = json.loads(self._source.summary_json(self._index(label)))
        assert isinstance(summary, dict)
        return summary

    @property
    def table(self) -> Records:
        """One row a system: its label, the statistics that are one number each (NaN where not defined), and whether
        it is saturated, so that the numbers depend on the length of the run. Units are the endings of names."""
        from ._records import records_of

        names = [name for name, *_ in _core.all_statistics()]
        rows = [self.summary(label) for label in self.labels]
        columns: dict[str, list[Any]] = {"system": self.labels}
        for name in names:
            values = [row["statistics"].get(name) for row in rows]
            columns[name] = [float("nan") if value is None else float(value) for value in values]
        columns["saturated"] = [bool(row["saturated"]) for row in rows]
        return records_of(columns)

    def requests(self, label: str | None = None) -> Records:
        """A row for each request, in order of their numbers: the columns of requests.csv (docs/metrics.md), and
        `dropped`. The array is what the simulation wrote, without a copy, and can't be written to. NaN: not defined;
        `correct` is -1 where that is not known; `service` is a number, of the names in `services`.

        Raises ValueError where the requests were not kept (outputs.requests_csv: false)."""
        from ._records import Records

        rows = self._source.requests(self._index(label))
        if rows is None:
            raise ValueError("the requests were not kept: outputs.requests_csv is false")
        records: Records = rows.view(Records)
        records.words = {"service": self.services}
        return records

    def series(self, label: str | None = None) -> Records:
        """A row for each interval of time: the columns of series.csv (docs/metrics.md).

        Raises ValueError where the run was not asked for it (`series`)."""
        from ._tables import read_series

        text = self._source.series_csv(self._index(label))
        if not text:
            raise ValueError("no series: give run(.., series=SECONDS)")
        return read_series(text)

    def timeline(self, label: str | None = None) -> list[dict[str, Any]]:
        """The events of a system's timeline, as Chrome's trace format has them; `save` writes timeline.json, which has
        those of all systems and which ui.perfetto.dev opens. Raises ValueError where the run was not asked for it
        (`timeline`)."""
        events = self._source.timeline(self._index(label))
        if events is None:
            raise ValueError("no timeline: give run(.., timeline=True)")
        return events

    def save(self, folder: PathLike) -> None:
        """Writes the files that `fluidbatch run --out FOLDER` writes, byte for byte. Raises InputError where the
        folder has something else in it, or can't be written; it is then as it was."""
        self._source.save(Path(folder))

    def __repr__(self) -> str:
        lines = [f"<fluidbatch.Results of {len(self.labels)} system{'s' if len(self.labels) > 1 else ''}>"]
        for row in self.table:
            lines.append(f"  {row['system']}: mean {1000 * row['mean_latency_s']:.4g} ms, "
                         f"p99 {1000 * row['p99_latency_s']:.4g} ms, "
                         f"late {100 * row['slo_violation_rate']:.3g} %{', saturated' if row['saturated'] else ''}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        shown = {"mean ms": ("mean_latency_s", 1000.0), "± ms": ("mean_latency_ci95_s", 1000.0),
                 "x bound": ("distance_to_bound", 1.0), "p50 ms": ("p50_latency_s", 1000.0),
                 "p99 ms": ("p99_latency_s", 1000.0), "late %": ("slo_violation_rate", 100.0),
                 "req/s": ("throughput_hz", 1.0), "busy %": ("busy_fraction", 100.0), "batch": ("mean_batch", 1.0)}
        table = self.table
        head = "".join(f"<th>{html.escape(name)}</th>" for name in ("system", *shown))
        body = ""
        for row in table:
            label = html.escape(row["system"]) + (" *" if row["saturated"] else "")
            cells = "".join(f"<td>{'' if row[name] != row[name] else f'{factor * row[name]:.4g}'}</td>"
                            for name, factor in shown.values() if name in table.columns)
            body += f"<tr><td>{label}</td>{cells}</tr>"
        note = "<p>* saturated: these numbers depend on the length of the run</p>" if table["saturated"].any() else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"


class _Source:
    """Where results are: in memory, or in the folder of a run."""

    labels: list[str]
    services: list[str]
    notes: list[str] = []

    def summary_json(self, index: int) -> str:
        raise NotImplementedError

    def requests(self, index: int) -> Any:
        raise NotImplementedError

    def series_csv(self, index: int) -> str:
        raise NotImplementedError

    def timeline(self, index: int) -> list[dict[str, Any]] | None:
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        raise NotImplementedError


class _InMemory(_Source):
    def __init__(self, runs: _core.Runs, timelines: tempfile.TemporaryDirectory[str] | None) -> None:
        self.labels = list(runs.labels)
        self.services = list(runs.services)
        self.notes = list(runs.notes())
        self._runs = runs
        self._timelines = timelines  # which are removed with the results

    def summary_json(self, index: int) -> str:
        return self._runs.summary_json(index)

    def requests(self, index: int) -> Any:
        return _core.requests(self._runs, index)

    def series_csv(self, index: int) -> str:
        return self._runs.series_csv(index)

    def timeline(self, index: int) -> list[dict[str, Any]] | None:
        if self._timelines is None:
            return None
        events = (Path(self._timelines.name) / str(index)).read_text()
        return list(json.loads(f"[{events}]"))

    def save(self, folder: Path) -> None:
        self._runs.save(folder)


def run(config: PathLike | dict[str, Any] | Scenario, set: Overrides | None = None, *, out: PathLike | None = None,
        driver: str = "bare", series: float | None = None, timeline: bool | Iterable[int] = False,
        timeline_from_s: float | None = None, timeline_to_s: float | None = None, audit: bool = False,
        jobs: int | None = None, progress: bool | Callable[[int, int | None], None] = False,
        **overrides: Any) -> Results:
    """Simulates all systems of a configuration, as `fluidbatch run` does.

    config: the path of a YAML file, a dict with the same keys, or a Scenario.
    set, overrides: as for Scenario.
    out: a folder for the files of the run, as Results.save writes them.
    driver: "bare" (a plain loop, in this process), "simgrid" or "simgrid_window" (SimGrid's clock, in a child process);
        all give the same results.
    series: also a series over time, with a row every so many seconds.
    timeline: also a timeline; numbers of requests are followed in it one by one.
    timeline_from_s, timeline_to_s: a timeline of this part of the run, in seconds of the simulation: without what ends
        before and what begins later.
    jobs: systems at a time; default: one for each core.
    progress: True for a line or a bar, or a function that is told how many requests are done, and of how many (None:
        not known).

    The GIL is released while no Python code of the run's own (a policy, a router, ..) is at work, so several threads
    may run simulations at once. Ctrl-C ends the run. What the numbers don't say by themselves (Results.notes) is a
    warning. Raises InputError, PolicyError, and whatever Python code of the run's own raises.
    """
    scenario = scenario_of(config, set, overrides, audit)
    if out is not None:
        _core.check_folder(scenario._core, Path(out))
    followed = [] if isinstance(timeline, bool) else list(timeline)
    is_part = timeline_from_s is not None or timeline_to_s is not None
    wants_timeline = bool(followed) or timeline is True or is_part
    timelines = tempfile.TemporaryDirectory(prefix="fluidbatch-") if wants_timeline else None
    known = scenario._core.known_requests
    with Progress.of(progress, None if known is None else known * len(scenario.labels), "requests") as line:
        runs = _core.run(scenario._core, driver, series, None if timelines is None else timelines.name, followed,
                         timeline_from_s, timeline_to_s, jobs,
                         (lambda completed: line.update(sum(completed))) if line.wanted else None)
    results = Results(_InMemory(runs, timelines))
    for note in results.notes:
        warnings.warn(note, stacklevel=2)
    if out is not None:
        results.save(out)
    return results


class _InFolder(_Source):
    """What `fluidbatch run` or Results.save has written."""

    def __init__(self, folder: Path, labels: Sequence[str], services: Sequence[str]) -> None:
        self.labels = list(labels)
        self.services = list(services)
        self._folder = folder

    def _file(self, index: int, name: str) -> Path:
        return self._folder / self.labels[index] / name

    def summary_json(self, index: int) -> str:
        return self._file(index, "summary.json").read_text()

    def requests(self, index: int) -> Any:
        from ._tables import read_requests

        file = self._file(index, "requests.csv")
        return read_requests(file, self.services) if file.exists() else None

    def series_csv(self, index: int) -> str:
        file = self._file(index, "series.csv")
        return file.read_text() if file.exists() else ""

    def timeline(self, index: int) -> list[dict[str, Any]] | None:
        file = self._folder / "timeline.json"
        if not file.exists():
            return None
        events = json.loads(file.read_text())["traceEvents"]
        return [event for event in events if event["pid"] == index + 1]

    def save(self, folder: Path) -> None:
        raise ValueError(f"these results are in {self._folder} already")


def load(folder: PathLike) -> Results:
    """The results in the folder of a run, of the program's or of Results.save's. Raises InputError where it is none."""
    path = Path(folder)
    resolved = _core.load_yaml(path / "resolved.yaml")
    systems = resolved.get("systems") if isinstance(resolved, dict) else None
    if not systems:
        raise _core.InputError(f"{path}: not the folder of a run: its resolved.yaml has no systems")
    services = [service["name"] for service in resolved.get("services", [])] or [""]
    labels = [system["label"] for system in systems]
    for label in labels:
        if not (path / label / "summary.json").exists():
            raise _core.InputError(f"{path}: not the folder of a run: {label}/summary.json is missing")
    return Results(_InFolder(path, labels, services))
