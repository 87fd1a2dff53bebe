"""Runs the spiking load with its series and timelines."""

import json
import tempfile
from pathlib import Path

import collect


def fill(program, database, _quick):
    with tempfile.TemporaryDirectory() as out:
        collect.run(program, "run", Path(__file__).parent / "spikes.yaml", "--out", out, "--series", 0.25, "--timeline")
        database.execute("CREATE TABLE steps (system, lane, begin_s, end_s, batch)")
        for folder in sorted(p for p in Path(out).iterdir() if p.is_dir()):
            collect.add_csv(database, "series", (folder / "series.csv").read_text(), system=folder.name)
            collect.add_csv(database, "requests", (folder / "requests.csv").read_text(), system=folder.name)
            for event in json.loads((folder / "timeline.json").read_text())["traceEvents"]:
                begin_s = event.get("ts", 0) / 1e6
                if event["ph"] == "X" and 8 <= begin_s <= 12:
                    arguments = event["args"]
                    database.execute(
                        "INSERT INTO steps VALUES (?, ?, ?, ?, ?)",
                        (
                            folder.name,
                            "NPU" if event["tid"] == 1 else "suspended",
                            begin_s,
                            begin_s + event["dur"] / 1e6,
                            arguments.get("batch", arguments.get("B_old")),
                        ),
                    )


def main():
    collect.main("A spiking load over time", fill)
