#!/usr/bin/python3
"""Energy of runs: against a plain sum over the steps of the naive site, and wherever statistics are shown."""

import csv
import io
import json
import random
import re
import sqlite3
import sys
import unittest
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parent))
import naive_energy  # noqa: E402
from harness import CONFIG, ROOT, SWEEP, CommandLineTest  # noqa: E402
from random_service import MAX_BATCH, MODES, NETWORKS, NPUS, read_networks, rows  # noqa: E402
from random_site import RandomSite  # noqa: E402
from test_against_naive_site import given, hangs_on_rounding  # noqa: E402

RUNS = 80
STATISTICS = ("energy_per_request_j", "mac_energy_per_request_j", "buffer_energy_per_request_j", "dram_energy_per_request_j",
              "static_energy_per_request_j", "average_power_w", "energy_delay_product_js")


def shipped(npu):
    return yaml.safe_load((ROOT / f"npu_model/npus/{npu}.yaml").read_text())


class RunEnergy(CommandLineTest):
    def summary(self, system, out="out"):
        return json.loads((self.folder / out / system / "summary.json").read_text())

    def silent_npu(self, name="zu7ev_large"):
        """A shipped NPU without its energies, as a file of the folder."""
        text = (ROOT / f"npu_model/npus/{name}.yaml").read_text()
        self.write("silent.yaml", re.sub(r"(?m)^energy:\n(  .*\n)*", "", text))
        return "./silent.yaml"


class AgainstNaiveSite(RunEnergy):
    def layer_energies(self):
        """By (network, NPU, mode): joules[layer][batch], held against the columns of `npu table`."""
        joules = {}
        for network in NETWORKS:
            layers = rows(self.succeed("network", "show", network, "--csv").stdout)
            for npu in NPUS:
                keys = shipped(npu)
                for mode in MODES:
                    table = iter(rows(self.succeed("npu", "table", "--network", network, "--npu", npu, "--max-batch", MAX_BATCH,
                                                   "--mode", mode, "--csv").stdout))
                    its = joules[network, npu, mode] = []
                    for layer in layers:
                        its.append([None])
                        for _ in range(MAX_BATCH):
                            row = next(table)
                            its[-1].append(naive_energy.of_layer(keys, layer, row))
                            want = sum(its[-1][-1].values()) + keys["energy"]["static_w"] * float(row["latency_s"])
                            self.assertAlmostEqual(float(row["energy_j"]) / want, 1, delta=1e-12)
        return joules

    def agree(self, summary, want, message):
        for name, value in want.items():
            got = summary["statistics"][name]
            if value is None:
                self.assertIsNone(got, (name, message))
                self.assertEqual(summary["absent"][name], "nothing was measured")
            else:
                self.assertAlmostEqual(got, value, delta=1e-9 * value, msg=f"{name} of {message}")

    def test_random_sites(self):
        rng = random.Random(22)
        networks = read_networks(self)
        joules = self.layer_energies()
        checked = dict.fromkeys(("service", "npu", "plain"), 0)
        skipped = 0
        for run in range(RUNS):
            random_site = RandomSite(rng, networks, 300)
            first = rng.choice((0, 0, 30, 100))
            message = f"run {run}, {first} of warm-up:\n{random_site.yaml()}"
            random_site.write(self)
            self.succeed("run", "c.yaml", "--out", "out", "--set", f"warmup_requests={first}")
            got = rows((self.folder / "out/x/requests.csv").read_text())
            site = random_site.naive(got, given([int(row.get("npu", 0)) for row in got], None)).run()
            if hangs_on_rounding(site):
                skipped += 1
                continue
            plain = naive_energy.OfSite(
                site, [[joules[service.network, *npu] for service in random_site.services] for npu in random_site.npus],
                [shipped(npu)["energy"]["static_w"] for npu, _ in random_site.npus], first)
            npus, services = range(len(random_site.npus)), range(len(random_site.services))
            summary = self.summary("x")
            self.agree(summary, plain.statistics(npus, services), message)
            for kind, parts, count in (("service", "services", len(services)), ("npu", "npus", len(npus))):
                for number, part in enumerate(summary.get(parts, []) if count > 1 else []):
                    chosen = (npus, [number]) if kind == "service" else ([number], services)
                    self.agree(part, plain.statistics(*chosen), f"{kind} {number} of {message}")
                    checked[kind] += 1
            checked["plain"] += random_site.is_plain
        self.assertLessEqual(skipped, RUNS / 20)
        self.assertGreater(checked["service"], RUNS)
        self.assertGreater(checked["npu"], RUNS / 2)
        self.assertGreater(checked["plain"], 2)


