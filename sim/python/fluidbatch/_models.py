"""Networks, NPUs and their latencies."""

from __future__ import annotations

import html
import os
import re
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, Sequence, Union

from . import _core

if TYPE_CHECKING:
    import matplotlib.axes
    import numpy as np

    from ._records import Records

PathLike = Union[str, "os.PathLike[str]"]
Values = Union[int, Sequence[int]]


def warn_of(texts: Iterable[str]) -> None:
    """Warns whoever called the caller."""
    for text in texts:
        warnings.warn(text, stacklevel=3)


class _Model:
    """What networks and NPUs have in common: a YAML, and perhaps a file that has it."""

    _core: Any
    _file: str
    _kind: str

    @property
    def name(self) -> str:
        """What it is called in tables and messages: as its YAML says, or else the name of its file."""
        return str(self._core.name)

    def to_yaml(self) -> str:
        """Its YAML, with the keys that were given; what it names by a path is absolute."""
        return str(self._core.to_yaml())

    def save(self, path: PathLike) -> None:
        """Writes its YAML to a file, which must not exist yet. Raises InputError."""
        _core.write_new_file(os.fspath(path), self.to_yaml())
        self._file = os.path.abspath(path)

    def __fspath__(self) -> str:
        if not self._file:
            raise _core.InputError(f"{self._kind} {self.name!r} is in no file: .save(path) puts it into one")
        return self._file


