"""Parameters that configurations give to what is written in Python."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Iterator, NamedTuple, Sequence, Union

from ._core import InputError

Value = Union[bool, int, float, str, None]

#: Whole numbers that are doubles too: parameters are kept as these.
_GREATEST_WHOLE = 2**53


class Parameter(NamedTuple):
    """A parameter that configurations give.

    default: its kind follows from it. An int: a whole number; a float: a number; a bool: true or false; a list of str:
        one of these words, the first one by default; None: a number that need not be given, and is None then.
    min, max: what is allowed of a number, both included; None: whatever there is.
    meaning: one line.
    """

    default: Value | Sequence[str]
    min: float | None = None
    max: float | None = None
    meaning: str = ""


class Parameters(Mapping[str, Any]):
    """The values of parameters, by name: `parameters["patience_ms"]` and `parameters.patience_ms` are the same."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self.__dict__.update(values)

    def __getitem__(self, name: str) -> Any:
        return self.__dict__[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __len__(self) -> int:
        return len(self.__dict__)

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any:
            ...

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"parameters can't be changed: {name} belongs into an attribute of the policy's own")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("parameters can't be changed")

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameters:
        return self

    def __repr__(self) -> str:
        return f"Parameters({self.__dict__!r})"


Declared = tuple[str, float, float, float, str, str, list[str]]


def declared_parameter(name: str, value: object) -> Declared:
    """A parameter as the compiled half takes it: name, default, least, most, kind, meaning, words."""
    given = value if isinstance(value, Parameter) else Parameter(value)  # type: ignore[arg-type]
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise InputError(f"a parameter's name is made of lower-case letters, digits and '_', found {name!r}")
    if name in ("name", "kind") or hasattr(Parameters, name):
        raise InputError(f"a parameter can't be called {name!r}, which means something already")
    default = given.default
    if not isinstance(default, (bool, int, float)) and default is not None:
        return (name, *_words(name, default, given))
    if isinstance(default, bool):
        _refuse_range(name, given, "true or false")
        return name, float(default), 0.0, 1.0, "flag", given.meaning, []
    whole = isinstance(default, int)
    greatest = float(_GREATEST_WHOLE) if whole else sys.float_info.max
    least = -greatest if given.min is None else given.min
    most = greatest if given.max is None else given.max
    if whole and not (float(least).is_integer() and float(most).is_integer()):
        raise InputError(f"parameter {name!r} is a whole number, and so are its min and max")
    if not (-greatest <= least <= most <= greatest):
        raise InputError(f"parameter {name!r}: its min, {least!r}, and max, {most!r}, leave nothing that is allowed")
    if default is not None and not least <= default <= most:
        raise InputError(f"parameter {name!r}: the default, {default!r}, is not from {least!r} to {most!r}")
    number = float("nan") if default is None else float(default)
    return name, number, float(least), float(most), "integer" if whole else "number", given.meaning, []


def _refuse_range(name: str, given: Parameter, what: str) -> None:
    if given.min is not None or given.max is not None:
        raise InputError(f"parameter {name!r} is {what}, and has no min and max")


def _words(name: str, default: object, given: Parameter) -> tuple[float, float, float, str, str, list[str]]:
    if isinstance(default, str) or not isinstance(default, Sequence):
        raise InputError(f"parameter {name!r}: a default is a bool, an int, a float, None or a list of words, "
                         f"found {default!r}")
    words = list(default)
    if not words or not all(isinstance(word, str) for word in words) or len(set(words)) < len(words):
        raise InputError(f"parameter {name!r} needs words that differ, found {words!r}")
    _refuse_range(name, given, "one of several words")
    return 0.0, 0.0, float(len(words) - 1), "word", given.meaning, words


def defaults_of(declared: Sequence[Declared]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, default, _, _, kind, _, words in declared:
        if kind == "word":
            values[name] = words[0]
        elif kind == "flag":
            values[name] = bool(default)
        else:
            values[name] = None if default != default else int(default) if kind == "integer" else default
    return values
