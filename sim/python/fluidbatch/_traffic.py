"""Arrivals and exits from Python: arrays, and classes that generate them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Iterable

from . import _core
from ._parameters import Parameters, declared_parameter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

#: The last date of recorded arrivals: up to it a double is exact to 1e-9 s.
_LAST_DATE_S = float(1 << 24)
_MOST_DEVICES = 1 << 20
_MOST_EXITS = 1_000_000


def _refused(place: str, reason: str) -> Any:
    """The InputError of an argument."""
    error: Any = _core.InputError(f"{place}: {reason}")
    error.file, error.line, error.column = place, None, None
    return error


def _array(values: ArrayLike, place: str, dimensions: int, kinds: str, what: str) -> NDArray[Any]:
    """`values` as a new array of numbers of these NumPy kinds."""
    import numpy as np

    try:
        array = np.array(values)
    except ValueError as error:
        raise _refused(place, f"must be an array of {what}: {error}") from None
    if array.ndim != dimensions:
        raise _refused(place, f"must be an array of {dimensions} dimension{'s' if dimensions > 1 else ''}, "
                              f"found {array.ndim}")
    if array.size == 0:
        raise _refused(place, "must not be empty")
    if array.dtype.kind not in kinds:
        raise _refused(place, f"must be an array of {what}, found one of {array.dtype}")
    return array


def _require(good: NDArray[np.bool_], array: NDArray[Any], place: str, allowed: str) -> None:
    """Refuses the first value of `array` that is not good."""
    import numpy as np

    if good.all():
        return
    index = np.unravel_index(int(np.argmin(good)), array.shape)
    raise _refused(f"{place}[{', '.join(str(i) for i in index)}]", f"{allowed}; found {array[index].item()!r}")


def _whole_numbers(values: ArrayLike, place: str, least: int, most: int) -> NDArray[np.int64]:
    import numpy as np

    array = _array(values, place, 1, "iu", "whole numbers")
    _require((array >= least) & (array <= most), array, place, f"must be a whole number from {least} to {most}")
    return array.astype(np.int64)


def _same_length(array: NDArray[Any] | None, place: str, length: int) -> None:
    if array is not None and len(array) != length:
        raise _refused(place, f"needs one value for each of the {length} dates, found {len(array)}")


class ArrivalDates:
    """Recorded arrivals, in order of date.

    dates: when each sample is sent, in seconds from the begin of the run; array of n numbers that are not negative, do
        not fall, and are at most 16,777,216 (194 days).
    devices: of each its device, array of n whole numbers from 0; default: one device.
    exits: of each its exit, array of n whole numbers from 0; `exits: {kind: trace}` takes them.

    After fb.register("morning", fb.ArrivalDates(dates)) a configuration has `arrivals: {kind: morning}`. Runs are then
    those of a trace (`kind: trace`, `origin: 0`) with these columns, to the last bit; they end with the last arrival.
    The arrays are copied. Raises InputError that names the first value that is wrong.
    """

    def __init__(self, dates: ArrayLike, devices: ArrayLike | None = None, exits: ArrayLike | None = None) -> None:
        import numpy as np

        given = _array(dates, "dates", 1, "fiu", "seconds").astype(np.float64)
        _require(np.isfinite(given) & (given >= 0) & (given <= _LAST_DATE_S), given, "dates",
                 "must be a finite number of seconds, from 0 to 16777216")
        rising = np.ones(len(given), np.bool_)
        rising[1:] = given[1:] >= given[:-1]
        _require(rising, given, "dates", "must not be before the date in front of it")
        self._dates = given
        self._devices = None if devices is None else _whole_numbers(devices, "devices", 0, _MOST_DEVICES - 1)
        self._exits = None if exits is None else _whole_numbers(exits, "exits", 0, _MOST_EXITS)
        _same_length(self._devices, "devices", len(given))
        _same_length(self._exits, "exits", len(given))

    def __len__(self) -> int:
        return len(self._dates)

    def __repr__(self) -> str:
        return f"<fluidbatch.ArrivalDates: {len(self)} from {self._dates[0]:.6g} s to {self._dates[-1]:.6g} s>"

    def _define(self, name: str) -> None:
        import numpy as np

        none = np.empty(0, np.int64)
        _core.define_arrival_dates(name, self._dates, none if self._devices is None else self._devices,
                                   none if self._exits is None else self._exits)


class RecordedExits:
    """Recorded samples of a network with early exits: how sure each exit was of each, and whether it was right.

    confidence: array (samples, exits) of numbers from 0 to 1; the last exit is the final classifier.
    correct: array of the same shape, of False and True, or 0 and 1.

    After fb.register("mine", fb.RecordedExits(confidence, correct)) a configuration has `exits: {kind: mine,
    threshold: 0.8}`, or `thresholds` with one for each early exit. Runs are then those of kind `confidences` with a
    file of these numbers, to the last bit: each request is a sample, drawn with replacement, that leaves at the first
    exit whose confidence is at least its threshold. Exit controls may decide at run time. The arrays are copied.
    Raises InputError that names the first value that is wrong.
    """

    def __init__(self, confidence: ArrayLike, correct: ArrayLike) -> None:
        import numpy as np

        sure = _array(confidence, "confidence", 2, "fiu", "numbers from 0 to 1").astype(np.float64)
        right = _array(correct, "correct", 2, "biuf", "0 and 1")
        if right.shape != sure.shape:
            raise _refused("correct", f"must have the shape of confidence, {sure.shape}; found {right.shape}")
        _require((sure >= 0) & (sure <= 1), sure, "confidence", "must be a number from 0 to 1")
        _require((right == 0) | (right == 1), right, "correct", "must be 0 or 1")
        self._confidence = sure
        self._correct = right.astype(np.int8)

    def __len__(self) -> int:
        return len(self._confidence)

    def __repr__(self) -> str:
        samples, exits = self._confidence.shape
        return f"<fluidbatch.RecordedExits: {samples} samples, {exits} exits>"

    def _define(self, name: str) -> None:
        _core.define_recorded_exits(name, self._confidence, self._correct)


class ExitList:
    """The exit of each request, in order of sending.

    exits: array of whole numbers from 0; the network's last exit is its final classifier.

    After fb.register("mine", fb.ExitList(exits)) a configuration has `exits: {kind: mine}`. Runs are then those of kind
    `trace` with a path, to the last bit; they end when the list does. `rates`, as there, is what policies know in place
    of the rates of the list. The array is copied. Raises InputError that names the first value that is wrong.
    """

    def __init__(self, exits: ArrayLike) -> None:
        self._exits = _whole_numbers(exits, "exits", 0, _MOST_EXITS)

    def __len__(self) -> int:
        return len(self._exits)

    def __repr__(self) -> str:
        return f"<fluidbatch.ExitList of {len(self)}>"

    def _define(self, name: str) -> None:
        _core.define_exit_list(name, self._exits.tolist())


class Arrivals:
    """Base of classes that generate arrivals: define `dates`.

        class Mine(fb.Arrivals):
            @property
            def rate_hz(self):
                return self.parameters.rate_hz

            def dates(self, seed, stream):
                random, now = np.random.default_rng([seed, stream]), 0.0
                while True:
                    now += random.exponential(1 / self.parameters.rate_hz)
                    yield now

        fb.register("mine", Mine, parameters={"rate_hz": 5.0})

    A configuration then has `arrivals: {kind: mine, rate_hz: 3}`. There is one object for each configuration that is
    read; its streams may be asked from several threads (the GIL is held) and in forked children. Iterators are asked
    ahead, in blocks. What they raise ends the run and goes on to the caller.
    """

    #: Mean sendings per second of each stream, where known (NaN: not): an attribute, a property or a method. It is what
    #: policies are told, and what the length of a run is foreseen with.
    rate_hz: Any = math.nan

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def dates(self, seed: int, stream: int) -> Iterable[float]:
        """An iterator, a generator for instance, of the dates at which one device sends: seconds from the begin of the
        run, finite, not negative, not falling. Its end ends the stream.

        seed: of the run. stream: tells the device from all others: its place in its group of devices, plus 2**32 times
        the place of the group. The dates must be the same each time for the same seed and stream: every system starts
        iterators of its own, and so does the computation of bounds.
        """
        raise NotImplementedError


class Exits:
    """Base of classes that generate exits: define `exits`, and `rates`.

        class Mine(fb.Exits):
            rates = [0.3, 0.5]

            def exits(self, seed, device):
                random = np.random.default_rng([seed, device])
                while True:
                    yield random.choice(3, p=[0.3, 0.35, 0.35])

        fb.register("mine", Mine)

    A configuration then has `exits: {kind: mine}`. Objects and iterators are used as those of Arrivals.
    """

    #: What policies know: for each early exit, of the samples that reach it the share that leaves there, from 0 to 1.
    #: An attribute, a property or a method; the key `rates` of a configuration comes before it, and so does a
    #: parameter `rates` with a list of numbers as its default.
    rates: Any = None

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def exits(self, seed: int, device: int) -> Iterable[int]:
        """An iterator of the exits that the requests of one device take, in order: whole numbers from 0; the last exit
        of the network is its final classifier. It must not end before the device does.

        seed, device: as seed and stream of Arrivals.dates; the exits must be the same each time for the same ones.
        """
        raise NotImplementedError


def _made(kind: Any, values: Mapping[str, Any]) -> Any:
    """An object with its parameters, whether or not its own __init__ keeps them."""
    made = kind.__new__(kind)
    made.parameters = Parameters(values)
    made.__init__(made.parameters)
    return made


def _called(value: Any) -> Any:
    return value() if callable(value) else value


def _require_method(kind: type[Any], base: type[Any], method: str) -> None:
    if getattr(kind, method) is getattr(base, method):
        raise TypeError(f"{kind.__name__} is a fluidbatch.{base.__name__} without a method {method!r}")


def _define_arrivals(name: str, kind: type[Arrivals], parameters: Mapping[str, Any]) -> None:
    _require_method(kind, Arrivals, "dates")

    def make(values: Mapping[str, Any]) -> tuple[Arrivals, float]:
        made = _made(kind, values)
        return made, float(_called(made.rate_hz))

    _core.define_arrivals(name, make, [declared_parameter(*item) for item in parameters.items()])


def _define_exits(name: str, kind: type[Exits], parameters: Mapping[str, Any]) -> None:
    _require_method(kind, Exits, "exits")
    others = {key: default for key, default in parameters.items() if key != "rates"}
    default = parameters.get("rates")

    def make(values: Mapping[str, Any], given: list[float] | None) -> tuple[Exits, list[float] | None]:
        rates = given if given is not None else default
        made = _made(kind, {**values, "rates": None if rates is None else list(rates)})
        known = rates if rates is not None else _called(made.rates)
        return made, None if known is None else [float(rate) for rate in known]

    _core.define_exits(name, make, [declared_parameter(*item) for item in others.items()])


def register(name: str, source: Any, parameters: Mapping[str, Any] | None = None) -> None:
    """Makes arrivals or exits known by a name, which configurations then have as `kind`.

    source: an ArrivalDates, RecordedExits or ExitList, or a class derived from Arrivals or Exits.
    parameters: of a class, its keys in a configuration with their defaults, as fb.register has them.

    What is registered again under its name, as when a cell of a notebook is run twice, takes the place of the earlier
    one; configurations that have been read keep that. Raises InputError where the name is that of a shipped kind, and
    TypeError for another source.
    """
    if not isinstance(name, str) or not name:
        raise TypeError(f"a name must be a str that is not empty, found {name!r}")
    is_class = isinstance(source, type) and issubclass(source, (Arrivals, Exits))
    if not is_class and not isinstance(source, (ArrivalDates, RecordedExits, ExitList)):
        raise TypeError(f"can't register {source!r}: it must be an ArrivalDates, RecordedExits or ExitList, or a class "
                        "derived from Arrivals, Exits, Policy, Router, Arbiter or ExitControl")
    if parameters and not is_class:
        raise TypeError(f"{source!r} takes no parameters")
    try:
        if not is_class:
            source._define(name)
        elif issubclass(source, Arrivals):
            _define_arrivals(name, source, parameters or {})
        else:
            _define_exits(name, source, parameters or {})
    except _core.InputError:
        raise
    except ValueError as error:  # the name of a shipped kind
        raise _refused("name", str(error)) from None