class Network(_Model):
    """A network: layers in order of execution, cut into segments by early exits.

    source: a shipped name (`networks()`), the path of a YAML, or a dict with the same keys (docs/configuration.md);
        paths in a dict are relative to the current folder.

    What was read from a file, or saved, may stand in a configuration wherever a network's path may. Raises InputError.
    """

    _kind = "network"

    def __init__(self, source: PathLike | dict[str, Any] | Network) -> None:
        self._core = source._core if isinstance(source, Network) else _core.read_network(source, "network")
        self._file = source._file if isinstance(source, Network) else self._core.file

    @classmethod
    def _of(cls, source: PathLike | dict[str, Any] | Network) -> Network:
        return source if isinstance(source, Network) else cls(source)

    @property
    def description(self) -> str:
        """What it is, in words."""
        return str(self._core.description)

    @property
    def source(self) -> str:
        """Where its table of layers is from."""
        return str(self._core.source)

    @property
    def exits(self) -> list[str]:
        """Names of the exits, the final classifier last."""
        return list(self._core.exits)

    @property
    def fused(self) -> list[str]:
        """Names of the layers that ride with others, and cost nothing of their own."""
        return list(self._core.fused)

    @property
    def segments(self) -> Records:
        """A row for each segment: `segment` (from 0), the `exit` that ends it, and of one sample, the exit's head
        included, its `layers`, `macs` and `weights`."""
        from ._records import records_of

        return records_of(self._core.segments())

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one sample that runs to the end, heads included."""
        return int(self._core.macs)

    @property
    def weights(self) -> int:
        """Distinct weights, heads included; biases and normalisation are not counted."""
        return int(self._core.weights)

    @property
    def layers(self) -> Records:
        """A row for each layer that the NPU executes: the columns of `fluidbatch network show --csv` (`layer`, `kind`,
        `groups` products of R x P by P x C: `r`, `p`, `c`; `segment`), and its `macs` and `weights`."""
        from ._records import records_of

        return records_of(self._core.layers())

    def __reduce__(self) -> tuple[Any, ...]:
        return Network, ({"name": self.name, **self._core.document},)

    def __repr__(self) -> str:
        exits = len(self.exits)
        return (f"<fluidbatch.Network {self.name}: {self._core.layer_count} layers, "
                f"{exits} exit{'s' if exits > 1 else ''}, {self.macs / 1e6:.4g} MMAC, "
                f"{self.weights / 1e6:.4g} M weights>")

    def _repr_html_(self) -> str:
        return f"<p><b>{html.escape(self.name)}</b>: {html.escape(self.description)}</p>{self.layers._repr_html_()}"


class Npu(_Model):
    """An NPU of the model: a tiled GEMM engine <T_R, T_P, T_C>, its buffers and its memory channel.

    source: a shipped name (`npus()`), the path of a YAML, a dict with the same keys (docs/configuration.md), another
        Npu, or nothing, where all keys are keywords.
    name: what it is called; default: the name of the file.
    keys: keys of the YAML that are set, or, where they are None, taken away: fb.Npu("zu7ev_large", clock_hz=300e6).

    Keys are attributes (`npu.t_r`), with every default; `on_chip_bytes` is the board's where it is not given (None:
    unlimited), `energy` a dict of what operations take (None: nothing is said of it). Nothing of an NPU changes once
    it is made. What was read from a file unchanged, or saved, may stand in a configuration wherever an NPU's path may.
    Values that no NPU has give a warning. Raises InputError.
    """

    _kind = "NPU"

    def __init__(self, source: PathLike | dict[str, Any] | Npu | None = None, *, name: str | None = None,
                 **keys: Any) -> None:
        given = source._core if isinstance(source, Npu) else source
        self._core = _core.read_npu(given, keys, name)
        self._file = source._file if isinstance(source, Npu) and not keys else self._core.file
        self._keys: dict[str, Any] | None = None
        warn_of(self._core.warnings)

    @classmethod
    def _of(cls, source: PathLike | dict[str, Any] | Npu) -> Npu:
        return source if isinstance(source, Npu) else cls(source)

    @classmethod
    def _from_core(cls, core: Any) -> Npu:
        npu = cls.__new__(cls)
        npu._core, npu._file, npu._keys = core, core.file, None
        return npu

    @property
    def keys(self) -> dict[str, Any]:
        """The keys of its YAML, with every default."""
        if self._keys is None:
            keys = dict(self._core.keys)
            for key in keys:
                if key.endswith(("_hz", "_per_s")):
                    keys[key] = float(keys[key])
            keys["on_chip_bytes"] = self._core.on_chip_bytes or None
            energy = keys.get("energy")
            keys["energy"] = None if energy is None else {key: float(value) for key, value in energy.items()}
            self._keys = keys
        return dict(self._keys)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name != "keys":  # those are asked for while there are no keys yet
            keys = self.keys
            if name in keys:
                return keys[name]
        raise AttributeError(f"an Npu has no {name!r}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.keys]

    @property
    def peak_macs_per_s(self) -> float:
        """Multiply-accumulates a second where no PE ever waits: T_P x T_C x clock."""
        return float(self._core.macs_per_cycle * self._core.clock_hz)

    def table(self, network: PathLike | dict[str, Any] | Network, mode: str = "r", max_batch: int = 8) -> Records:
        """Cycles, words, latency, operations and energy of each layer at each batch size from 1 to `max_batch` (1,024
        at most), and the batch policy <`b_r`, `b_p`, `k`> that `mode` chooses: the columns of `fluidbatch npu table
        --csv`. Without `energy`, `energy_j` and `average_power_w` are NaN."""
        from ._records import records_of

        return records_of(_core.npu_table(Network._of(network)._core, self._core, mode, max_batch))

    def explain(self, network: PathLike | dict[str, Any] | Network, layer: str, batch: int,
                mode: str = "fluid_stacked") -> Records:
        """Why a layer runs as it does: a row for each batch policy that `mode` may choose for `batch` samples, with the
        columns of `fluidbatch npu explain --csv`; one row is `chosen`, if any is `feasible`."""
        from ._records import records_of

        return records_of(_core.npu_explain(Network._of(network)._core, self._core, layer, batch, mode))

    def utilisation(self, network: PathLike | dict[str, Any] | Network, mode: str = "r",
                    max_batch: int = 8) -> np.ndarray[Any, Any]:
        """MAC utilisation of the whole network at each batch size from 1 to `max_batch`: the network's
        multiply-accumulates over those that the PEs could do in its latency. An array of shape (max_batch,)."""
        import numpy as np

        model = Network._of(network)
        latencies_s = _core.network_latencies(model._core, self._core, mode, max_batch)
        batches = np.arange(1, len(latencies_s) + 1)
        result: np.ndarray[Any, Any] = batches * model.macs / (latencies_s * self.peak_macs_per_s)
        return result

    def plot_utilisation(self, network: PathLike | dict[str, Any] | Network, modes: str | Sequence[str] | None = None,
                         batches: Values | None = None, ax: matplotlib.axes.Axes | None = None) -> matplotlib.axes.Axes:
        """Plots `utilisation` by batch size, with a line for each mode; modes with the same values have one line, which
        says so.

        modes: names (`modes()`); default: all. batches: the batch sizes to show; default: 1 to 16.
        ax: where to draw; default: a new figure. Returns the axes. Raises ImportError where matplotlib (Debian:
        python3-matplotlib) is not there.
        """
        pyplot = _pyplot()
        shown = [modes] if isinstance(modes, str) else list(_core.modes() if modes is None else modes)
        sizes = [batches] if isinstance(batches, int) else list(range(1, 17) if batches is None else batches)
        if not sizes or not shown:
            raise _core.InputError("plot_utilisation needs at least one mode and one batch size")
        _core.check_batches(sizes)
        model = Network._of(network)
        lines: dict[tuple[float, ...], list[str]] = {}
        for mode in shown:
            utilisation = self.utilisation(model, mode, max(sizes))
            lines.setdefault(tuple(100 * float(utilisation[size - 1]) for size in sizes), []).append(mode)
        axes: matplotlib.axes.Axes = pyplot.subplots()[1] if ax is None else ax
        for number, (percents, same) in enumerate(lines.items()):
            axes.plot(sizes, percents, marker="osD^v"[number % 5], markersize=4,
                      linestyle=("-", "--", "-.", ":")[number % 4], label=" = ".join(same))
        axes.set_xlabel("batch size")
        axes.set_ylabel("MAC utilisation (%)")
        axes.set_ylim(bottom=0)
        axes.set_title(f"{model.name} on {self.name}")
        axes.legend(title="mode")
        return axes

    def __reduce__(self) -> tuple[Any, ...]:
        return _npu_again, (self._core.document, self.name)

    def __repr__(self) -> str:
        keys = self.keys
        memory = (f"{keys['bandwidth_bytes_per_s'] / 1e9:.4g} GB/s" if keys["channel"] == "shared" else
                  f"{keys['input_bandwidth_bytes_per_s'] / 1e9:.4g} GB/s in, "
                  f"{keys['output_bandwidth_bytes_per_s'] / 1e9:.4g} out")
        board = f", {keys['board']}" if keys["board"] else ""
        return (f"<fluidbatch.Npu {self.name}: <{keys['t_r']}, {keys['t_p']}, {keys['t_c']}> k <= {keys['k_max']}, "
                f"{keys['clock_hz'] / 1e6:.4g} MHz, {memory}{board}>")

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{html.escape(key)}</td><td>{html.escape(str(value))}</td></tr>"
                       for key, value in self.keys.items())
        return f"<p><b>{html.escape(self.name)}</b></p><table><tbody>{rows}</tbody></table>"


def _npu_again(document: dict[str, Any], name: str) -> Npu:
    return Npu._from_core(_core.read_npu(document, {}, name))


def _pyplot() -> Any:
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError("plots need matplotlib (Debian: python3-matplotlib)") from error
    return pyplot


def networks() -> list[str]:
    """Names of the shipped networks."""
    return list(_core.shipped_names("networks"))


def npus() -> list[str]:
    """Names of the shipped NPUs."""
    return list(_core.shipped_names("npus"))


def boards() -> list[str]:
    """Names of the shipped boards."""
    return list(_core.shipped_names("boards"))


def modes() -> list[str]:
    """Names of the modes: which batch policies an NPU may choose from (docs/configuration.md)."""
    return list(_core.modes())


def latency_table(network: PathLike | dict[str, Any] | Network, npu: PathLike | dict[str, Any] | Npu, mode: str = "r",
                  max_batch: int = 8) -> np.ndarray[Any, Any]:
    """Seconds that each layer takes at each batch size: an array of layers x max_batch; column b is for b + 1 samples.

    network, npu: names, paths, dicts or objects. Raises InputError.
    """
    latencies: np.ndarray[Any, Any] = _core.latencies(Network._of(network)._core, Npu._of(npu)._core, mode, max_batch)
    return latencies


def import_onnx(model: PathLike, exits: str | Sequence[str] = (), input: Sequence[int] | None = None,
                out: PathLike | None = None) -> Network:
    """A network from an ONNX model, as `fluidbatch network import` makes it.

    model: the ONNX file, with or without weights. exits: layers to put an early exit after. input: (height, width),
    where the model leaves them open. out: a YAML file for the network, which must not exist yet; default: none.

    The importer is a program of its own, with limits of time and memory. Raises InputError with what it says.
    """
    if out is not None:
        _import(os.fspath(model), os.fspath(out), exits, input)
        return Network(Path(out))
    with tempfile.TemporaryDirectory(prefix="fluidbatch-") as folder:
        file = os.path.join(folder, (Path(model).stem or "network") + ".yaml")
        _import(os.fspath(model), file, exits, input)
        network = Network(file)
    network._file = ""
    return network


def _import(model: str, out: str, exits: str | Sequence[str], input: Sequence[int] | None) -> None:
    import subprocess

    command = _core.importer_command(model, out, exits, input)
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except OSError as error:
        raise _core.InputError(_core.importer_not_run(command[0], error.errno)) from error
    with child:
        try:
            assert child.stderr is not None
            message = child.stderr.read().decode(errors="replace").strip()
        except BaseException:  # Ctrl-C among them
            child.kill()
            raise
    if child.returncode < 0:
        raise _core.InputError(_core.importer_killed(model, -child.returncode))
    if child.returncode == 2:
        raise _core.InputError(re.sub(r"^--(?=exits|input)", "", message))  # it names options of the command
    if child.returncode != 0:
        raise RuntimeError(message)
