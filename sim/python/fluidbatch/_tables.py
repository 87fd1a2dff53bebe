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
    rows: Any = np.atleast_1d(np.genfromtxt(io.StringIO(text), delimiter=",", names=True))
    columns: dict[str, Any] = {name: rows[name] for name in rows.dtype.names or ()}
    for name, values in columns.items():
        if kinds[name] == "whole number" and not np.isnan(values).any():
            columns[name] = values.astype(np.int64)
    return records_of(columns)


def read_requests(file: Path, services: Sequence[str]) -> Any:
    """requests.csv as Results.requests gives it."""
    return _core.read_requests(str(file), list(services))
