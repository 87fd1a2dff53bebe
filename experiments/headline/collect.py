"""Runs the grid, estimates by splitting what its runs do not know, and finds the loads that each system carries.

What is done is kept as it comes: sweeps in a folder beside the results, estimates and loads in the results. A second
call goes on from there; what was made otherwise (another version, size or grid) is made anew.
"""

import argparse
import hashlib
import json
import os
import shutil
import sqlite3
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from pathlib import Path

import collect
from python_module import fb

from headline import grid, readings

ROOT = Path(__file__).resolve().parents[2]
STATISTICS = "requests, mean_latency_s, slo_violation_rate, saturated"
TABLES = {
    "runs": f"network, multiple, kind, rho, system, replication, {STATISTICS}, distance_to_bound",
    "adaptive": f"network, multiple, kind, rho, system, replication, {STATISTICS}, accuracy",
    "tails": "network, multiple, kind, rho, system, value, low, high, far_high_s, events, levels, note",
    "capacities": "network, multiple, kind, system, seed, load, fails_from, endless",
}


def insert(database, table, rows):
    """Adds rows to one of TABLES, for good."""
    collect.insert(database, table, TABLES[table].split(","), rows)
    database.commit()


def in_all_cores(work, tasks):
    """`work` of each task, as they are finished, in processes of their own."""
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        yield from (future.result() for future in as_completed([pool.submit(work, *task) for task in tasks]))


def run_sweep(database, table, sweep, file):
    """Runs what a sweep lacks, and copies its points into a table, in which replications count from 0."""
    done = fb.Sweep(sweep).run(file, resume=True)
    if done.left or done.failed:
        raise RuntimeError(f"{file}: {done.left} points are left, {done.failed} have failed")
    last = TABLES[table].split(", ")[-1]
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as found:
        rows = found.execute(
            'SELECT "workload.devices", network, "slo.unloaded_multiple", system, replication, '
            f"{STATISTICS}, {last} FROM results WHERE status = 'done' ORDER BY point"
        ).fetchall()
    database.execute("INSERT INTO copied VALUES (?)", (file.name,))
    settings = ((network, multiple, *grid.described(text), *rest) for text, network, multiple, *rest in rows)
    insert(database, table, settings)


def planned(size):
    """(file, table, sweep) of all runs: each kind of arrivals without and with the optimal policy, adaptive exits."""
    plans = [(f"{kind}.sqlite", "runs", grid.sweep(size, kind)) for kind in grid.KINDS]
    plans += [(f"optimal_{kind}.sqlite", "runs", grid.sweep(size, kind, ("optimal",))) for kind in grid.KINDS]
    return [*plans, ("adaptive.sqlite", "adaptive", grid.adaptive_sweep(size))]


def sweeps(database, size, parts):
    for name, table, plan in planned(size):
        if not database.execute("SELECT 1 FROM copied WHERE name = ?", (name,)).fetchone():
            run_sweep(database, table, plan, parts / name)


def cells_of(database, replications):
    """{(setting, system): (rate in each replication, requests in all)}; of cameras these are means over runs."""
    found = {}
    query = (
        "SELECT network, multiple, kind, rho, system, replication % ?, AVG(slo_violation_rate), SUM(requests) "
        "FROM runs GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6"
    )
    for *setting, system, _, late, requests in database.execute(query, (replications,)):
        rates, so_far = found.get((tuple(setting), system), ((), 0))
        found[tuple(setting), system] = (*rates, late), so_far + requests
    return found


def split(config, system, precision, quantile, most_events):
    """{value, low, high, far_high_s, events, levels, note} of a rate, and of the latency that a share of 1 - `quantile`
    is above; None where it is not known."""
    unknown = dict.fromkeys(("value", "low", "high", "far_high_s"))
    try:
        found = fb.tail(config, system, precision, (quantile,), most_events, jobs=1)
    except fb.InputError as error:
        if "saturated" not in str(error):
            raise
        return {**unknown, "events": 0, "levels": 0, "note": str(error)}
    rows = [dict(zip(found.table.columns, row)) for row in found.table.tolist()]
    late = [row for row in rows if row["metric"] == "slo_violation_rate"]
    far = [row for row in rows if row["metric"] != "slo_violation_rate"]
    if not late:
        return {**unknown, "events": 0, "levels": 0, "note": "; ".join(found.notes)}
    known = {key: late[0][key] for key in ("value", "low", "high") if late[0][key] == late[0][key]}
    more = {"far_high_s": far[0]["high"], "events": late[0]["events"], "levels": late[0]["levels"]}
    return {**unknown, **known, **more, "note": "; ".join(found.notes)}


