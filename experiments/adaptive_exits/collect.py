"""Runs the sweeps and the bursts over time, and keeps of each point what the figures and tables need."""

import re
import sqlite3
import tempfile
from pathlib import Path

import collect
from python_module import fb

FOLDER = Path(__file__).resolve().parent
DATA = FOLDER.parent / "data"
QUICK = ("--set", "requests=3000", "--set", "warmup_requests=300")
# Each sweep, and what it varies beside the arrivals.
SWEEPS = {
    "thresholds": "workload.exits.threshold",
    "targets": "systems.greedy_target.exit_control.accuracy_target",
    "loads": None,
    "gains": "systems.greedy_target.exit_control.queue_gain",
    "digits": "workload.exits.threshold",
}
COLUMNS = "system, replication, requests, accuracy, mean_latency_s, slo_violation_rate, forced_exit_rate"


def mean_rho(arrivals):
    """The mean load of a Poisson process or a profile, to four decimals."""
    pieces = re.findall(r"rho: ([\d.]+), duration_s: ([\d.]+)", arrivals)
    if not pieces:
        return float(re.search(r"rho: ([\d.]+)", arrivals)[1])
    return round(sum(float(r) * float(d) for r, d in pieces) / sum(float(d) for _, d in pieces), 4)


def kind_of(arrivals):
    if "poisson" in arrivals:
        return "Poisson"
    return "bursts" if "duration_s: 4" in arrivals else "spikes"


def thinned(text):
    """A sweep with every second value of its curves, and two replications: intervals stay, though wide."""
    curves = re.sub(r"\[(\d[\d., ]*)\]", lambda values: f"[{', '.join(values[1].split(', ')[::2])}]", text)
    return curves.replace("replications: 5", "replications: 2")


def sweep(program, database, name, varied, quick):
    """A table of the points of NAME.yaml, with `value`, what the sweep varies."""
    with tempfile.TemporaryDirectory() as folder:
        file, results = FOLDER / f"{name}.yaml", Path(folder) / "results.sqlite"
        more = ()
        if quick:
            text = thinned(file.read_text())
            data = DATA / re.search(r"data/(\w+\.csv)", text)[1]
            file = Path(folder) / file.name
            file.write_text(text)
            more = (*QUICK, "--set", f"workload.exits.path={data}")
        collect.run(program, "sweep", file, "--out", results, *more)
        with sqlite3.connect(f"file:{results}?mode=ro", uri=True) as found:
            value = f'"{varied}"' if varied else "NULL"
            rows = found.execute(
                f"SELECT \"workload.arrivals\", {value}, {COLUMNS} FROM results WHERE status = 'done' ORDER BY point"
            ).fetchall()
    database.execute(f"CREATE TABLE {name} (arrivals, mean_rho, value, {COLUMNS})")
    database.executemany(
        f"INSERT INTO {name} VALUES ({', '.join('?' * (3 + len(COLUMNS.split(','))))})",
        [(kind_of(row[0]), mean_rho(row[0]), *row[1:]) for row in rows],
    )


def fill(program, database, quick):
    for name, varied in SWEEPS.items():
        sweep(program, database, name, varied, quick)
    shorter = {"requests": 3000, "warmup_requests": 300} if quick else {}
    results = fb.run(FOLDER / "spike.yaml", shorter, series=0.1)
    for label in sorted(results.labels):
        collect.add_rows(database, "series", results.series(label), system=label)


def main():
    collect.main("Exits decided at run time", fill)
