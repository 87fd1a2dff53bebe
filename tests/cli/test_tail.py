#!/usr/bin/python3
"""Rare late answers: `tail`, and `measure: tail` of a sweep."""

import csv
import io
import json
import math
import re
import sqlite3
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import RELEASE, ROOT, CommandLineTest  # noqa: E402

LETTERS = ROOT / "experiments/data/letters_multiexit.csv"
CONFIG = """\
seed: 3
requests: 400000
warmup_requests: 100
network: ee_resnet18
slo: {latency_ms: 40}
workload:
  arrivals: {kind: poisson, rho: 1.2}
  exits: {kind: rates, rates: [0.30, 0.35, 0.40]}
outputs: {requests_csv: false, bounds: false}
systems:
  - {label: ours, policy: {name: exit_aware, max_batch: 8}, npu: zu7ev_large, npu_mode: r}
"""
TWO = CONFIG + "  - {label: serial, policy: {name: serial}, npu: zu7ev_large, npu_mode: r}\n"
COLUMNS = "system,metric,value,low,high,events,crude_events,levels"
QUICK = ("--precision", "0.2", "--quantiles", "0.99")

# Of the workload and the system: what is set. About every hundredth request is late.
WORKING = {
    "exit_aware": (),
    "lazy_batching": ("systems.ours.policy.name=lazy_batching", "slo.latency_ms=45"),
    "gamma": ("workload.arrivals={kind: gamma, rho: 0.8, cv: 2}", "slo.latency_ms=60"),
    "mmpp": ("workload.arrivals={kind: mmpp, states: [{rho: 0.6, mean_duration_s: 0.5}, {rho: 1.6, mean_duration_s: 0.1}]}",),
    "jittered cameras": ("workload.devices=[" + ", ".join(
        f"{{label: c{i}, arrivals: {{kind: periodic, period_ms: 160, phase_ms: {8 * i}, jitter_ms: 60}}}}" for i in range(20))
        + "]", "slo.latency_ms=50"),
    "correlated exits": ("workload.exits={kind: correlated, rates: [0.3, 0.35, 0.4], correlation: 0.5}",),
    "drop": ("systems.ours.drop=hopeless",),
    "uplink": ("workload.uplink={model: analytic, sample_bytes: 20000, access_point_bandwidth_bytes_per_s: 1e7}",
               "slo.latency_ms=45", "slo.measured=end_to_end"),
    "exit control": (f"workload.exits={{kind: confidences, path: {LETTERS}, threshold: 0.71}}", "slo.latency_ms=25",
                     "systems.ours.policy={name: dynamic_batching}",
                     "systems.ours.exit_control={kind: adaptive, accuracy_target: 0.95}"),
}

# What nothing can be split on: a key, its value, and the reason.
REFUSED = (
    ("workload.arrivals", "{kind: trace, path: t.csv}", "recorded arrivals have one future only"),
    ("workload.arrivals", "{kind: periodic, rate_hz: 10}", "give them a jitter_ms"),
    ("workload.arrivals", "{kind: closed_loop, clients: 4, think_time_ms: 100}", "closed loop"),
    ("workload.exits", "{kind: trace, path: e.csv}", "recorded exits have one future only"),
    ("workload.uplink", "{model: simgrid, sample_bytes: 1000, access_point_bandwidth_bytes_per_s: 1e7}", "'analytic'"),
)


def overrides(settings):
    return [word for setting in settings for word in ("--set", setting)]


