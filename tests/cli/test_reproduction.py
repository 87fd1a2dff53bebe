#!/usr/bin/python3
"""The scripts of the reproduction: the same bytes each time, and docs/reproduction.md against a fresh quick run."""

import csv
import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import PROGRAM, ROOT, CommandLineTest  # noqa: E402

# What does not depend on how many requests are simulated, and the cheapest figure of what does.
SAME_IN_EVERY_RUN = ("npu_batching", "control_block", "design_space")
CHEAPEST = "load_latency"


@unittest.skipUnless(os.environ.get("FLUIDBATCH_BUILD", "").endswith("release"), "takes long with sanitizers")
class Reproduction(CommandLineTest):
    def reproduce(self, folder, *names):
        subprocess.run(["/usr/bin/python3", "-B", str(ROOT / "experiments/reproduce.py"), "--quick", "--program", PROGRAM, "--out",
                        str(self.folder / folder), "--only", *names], check=True, capture_output=True)
        return self.folder / folder

    def test_the_same_bytes_and_the_numbers_of_the_docs(self):
        first = self.reproduce("first", *SAME_IN_EVERY_RUN, CHEAPEST)
        second = self.reproduce("second", *SAME_IN_EVERY_RUN, CHEAPEST)
        files = ["report.html"] + sorted(f"figures/{p.name}" for p in (first / "figures").iterdir())
        self.assertEqual(len(files), 1 + 3 * 4 + 2)  # the control block has two pictures
        for file in files:
            self.assertEqual((first / file).read_bytes(), (second / file).read_bytes(), file)
        docs = (ROOT / "docs/reproduction.md").read_text()
        for name in SAME_IN_EVERY_RUN:
            page = json.loads((first / "figures" / f"{name}.json").read_text())
            self.assertIn(page["seen"], docs)
            for table in page["tables"]:
                for row in table["rows"]:
                    self.assertIn("| " + " | ".join(row) + " |", docs)
            for figure in page["figures"]:
                self.assertEqual((first / "figures" / f"{figure}.svg").read_bytes(),
                                 (ROOT / "docs/pictures/reproduction" / f"{figure}.svg").read_bytes(), figure)

    def test_the_report_stands_alone(self):
        out = self.reproduce("out", "control_block")
        text = (out / "report.html").read_text()
        self.assertNotRegex(text, r'(?:src|href)="https?:|<script|@import|url\(')
        self.assertIn("prefers-color-scheme: dark", text)
        self.assertIn('href="results/control_block.sqlite"', text)
        self.assertIn("SELECT layer, batch, b_r, b_p, k, residency, latency_s FROM layers", text)

    def test_the_grid_of_the_headline_is_the_declared_one(self):
        text = (ROOT / "experiments/headline/sweep.yaml").read_text()
        networks = re.search(r"network: \[(.*)\]", text)[1].split(", ")
        multiples = [float(m) for m in re.search(r"slo.unloaded_multiple: \[(.*)\]", text)[1].split(", ")]
        delays = [float(d) for d in re.search(r"max_queue_delay_ms: \[(.*)\]", text)[1].split(", ")]
        self.assertEqual((len(set(networks)), sorted(set(multiples))), (4, [2, 3, 4.5]))
        for network, multiple, delay in zip(networks, multiples, delays):
            table = self.succeed("npu", "table", "--network", network, "--npu", "zu7ev_large", "--max-batch", "1", "--csv").stdout
            unloaded_ms = 1000 * sum(float(row["latency_s"]) for row in csv.DictReader(table.splitlines()))
            self.assertAlmostEqual(delay, multiple * unloaded_ms / 8, delta=0.001 * delay)
        # Every kind of arrivals at every load: what the program says of them.
        entries = re.findall(r"- (workload\.devices): (\[.*\])", text)
        self.assertEqual(len(entries), 20)
        loads = {}
        for _, devices in entries:
            self.write("w.yaml", "requests: 1000\nnetwork: ee_resnet50\nworkload: {devices: %s}\nsystems: [{policy: {name: serial}}]\n" % devices)
            described = self.succeed("workload", "describe", "w.yaml", "--csv").stdout
            rate = float(re.search(r"configured_rate_hz,1/s,(.*)", described)[1])
            loads.setdefault(re.search(r"kind: (\w+)", devices)[1], []).append(round(rate * 0.041031085, 6))
        self.assertEqual(set(map(tuple, loads.values())), {(0.4, 0.8, 1.2, 1.6, 2.0)})
        self.assertIn("replications: 5", text)


if __name__ == "__main__":
    unittest.main()
