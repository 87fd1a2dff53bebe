#!/usr/bin/python3
"""What `run` prints: its columns, what explains them, its width."""

import json
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import CONFIG, CommandLineTest  # noqa: E402


class RunText(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.write("c.yaml", CONFIG)

    def test_columns_are_explained_in_one_line(self):
        shown = self.succeed("run", "c.yaml", "--out", "out").stdout
        self.assertIn("\nx bound: mean over a lower bound; x free: over the optimum; batch: while busy\n", shown)
        self.assertNotIn("rho", shown)
        self.assertNotIn("drop", shown)
        shown = self.succeed("run", "c.yaml", "--out", "out", "--set", "workload.arrivals.rho=1.2", "--set",
                             "outputs.bounds=false").stdout
        self.assertIn("\nbatch: while busy\nrho 1.20: more than single samples without exits; batches and exits save time\n", shown)

    def test_of_rho_where_systems_are_saturated(self):
        shown = self.succeed("run", "c.yaml", "--out", "out", "--set", "workload.arrivals.rho=4", "--set", "requests=3000",
                             "--set", "outputs.bounds=false").stdout
        self.assertIn("\nserial * ", shown)
        self.assertIn("\nrho 4.00: more than single samples without exits; those with * did not keep up\n* saturated: ", shown)
        self.assertNotIn("save time", shown)

    def test_means_have_the_intervals_of_the_summary(self):
        shown = self.succeed("run", "c.yaml", "--out", "out", "--set", "requests=4000").stdout
        for label in ("serial", "dynamic"):
            found = json.loads((self.folder / f"out/{label}/summary.json").read_text())["statistics"]
            mean, half_width = map(float, re.search(rf"^{label} +(\S+) ±(\S+) ", shown, re.M).groups())
            self.assertLess(abs(mean / (1000 * found["mean_latency_s"]) - 1), 0.001)
            self.assertLess(abs(half_width / (1000 * found["mean_latency_ci95_s"]) - 1), 0.05)

    def test_tables_fit_a_terminal(self):
        for options in ([], ["--set", "workload.arrivals.rho=3"],
                        ["--set", "workload.uplink={model: analytic, sample_bytes: 20000, access_point_bandwidth_bytes_per_s: 9.0e+6}"]):
            shown = self.succeed("run", "c.yaml", "--out", "out", "--set", "systems.serial.drop=hopeless", "--set",
                                 "systems.serial.label=dynamic_greedy", *options).stdout
            self.assertLessEqual(max(map(len, shown.splitlines())), 80, shown)
            self.assertIn(" drop %\n", shown)


if __name__ == "__main__":
    unittest.main()
