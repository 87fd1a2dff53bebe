#!/usr/bin/python3
"""The reproduction's headline on every NPU, its tails, and the Gemmini: grids, ratios and errors against cases worked by hand."""

import csv
import importlib
import io
import json
import math
import sqlite3
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import PROGRAM, RELEASE, ROOT, CommandLineTest  # noqa: E402

sys.path.insert(0, str(ROOT / "experiments"))
sys.path.append(str(ROOT))


def script(name):
    return importlib.import_module(f"experiments.{name}")


class QuickForm(CommandLineTest):
    """Runs an experiment's quick form into `results`, and gives its page."""

    def page_of(self, name):
        command = ["/usr/bin/python3", "-B", str(ROOT / "experiments/run.py"), name]
        self.results = str(self.folder / "results.sqlite")
        figures = self.folder / "figures"
        subprocess.run([*command, "collect", self.results, "--program", PROGRAM, "--quick"], capture_output=True, check=True)
        subprocess.run([*command, "plot", self.results, "--out", str(figures), "--program", PROGRAM], capture_output=True, check=True)
        page = json.loads((figures / f"{name}.json").read_text())
        self.assertEqual(page["claims"], [])  # those of the headline stay the headline's
        return page


@unittest.skipUnless(RELEASE, "takes long with sanitizers")
class HeadlineOnNpus(QuickForm):
    ENGINE = {"t_r": 4, "t_p": 2, "t_c": 8}

    def row(self, late=((4, 0), (0, 0), (9, 3))):
        """Three settings of 100 requests in two replications each: (late of dynamic, late of ours) in the second, one each
        in the first; mean latencies 6, 2 and 1 s of dynamic, ours_r and ours, twice as long in the second replication."""
        points = [{"network": "n", "kind": "Poisson", "load": load, "multiple": 2, "system": system, "replication": r, "requests": 100,
                   "mean_s": mean * (1 + r * (system != "ours")), "late": (by_system[which] if r else 0) / 100, "saturated": r}
                  for load, by_system in enumerate(late) for r in (0, 1)
                  for system, mean, which in (("dynamic", 6, 0), ("ours_r", 2, 0), ("ours", 1, 1))]
        engines = {("n", "r"): {"latency_b1_s": 2, "latency_b8_s": 8, "utilisation_b1": 0.25, **self.ENGINE},
                   ("n", "fluid_stacked"): {"latency_b1_s": 1, "latency_b8_s": 4, "utilisation_b1": 0.5, **self.ENGINE},
                   ("m", "r"): {"latency_b1_s": 1, "latency_b8_s": 8, "utilisation_b1": 0.75, **self.ENGINE},
                   ("m", "fluid_stacked"): {"latency_b1_s": 1, "latency_b8_s": 1, "utilisation_b1": 0.75, **self.ENGINE}}
        return script("headline_npus.points").Row("an NPU", points, engines)

    def test_ratios(self):
        row = self.row()
        self.assertEqual(row.latency_ratios("dynamic"), [6, 12])
        self.assertEqual(row.latency_ratios("dynamic", "ours_r"), [3, 3])
        self.assertEqual(row.rate_ratios("dynamic")[1], 13 / 3)
        self.assertTrue(math.isnan(row.rate_ratios("dynamic")[0]))
        self.assertEqual(row.never_late("dynamic"), (1, 1))
        self.assertEqual(row.saturated(), 9)
        # Half a request where none is late: ratios of 8, 1 and 3.
        self.assertAlmostEqual(row.geometric_mean("dynamic", (0, 1)), 24 ** (1 / 3), places=12)
        self.assertEqual(row.geometric_mean("dynamic", (0,)), 1)

    def test_texts_of_rates_where_ours_is_never_late(self):
        plot, findings = script("headline_npus.plot"), script("headline_npus.findings")
        self.assertEqual(plot.interval_text([math.nan, 2, 3]), "ours is never late in 1 of 3 replications")
        self.assertEqual(plot.interval_text([math.nan, math.nan]), "ours is never late")
        self.assertEqual(plot.interval_text([2, 2]), "2.00 ± 0.00")
        row = self.row()
        for system in ("greedy", "lazy"):
            row.cells |= {(s, system, r): cell for (s, other, r), cell in row.cells.items() if other == "dynamic"}
        text = findings.of_rates([row])
        self.assertNotIn("nan", text)
        self.assertIn("not known by the mean rates for dynamic batching", text)
        self.assertTrue(text.endswith("without 1 in which ours is never late in some replication."), text)
        self.assertEqual(findings.share_of_largest([1] * 18 + [11, 11]), 22 / 40)

    def test_the_interval_of_the_geometric_mean(self):
        jackknife = script("headline_npus.points").jackknife_half_width
        # For a mean of 1, 2 and 6 the jackknife is the usual interval: t of 2 degrees of freedom x sqrt(7 / 3).
        self.assertAlmostEqual(jackknife([(2 + 6) / 2, (1 + 6) / 2, (1 + 2) / 2]), 4.302652729911275 * math.sqrt(7 / 3), places=9)
        middle, low, high = self.row().geometric_interval("dynamic")
        self.assertAlmostEqual(low * high, middle ** 2, places=9)
        # Of logarithms log(24) / 3 and 0: t of one degree x sqrt(1 / 2 x 2 x (log(24) / 6)^2).
        self.assertAlmostEqual(math.log(high / middle), 12.7062047361747 * math.log(24) / 6, places=9)

    def test_tables_of_latencies(self):
        row = self.row()
        self.assertAlmostEqual(row.batching_gain("r"), math.sqrt(2 * 1), places=12)
        self.assertAlmostEqual(row.batching_gain("fluid_stacked"), math.sqrt(2 * 8), places=12)
        self.assertAlmostEqual(row.speed_up(1), math.sqrt(2 * 1), places=12)
        self.assertAlmostEqual(row.speed_up(8), math.sqrt(2 * 8), places=12)
        self.assertEqual(row.utilisation("r"), 0.5)

    def test_the_grid_is_that_of_the_headline(self):
        collect = script("headline_npus.collect")
        self.assertEqual(len(collect.NETWORKS) * len(collect.MULTIPLES) * len(collect.KINDS) * len(collect.LOADS), 240)
        self.assertEqual(sorted(collect.SHIPPED), sorted(path.stem for path in (ROOT / "npu_model/npus").glob("*.yaml")))
        for npu in ("zu7ev_large", "edge_8tops"):
            table = self.succeed("npu", "table", "--network", "ee_vgg16", "--npu", npu, "--max-batch", "1", "--csv").stdout
            unloaded_s = sum(float(line["latency_s"]) for line in csv.DictReader(io.StringIO(table)))
            engines = dict.fromkeys(("r", "fluid_stacked"), collect.fb.Npu(npu))
            plan, settings = collect.plan_of("ee_vgg16", engines, collect.files_of(engines, self.folder), False)
            delays = plan["axes"]["zip"]["systems.dynamic.policy.max_queue_delay_ms"]
            for delay, multiple in zip(delays, (2, 3, 4.5), strict=True):
                self.assertAlmostEqual(delay, 125 * multiple * unloaded_s, places=9)
            rates = set()
            for (kind, load, _), entry in zip(settings, plan["axes"]["list"]):
                self.write("w.yaml", json.dumps({**plan["base"], "workload": {**plan["base"]["workload"], "devices": entry["workload.devices"]}}))
                described = dict(line.rsplit(",", 1) for line in self.succeed("workload", "describe", "w.yaml", "--csv").stdout.splitlines())
                rates.add((load, round(float(described["configured_rate_hz,1/s"]) / float(described["capacity_hz,1/s"]), 9)))
                if kind == "bursts":
                    states = entry["workload.devices"][0]["arrivals"]["states"]
                    scale = unloaded_s / 0.198216  # of EE-VGG-16 on zu7ev_large
                    for state, seconds in zip(states, (4, 1), strict=True):
                        self.assertAlmostEqual(state["mean_duration_s"] / scale, seconds, delta=1e-4)
            self.assertEqual(rates, {(load, load) for load in (0.15, 0.3, 0.45, 0.6, 0.75)})

    def test_the_tiles_are_those_that_the_command_finds(self):
        collect = script("headline_npus.collect")
        tiles = {"t_r": (56, 112), "t_p": (32, 64), "t_c": (64, 128)}
        found = collect.searched_engine("edge_8tops", "ee_resnet18", "r", tiles)
        rows = self.succeed("npu", "search", "--network", "ee_resnet18", "--board", "edge_8tops", "--mode", "r", "--word_bytes", "1",
                            "--residency", "auto", "--input_path", "line_buffer", "--row_weights", "each_block", "--t_r", "56,112", "--t_p", "32,64",
                            "--t_c", "64,128", "--csv").stdout
        best = next(csv.DictReader(io.StringIO(rows)))
        self.assertEqual((best["rank"], *(int(best[t]) for t in ("t_r", "t_p", "t_c"))), ("1", found.t_r, found.t_p, found.t_c))
        self.assertLessEqual(found.t_p * found.t_c, 4096)

    def test_the_quick_form(self):
        page = self.page_of("headline_npus")
        self.assertEqual(page["figures"], ["headline_npus", "headline_npus_tables"])
        latencies, rates, means, parts, tiles = (table["rows"] for table in page["tables"])
        names = [row[0] for row in latencies]
        for rows in (rates, means, parts):
            self.assertEqual([row[0] for row in rows], names)
        collect = script("headline_npus.collect")
        self.assertEqual([name.split(" ", 1)[1] for name in names],
                         [*collect.SHIPPED, *(f"{name}, tiles searched" for name in collect.QUICK_SEARCHED)])
        self.assertEqual(len(tiles), 2 * len(collect.QUICK_SEARCHED))
        for row in parts:  # geometric means multiply
            scheduler, engine, both = (float(row[i].split(" ± ")[0]) for i in (1, 4, 5))
            self.assertAlmostEqual(scheduler * engine / both, 1, delta=0.02, msg=row)
        with sqlite3.connect(self.results) as database:
            self.assertEqual(database.execute("SELECT count(*), count(DISTINCT npu) FROM points").fetchone(), (11 * 2 * 4 * 5 * 2, 11))


