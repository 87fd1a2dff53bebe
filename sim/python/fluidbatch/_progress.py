"""How far something is: a bar where tqdm is there, a line where not, or a function of the caller's."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Callable, Union

#: What `progress=` takes.
Wanted = Union[bool, Callable[[int, "int | None"], None]]


class Progress:
    """Told now and then how much is done; to be used in a `with`."""

    wanted = False

    @staticmethod
    def of(progress: Wanted, total: int | None, unit: str) -> Progress:
        """`progress`: False for none, True for a bar (tqdm, in a terminal and in a notebook) or, without tqdm, a line
        on a terminal; or a function that is told (done, total). total: None where it is not known."""
        if callable(progress):
            return _Told(progress, total)
        if not progress:
            return Progress()
        try:
            return _Bar(total, unit)
        except ImportError:
            return _Line(total, unit)

    def update(self, done: int, total: int | None = None) -> None:
        """`done` in all; `total`, where it has become known."""

    def close(self) -> None:
        """It is over."""

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()


class _Told(Progress):
    wanted = True

    def __init__(self, function: Callable[[int, int | None], None], total: int | None) -> None:
        self._function = function
        self._total = total

    def update(self, done: int, total: int | None = None) -> None:
        self._total = total if total is not None else self._total
        self._function(done, self._total)


class _Bar(Progress):
    wanted = True

    def __init__(self, total: int | None, unit: str) -> None:
        from tqdm.auto import tqdm

        self._bar: Any = tqdm(total=total, unit=" " + unit, unit_scale=unit != "points")

    def update(self, done: int, total: int | None = None) -> None:
        if total is not None:
            self._bar.total = total
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class _Line(Progress):
    wanted = True

    def __init__(self, total: int | None, unit: str) -> None:
        self._total = total
        self._unit = unit
        self._next_s = 0.0

    def update(self, done: int, total: int | None = None) -> None:
        self._total = total if total is not None else self._total
        if not sys.stderr.isatty() or time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + 0.2
        of = f" of {self._total}" if self._total else ""
        print(f"\r\x1b[K{done}{of} {self._unit}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._next_s:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
