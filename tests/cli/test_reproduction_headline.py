#!/usr/bin/python3
"""The reproduction's headline: its readings against cases worked by hand, its grid against what was declared, its quick form."""

import csv
import json
import math
import os
import re
import sqlite3
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import PROGRAM, ROOT, CommandLineTest  # noqa: E402

sys.path.insert(0, str(ROOT / "experiments"))
sys.path.append(str(ROOT))


class HeadlineReadings(unittest.TestCase):
    def near(self, found, wanted):
        for one, other in zip(found, wanted, strict=True):
            self.assertAlmostEqual(one, other, places=9)

    def test_what_is_known_of_a_rate(self):
        from headline import readings

        def rate(rates, **tail):
            split = {"value": None, "low": None, "high": None, "far_high_s": None, **tail} if tail else None
            return readings.rate_of(rates, 5_000_000, 0.1, split)

        # Runs that know it, and such that do not: few late ones, or far apart. Student's t of one degree of freedom is 12.7.
        self.assertTrue(readings.are_enough([0.0100, 0.0101]))
        self.assertFalse(readings.are_enough([0.0100, 0.0110]))
        self.assertFalse(readings.are_enough([0.00099, 0.00099]))
        self.assertFalse(readings.are_enough([0.0, 0.0]))
        found = rate([0.008, 0.012])
        self.near((found.value, *found.deviations), (0.01, -0.2, 0.2))
        self.assertEqual((found.origin, found.precise), ("runs", False))
        # By splitting, whatever the runs say; its half-width is that of the logarithm.
        for half, precise in ((0.1, True), (0.2, True), (0.21, False)):
            found = rate([0.0, 1e-6], value=4e-7, low=4e-7 * math.exp(-half), high=4e-7 * math.exp(half))
            self.near((found.value, found.half), (4e-7, half))
            self.assertEqual((found.origin, found.precise, found.deviations), ("splitting", precise, ()))
        # Below the floor; above it with an end below, which can't be passed; and an end above.
        found = rate([0.0, 0.0], value=2e-10, low=1e-10, high=4e-10)
        self.near((found.value, found.half), (1e-9, 0))
        self.assertEqual(found.origin, "floor")
        self.near((rate([0.0, 0.0], value=5e-10, low=1e-10, high=2e-9).half,), (math.log(2),))
        found = rate([0.0, 0.0], value=2e-9, low=1e-10, high=3e-9)
        self.near((found.value, found.half), (2e-9, math.log(2)))
        # Nothing was near the SLO of 0.1 s: all but one in 1e9 are surely faster, or it is not known how many are.
        self.assertEqual(rate([0.0, 0.0], far_high_s=0.099)[:2], (1e-9, "floor"))
        for found in (rate([0.0, 0.0], far_high_s=0.101), rate([0.0, 0.0], levels=3), rate([0.0, 0.0])):
            self.assertEqual(found[:2], (6e-7, "unknown"))  # the rule of three
            self.assertEqual(readings.at_the_floor(found).value, 1e-9)
        # The runs have some where splitting has none.
        self.assertEqual(rate([0.0, 4e-6], far_high_s=0.099)[:2], (2e-6, "runs"))

    def test_the_geometric_mean_of_ratios_and_its_interval(self):
        from headline.readings import Rate, geometric

        split = Rate(8e-6, "splitting", 0.3), Rate(2e-6, "splitting", 0.4)  # 4 times
        runs = Rate(0.09, "runs", deviations=(0.1, -0.1)), Rate(0.01, "runs", deviations=(-0.1, 0.1))  # 9 times
        self.near(geometric([split]), (4, 4 * math.exp(-0.5), 4 * math.exp(0.5)))
        # Replications are off by 0.2 and -0.2: their standard error is 0.2, of one degree of freedom.
        half = 12.7062047361747 * 0.2
        self.near(map(math.log, geometric([runs])), (math.log(9), math.log(9) - half, math.log(9) + half))
        half = math.hypot(0.5, half) / 2
        self.near(map(math.log, geometric([split, runs])), (math.log(6), math.log(6) - half, math.log(6) + half))
        # What both systems have in common falls out; two at the floor are alike.
        alike = Rate(0.09, "runs", deviations=(0.1, -0.1)), Rate(0.01, "runs", deviations=(0.1, -0.1))
        self.near(geometric([alike]), (9, 9, 9))
        self.near(geometric([alike, (Rate(1e-9, "floor"), Rate(1e-9, "floor"))]), (3, 3, 3))

    def test_what_is_not_known_of_the_other_does_not_speak_for_ours(self):
        from headline.readings import Rate, pair_of

        unknown, lower, higher = Rate(6e-7, "unknown"), Rate(2e-8, "splitting", 0.1), Rate(1e-3, "runs")
        self.assertEqual(pair_of(unknown, lower)[0].value, 2e-8)
        self.assertEqual(pair_of(unknown, higher)[0].value, 6e-7)
        self.assertEqual(pair_of(unknown, unknown), (unknown, unknown))
        self.assertEqual(pair_of(lower, unknown), (lower, unknown))

    def test_loads_that_are_neither_shown_to_hold_nor_to_fail(self):
        from headline.readings import capacity_bracket

        holds = {"ours": {"a": [4, 9], "b": [2, 2], "c": [1, 1]}, "lazy": {"a": [1, 1], "b": [0, 1], "c": [1, 1]}}
        fails = {"ours": {"a": [8, 18], "b": [3, 3], "c": [2, None]}, "lazy": {"a": [2, 2], "b": [2, 2], "c": [2, 2]}}
        self.near(capacity_bracket(holds, fails, "lazy"), (3, 12))  # of place a alone: sqrt(2 * 4.5), sqrt(8 * 18)
        del holds["ours"]["a"]
        self.assertTrue(all(math.isnan(end) for end in capacity_bracket(holds, fails, "lazy")))

    def test_ratios_of_loads(self):
        from headline.readings import capacity_ratio

        ours = {"a": [4, 8], "b": [2, 8], "c": [5, 5]}
        reading, left_out = capacity_ratio({"a": [1, 2], "b": [2, 2], "c": [0, 1]}, ours)
        self.assertEqual(left_out, 1)
        self.near(reading, (3, 3 - 12.7062047361747, 3 + 12.7062047361747))  # 2 with one seed, 4 with the other

    def test_a_verdict_names_all_three(self):
        import report
        from headline.readings import Reading, of_latency, verdict

        high, low, between = Reading(9, 6.8, 12), Reading(2, 1.9, 2.1), Reading(7, 6.5, 7.5)
        for three, words, kind in (((high, low, low), "above 6.7: (a); not: (b), (c)", "part"),
                                   ((high, high, high), "above 6.7: (a), (b), (c)", "good"),
                                   ((between, low, high), "above 6.7: (c); not: (b); open: (a)", "part"),
                                   ((low, low, low), "none above 6.7; not: (a), (b), (c)", "bad"),
                                   ((low, low, between), "none above 6.7; not: (a), (b); open: (c)", "part")):
            found = verdict(dict(zip(("(a)", "(b)", "(c)"), three)))
            self.assertEqual((found, report.kind_of(found)), (words, kind))
        for reading, words in ((Reading(2, 1.97, 2.1), "holds"), (Reading(2, 1.9, 2.1), "holds in direction, smaller"),
                               (Reading(1.1, 0.9, 1.3), "does not hold")):
            self.assertEqual(of_latency(reading, 1.97), words)


