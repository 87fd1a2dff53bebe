"""What the tests of the command line share: the program, a folder to work in, a small configuration."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
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

    def files(self):
        return sorted(str(p.relative_to(self.folder)) for p in self.folder.rglob("*") if p.is_file())
