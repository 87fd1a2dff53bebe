"""The program beside the module: what its commands print, as rows."""

import csv
import io
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("FLUIDBATCH", str(ROOT / "build/release/bin/fluidbatch"))


def call(*arguments, folder):
    """The result of a command, as subprocess has it."""
    return subprocess.run([PROGRAM, *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=120,
                          check=False)


def succeed(*arguments, folder):
    """What a command prints."""
    result = call(*arguments, folder=folder)
    assert result.returncode == 0, result.stderr
    return result.stdout


def rows(*arguments, folder):
    """The rows of a command's --csv: dicts of texts."""
    return list(csv.DictReader(io.StringIO(succeed(*arguments, "--csv", folder=folder))))


def message(*arguments, folder):
    """What a command that is refused says, without the end of its line."""
    result = call(*arguments, folder=folder)
    assert result.returncode == 2, result.stdout
    return result.stderr.strip()


def same_cells(table, csv_rows):
    """Whether each column of the CSV is one of the table's, with the same values, bit for bit; an empty cell is NaN."""
    assert len(table) == len(csv_rows) > 0
    for name in csv_rows[0]:
        for value, text in zip(table[name].tolist(), (row[name] for row in csv_rows)):
            if isinstance(value, str):
                assert value == text, name
            elif value != value:
                assert text == "", name
            else:
                assert float(value) == float(text), name
    return True
