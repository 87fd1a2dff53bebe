"""Searches for the best engine on a board, and fits of an NPU to measured layers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from . import _core
from ._models import Network, Npu, PathLike, Values, warn_of

if TYPE_CHECKING:
    from ._records import Records

#: Of the arguments of `search`: a saved NPU's head has those that differ.
_SEARCH_DEFAULTS = {"batches": (1, 2, 4, 8), "mode": "fluid_stacked", "t_r": None, "t_p": None, "t_c": None, "k_max": 4,
                    "dsps_per_mac": 1, "accumulator_bytes": 4, "objective": "latency"}


def _call(function: str, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> str:
    """A call as Python code, in one line that is safe in a comment."""
    words = [repr(value) for value in arguments] + [f"{name}={value!r}" for name, value in keywords.items()]
    return " ".join(f"fluidbatch.{function}({', '.join(words)})".split())


class Search:
    """What a search for the best engine has found; made by `search`."""

    def __init__(self, core: Any, top: int, command: str) -> None:
        from ._records import records_of

        self._core = core
        self._command = command
        #: The best designs and all of the Pareto set: the columns of `fluidbatch npu search --csv`.
        self.table: Records = records_of(core.columns(top))
        self._best: Npu | None = None

    @property
    def best(self) -> Npu:
        """The design with the least mean, over the batch sizes, of what `objective` says."""
        if self._best is None:
            self._best = Npu._from_core(self._core.best())
        return self._best

    @property
    def designs(self) -> int:
        """How many engines fit the board."""
        return int(self._core.designs)

    @property
    def evaluations(self) -> int:
        """How many candidates - of a layer, a batch size and a batch policy - were looked at."""
        return int(self._core.evaluations)

    def save(self, path: PathLike) -> None:
        """Writes the best design as an NPU's YAML, headed by the call that found it; the file must not exist yet.
        Raises InputError."""
        _core.write_new_file(os.fspath(path), f"# found by: {self._command}\n{self._core.best_yaml()}")

    def __repr__(self) -> str:
        return (f"<fluidbatch.Search for {self._core.network} on {self._core.board} in mode {self._core.mode}: "
                f"{self.designs} engines fit, the best is "
                f"<{self.best.t_r}, {self.best.t_p}, {self.best.t_c}>>")

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


def search(network: PathLike | dict[str, Any] | Network, board: PathLike, batches: Values = (1, 2, 4, 8),
           mode: str = "fluid_stacked", t_r: Values | None = None, t_p: Values | None = None, t_c: Values | None = None,
           k_max: int = 4, dsps_per_mac: int = 1, accumulator_bytes: int = 4, top: int = 10, objective: str = "latency",
           **engine: Any) -> Search:
    """The tile sizes <T_R, T_P, T_C> that serve a network best on a board, as `fluidbatch npu search` finds them.

    network: a name, a path, a dict or a Network. board: a shipped name (`boards()`) or the path of a YAML.
    batches: batch sizes that count alike: engines are ranked by the mean over them of the objective.
    mode: which batch policies may be chosen. t_r, t_p, t_c: sizes to try; default: the search's own choice.
    k_max: largest stacking factor. top: designs to show besides the Pareto set.
    objective: "latency", "energy" or "edp" (energy x latency), each per sample; the last two need `energy`.
    engine: other keys of an NPU's YAML, such as clock_hz, word_bytes or residency; default: the board's, and theirs.
        energy: a dict as in the YAML, or the name or path of an NPU that says it.

    The GIL is released meanwhile, and Ctrl-C ends it. Raises InputError, also where no engine fits the board.
    """
    given = {"batches": batches, "mode": mode, "t_r": t_r, "t_p": t_p, "t_c": t_c, "k_max": k_max,
             "dsps_per_mac": dsps_per_mac, "accumulator_bytes": accumulator_bytes, "objective": objective}
    _core.check_top(top)
    model = Network._of(network)
    keys = dict(sorted(engine.items()))
    core = _core.search(model._core, board, given, keys)
    warn_of(core.warnings)
    changed = {name: value for name, value in given.items() if repr(value) != repr(_SEARCH_DEFAULTS[name])}
    return Search(core, top, _call("search", (model.name, os.fspath(board)), {**changed, **keys}))


class Fit:
    """An NPU that was fitted to measured layers; made by `fit`."""

    def __init__(self, core: Any, command: str) -> None:
        from ._records import records_of

        self._core = core
        self._command = command
        #: Measured and modelled latency of each row, in the file's unit: the columns of `fluidbatch npu fit --csv`.
        self.table: Records = records_of(core.columns())
        #: A row for each free key: its value at the `start` and `fitted`, whether the fit has a say in it (`matters`),
        #: and whether it is at the end of what the fit may choose (`at_limit`).
        self.parameters: Records = records_of(core.parameters())
        #: How well the model agrees: of the rows held out, or of all where none is, how many they are (`rows`), the
        #: `median_error` and `largest_error` of |modelled / measured - 1| and Spearman's `rank_correlation` (NaN: not
        #: defined); of those fitted to, the root mean square of log(modelled / measured), `rms_log_error`, and the same
        #: of the NPU that the fit began with, `rms_log_error_at_start`.
        self.accuracy: dict[str, Any] = dict(core.accuracy())
        self._npu: Npu | None = None

    @property
    def npu(self) -> Npu:
        """The NPU with the fitted values."""
        if self._npu is None:
            self._npu = Npu._from_core(self._core.npu())
        return self._npu

    def save(self, path: PathLike) -> None:
        """Writes the fitted NPU's YAML, headed by the call that found it; the file must not exist yet. Raises
        InputError."""
        _core.write_new_file(os.fspath(path), f"# fitted by: {self._command}\n{self._core.yaml()}")

    def __repr__(self) -> str:
        values = ", ".join(f"{row['parameter']}={row['fitted']:.6g}" for row in self.parameters)
        held_out = int(self.table["held_out"].sum())
        rows = f"{held_out} rows held out" if held_out else "the rows fitted to"
        return (f"<fluidbatch.Fit of {len(self.table)} measured layers: {values}; median error "
                f"{100 * self.accuracy['median_error']:.3g} % on {rows}>")

    def _repr_html_(self) -> str:
        return self.parameters._repr_html_() + self.table._repr_html_()


def fit(measured: PathLike, npu: PathLike | dict[str, Any] | Npu, free: str | Sequence[str],
        network: PathLike | dict[str, Any] | Network | None = None,
        hold_out: str | Mapping[str, str | Sequence[str]] | None = None, hold_out_every: int = 0,
        mode: str = "fluid_stacked") -> Fit:
    """Fits parameters of an NPU to measured latencies of layers, as `fluidbatch npu fit` does.

    measured: a CSV with a row for each measured layer (docs/configuration.md). npu: the NPU to start from, a name, a
    path, a dict or an Npu. free: keys of it to fit; the others stay. network: rows name layers of this network, instead
    of shapes of convolutions.
    hold_out: rows not to fit to, but to report on: {column: values} or "COLUMN=VALUE,..". hold_out_every: the same of
    every N-th row. mode: which batch policies may be chosen.

    The GIL is released meanwhile, and Ctrl-C ends it. Raises InputError.
    """
    start = Npu._of(npu)
    model = None if network is None else Network._of(network)
    held = dict(hold_out) if isinstance(hold_out, Mapping) else hold_out
    core = _core.fit(measured, start._core, free, None if model is None else model._core, held, hold_out_every, mode)
    given = {"network": None if model is None else model.name, "hold_out": held, "hold_out_every": hold_out_every,
             "mode": mode}
    defaults = {"network": None, "hold_out": None, "hold_out_every": 0, "mode": "fluid_stacked"}
    changed = {name: value for name, value in given.items() if value != defaults[name]}
    names = free if isinstance(free, str) else list(free)
    return Fit(core, _call("fit", (os.fspath(measured), start.name, names), changed))
