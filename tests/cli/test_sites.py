#!/usr/bin/python3
"""Configurations of several services and NPUs as a user meets them: checked, described, run, swept."""

import csv
import io
import math
import re
import sqlite3
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import CONFIG, RELEASE, SweepTest  # noqa: E402

SITE = """\
requests: 400
services:
  - {name: faces, network: ee_resnet18, slo: {latency_ms: 40}, exits: {kind: rates, rates: [0.3, 0.35, 0.4]}}
  - {name: plates, network: mobilenet_v2, slo: {unloaded_multiple: 3}, priority: 1}
workload:
  devices:
    - {service: faces, label: door, count: 3, arrivals: {kind: poisson, rho: 0.2}}
    - {service: plates, arrivals: {kind: poisson, rho: 0.4}}
systems:
  - label: fleet
    policy: {name: exit_aware, max_batch: 4}
    arbiter: {name: priority, preemptive: true}
    npus: [{npu: zu7ev_large, npu_mode: r, count: 2}, {npu: zu7ev_small, npu_mode: fluid_stacked}]
    router: {name: least_work}
  - {label: alone, policy: {name: serial}, npu: zu7ev_large}
"""


class Sites(SweepTest):
    def setUp(self):
        super().setUp()
        self.write("c.yaml", SITE)

    def requests(self, folder):
        with (self.folder / folder / "requests.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    def test_check(self):
        out = self.succeed("check", "c.yaml").stdout
        self.assertIn("ee_resnet18 + mobilenet_v2: 400 requests", out)
        self.assertRegex(out, r"service faces: ee_resnet18, SLO 40\.00 ms; a single sample takes [0-9.]+ ms on the\nreference NPU\n")
        self.assertRegex(out, r"system fleet: exit_aware on 2 x zu7ev_large \+ zu7ev_small in mode 2 x r \+ fluid_stacked, single sample "
                         r"[0-9.]+, [0-9.]+ \+ [0-9.]+, [0-9.]+ ms, arbiter priority, preemptive, router least_work\n")
        self.assertRegex(out, r"system alone: serial on zu7ev_large in mode r, single sample [0-9.]+, [0-9.]+ ms, arbiter oldest_first\n")

    def test_description_agrees_with_the_run(self):
        rows = list(csv.DictReader(io.StringIO(self.succeed("workload", "describe", "c.yaml", "--csv").stdout)))
        described = {row["name"]: row["value"] for row in rows}
        self.succeed("run", "c.yaml", "--out", "out")
        served = self.requests("out/fleet")
        for service in ("faces", "plates"):
            its = [row for row in served if row["service"] == service]
            self.assertEqual(len(its), int(described[f"{service}.requests"]))
            span = float(its[-1]["arrival_s"]) - float(its[0]["arrival_s"])
            self.assertAlmostEqual((len(its) - 1) / span, float(described[f"{service}.rate_hz"]), places=9)
            for exit_taken in {row["exit"] for row in its}:
                share = sum(row["exit"] == exit_taken for row in its) / len(its)
                self.assertAlmostEqual(share, float(described[f"{service}.exit_share_{exit_taken}"]), places=12)
        total = sum(float(described[f"{service}.offered_load"]) for service in ("faces", "plates"))
        self.assertAlmostEqual(float(described["offered_load"]), total, places=12)
        self.assertEqual(described["requests"], "400")
        self.assertNotIn("exit_share_0", described)
        text = self.succeed("workload", "describe", "c.yaml").stdout
        self.assertRegex(text, r"\nservice +network +requests +1/s +rho +load")
        self.assertRegex(text, r"\nplates +final +100 +100\n")

    def test_the_resolved_configuration_gives_the_same_run(self):
        self.succeed("run", "c.yaml", "--out", "out")
        self.succeed("run", "out/resolved.yaml", "--out", "again")
        self.succeed("run", "out/fleet/resolved.yaml", "--out", "alone")
        rows = (self.folder / "out/fleet/requests.csv").read_bytes()
        self.assertEqual((self.folder / "again/fleet/requests.csv").read_bytes(), rows)
        self.assertEqual((self.folder / "alone/fleet/requests.csv").read_bytes(), rows)
        self.assertEqual((self.folder / "again/resolved.yaml").read_bytes(), (self.folder / "out/resolved.yaml").read_bytes())

    def test_one_named_service_on_one_listed_npu_gives_the_bytes_without_them(self):
        self.write("plain.yaml", CONFIG)
        exits = re.search(r"exits: .*", CONFIG)[0]
        named = CONFIG.replace("network: ee_resnet50\nslo: {latency_ms: 120}\n",
                               "services: [{name: it, network: ee_resnet50, slo: {latency_ms: 120}, " + exits + "}]\n")
        named = named.replace("  " + exits + "\n", "").replace("npu: zu7ev_large, npu_mode: r}\n",
                                                               "npus: [{npu: zu7ev_large, npu_mode: r}]}\n")
        # The reference keeps its own.
        named = named.replace("reference: {npus: [{npu: zu7ev_large, npu_mode: r}]}", "reference: {npu: zu7ev_large, npu_mode: r}")
        self.write("named.yaml", named)
        for name in ("plain", "named"):
            self.succeed("run", f"{name}.yaml", "--out", name)
        for system in ("serial", "dynamic"):
            self.assertEqual((self.folder / "named" / system / "requests.csv").read_bytes(),
                             (self.folder / "plain" / system / "requests.csv").read_bytes())

    def test_keys_of_a_site_are_axes(self):
        axes = ("axes:\n  grid:\n    systems.fleet.arbiter.name: [priority, earliest_deadline]\n"
                "    services.faces.slo.latency_ms: [20, 60]\n    systems.fleet.npus.0.count: [1, 2]\n")
        base = "base:\n" + "".join(f"  {line}\n" for line in SITE.splitlines())
        self.write("site.yaml", base + axes)
        self.assertRegex(self.sweep("r.sqlite", sweep="site.yaml").stdout, r"^16 points run in")
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            rows = set(database.execute("SELECT network, npu FROM points"))
        self.assertEqual(rows, {("ee_resnet18 + mobilenet_v2", npu) for npu in
                                ("zu7ev_large", "zu7ev_large + zu7ev_small", "2 x zu7ev_large + zu7ev_small")})

    @unittest.skipUnless(RELEASE, "it is the numbers that count: one build is enough")
    def test_tails(self):
        """Rare enough to split for, and often enough to be counted."""
        quick = ["--precision", "0.3", "--quantiles", "0.99", "--max-events", "3000000", "--csv"]
        self.write("t.yaml", SITE.replace("unloaded_multiple: 3", "unloaded_multiple: 12"))
        rows = list(csv.DictReader(io.StringIO(self.succeed("tail", "t.yaml", *quick, "--system", "alone").stdout)))
        self.assertEqual([row["metric"] for row in rows],
                         ["slo_violation_rate", "slo_violation_rate of faces", "slo_violation_rate of plates", "latency_p99"])
        length = ["--set", "requests=400000", "--set", "outputs.bounds=false"]
        self.succeed("run", "t.yaml", "--out", "many", "--driver", "bare", *length)
        with (self.folder / "many/alone/requests.csv").open(newline="") as file:
            requests = list(csv.DictReader(file))
        for row, service in zip(rows, (None, "faces", "plates")):
            late = [request["slo_met"] == "0" for request in requests if service in (None, request["service"])]
            counted = sum(late) / len(late)
            self.assertGreater(sum(late), 30, service)
            # The count's own error: late requests come in bursts.
            slack = 4 * math.sqrt(10 * counted / len(late))
            self.assertLess(float(row["low"]) - slack, counted, service)
            self.assertGreater(float(row["high"]) + slack, counted, service)
        once = self.succeed("tail", "t.yaml", *quick, "--jobs", "1").stdout
        self.assertEqual(self.succeed("tail", "t.yaml", *quick, "--jobs", "2").stdout, once)


if __name__ == "__main__":
    unittest.main()
