"""What the collecting scripts share: tables of a results file from CSV that the program prints."""

import argparse
import csv
import io
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run(program, *arguments):
    return subprocess.run([str(program), *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def number(text):
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text or None


def swept(sweep, columns):
    """Runs a sweep (fb.Sweep) whose own results file is not kept: those columns of its points that are done, in their
    order."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "results.sqlite"
        sweep.run(file)
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as found:
            return found.execute(f"SELECT {columns} FROM results WHERE status = 'done' ORDER BY point").fetchall()


def insert(database, table, columns, rows):
    """Adds rows of so many columns to a table."""
    database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows)


def add_csv(database, table, text, **constants):
    """Adds the rows of a CSV to a table, which is made where it is not there, with a column for each constant."""
    rows = list(csv.reader(io.StringIO(text)))
    columns = [*constants, *rows[0]]
    database.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(columns)})")
    insert(database, table, columns, [[*constants.values(), *map(number, row)] for row in rows[1:]])


def add_rows(database, table, rows, **constants):
    """Adds the rows of a table (fb.Records) likewise; NaN becomes NULL."""
    columns = [*constants, *rows.columns]
    database.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(columns)})")
    insert(database, table, columns, [(*constants.values(), *row) for row in rows.tolist()])


def main(description, collect):
    """The command line of a collecting script; `collect(program, database, quick)` fills the file."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("results", type=Path, help="SQLite file to write")
    parser.add_argument("--program", default=str(ROOT / "build/release/bin/fluidbatch"))
    parser.add_argument("--quick", action="store_true", help="shorter runs")
    arguments = parser.parse_args()
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    arguments.results.unlink(missing_ok=True)
    with sqlite3.connect(arguments.results) as database:
        collect(arguments.program, database, arguments.quick)
