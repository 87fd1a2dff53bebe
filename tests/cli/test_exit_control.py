#!/usr/bin/python3
"""Exits decided at run time, from the command line: outputs, targets on the letters, bad input."""

import csv
import json
import re
import sqlite3
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import RELEASE, ROOT, CommandLineTest  # noqa: E402

LETTERS = ROOT / "experiments/data/letters_multiexit.csv"
BURSTS = "{kind: spike, profile: [{rho: 0.8, duration_s: 4}, {rho: 4.8, duration_s: 1}]}"
CONFIG = """\
seed: 1
requests: 3000
network: ee_resnet50
slo: {latency_ms: 120}
workload:
  arrivals: %s
  exits: {kind: confidences, path: %s, threshold: 0.71}
systems:
  - {label: fixed, policy: {name: dynamic_batching}, npu: zu7ev_large, npu_mode: fluid_stacked}
  - {label: steered, policy: {name: dynamic_batching}, npu: zu7ev_large, npu_mode: fluid_stacked,
     exit_control: {kind: adaptive, accuracy_target: 0.95}}
""" % (BURSTS, LETTERS)


class ExitControl(CommandLineTest):
    def rows(self, path):
        with open(self.folder / path, encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def summary(self, label, folder="out"):
        return json.loads((self.folder / folder / label / "summary.json").read_text())

    def test_outputs(self):
        self.write("c.yaml", CONFIG)
        shown = self.succeed("run", "c.yaml", "--out", "out", "--series", "1", "--timeline", "--audit").stdout
        self.assertRegex(shown, r"\nsystem +accuracy %  mean threshold +p5 +p95  forced %\n")
        self.assertRegex(shown, r"\nsteered +\S+ ±\S+ +- ")
        self.assertIn("x bound: - where exits are decided at run time", shown)
        letters = self.rows(LETTERS)
        for label in ("fixed", "steered"):
            rows = self.rows(f"out/{label}/requests.csv")
            for row in rows:
                recorded = letters[int(row["sample"])]
                self.assertEqual(row["correct"], recorded[f"correct_{row['exit']}"])
            if label == "steered":
                self.assertEqual({int(row["sample"]) % 2 for row in rows}, {1})
            statistics = self.summary(label)
            shares, accuracies = statistics["exit_shares"], statistics["exit_accuracies"]
            mean = sum(share * accuracy for share, accuracy in zip(shares, accuracies))
            self.assertAlmostEqual(mean, statistics["statistics"]["accuracy"])
            right = sum(row["correct"] == "1" for row in rows)
            self.assertAlmostEqual(right / len(rows), statistics["statistics"]["accuracy"])
            series = self.rows(f"out/{label}/series.csv")
            self.assertEqual(list(series[0])[-2:], ["threshold", "accuracy"])
            answers = sum(float(row["accuracy"] or 0) * int(row["completed"]) for row in series)
            self.assertAlmostEqual(answers, right)
            thresholds = sum(float(row["threshold"] or 0) * int(row["completed"]) for row in series)
            self.assertAlmostEqual(thresholds / len(rows), statistics["statistics"]["mean_threshold"])
        self.assertEqual(self.summary("fixed")["statistics"]["mean_threshold"], 0.71)
        self.assertNotIn("exit_control", self.summary("fixed"))
        self.assertEqual(self.summary("steered")["absent"]["distance_to_bound"], "exits were decided at run time")
        events = self.timeline("steered")
        tracks = {event["name"] for event in events if event["ph"] == "C"}
        self.assertEqual(tracks, {"queue", "batch size", *(f"threshold of exit {exit}" for exit in range(3))})
        values = [event["args"]["threshold"] for event in events if event["name"] == "threshold of exit 0"]
        self.assertGreater(len(set(values)), 20)
        self.assertFalse([event for event in self.timeline("fixed") if event["name"].startswith("threshold of")])

        # The resolved configuration gives the same run, and a run can be replayed by its exits alone.
        self.assertIn("queue_gain: 0.06", (self.folder / "out/steered/resolved.yaml").read_text())
        self.succeed("run", "out/steered/resolved.yaml", "--out", "again")
        self.assertEqual(*((self.folder / out / "steered/requests.csv").read_bytes() for out in ("out", "again")))
        self.write("replay.yaml", CONFIG.split("workload:", maxsplit=1)[0] + "workload: {arrivals: {kind: trace, path: out/steered/"
                   "requests.csv, origin: 0}, exits: {kind: trace}}\nsystems:\n  - {label: steered, policy: {name: dynamic_batching}, "
                   "npu: zu7ev_large, npu_mode: fluid_stacked}\n")
        self.succeed("run", "replay.yaml", "--out", "replay")
        for ours, theirs in zip(self.rows("out/steered/requests.csv"), self.rows("replay/steered/requests.csv")):
            self.assertAlmostEqual(float(ours["completion_s"]), float(theirs["completion_s"]), delta=1e-9)
        self.assertNotIn("sample", self.rows("replay/steered/requests.csv")[0])
        self.assertNotIn("mean_threshold", self.summary("steered", "replay")["statistics"])

    def test_fixed_is_what_it_was(self):
        self.write("c.yaml", CONFIG)
        self.write("f.yaml", CONFIG.replace("npu: zu7ev_large, npu_mode: fluid_stacked}", "npu: zu7ev_large, npu_mode: fluid_stacked, "
                                            "exit_control: {kind: fixed}}"))
        self.succeed("run", "c.yaml", "--out", "c")
        self.succeed("run", "f.yaml", "--out", "f")
        for name in ("requests.csv", "summary.json"):
            self.assertEqual(*((self.folder / out / "fixed" / name).read_bytes() for out in "cf"))
        self.assertNotIn("exit_control", (self.folder / "c/fixed/resolved.yaml").read_text())
        self.assertIn("kind: fixed", (self.folder / "f/fixed/resolved.yaml").read_text())

    @unittest.skipUnless(RELEASE, "four million requests are for the Release build")
    def test_targets_are_met_where_capacity_allows_and_missed_aloud_where_not(self):
        self.write("c.yaml", CONFIG + "outputs: {requests_csv: false, bounds: false}\n")
        settings = ("--driver", "bare", "--set", "requests=400000", "--out", "out")
        for policy in ("dynamic_batching", "exit_aware"):
            for target in (0.95, 0.955):
                for seed in range(1, 6):
                    shown = self.succeed("run", "c.yaml", *settings, "--set", f"seed={seed}", "--set",
                                         f"systems.steered.policy.name={policy}", "--set",
                                         f"systems.steered.exit_control.accuracy_target={target}").stdout
                    summary = self.summary("steered")
                    self.assertAlmostEqual(summary["statistics"]["accuracy"], target, delta=0.002)
                    self.assertFalse(summary["accuracy_target_missed"])
                    self.assertNotIn("missed", shown)
        shown = self.succeed("run", "c.yaml", *settings, "--set", "systems.steered.exit_control.accuracy_target=0.99").stdout
        self.assertRegex(shown, r"\nsteered: missed its accuracy target of 99\S* %: 9\d\.\d+ %\n")
        self.assertTrue(self.summary("steered")["accuracy_target_missed"])

    def test_adaptive_is_better_than_fixed_in_bursts_at_the_same_accuracy(self):
        self.write("c.yaml", CONFIG + "outputs: {requests_csv: false, bounds: false}\n")
        self.succeed("run", "c.yaml", "--out", "out", "--set", "requests=40000", "--set",
                     "systems.steered.exit_control.accuracy_target=0.9545")
        fixed, steered = (self.summary(label)["statistics"] for label in ("fixed", "steered"))
        self.assertAlmostEqual(fixed["accuracy"], steered["accuracy"], delta=0.004)
        self.assertGreater(fixed["slo_violation_rate"], 0.005)
        self.assertLess(steered["slo_violation_rate"], fixed["slo_violation_rate"] / 20)
        self.assertLess(steered["mean_latency_s"], fixed["mean_latency_s"])

    def test_a_sweep_over_a_control(self):
        self.write("c.yaml", CONFIG)
        self.write("s.yaml", "base: c.yaml\naxes: {grid: {systems.steered.exit_control.queue_gain: [0, 0.1]}}\n")
        self.succeed("sweep", "s.yaml", "--out", "r.sqlite", "--set", "requests=500")
        with sqlite3.connect(self.folder / "r.sqlite") as results:
            found = dict(results.execute("SELECT \"systems.steered.exit_control.queue_gain\", mean_threshold FROM results WHERE system = 'steered'"))
        self.assertEqual(len(found), 2)
        self.assertGreater(found[0], found[0.1])

    def test_workload_describe(self):
        self.write("c.yaml", CONFIG)
        letters = self.rows(LETTERS)
        shown = self.succeed("workload", "describe", "c.yaml").stdout
        self.assertIn("the recorded samples at fixed thresholds, each once", shown)
        values = {row["name"]: row["value"] for row in
                  csv.DictReader(self.succeed("workload", "describe", "c.yaml", "--csv").stdout.splitlines())}
        for name, threshold in (("own", 0.71), ("0", 0), ("0.9", 0.9), ("1", 1)):
            exits = [next((e for e in range(3) if float(row[f"conf_{e}"]) >= threshold), 3) for row in letters]
            right = sum(row[f"correct_{e}"] == "1" for row, e in zip(letters, exits))
            self.assertAlmostEqual(float(values[f"accuracy_at_{name}"]), right / len(letters))
            for e in range(4):
                self.assertAlmostEqual(float(values[f"exit_share_{e}_at_{name}"]), exits.count(e) / len(letters))
        self.assertAlmostEqual(float(values["accuracy_at_0"]), 0.852, delta=0.0006)

    def test_lists_and_bad_input(self):
        shown = re.sub(r"\n {6,}", " ", self.succeed("exit-control", "list").stdout)
        self.assertIn("\n    accuracy_target ", shown)
        self.assertIn("(true or false; default true)", shown)
        self.assertIn("(default none, from 0 to 1)", shown)
        for old, new, message in (
                ("kind: adaptive", "kind: adaptiv", r"11:27: unknown exit_control kind 'adaptiv' \(did you mean 'adaptive'\?\)"),
                ("accuracy_target: 0.95", "acuracy_target: 0.95", r"11:37: unknown key 'acuracy_target' \(did you mean 'accuracy_target'\?\)"),
                ("accuracy_target: 0.95", "accuracy_target: 95", "11:54: accuracy_target must be a number, from 0 to 1; found '95'"),
                ("accuracy_target: 0.95", "window: 0", "11:45: window must be a whole number from 1 to"),
                ("accuracy_target: 0.95", "deadline: 2", "11:47: deadline must be true or false"),
                ("{kind: adaptive, accuracy_target: 0.95}", "adaptive", "11:20: .*map"),
                (f"{{kind: confidences, path: {LETTERS}, threshold: 0.71}}", "{kind: rates, rates: [0.1, 0.2, 0.3]}",
                 "11:20: exit_control adaptive needs the confidence of each sample at every exit: workload.exits must be of kind confidences")):
            with self.subTest(new=new):
                self.write("c.yaml", CONFIG.replace(old, new))
                result = self.call("run", "c.yaml", "--out", "out")
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertRegex(result.stderr, "^c.yaml:" + message)
                self.assertFalse((self.folder / "out").exists())


if __name__ == "__main__":
    unittest.main()
