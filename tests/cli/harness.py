"""What the tests of the command line share: the program, a folder to work in, a small configuration."""

import json
import os
import sqlite3
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RELEASE = os.environ.get("FLUIDBATCH_BUILD", "").endswith("release")  # without sanitizers, which take more memory
PROGRAM = os.environ.get("FLUIDBATCH", str(ROOT / "build/release/bin/fluidbatch"))

CONFIG = """\
seed: 1
requests: 200
warmup_requests: 10
network: ee_resnet50
slo: {latency_ms: 120}
reference: {npu: zu7ev_large, npu_mode: r}
workload:
  arrivals: {kind: poisson, rho: 0.8}
  exits: {kind: rates, rates: [0.30, 0.35, 0.40]}
systems:
  - {label: serial, policy: {name: serial}, npu: zu7ev_large, npu_mode: r}
  - {label: dynamic, policy: {name: dynamic_batching, max_batch: 8, max_queue_delay_ms: 15}, npu: zu7ev_large, npu_mode: r}
"""


SWEEP = """\
base:
  requests: %d
  network: ee_resnet18
  slo: {latency_ms: 60}
  workload:
    arrivals: {kind: poisson, rho: 1}
    exits: {kind: rates, rates: [0.30, 0.35, 0.40]}
  outputs: {bounds: false}
  systems:
    - {label: dynamic, policy: {name: dynamic_batching, max_queue_delay_ms: 5}, npu: zu7ev_large, npu_mode: r}
    - {label: ours, policy: {name: exit_aware}, npu: zu7ev_large, npu_mode: fluid_stacked}
axes:
  grid: {workload.arrivals.rho: [0.5, 1, 1.5, 2]}
  zip: {slo.latency_ms: [40, 60], systems.ours.policy.max_batch: [4, 8]}
replications: 3
"""


class CommandLineTest(unittest.TestCase):
    """Each test has an empty folder of its own, `self.folder`, which commands run in."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="fluidbatch-cli-")
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return name

    def call(self, *arguments, program=PROGRAM):
        return subprocess.run([program, *map(str, arguments)], cwd=self.folder, capture_output=True, text=True,
                              timeout=120, check=False)

    def succeed(self, *arguments, program=PROGRAM):
        result = self.call(*arguments, program=program)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def timeline(self, system, out="out"):
        """The events of a system, as the timeline of a run has them."""
        events = json.loads((self.folder / out / "timeline.json").read_text())["traceEvents"]
        pids = [e["pid"] for e in events if e["name"] == "process_name" and e["args"] == {"name": system}]
        self.assertEqual(len(pids), 1)
        return [event for event in events if event["pid"] == pids[0]]

    def files(self):
        return sorted(str(p.relative_to(self.folder)) for p in self.folder.rglob("*") if p.is_file())


class SweepTest(CommandLineTest):
    """Has the sweep `s.yaml` of 48 points in its folder."""

    def setUp(self):
        super().setUp()
        self.write("s.yaml", SWEEP % 300)

    def sweep(self, name, *arguments, sweep="s.yaml"):
        return self.succeed("sweep", sweep, "--out", name, *arguments)

    def rows(self, name):
        """All that results are compared by: every table but `runs`, in order."""
        with sqlite3.connect(self.folder / name) as database:
            return [database.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
                    for table in ("sweep", "files", "settings", "points")]

    def numbers(self, name):
        return [row[0] for row in self.rows(name)[-1]]

    def refuse(self, arguments, message, **options):
        result = self.call(*arguments, **options)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertRegex(result.stderr, message)