class TailTest(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.write("c.yaml", CONFIG)
        self.write("t.csv", "arrival_s\n0\n0.1\n0.2\n")
        self.write("e.csv", "exit\n0\n1\n2\n")

    def rows(self, *arguments, config="c.yaml"):
        """The rows of each system: their numbers by metric."""
        result = self.succeed("tail", config, "--csv", *arguments)
        self.assertEqual(result.stdout.splitlines()[0], COLUMNS)
        rows = {}
        for row in csv.DictReader(io.StringIO(result.stdout)):
            rows.setdefault(row["system"], {})[row["metric"]] = {
                key: float(value) if value else None for key, value in row.items() if key not in ("system", "metric")}
        return rows

    def refused(self, *arguments, config="c.yaml"):
        result = self.call("tail", config, *arguments)
        self.assertEqual(result.returncode, 2, result.stdout)
        self.assertEqual(result.stdout, "")
        return result.stderr


class Command(TailTest):
    def test_the_same_bytes_whatever_the_jobs_and_every_time(self):
        for settings in ((), WORKING["gamma"]) if RELEASE else ((),):
            shown = [self.succeed("tail", "c.yaml", *QUICK, *overrides(settings), *more).stdout
                     for more in (("--jobs", "1"), ("--jobs", "2"), ("--jobs", "1"))]
            self.assertEqual(shown[0], shown[1])
            self.assertEqual(shown[0], shown[2])
        self.assertNotEqual(self.rows(*QUICK, "--seed", "4"), self.rows(*QUICK))

    @unittest.skipUnless(RELEASE, "millions of events")
    def test_agrees_with_runs(self):
        for name, settings in WORKING.items():
            with self.subTest(name):
                self.succeed("run", "c.yaml", "--driver", "bare", "--out", f"runs/{name}", *overrides(settings))
                crude = json.loads((self.folder / "runs" / name / "ours/summary.json").read_text())["statistics"]
                tail = self.rows("--precision", "0.1", "--quantiles", "0.99", "--max-events", "3e7", *overrides(settings))["ours"]
                self.assertEqual(list(tail), ["slo_violation_rate", "latency_p99"])
                self.assertTrue(1e-3 < crude["slo_violation_rate"] < 5e-2, crude["slo_violation_rate"])
                for metric, statistic, half_width in (("slo_violation_rate", "slo_violation_rate", "slo_violation_rate_ci95"),
                                                      ("latency_p99", "p99_latency_s", "p99_latency_ci95_s")):
                    row = tail[metric]
                    self.assertLess(row["low"], row["value"])
                    self.assertLess(row["value"], row["high"])
                    own = (row["high"] - row["low"]) / 2
                    self.assertLess(own, 0.101 * row["value"])
                    self.assertLess(abs(row["value"] - crude[statistic]), math.hypot(own, crude[half_width]), metric)

    @unittest.skipUnless(RELEASE, "millions of events")
    def test_a_rate_that_no_run_shows(self):
        greedy = ("--set", "systems.ours.policy={name: dynamic_batching}")  # to which the bound is nothing
        tail = self.rows("--quantiles", "0.999,0.999999", "--precision", "0.2", "--set", "slo.latency_ms=100", *greedy)["ours"]
        rate = tail["slo_violation_rate"]
        self.assertTrue(0 < rate["low"] < rate["value"] < rate["high"] < 1e-6)
        self.assertGreater(rate["crude_events"], 100 * rate["events"])
        self.assertGreater(rate["levels"], 5)
        far = tail["latency_p99.9999"]
        self.assertLess(tail["latency_p99.9"]["high"], far["low"])
        # The rate at which a bound there is violated is the share above it.
        rates = [self.rows(*QUICK, *greedy, "--seed", "5", "--set", f"slo.latency_ms={1000 * far[end]!r}")["ours"]
                 ["slo_violation_rate"] for end in ("low", "high")]
        self.assertGreater(rates[0]["high"], 1e-6)
        self.assertLess(rates[1]["low"], 1e-6)

    def test_the_length_of_the_run_does_not_matter(self):
        for length in ("requests=10", "duration_s=1"):
            self.assertEqual(self.rows(*QUICK, "--set", length, "--set", "warmup_requests=0"),
                             self.rows(*QUICK, "--set", "warmup_requests=0"))

    def test_the_table(self):
        text = self.succeed("tail", "c.yaml", *QUICK).stdout
        row = self.rows(*QUICK)["ours"]
        self.assertTrue(text.startswith("ee_resnet18: rare latencies at "), text)
        self.assertIn(", seed 3\nSLO 40.00 ms; 95 % intervals\n", text)
        self.assertRegex(text, r"\nsystem +metric +value +low +high\n")
        value, low, high = map(float, re.search(r"\nours +late +([\d.]+) +([\d.]+) +([\d.]+)\n", text).groups())
        for shown, key in ((value, "value"), (low, "low"), (high, "high")):
            self.assertAlmostEqual(shown / row["slo_violation_rate"][key], 1, places=3)
        self.assertAlmostEqual(float(re.search(r"\n +p99 ms +([\d.]+) ", text)[1]), 1000 * row["latency_p99"]["value"], places=2)
        self.assertRegex(text, r"\nsystem +levels +million events +crude +x fewer\nours +\d+ +[\d.]+ +[\d.]+ +[\d.]+\n$")

    def test_names_of_quantiles_are_their_shortest_digits(self):
        rows = self.rows("--max-events", "1e3", "--quantiles", "0.99999,0.57,0.9,0.9995")["ours"]
        self.assertEqual(list(rows), ["slo_violation_rate", "latency_p57", "latency_p90", "latency_p99.95", "latency_p99.999"])

    def test_one_system(self):
        self.write("two.yaml", TWO)
        self.assertEqual(list(self.rows(*QUICK, "--system", "ours", config="two.yaml")), ["ours"])
        self.assertIn("did you mean 'ours'", self.refused("--system", "our", config="two.yaml"))

    def test_no_bound_no_rate(self):
        no_bound = ("--set", "slo.latency_ms=.inf")
        self.assertEqual(list(self.rows(*QUICK, *no_bound)["ours"]), ["latency_p99"])
        text = self.succeed("tail", "c.yaml", *QUICK, *no_bound).stdout
        self.assertNotRegex(text, r"ours +late")
        self.assertIn("no rate of late requests: the configuration has no bound (slo)\n", text)

    def test_what_never_comes_near_is_not_called_zero(self):
        """A camera's gaps of at least 60 ms, each sample served within 30: no two ever meet."""
        far = overrides(("workload.devices=[{label: camera, arrivals: {kind: periodic, rate_hz: 10, jitter_ms: 20}}]",
                         "systems.ours.policy={name: serial}"))
        row = self.rows(*QUICK, *far)["ours"]["slo_violation_rate"]
        self.assertEqual([row[key] for key in ("value", "low", "high", "crude_events")], [None] * 4)
        text = self.succeed("tail", "c.yaml", *QUICK, *far).stdout
        self.assertRegex(text, r"\nours +late +- +- +-\n")
        self.assertIn("ours: late: none seen, and none nearly", text)

    def test_too_few_events_are_said_and_marked(self):
        few = ("--max-events", "1e3", "--precision", "0.001", "--quantiles", "0.9999")
        result = self.call("tail", "c.yaml", *few)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"\nours +late +[\d.e-]+ \+ ")
        self.assertIn("ours: + wider than ±0.1 %: more than 1000 events (--max-events)\n", result.stdout)
        self.assertIn("note: ours: an interval is wider than", self.succeed("tail", "c.yaml", "--csv", *few).stderr)


