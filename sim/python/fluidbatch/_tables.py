"""Tables from the text of CSV files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Sequence

import numpy as np

from . import _core
from ._records import Records, records_of


def read_series(text: str) -> Records:
    """series.csv as a table; an empty cell is NaN."""
    kinds = {name: kind for name, kind, *_ in _core.series_columns()}
    rows = np.atleast_1d(np.genfromtxt(io.StringIO(text), delimiter=",", names=True))
    whole = {name for name in rows.dtype.names or () if kinds[name] == "whole number" and not np.isnan(rows[name]).any()}
    return records_of({name: rows[name].astype(np.int64) if name in whole else rows[name]
                       for name in rows.dtype.names or ()})


def read_requests(file: Path, services: Sequence[str]) -> Any:
    """requests.csv as Results.requests gives it."""
    return _core.read_requests(str(file), list(services))
