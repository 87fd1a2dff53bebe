#!/usr/bin/python3
"""Dates of traces: from whatever date on, in whatever unit, the same run to the last byte."""

import random
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import CONFIG, CommandLineTest  # noqa: E402

UNITS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


class TraceDates(CommandLineTest):
    def setUp(self):
        super().setUp()
        rng = random.Random(3)
        now, self.dates_ns = 0, []
        for _ in range(300):
            self.dates_ns.append(now)
            now += rng.randrange(40_000_000)
        self.write("c.yaml", CONFIG.replace("{kind: poisson, rho: 0.8}", "{kind: trace, path: t.csv}"))

    def results(self, dates_ns, unit="s"):
        """What a run of these dates, written as decimals of `unit`, puts out, the configuration apart."""
        size = UNITS[unit]
        digits = len(str(size)) - 1
        rows = (f"{d // size}.{d % size:0{digits}}" if digits else str(d) for d in dates_ns)
        self.write("t.csv", "arrival_s\n" + "\n".join(rows) + "\n")
        self.succeed("run", "c.yaml", "--out", "out", "--series", "1", "--set", f"workload.arrivals.time_unit={unit}")
        return {name: (self.folder / "out" / name).read_text() for name in self.files()
                if name.startswith("out/") and not name.endswith(".yaml") for name in [name[4:]]}

    def test_shifted_by_epochs_in_every_unit(self):
        want = self.results(self.dates_ns)
        self.assertEqual(len(want), 6)
        for shift_s in (1, 10**9, 1_700_000_000, 10**12):
            for unit in UNITS:
                self.assertEqual(self.results([d + shift_s * 10**9 for d in self.dates_ns], unit), want,
                                 f"{shift_s} s, {unit}")

    def test_a_wrong_unit_is_refused(self):
        self.write("t.csv", "arrival_s\n" + "\n".join(str(d + 1_700_000_000 * 10**9) for d in self.dates_ns) + "\n")
        before = self.files()
        result = self.call("run", "c.yaml", "--out", "out")
        self.assertEqual(result.returncode, 2)
        self.assertRegex(result.stderr, r"t\.csv:4:1: this arrival is at \S+ s; .* time_unit")
        self.assertEqual(self.files(), before)

    def test_resolved_yaml_says_the_origin_and_gives_the_same_run(self):
        want = self.results([d + 10**18 for d in self.dates_ns], "ns")
        resolved = (self.folder / "out/resolved.yaml").read_text()
        self.assertIn("origin: first_row", resolved)
        self.assertIn("time_unit: ns", resolved)
        self.write("again.yaml", resolved)
        self.succeed("run", "again.yaml", "--out", "again")
        self.assertEqual((self.folder / "again/serial/requests.csv").read_text(), want["serial/requests.csv"])


if __name__ == "__main__":
    unittest.main()