@unittest.skipUnless(os.environ.get("FLUIDBATCH_BUILD", "").endswith("release"), "takes long with sanitizers")
class Headline(CommandLineTest):
    def test_the_grid_is_the_declared_one(self):
        from headline import grid

        settings = grid.settings(grid.FULL)
        self.assertEqual((len(settings), len(set(settings)), grid.FULL.replications), (240, 240, 5))
        self.assertEqual([len({s[i] for s in settings}) for i in range(4)], [4, 3, 4, 5])
        self.assertEqual(sorted({s.rho for s in settings}), [0.4, 0.8, 1.2, 1.6, 2])
        for network, delays in grid.DELAYS_MS.items():
            table = self.succeed("npu", "table", "--network", network, "--npu", "zu7ev_large", "--max-batch", "1", "--csv").stdout
            unloaded_ms = 1000 * sum(float(row["latency_s"]) for row in csv.DictReader(table.splitlines()))
            for multiple, delay in delays.items():
                self.assertAlmostEqual(delay, multiple * unloaded_ms / 8, delta=0.001 * delay)
        # Every kind of arrivals at every load: what the program says of them.
        for kind in grid.KINDS:
            for rho in grid.RHOS:
                config = grid.configuration(grid.Setting("ee_resnet50", 3, kind, rho), 1000)
                self.write("w.yaml", json.dumps(config))
                described = self.succeed("workload", "describe", "w.yaml", "--csv").stdout
                rate = float(re.search(r"configured_rate_hz,1/s,(.*)", described)[1])
                self.assertAlmostEqual(rate * 0.041031085, rho, places=6, msg=(kind, rho))
                self.assertEqual(grid.described(json.dumps(config["workload"]["devices"]).replace('"', "")), (kind, rho))

    def test_bursts_are_raised_as_the_rates_of_a_site(self):
        from headline import grid

        # One service on one NPU, written as a site, has the same numbers.
        config, key = grid.capacity_configuration(grid.Place("ee_resnet50", 3, "mmpp"), 2000)
        self.assertEqual(key, "services")
        plain = {**grid.configuration(grid.Setting("ee_resnet50", 3, "mmpp", 1), 2000), "outputs": config["outputs"]}
        means = []
        for name, one in (("site", config), ("plain", plain)):
            self.write(f"{name}.yaml", json.dumps(one))
            rows = csv.DictReader(self.succeed("run", f"{name}.yaml", "--out", name, "--csv").stdout.splitlines())
            means.append([row["mean_latency_s"] for row in rows if not row.get("part") and not row.get("service")])
        self.assertEqual(*means)
        self.assertEqual(len(means[0]), 4)

    def test_the_quick_form_and_that_it_goes_on(self):
        script = ["/usr/bin/python3", "-B", str(ROOT / "experiments/run.py"), "headline"]
        results = self.folder / "results.sqlite"

        def collect():
            subprocess.run([*script, "collect", str(results), "--program", PROGRAM, "--quick"], capture_output=True, check=True)
            with sqlite3.connect(results) as database:
                return {table: database.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4, 5, 6").fetchall()
                        for table in ("runs", "adaptive", "tails", "capacities")}

        first = collect()
        self.assertEqual([len(first[table]) for table in ("runs", "adaptive", "capacities")], [6 * 5 * 5 + 2 * 10 * 5, 4 * 5 * 5, 4 * 4 * 2])
        self.assertTrue(0 < len(first["tails"]) <= 6 * 4)
        with sqlite3.connect(results) as database:
            database.execute("DELETE FROM tails WHERE system = 'ours'")
            database.execute("DELETE FROM capacities WHERE kind = 'periodic'")
        self.assertEqual(collect(), first)  # the same numbers again where they were lost
        subprocess.run([*script, "plot", str(results), "--out", str(self.folder / "figures")], capture_output=True, check=True)
        page = json.loads((self.folder / "figures/headline.json").read_text())
        self.assertEqual([len(table["rows"]) for table in page["tables"][:5]], [3, 4, 3, 6, 4])
        self.assertEqual(len(page["claims"]), 4)
        for claim in page["claims"][2:]:
            for name in ("(a)", "(b)", "(c)"):
                self.assertIn(name, claim["verdict"])
        rates = page["tables"][4]["rows"]
        self.assertEqual([sum(map(int, row[1:5])) for row in rates], [8] * 4)


if __name__ == "__main__":
    unittest.main()
