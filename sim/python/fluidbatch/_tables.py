"""Tables from the text of CSV files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Sequence

import numpy as np

from . import _core
from ._records import Records, records_of


def read_table(text: str) -> Records:
    """A table of numbers: an empty cell is NaN, and a column of whole numbers alone is one of integers."""
    columns: dict[str, Any] = {}
    for name, values in _core.read_csv(text).items():
        whole = not np.isnan(values).any() and bool((values == np.floor(values)).all()) and not name.endswith("_s")
        columns[name] = values.astype(np.int64) if whole else values
    return records_of(columns)


def read_requests(file: Path, services: Sequence[str]) -> Any:
    """requests.csv as Results.requests gives it."""
    return _core.read_requests(str(file), list(services))
