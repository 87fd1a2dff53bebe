"""Runs the spiking load with its series and timelines."""

from pathlib import Path

import collect
from python_module import fb


def fill(_program, database, _quick):
    results = fb.run(Path(__file__).parent / "spikes.yaml", series=0.25, timeline=True)
    database.execute("CREATE TABLE steps (system, lane, begin_s, end_s, batch)")
    for label in sorted(results.labels):
        collect.add_rows(database, "series", results.series(label), system=label)
        collect.add_rows(database, "requests", results.requests(label), system=label)
        for event in results.timeline(label):
            begin_s = event.get("ts", 0) / 1e6
            if event["ph"] == "X" and 8 <= begin_s <= 12:
                lane = "NPU" if event["tid"] == 1 else "suspended"
                batch = event["args"].get("batch", event["args"].get("B_old"))
                row = (label, lane, begin_s, begin_s + event["dur"] / 1e6, batch)
                database.execute("INSERT INTO steps VALUES (?, ?, ?, ?, ?)", row)


def main():
    collect.main("A spiking load over time", fill)
