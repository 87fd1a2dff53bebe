#!/usr/bin/python3
"""The optimum from the command line: policies that act by tables of decisions."""

import csv
import io
import re
import sqlite3
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import CommandLineTest  # noqa: E402

CONFIG = """\
seed: 1
requests: 2000
network: ee_resnet18
workload:
  arrivals: %s
  exits: {kind: rates, rates: [0.3, 0.35, 0.4]}
systems:
  - {label: x, policy: %s, npu: zu7ev_large, npu_mode: fluid_stacked}
"""
POISSON = "{kind: poisson, rho: 1.6}"


def decisions(segments=4, max_batch=4, longest_queue=4, newcomers=lambda queue, active, segment: 0 if active else queue):
    """A table's CSV: greedy, unless something else is said."""
    states = [(0, 0)] + [(active, segment) for segment in range(1, segments) for active in range(1, max_batch + 1)]
    rows = [f"{queue},{active},{segment},{newcomers(queue, active, segment)}"
            for active, segment in states for queue in range(1, longest_queue + 1)]
    return "\n".join(["queue,active,segment,newcomers", *rows]) + "\n"


class Policies(CommandLineTest):
    def run_it(self, policy, arrivals=POISSON, *arguments):
        self.write("c.yaml", CONFIG % (arrivals, policy))
        return self.call("run", "c.yaml", "--out", "out", *arguments)

    def requests(self, policy, arrivals=POISSON, *arguments):
        result = self.run_it(policy, arrivals, "--audit", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return (self.folder / "out/x/requests.csv").read_bytes()

    def refuse(self, message, policy, arrivals=POISSON):
        result = self.run_it(policy, arrivals)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertRegex(result.stderr, message)
        self.assertFalse((self.folder / "out").exists())

    def test_optimal(self):
        by_mean_rate = self.requests("{name: optimal}")
        resolved = (self.folder / "out/x/resolved.yaml").read_text()
        self.assertRegex(resolved, r"name: optimal\n +max_batch: 8\n +deadline_guard: false\n")
        self.assertEqual(self.requests("{name: optimal, deadline_guard: true}"), by_mean_rate)  # there is no SLO
        self.assertNotEqual(self.requests("{name: optimal, rate_hz: 1}"), by_mean_rate)
        # The rate may be said again.
        hertz = "{kind: poisson, rate_hz: 90}"
        self.assertEqual(self.requests("{name: optimal}", hertz), self.requests("{name: optimal, rate_hz: 90}", hertz))
        self.requests("{name: optimal, rate_hz: 60}", "{kind: closed_loop, clients: 5, think_time_ms: 30}")

    def test_the_guard_keeps_deadlines(self):
        def refused(guard):
            self.requests(f"{{name: optimal, deadline_guard: {guard}}}", POISSON, "--set", "slo.latency_ms=25")
            return re.search(r'"refused_slo": (\d+)', (self.folder / "out/x/summary.json").read_text())[1]
        self.assertEqual(refused("false"), "0")
        self.assertGreater(int(refused("true")), 0)

    def test_optimal_is_refused_before_the_run(self):
        self.refuse(r"c\.yaml:8:24: policy optimal: no policy carries [\d.]+ requests per second: the limit is [\d.]+; a lower "
                    "rate_hz has a table", "{name: optimal}", "{kind: poisson, rho: 20}")
        self.refuse(r"c\.yaml:8:24: policy optimal: the workload has no mean rate of arrivals; give rate_hz", "{name: optimal}",
                    "{kind: closed_loop, clients: 5, think_time_ms: 30}")
        self.refuse(r"c\.yaml:8:24: policy optimal: the optimum would take \d+ MB", "{name: optimal, max_batch: 512}")
        self.refuse(r"c\.yaml:8:\d+: rate_hz must be", "{name: optimal, rate_hz: 0}")
        self.refuse("deadline_guard", "{name: optimal, deadline_guard: 3}")

    def test_table(self):
        (self.folder / "tables").mkdir()
        self.write("tables/greedy.csv", decisions())
        greedy = self.requests("{name: table, path: tables/greedy.csv}")
        self.assertEqual(greedy, self.requests("{name: dynamic_batching, max_batch: 4}"))
        self.requests("{name: table, path: tables/greedy.csv}")
        resolved = self.folder / "out/x/resolved.yaml"
        self.assertIn(f"path: {self.folder}/tables/greedy.csv", resolved.read_text())
        (self.folder / "again.yaml").write_text(resolved.read_text())
        self.succeed("run", "again.yaml", "--out", "again")
        self.assertEqual((self.folder / "again/x/requests.csv").read_bytes(), greedy)
        # Two wait for each other, and at the end nobody is forgotten.
        self.write("pairs.csv", decisions(longest_queue=2, newcomers=lambda queue, active, _: 0 if active or queue < 2 else 2))
        rows = csv.DictReader(io.StringIO(self.requests("{name: table, path: pairs.csv}").decode()))
        starts = [row["start_s"] for row in rows]
        self.assertEqual(len(starts), 2000)
        self.assertEqual(len(set(starts)), 1000)

    def test_a_sweep_knows_its_tables(self):
        self.write("t.csv", decisions())
        base = "".join(f"  {line}\n" for line in (CONFIG % (POISSON, "{name: table, path: t.csv}")).splitlines())
        self.write("s.yaml", f"base:\n{base}axes:\n  grid: {{workload.arrivals.rho: [0.5, 1]}}\n")
        self.succeed("sweep", "s.yaml", "--out", "s.sqlite")
        with sqlite3.connect(self.folder / "s.sqlite") as database:
            files = [path for path, *_ in database.execute("SELECT * FROM files")]
        self.assertIn(str(self.folder / "t.csv"), files)

    def test_a_table_is_refused_before_the_run(self):
        self.refuse(r"c\.yaml:8:24: policy table needs the key 'path'", "{name: table}")
        self.refuse(r"c\.yaml:8:\d+: .*none\.csv", "{name: table, path: none.csv}")
        self.refuse("path", "{name: table, path: [1, 2]}")
        (self.folder / "folder").mkdir()
        self.refuse("folder", "{name: table, path: folder}")
        self.refuse("did you mean 'path'", "{name: table, paths: t.csv}")
        for message, table in (
                (r"c\.yaml:8:24: policy table: the table is for 3 segments, and the network has 4", decisions(segments=3)),
                (r"t\.csv:1:1: the file has no column 'newcomers'|newcomers", decisions().replace("newcomers", "n")),
                (r"t\.csv:1:1: the file has no state", "queue,active,segment,newcomers\n"),
                (r"t\.csv:1:1: the table goes up to .* but has no row for queue 2, active 0, segment 0",
                 decisions().replace("2,0,0,2\n", "")),
                (r"t\.csv:54:1: a second row for queue 1, active 0, segment 0; the first is in line 2", decisions() + "1,0,0,1\n"),
                (r"t\.csv:3:7: newcomers must be", decisions().replace("2,0,0,2", "2,0,0,3")),
                (r"t\.csv:3:3: active must be", decisions().replace("2,0,0,2", "2,-1,0,2")),
                (r"t\.csv:1:1: an idle NPU starts nobody with the longest queue, 4", decisions(newcomers=lambda *_: 0))):
            self.write("t.csv", table)
            self.refuse(message, "{name: table, path: t.csv}")


if __name__ == "__main__":
    unittest.main()
