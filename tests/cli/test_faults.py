#!/usr/bin/python3
"""Whatever call of the system fails, the n-th allocation, open, read, write or fork of a run, a sweep, a merge and an
import: the command ends in 2 or 4, or in 0 with the bytes of an undisturbed one; and afterwards it works.

Each n is tried up to FIRST, and of what is beyond a sample (FLUIDBATCH_FAULTS: how many, default 100).
"""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import PROGRAM, ROOT, CommandLineTest  # noqa: E402

FIRST = 40
SAMPLE = int(os.environ.get("FLUIDBATCH_FAULTS", "100"))
LIBRARY = os.environ.get("FLUIDBATCH_FAILING_CALLS", str(ROOT / "build/release/lib/libfailing_calls.so"))
KINDS = ("allocate", "open", "read", "write", "fork")


def tree(path):
    """Names and bytes of all files below."""
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def rows(path):
    """All that a results file says of the points, and nothing of how they were run."""
    connection = sqlite3.connect(path)
    try:
        return [connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
                for table in ("points", "settings", "sweep")]
    finally:
        connection.close()


class Faults(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.inputs = self.folder / "inputs"
        shutil.copytree(ROOT / "tests/fuzz/fixtures", self.inputs)
        shutil.copy(ROOT / "tests/fuzz/seeds/onnx/two_convolutions.onnx", self.inputs)

    def run_with(self, setting, arguments):
        return subprocess.run([PROGRAM, *map(str, arguments)], cwd=self.inputs, capture_output=True, text=True,
                              errors="replace", timeout=60, check=False,
                              env=os.environ | {"LD_PRELOAD": LIBRARY, "FAILING_CALL": setting})

    def counts(self, arguments):
        """How often each kind is called, by the process that calls it most."""
        file = self.folder / "counts"
        result = self.run_with(f"count:{file}", arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        most = dict.fromkeys(KINDS, 0)
        for line in file.read_text().splitlines():
            kind, count = line.split()
            most[kind] = max(most[kind], int(count))
        file.unlink()
        return most

    def hold_to_the_rule(self, command, out_name, read, repeated):
        """`command` of an output gives the arguments, `read` what counts of it; `repeated` those of the next try."""
        out = self.folder / "clean" / out_name
        out.parent.mkdir()
        most = self.counts(command(out))
        clean = read(out)
        faults = []
        for kind in KINDS:
            beyond = range(FIRST + 1, most[kind] + 1)
            numbers = [*range(1, min(FIRST, most[kind]) + 1),
                       *sorted(random.Random(1).sample(beyond, min(SAMPLE, len(beyond))))]
            faults += [f"{kind}:{number}" for number in numbers]
        self.assertGreater(len(faults), FIRST)

        def try_one(fault):
            folder = self.folder / fault.replace(":", "_")
            folder.mkdir()
            result = self.run_with(fault, command(folder / out_name))
            return fault, folder, result

        with ThreadPoolExecutor(max_workers=2) as pool:
            for fault, folder, result in pool.map(try_one, faults):
                with self.subTest(fault=fault):
                    self.check(folder, out_name, result, read, clean, repeated)
                shutil.rmtree(folder)

    def check(self, folder, out_name, result, read, clean, repeated):
        if "Segmentation fault." in result.stderr:  # SimGrid's C code takes what malloc gives unseen
            self.assertIn(result.returncode, (2, 3, 4), result.stderr)
            return
        if "cannot write to file" in result.stderr and (folder / out_name).exists():  # what was to be printed at the end
            self.assertEqual((result.returncode, read(folder / out_name)), (2, clean))
            return
        said = f"exit code {result.returncode}: {result.stderr[-500:]}"
        self.assertIn(result.returncode, (0, 2, 4), said)
        out = folder / out_name
        if result.returncode == 0:
            self.assertEqual(read(out), clean, said)
            self.assertEqual(len(list(folder.iterdir())), 1, said)
            return
        if result.returncode == 2:
            self.assertNotEqual(result.stderr, "", said)
        again = subprocess.run([PROGRAM, *map(str, repeated(out))], cwd=self.inputs, capture_output=True, text=True,
                               timeout=60, check=False)
        self.assertEqual(again.returncode, 0, said + "\nthe next try: " + again.stderr)
        self.assertEqual(read(out), clean, said + "\nthe next try has other results")
        self.assertEqual([path.name for path in folder.iterdir()], [out_name], said + "\nsomething was left")

    def test_run(self):
        command = lambda out: ["run", "run.yaml", "--out", out]  # noqa: E731
        self.hold_to_the_rule(command, "out", tree, command)

    def test_sweep(self):
        command = lambda out: ["sweep", "sweep.yaml", "--out", out, "--jobs", 2]  # noqa: E731
        resumed = lambda out: [*command(out), *(["--resume"] if out.exists() else [])]  # noqa: E731
        self.hold_to_the_rule(command, "sweep.sqlite", rows, resumed)

    def test_merge(self):
        parts = [self.inputs / f"part{number}.sqlite" for number in (1, 2)]
        for number, part in enumerate(parts, 1):
            self.succeed("sweep", self.inputs / "sweep.yaml", "--out", part, "--shard", f"{number}/2")
        command = lambda out: ["sweep", "merge", *parts, "--out", out]  # noqa: E731
        self.hold_to_the_rule(command, "merged.sqlite", rows, command)

    def test_import(self):
        command = lambda out: ["network", "import", "two_convolutions.onnx", "--out", out]  # noqa: E731
        self.hold_to_the_rule(command, "network.yaml", Path.read_text, command)


if __name__ == "__main__":
    unittest.main()