class Refused(TailTest):
    def test_nothing_to_split_on(self):
        for key, value, reason in REFUSED:
            with self.subTest(key=key, value=value):
                self.assertRegex(self.refused("--set", f"{key}={value}", "--set", "warmup_requests=0"), rf"^--set {key}: no tail: .*{reason}")

    def test_a_rate_that_changes_for_good(self):
        self.assertIn("changes for good", self.refused("--set", "workload.arrivals={kind: spike, repeat: false, profile: "
                                                       "[{rho: 0.5, duration_s: 1}, {rho: 1, duration_s: 1}]}"))

    def test_the_place_is_in_the_file(self):
        self.write("c.yaml", CONFIG.replace("kind: poisson, rho: 1.2", "kind: periodic, rate_hz: 10"))
        self.assertTrue(self.refused().startswith("c.yaml:7:13: no tail: "))
        self.write("c.yaml", CONFIG.replace("arrivals: {kind: poisson, rho: 1.2}",
                                            "devices: [{label: a, arrivals: {kind: periodic, rate_hz: 10}}]"))
        self.assertTrue(self.refused().startswith("c.yaml:7:12: no tail: "))

    def test_saturated(self):
        self.write("two.yaml", TWO)
        error = self.refused("--set", "workload.arrivals.rho=9", config="two.yaml")
        self.assertRegex(error, r"^two\.yaml:7:13: system 'ours', system 'serial': no tail: it is saturated: .*batch means")
        carried = (*QUICK, "--set", "workload.arrivals.rho=2.6")  # by batches, but not one at a time
        self.assertEqual(list(self.rows(*carried, config="two.yaml")), ["ours"])
        result = self.succeed("tail", "two.yaml", *carried)
        self.assertRegex(result.stdout, r"\nserial +- +- +- +-\n")
        self.assertIn("\nserial: no tail: it is saturated: ", result.stdout)
        self.assertIn("note: serial: no tail: it is saturated: ", self.succeed("tail", "two.yaml", "--csv", *carried).stderr)

    def test_wrong_options(self):
        for options, message in (
                (("--precision", "0"), "--precision"),
                (("--precision", "0.6"), "--precision"),
                (("--quantiles", "0.9,1"), r"^--quantiles: each quantile must be a number, .*; found '1'"),
                (("--quantiles", "0.5"), "^--quantiles: .*above 0.5"),
                (("--quantiles", "0.9,x"), r"^--quantiles: each quantile must be a number, found 'x'"),
                (("--quantiles", "0.9,0.99,0.90"), r"^--quantiles: each quantile has '0.90' twice"),
                (("--max-events", "0"), r"^--max-events: max events must be a whole number from 1"),
                (("--max-events", "many"), r"^--max-events: max events must be a whole number, found 'many'"),
                (("--quantile", "0.9"), r"did you mean '--quantiles'")):
            with self.subTest(options):
                self.assertRegex(self.refused(*options), message)