@unittest.skipUnless(RELEASE, "takes long with sanitizers")
class TailsFigure(QuickForm):
    def test_the_exact_tail(self):
        late = script("bench.md1").late_share
        for rho in (0.5, 0.8):
            self.assertEqual(late(rho, 0.9), 1)
            self.assertAlmostEqual(late(rho, 1), rho, places=15)  # whoever finds the server busy
            for t in (0.3, 0.9):  # nobody waits less than one service: (1 - rho) exp(rho t) wait at most t
                self.assertAlmostEqual(late(rho, 1 + t), 1 - (1 - rho) * math.exp(rho * t), places=14)
            two = (1 - rho) * (math.exp(1.5 * rho) - 0.5 * rho * math.exp(0.5 * rho))
            self.assertAlmostEqual(late(rho, 2.5), 1 - two, places=14)
        # Far out Cramér and Lundberg's: (1 - rho) / (rho exp(theta) - 1) exp(-theta t), with rho (exp(theta) - 1) = theta.
        theta = 1.2564312086261696  # of rho 0.5
        self.assertAlmostEqual(0.5 * (math.exp(theta) - 1), theta, places=12)
        for multiple in (16, 20):
            asymptote = 0.5 / (0.5 * math.exp(theta) - 1) * math.exp(-theta * (multiple - 1))
            self.assertAlmostEqual(late(0.5, multiple) / asymptote, 1, places=8)

    def test_where_a_curve_falls_to_a_rate(self):
        plot = script("tails.plot")

        def point(multiple, rate):
            return plot.Point({"policy": "lazy", "rho": 1, "multiple": multiple, "rate": rate, "low": rate, "high": rate, "events": 1,
                               "requests": 1000, "counted": 0.02, "counted_ci95": 0.003})

        points = [point(2, 1e-2), point(3, 1e-4), point(4, None), point(5, 1e-8), point(6, 1e-10)]
        for rate, multiple in ((1e-3, 2.5), (1e-9, 5.5), (1e-2, 2), (1e-10, 6)):
            self.assertAlmostEqual(plot.crossing(points, rate), multiple, places=12)
        said = {0.1: "below 2", 1e-3: "2.50", 1e-6: "not known", 1e-11: "above 6"}  # between 3 and 5 it is anywhere
        self.assertEqual({rate: plot.needed(points, rate) for rate in said}, said)
        self.assertEqual(plot.needed([point(4, None)], 0.1), "not known")
        texts = plot.of_policies(1, {"serial": points, "lazy": [point(2, 1e-2)]}, (1e-3,))
        self.assertTrue(texts.endswith("is for 0.001 serial 2.50, LazyBatching above 2."), texts)
        self.assertTrue(points[0].is_counted())
        self.assertEqual([point(2, rate).agrees() for rate in (0.0171, 0.0229, 0.0169)], [True, True, False])
        self.assertIsNone(points[2].agrees())

    def test_the_text_where_nothing_is_known(self):
        plot = script("tails.plot")
        row = {"rho": 1, "multiple": 2, "rate": None, "low": None, "high": None, "events": 1, "requests": 1000, "counted": 0, "counted_ci95": None}
        by_policy = {1: {policy: [plot.Point({**row, "policy": policy})] for policy in ("serial", "lazy")}}
        text = plot.findings(by_policy, {0.5: by_policy[1]})
        for part in ("serial not known, LazyBatching not known", "of 2 of 2 points", "splitting knows no rate", "none of the rates of M/D/1"):
            self.assertIn(part, " ".join(text.split()))

    def test_the_quick_form(self):
        page = self.page_of("tails")
        self.assertEqual(page["figures"], ["tails"])
        rates, check = (table["rows"] for table in page["tables"])
        self.assertEqual([len(rates), len(check)], [6 * 2, 2])
        with sqlite3.connect(self.results) as database:
            found = dict(database.execute("SELECT policy, rate FROM tails WHERE setup = 'policies' AND multiple = 2"))
            checked = database.execute("SELECT multiple, low, high FROM tails WHERE setup = 'M/D/1'").fetchall()
        self.assertLess(found["ours"], 0.1 * found["greedy"])
        for multiple, low, high in checked:
            self.assertTrue(low / 2 < script("bench.md1").late_share(0.5, multiple) < 2 * high, multiple)