def estimate(setting, system, seed, rare, most_events):
    """A row of the table tails. `rare`: no run has seen a late request, so that a coarse look comes first: how far a
    rate is below the floor need not be known."""
    config = {**grid.configuration(setting, 50_000, (system,)), "seed": seed, "warmup_requests": 200}
    if rare:
        found = split(config, system, 0.5, 1 - readings.FLOOR, most_events / 2)
        if readings.is_below_the_floor(found, grid.slo_s(setting)):
            return (*setting, system, *found.values())
    quantile = 1 - readings.FLOOR if rare else 0.9
    found = split(config, system, readings.PRECISION, quantile, most_events)
    if not rare:
        found["far_high_s"] = None  # that of another quantile
    return (*setting, system, *found.values())


def tails(database, size):
    """Splitting, of every rate that the runs do not know as well as is asked for; not of cameras."""
    cells = cells_of(database, size.replications)
    done = set(database.execute("SELECT network, multiple, kind, rho, system FROM tails"))
    tasks = []
    for seed, (setting, system) in enumerate(((s, n) for s in grid.settings(size) for n in grid.CLAIMED), start=1):
        rates, _ = cells[tuple(setting), system]
        if setting.kind != "periodic" and not readings.are_enough(rates) and (*setting, system) not in done:
            tasks.append((setting, system, seed, not any(rates), size.tail_events))
    for row in in_all_cores(estimate, tasks):
        insert(database, "tails", [row])


def loads_of(place, system, size):
    """Rows of the table capacities, one for each seed."""
    config, key = grid.capacity_configuration(place, size.capacity_requests)
    config["systems"] = [one for one in config["systems"] if one["label"] == system]
    options = {"confidence": 0.95, "tolerance": size.capacity_tolerance, "most_runs": size.capacity_runs}
    table = fb.capacity(config, key, seeds=size.capacity_seeds, jobs=1, driver="bare", **options).table
    found = [dict(zip(table.columns, row)) for row in table.tolist()]
    return [
        (
            *place,
            system,
            row["seed"],
            grid.to_mean_rho(place.kind, row["value"]),
            grid.to_mean_rho(place.kind, row["fails_from"]),
            bool(row["endless"]),
        )
        for row in found
    ]


def capacities(database, size):
    done = set(database.execute("SELECT DISTINCT network, multiple, kind, system FROM capacities"))
    tasks = [(p, s, size) for p in grid.places(size) for s in grid.CLAIMED if (*p, s) not in done]
    for rows in in_all_cores(loads_of, tasks):
        insert(database, "capacities", rows)


def description(size):
    """What the results are of; other ones are made anew."""
    searched = [grid.capacity_configuration(place, size.capacity_requests) for place in grid.places(size)]
    known_to = (readings.FLOOR, readings.PRECISION, readings.ENOUGH)
    text = json.dumps([fb.__version__, size._asdict(), planned(size), searched, known_to], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def begin(results, size):
    """(database, folder of the sweeps), with what an earlier call has left where that was of the same."""
    parts = results.with_suffix(".parts")
    wanted = description(size)
    if results.exists():
        with closing(sqlite3.connect(results)) as database:
            there = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'made'").fetchone()
            same = there and database.execute("SELECT description FROM made").fetchone() == (wanted,)
        if not same:
            results.unlink()
            shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(results)
    for table, columns in {**TABLES, "made": "description", "copied": "name"}.items():
        database.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
    if not database.execute("SELECT 1 FROM made").fetchone():
        database.execute("INSERT INTO made VALUES (?)", (wanted,))
    database.commit()
    return database, parts


def main():
    parser = argparse.ArgumentParser(description="The headline")
    parser.add_argument("results", type=Path, help="SQLite file to write, or to go on with")
    program = str(ROOT / "build/release/bin/fluidbatch")
    parser.add_argument("--program", default=program, help="whose Python module is taken")
    parser.add_argument("--quick", action="store_true", help="fewer settings and shorter runs")
    arguments = parser.parse_args()
    size = grid.QUICK if arguments.quick else grid.FULL
    database, parts = begin(arguments.results, size)
    with closing(database):
        sweeps(database, size, parts)
        tails(database, size)
        capacities(database, size)