SWEEP = """\
base: c.yaml
axes:
  grid: {workload.arrivals.rho: [0.5, 0.8]}
replications: %d
measure: {kind: tail, precision: 0.3, quantiles: [0.999, 0.99], max_events: 1e4}
"""
TAIL_COLUMNS = [name for metric, unit in (("violation_rate_tail", ""), ("p99_latency_tail", "_s"), ("p99_9_latency_tail", "_s"))
                for name in (metric + unit, metric + "_low" + unit, metric + "_high" + unit)] + ["tail_events"]


class Sweep(TailTest):
    def setUp(self):
        super().setUp()
        self.write("c.yaml", TWO.replace("requests: 400000", "requests: 2000"))
        self.write("s.yaml", SWEEP % 1)

    def sweep(self, name, *arguments, sweep="s.yaml"):
        return self.succeed("sweep", sweep, "--out", name, *arguments)

    def points(self, name):
        with sqlite3.connect(self.folder / name) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute("SELECT * FROM results ORDER BY point")]

    def refuse(self, arguments, message):
        result = self.call(*arguments)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertRegex(result.stderr, message)

    def test_columns_beside_those_of_the_run(self):
        self.sweep("r.sqlite")
        self.write("plain.yaml", "\n".join(line for line in (SWEEP % 1).splitlines() if "measure" not in line))
        self.sweep("plain.sqlite", sweep="plain.yaml")
        for with_tail, plain in zip(self.points("r.sqlite"), self.points("plain.sqlite"), strict=True):
            self.assertEqual([key for key in with_tail if key not in plain], TAIL_COLUMNS)
            self.assertEqual({key: with_tail[key] for key in plain}, plain)

    @unittest.skipUnless(RELEASE, "takes long with sanitizers")
    def test_a_point_s_tail_is_that_of_its_configuration(self):
        self.sweep("r.sqlite")
        for row in self.points("r.sqlite")[::3]:
            self.write("point.yaml", row["configuration"])
            tail = self.rows("--precision", "0.3", "--quantiles", "0.99,0.999", "--max-events", "10000",
                             config="point.yaml")[row["system"]]
            for metric, column in (("slo_violation_rate", "violation_rate_tail%s"), ("latency_p99", "p99_latency_tail%s_s"),
                                   ("latency_p99.9", "p99_9_latency_tail%s_s")):
                self.assertEqual([tail[metric][key] for key in ("value", "low", "high")],
                                 [row[column % ending] for ending in ("", "_low", "_high")])
            self.assertEqual(tail["latency_p99"]["events"], row["tail_events"])

    @unittest.skipUnless(RELEASE, "takes long with sanitizers")
    def test_parts_jobs_and_interruptions_give_the_same_rows(self):
        self.sweep("one.sqlite", "--jobs", "1")
        self.sweep("part1.sqlite", "--shard", "1/2")
        self.sweep("part2.sqlite", "--shard", "2/2", "--limit", "1")
        self.sweep("part2.sqlite", "--shard", "2/2", "--resume", "--jobs", "2")
        self.succeed("sweep", "merge", "part2.sqlite", "part1.sqlite", "--out", "all.sqlite")
        self.assertEqual(self.points("all.sqlite"), self.points("one.sqlite"))

    def test_other_measures_are_other_sweeps(self):
        self.sweep("r.sqlite", "--limit", "1")
        for old, new in (("0.3", "0.2"), ("max_events: 1e4", "max_events: 2e4"), ("0.999, ", "")):
            self.write("s.yaml", (SWEEP % 1).replace(old, new))
            self.refuse(("sweep", "s.yaml", "--out", "r.sqlite", "--resume"), "different sweep .*'measure")
        self.write("s.yaml", (SWEEP % 1).replace("[0.999, 0.99], max_events: 1e4", "[0.99, 0.999], max_events: 10000"))  # the same in another order
        self.sweep("r.sqlite", "--resume", "--limit", "0")

    @unittest.skipUnless(RELEASE, "takes long with sanitizers")
    def test_compare(self):
        self.write("s.yaml", SWEEP % 2)
        self.sweep("r.sqlite")
        shown = self.succeed("compare", "r.sqlite", "--metric", "violation_rate_tail", "p99_9_latency_tail_s").stdout
        self.assertIn("violation_rate_tail (1): mean over replications ± 95 %\n", shown)
        self.assertIn("p99_9_latency_tail_s (s): mean", shown)
        rows = list(csv.DictReader(io.StringIO(
            self.succeed("compare", "r.sqlite", "--metric", "violation_rate_tail", "--base", "serial", "--csv").stdout)))
        self.assertEqual(len(rows), 4)
        points = self.points("r.sqlite")
        for row in rows:
            of = [p["violation_rate_tail"] for p in points if p["system"] == row["system"]
                  and p["workload.arrivals.rho"] == float(row["workload.arrivals.rho"])]
            self.assertAlmostEqual(float(row["mean"]) / (sum(of) / 2), 1, places=12)
            self.assertEqual(row["replications"], "2")
            self.assertEqual(row["best"], str(int(row["system"] == "ours")))
        self.refuse(("compare", "r.sqlite", "--metric", "violation_rate_tial"),
                    r"did you mean 'violation_rate_tail'\?\).*and this sweep has 'violation_rate_tail'")

    def test_one_replication_has_its_own_interval(self):
        self.sweep("r.sqlite")
        points = {(p["workload.arrivals.rho"], p["system"]): p for p in self.points("r.sqlite")}
        for row in csv.DictReader(io.StringIO(
                self.succeed("compare", "r.sqlite", "--metric", "p99_latency_tail_s", "mean_latency_s", "--csv").stdout)):
            point = points[float(row["workload.arrivals.rho"]), row["system"]]
            if row["metric"] == "mean_latency_s":
                self.assertEqual(row["ci95"], "")
            else:
                self.assertAlmostEqual(float(row["ci95"]), (point["p99_latency_tail_high_s"] - point["p99_latency_tail_low_s"]) / 2,
                                       places=12)

    def test_a_saturated_point_keeps_its_statistics(self):
        self.write("s.yaml", (SWEEP % 1).replace("0.5, 0.8", "9"))
        self.sweep("r.sqlite")
        for row in self.points("r.sqlite"):
            self.assertEqual(row["status"], "done")
            self.assertGreater(row["p99_latency_s"], 0)
            self.assertEqual([row[name] for name in TAIL_COLUMNS], [None] * len(TAIL_COLUMNS))
        self.assertIn("a saturated system has no tail",
                      self.succeed("compare", "r.sqlite", "--metric", "violation_rate_tail").stdout)

    def test_the_plain_word_takes_the_defaults(self):
        self.write("s.yaml", "base: c.yaml\naxes: {grid: {systems.ours.policy.max_batch: [8]}}\nmeasure: tail\n")
        self.assertIn("and the tail of each point", self.sweep("r.sqlite", "--dry-run").stdout)
        self.sweep("r.sqlite", "--limit", "0")
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            columns = [row[1] for row in database.execute("PRAGMA table_info(points)")]
        for name in ("p99_9", "p99_99", "p99_999"):
            self.assertIn(name + "_latency_tail_s", columns)

    def test_wrong_measures(self):
        for measure, message in (
                ("tial", r"s\.yaml:5:10: unknown measure 'tial' \(did you mean 'tail'\?\)"),
                ("[tail]", r"s\.yaml:5:10: measure must be a text"),
                ("{precision: 0.1}", r"s\.yaml:5:10: measure needs the key 'kind'"),
                ("{kind: tial}", r"s\.yaml:5:17: unknown kind 'tial' \(did you mean 'tail'\?\)"),
                ("{kind: tail, precison: 0.1}", r"s\.yaml:5:23: unknown key 'precison' \(did you mean 'precision'\?\)"),
                ("{kind: tail, precision: 0}", r"s\.yaml:5:34: precision must be a number"),
                ("{kind: tail, quantiles: [0.9, 1]}", r"s\.yaml:5:40: quantiles must be a number, .*; found '1'"),
                ("{kind: tail, quantiles: [0.9, 0.9]}", r"s\.yaml:5:40: quantiles has '0.9' twice"),
                ("{kind: tail, quantiles: []}", r"s\.yaml:5:34: quantiles must be 1 to 32 numbers; found 0"),
                ("{kind: tail, max_events: 0.5}", r"s\.yaml:5:35: max_events must be a whole number")):
            with self.subTest(measure):
                self.write("s.yaml", re.sub("measure: .*", "measure: " + measure, SWEEP % 1))
                self.refuse(("sweep", "s.yaml", "--out", "no.sqlite"), "^" + message)
                self.assertFalse((self.folder / "no.sqlite").exists())

    def test_a_setting_that_can_t_be_split_is_named_while_planning(self):
        self.write("s.yaml", (SWEEP % 1).replace("grid: {workload.arrivals.rho: [0.5, 0.8]}",
                                                 "list: [{workload.arrivals: {kind: poisson, rho: 1}},\n"
                                                 "         {workload.arrivals: {kind: periodic, rate_hz: 9}}]"))
        for more in (("--dry-run",), ("--out", "no.sqlite")):
            self.refuse(("sweep", "s.yaml", *more), r"^s\.yaml:4:30: no tail: cameras")
        self.assertFalse((self.folder / "no.sqlite").exists())


if __name__ == "__main__":
    unittest.main()
