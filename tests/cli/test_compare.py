#!/usr/bin/python3
"""Results of a sweep side by side, as a user sees them."""

import csv
import io
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import ROOT, CommandLineTest  # noqa: E402

SWEEP = """\
base:
  requests: 300
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
  grid: {workload.arrivals.rho: [0.5, 1]}
replications: 3
"""


class Compare(CommandLineTest):
    def rows(self, *arguments):
        return list(csv.DictReader(io.StringIO(self.succeed("compare", *arguments, "--csv").stdout)))

    def test_csv_has_the_values_of_axes_as_they_are(self):
        names = ['=cmd,"x".yaml', "a,b.yaml"]
        for name in names:
            self.write(name, (ROOT / "workloads/networks/ee_resnet18.yaml").read_text())
        listed = ", ".join("'" + name + "'" for name in names)
        self.write("s.yaml", SWEEP.replace("[0.5, 1]}", f"[1], network: [{listed}], workload.exits.rates: [[0.1, 0.1, 0.1], [0.2, 0.1, 0.1]]}}"))
        self.succeed("sweep", "s.yaml", "--out", "r.sqlite")
        rows = self.rows("r.sqlite", "--metric", "mean_latency_s")
        self.assertEqual([row["network"] for row in rows], [name for name in names for _ in range(4)])
        self.assertEqual([row["network"] for row in self.rows("r.sqlite", "--metric", "requests", "--by", "network")], names * 4)
        self.assertEqual(self.rows("r.sqlite", "--metric", "requests", "--by", "workload.exits.rates")[0]["workload.exits.rates"],
                         "[0.1, 0.1, 0.1]")


if __name__ == "__main__":
    unittest.main()