@unittest.skipUnless(RELEASE, "takes long with sanitizers")
class Silicon(CommandLineTest):
    def test_errors(self):
        found = script("silicon.errors").summary([(100, 110), (200, 100), (400, 400)])
        self.assertAlmostEqual(found["median"], 0.1, places=12)
        self.assertEqual(found["largest"], 0.5)
        self.assertAlmostEqual(found["bias"], (1.1 * 0.5) ** (1 / 3), places=12)
        self.assertAlmostEqual(found["near"], 2 / 3, places=12)
        self.assertAlmostEqual(found["rank_correlation"], 0.5, places=12)  # ranks 0, 1, 2 and 1, 0, 2

    def test_the_least_cycles(self):
        row = {"output_height": "3", "output_width": "5", "batch": "2", "network_channels": "20", "kernel_height": "2", "kernel_width": "1",
               "out_channels": "17"}
        self.assertEqual(script("silicon.collect").least_cycles(row), 30 * 3 * 2)

    def test_layers_alone_are_those_of_the_fit(self):
        collect = script("silicon.collect")
        npu, table = collect.fits.fit(collect.fits.LAYERS, collect.fits.BASE, collect.FREE)
        for row, fitted in zip(collect.fits.rows_of(collect.fits.LAYERS), table, strict=True):
            self.assertAlmostEqual(collect.modelled_cycles(row, npu) / fitted["modelled"], 1, places=9, msg=collect.name_of(row))


if __name__ == "__main__":
    unittest.main()
