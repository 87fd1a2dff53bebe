"""Runs both sweeps and keeps of each point what the figure needs, with the batching gain of each pair of network and
   NPU."""

import sqlite3
import tempfile
from pathlib import Path

import collect
from python_module import fb

FOLDER = Path(__file__).resolve().parent
QUICK = ("--set", "requests=3000", "--set", "warmup_requests=300")
COLUMNS = (
    'network, npu, npu_mode, "workload.arrivals.load" AS load, system, replication, mean_latency_s, '
    'p99_latency_s, '
    "slo_violation_rate, saturated"
)


def sweep(program, database, name, quick):
    """A table of the points of NAME.yaml."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "results.sqlite"
        collect.run(program, "sweep", FOLDER / f"{name}.yaml", "--out", file, *(QUICK if quick else ()))
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as results:
            rows = results.execute(f"SELECT {COLUMNS} FROM results WHERE status = 'done' ORDER BY point").fetchall()
    names = [column.split(" AS ")[-1].strip() for column in COLUMNS.split(",")]
    database.execute(f"CREATE TABLE {name} ({', '.join(names)})")
    database.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(names))})", rows)


def fill(program, database, quick):
    for name in ("pairs", "lazy"):
        sweep(program, database, name, quick)
    for network, npu, mode in database.execute("SELECT DISTINCT network, npu, npu_mode FROM pairs").fetchall():
        collect.add_rows(database, "layers", fb.Npu(npu).table(network, mode, max_batch=8), network=network, npu=npu)


def main():
    collect.main("When an exit-aware scheduler pays", fill)
