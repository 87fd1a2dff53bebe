"""Tables: structured NumPy arrays that show themselves and turn into data frames."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Sequence

import numpy as np

from . import _core

if TYPE_CHECKING:
    import pandas

# Here, where one thread imports and others wait: the first look at an array in two threads at once would never end.
_core.use_numpy()


class Records(np.ndarray[Any, np.dtype[Any]]):
    """A table: a one-dimensional structured array, whose fields are its columns.

    It is a NumPy array in every way; besides, it shows itself as a table in a notebook, and `to_pandas` makes a
    data frame of it. Views of it (slices, masks) stay tables.
    """

    #: By column of numbers, the words that they stand for.
    words: Mapping[str, Sequence[str]]

    def __array_finalize__(self, obj: object) -> None:
        self.words = getattr(obj, "words", {})

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns; none for an array of plain numbers, such as one column."""
        return self.dtype.names or ()

    def to_pandas(self) -> pandas.DataFrame:
        """The same as a pandas DataFrame, with words in place of the numbers that stand for them.

        Raises ImportError where pandas (Debian: python3-pandas) is not there.
        """
        import pandas

        columns: dict[str, Any] = {}
        for name in self.columns:
            values: Any = np.asarray(self[name])
            if name in self.words:
                values = pandas.Categorical.from_codes(values, categories=list(self.words[name]))
            columns[name] = values
        return pandas.DataFrame(columns)

    def _cell(self, name: str, value: Any) -> str:
        if name in self.words:
            return self.words[name][int(value)]
        if isinstance(value, (float, np.floating)):
            return "" if np.isnan(value) else f"{value:.6g}"
        return str(value)

    def _repr_html_(self) -> str:
        """At most 20 rows, the first ones and the last ones."""
        if not self.columns or self.ndim != 1:
            return f"<pre>{html.escape(repr(self))}</pre>"
        most = 20
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        shown = list(range(len(self)))
        if len(self) > most:
            shown = [*shown[:most // 2], -1, *shown[-most // 2:]]
        rows = []
        for index in shown:
            cells = ("…" if index < 0 else self._cell(name, self[name][index]) for name in self.columns)
            rows.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>")
        return (f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
                f"<p>{len(self)} rows</p>")


def records_of(columns: Mapping[str, Iterable[Any]]) -> Records:
    """A table from its columns, each of one length; text and missing values (None) are taken as they are."""
    arrays = {}
    for name, values in columns.items():
        array = np.asarray(list(values) if not isinstance(values, np.ndarray) else values)
        arrays[name] = array
    length = len(next(iter(arrays.values()))) if arrays else 0
    table = np.empty(length, dtype=[(name, array.dtype) for name, array in arrays.items()])
    for name, array in arrays.items():
        table[name] = array
    return table.view(Records)
