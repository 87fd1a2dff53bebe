"""What tests compare the module with: the program, and what it prints."""

import csv
import io
import os
import subprocess

import numpy as np

PROGRAM = os.environ["FLUIDBATCH"]


def program(*arguments, folder=None):
    return subprocess.run([PROGRAM, *map(str, arguments)], check=True, capture_output=True, text=True, cwd=folder).stdout


def same_as_csv(records, text):
    """The columns of a CSV, in their order, and every cell; numbers to the last bit, an empty one is NaN."""
    rows = list(csv.reader(io.StringIO(text)))
    assert list(records.columns) == rows[0]
    assert len(records) == len(rows) - 1
    for column, name in enumerate(rows[0]):
        cells = [row[column] for row in rows[1:]]
        values = records[name]
        if values.dtype.kind in "fib":
            given = np.array([float(cell or "nan") for cell in cells])
            assert np.array_equal(values, given, equal_nan=values.dtype.kind == "f"), name
            assert values.dtype.kind != "b" or set(cells) <= {"0", "1"}
        else:
            assert list(values) == cells, name
    return rows