class WhereItIsShown(RunEnergy):
    def test_summary_and_table_of_run(self):
        self.write("c.yaml", CONFIG)
        text = self.succeed("run", "c.yaml", "--out", "out").stdout
        self.assertRegex(text, r"(?m)^system +mJ/request +MACs % +buffers % +DRAM % +static % +mean W +mJ s$")
        for label in ("serial", "dynamic"):
            statistics = self.summary(label)["statistics"]
            parts = [statistics[name] for name in STATISTICS[1:5]]
            self.assertAlmostEqual(sum(parts) / statistics["energy_per_request_j"], 1, delta=1e-12)
            self.assertTrue(all(part > 0 for part in parts))
            shown = [float(word) for word in re.findall(rf"(?m)^{label} +(.*)$", text)[-1].split()]
            want = [1000 * statistics["energy_per_request_j"], *(100 * part / sum(parts) for part in parts),
                    statistics["average_power_w"], 1000 * statistics["energy_delay_product_js"]]
            self.assertEqual(len(shown), len(want))
            for value, exact in zip(shown, want):
                self.assertAlmostEqual(value / exact, 1, delta=6e-3)

    def test_nothing_is_said_where_the_npu_says_nothing(self):
        self.write("c.yaml", CONFIG.replace("npu: zu7ev_large", f"npu: {self.silent_npu()}"))
        text = self.succeed("run", "c.yaml", "--out", "out").stdout
        self.assertNotIn("mJ/req", text)
        self.assertNotIn("static %", text)
        self.assertFalse({name for name in self.summary("serial")["statistics"] if "energy" in name or "power" in name})
        self.assertFalse([name for name in self.summary("serial")["absent"] if "energy" in name])
        # Of two systems, one with and one without.
        self.write("c.yaml", CONFIG.replace("max_queue_delay_ms: 15}, npu: zu7ev_large", "max_queue_delay_ms: 15}, npu: ./silent.yaml"))
        text = self.succeed("run", "c.yaml", "--out", "out").stdout
        self.assertRegex(text, r"(?m)^dynamic(?: +-){7}$")
        self.assertRegex(text, r"(?m)^serial(?: +[0-9.]+){7}$")

    def test_a_site_of_which_one_npu_says_nothing_says_why(self):
        self.write("c.yaml", CONFIG.replace("npu: zu7ev_large, npu_mode: r}\n  - {label: dynamic",
                                            f"npus: [{{npu: zu7ev_large}}, {{npu: {self.silent_npu()}}}]}}\n  - {{label: dynamic"))
        self.succeed("run", "c.yaml", "--out", "out")
        summary = self.summary("serial")
        self.assertIsNone(summary["statistics"]["average_power_w"])
        self.assertIn("give each an `energy`", summary["absent"]["average_power_w"])
        self.assertGreater(summary["npus"][0]["statistics"]["average_power_w"], 0)
        self.assertNotIn("average_power_w", summary["npus"][1]["statistics"])

    def test_no_precision_of_what_has_no_interval(self):
        self.write("c.yaml", CONFIG.replace("requests: 200\n", ""))
        result = self.call("run", "c.yaml", "--until", "energy_per_request_j:0.01", "--max-requests", "20000")
        self.assertEqual(result.returncode, 2)
        self.assertIn("energy_per_request_j has no interval; those that have one are 'mean_latency_s'", result.stderr)

    def test_sweeps_and_comparisons(self):
        self.write("s.yaml", SWEEP % 300)
        self.succeed("sweep", "s.yaml", "--out", "r.sqlite", "--limit", "8")
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            database.row_factory = sqlite3.Row
            self.assertEqual(database.execute("SELECT value FROM sweep WHERE key = 'format'").fetchone()[0], "6")
            points = [dict(row) for row in database.execute("SELECT * FROM points")]
        self.assertEqual(len(points), 8)
        self.write("point.yaml", points[3]["configuration"])
        self.succeed("run", "point.yaml", "--out", "point")
        statistics = self.summary(points[3]["system"], "point")["statistics"]
        self.assertEqual({name: points[3][name] for name in STATISTICS}, {name: statistics[name] for name in STATISTICS})
        table = list(csv.DictReader(io.StringIO(self.succeed("compare", "r.sqlite", "--metric", "energy_per_request_j",
                                                             "average_power_w", "--csv").stdout)))
        for row in table:
            means = {r["system"]: float(r["mean"]) for r in table
                     if r["metric"] == row["metric"] and r["slo.latency_ms"] == row["slo.latency_ms"]
                     and r["workload.arrivals.rho"] == row["workload.arrivals.rho"]}
            its = [point[row["metric"]] for point in points if point["system"] == row["system"]]
            self.assertTrue(min(its) <= float(row["mean"]) <= max(its))
            least = min(means.values()) == float(row["mean"])
            if row["best"] == "1":  # power is neither good nor bad by itself
                self.assertTrue(least and row["metric"] == "energy_per_request_j")

    def test_comparisons_say_what_is_missing(self):
        self.write("s.yaml", (SWEEP % 100).replace("npu: zu7ev_large", f"npu: {self.silent_npu()}"))
        self.succeed("sweep", "s.yaml", "--out", "r.sqlite", "--limit", "2")
        text = self.succeed("compare", "r.sqlite", "--metric", "energy_per_request_j").stdout
        self.assertIn("not defined at any point: it needs `energy` of every NPU", text)


if __name__ == "__main__":
    unittest.main()
