"""Intervals over replications."""

from __future__ import annotations

from typing import Iterable, NamedTuple

from . import _core


class Interval(NamedTuple):
    """A mean and how well it is known; both in the unit of the values."""

    #: Of the values.
    mean: float
    #: Half the width of the 95 % interval: it reaches from mean - half_width to mean + half_width. NaN for fewer than
    #: two values.
    half_width: float

    @property
    def low(self) -> float:
        """The lower end."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """The upper end."""
        return self.mean + self.half_width

    def __str__(self) -> str:
        return f"{self.mean:.4g} ± {self.half_width:.2g}"


def interval(values: Iterable[float]) -> Interval:
    """The mean of independent values, such as one statistic in several replications, with its 95 % interval by
    Student's t distribution: what `compare` and the bands of plots have.

    values: one number for each replication, in any unit.
    """
    return Interval(*_core.mean_interval([float(value) for value in values]))
