#!/usr/bin/python3
"""Results of a sweep side by side, as a user sees them."""

import csv
import io
import re
import resource
import sqlite3
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import harness  # noqa: E402
from harness import ROOT, CommandLineTest  # noqa: E402

# The harness's sweep over two loads alone.
SWEEP = re.sub(r"grid: .*\n.*\n", "grid: {workload.arrivals.rho: [0.5, 1]}\n", harness.SWEEP % 300)


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

    def results(self, sweep=SWEEP, name="r.sqlite", *arguments):
        """A results file, of `sweep`, to be edited."""
        self.write("s.yaml", sweep)
        self.succeed("sweep", "s.yaml", "--out", name, *arguments)

    def edit(self, *statements):
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            for statement in statements:
                database.execute(statement)

    def text(self, *arguments):
        return self.succeed("compare", "r.sqlite", *arguments).stdout

    def line(self, text, *begin):
        """The cells of the first line that begins so, which are more than one blank apart."""
        lines = [line for line in text.splitlines() if line.split()[:len(begin)] == list(begin)]
        return lines[0]

    def test_a_finished_sweep_marks_the_best_of_each_row(self):
        self.results()
        text = self.text("--metric", "mean_latency_s")
        self.assertTrue(text.startswith("mean_latency_s (s): mean over replications ± 95 %\n"), text)
        self.assertIn("< best of its row\n", text)
        for row in ("0.5", "1"):
            self.assertEqual(self.line(text, row).count("<"), 1)
        self.assertEqual(sum(int(row["best"]) for row in self.rows("r.sqlite", "--metric", "mean_latency_s")), 2)

    def test_an_unfinished_sweep_says_so_and_marks_nothing(self):
        """The longest points come first: all those of `ours`, before the first of `dynamic`."""
        self.results(SWEEP, "r.sqlite", "--limit", "6")
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            self.assertEqual(database.execute("SELECT DISTINCT system FROM points").fetchall(), [("ours",)])
        text = self.text("--metric", "mean_latency_s")
        self.assertTrue(text.startswith("6 of 12 points done\n"), text)
        self.assertNotIn("<", text)
        self.assertNotIn("best of its row", text)
        result = self.succeed("compare", "r.sqlite", "--metric", "mean_latency_s", "--csv")
        self.assertEqual(result.stderr, "6 of 12 points done\n")
        self.assertEqual({row["best"] for row in csv.DictReader(io.StringIO(result.stdout))}, {"0"})

    def test_a_row_with_a_gap_has_no_best(self):
        self.results()
        self.edit("DELETE FROM points WHERE system = 'dynamic' AND setting = 0")
        text = self.text("--metric", "mean_latency_s")
        self.assertTrue(text.startswith("9 of 12 points done\n"), text)
        self.assertNotIn("<", self.line(text, "0.5"))
        self.assertIn("<", self.line(text, "1"))
        self.assertIn("- not done yet, failed, or not a point of the sweep: no best of such a row", text)

    def test_a_ratio_needs_a_base(self):
        self.results()
        self.edit("DELETE FROM points WHERE system = 'dynamic' AND setting = 0", "UPDATE points SET slo_violation_rate = 0")
        text = self.text("--metric", "slo_violation_rate", "--base", "dynamic")
        ratios = text[text.index("ratio to dynamic"):]
        self.assertRegex(self.line(ratios, "0.5"), r"0\.5 +-$")
        self.assertRegex(self.line(ratios, "1"), r"1 +n/a$")
        self.assertIn("n/a no ratio: the base is 0", ratios)

    def test_a_failed_replication_is_a_gap_too(self):
        self.results()
        self.edit("UPDATE points SET status = 'failed' WHERE system = 'dynamic' AND setting = 1 AND replication = 2")
        text = self.text("--metric", "mean_latency_s")
        self.assertTrue(text.startswith("11 of 12 points done, 1 failed\n"), text)
        self.assertIn("<", self.line(text, "0.5"))
        self.assertNotIn("<", self.line(text, "1"))

    def test_replications_until_an_interval_is_narrow(self):
        sweep = SWEEP.replace("replications: 3", "until: {ci: 0.2, of: mean_latency_s, min: 2, max: 9}")
        self.results(sweep, "r.sqlite", "--limit", "3")
        self.assertTrue(self.text("--metric", "mean_latency_s").startswith("3 of at least 8 points done\n"))
        self.succeed("sweep", "s.yaml", "--out", "r.sqlite", "--resume")
        self.assertNotIn("points done", self.text("--metric", "mean_latency_s"))

    def test_no_best_across_drop_rates(self):
        self.results()
        self.edit("UPDATE points SET drop_rate = 0.55 WHERE system = 'ours' AND setting = 0",
                  "UPDATE points SET drop_rate = 0.25 WHERE setting = 1")
        text = self.text("--metric", "mean_latency_s")
        self.assertNotIn("<", self.line(text, "0.5"))
        self.assertIn(" d", self.line(text, "0.5"))
        self.assertIn("<", self.line(text, "1"))
        self.assertIn("d some requests were dropped, which this statistic leaves out:\n  no best of a row with different drop rates", text)
        # A dropped request is late, so that this one can be compared.
        rate = self.text("--metric", "slo_violation_rate")
        self.assertIn("<", self.line(rate, "0.5"))
        self.assertNotIn("dropped", rate)
        rows = self.rows("r.sqlite", "--metric", "mean_latency_s")
        self.assertEqual([(row["best"], float(row["drop_rate"])) for row in rows[:2]], [("0", 0), ("0", 0.55)])

    def test_a_ratio_to_a_saturated_base_has_no_interval(self):
        self.results()
        self.edit("UPDATE points SET saturated = 1 WHERE system = 'dynamic' AND setting = 1 AND replication = 1")
        text = self.text("--metric", "mean_latency_s")
        ratios = text[text.index("ratio to dynamic"):]
        self.assertRegex(self.line(ratios, "0.5"), r"x \[[^*]*\]$")
        self.assertRegex(self.line(ratios, "1"), r"x \*$")
        self.assertIn("* saturated, or in a ratio either of the two", text)
        rows = {(row["workload.arrivals.rho"], row["system"]): row for row in self.rows("r.sqlite", "--metric", "mean_latency_s")}
        ours = rows["1", "ours"]
        self.assertEqual((ours["saturated"], ours["base_saturated"], ours["ratio_low"], ours["ratio_high"]), ("0", "1", "", ""))
        self.assertNotEqual(ours["ratio"], "")
        self.assertNotEqual(rows["0.5", "ours"]["ratio_low"], "")

    def test_none_late_has_a_one_sided_bound(self):
        self.results()
        # 3 x 300 requests: none of ours is late, 3 + 6 + 9 of the others.
        self.edit("UPDATE points SET slo_violation_rate = 0",
                  "UPDATE points SET slo_violation_rate = (replication + 1) / 100.0 WHERE system = 'dynamic'")
        text = self.text("--metric", "slo_violation_rate")
        self.assertRegex(self.line(text, "0.5"), r"0 \(≤ 0\.0033\) <$")
        self.assertIn("≤ ≥ not one request of one side counted: one-sided bounds", text)
        row = self.rows("r.sqlite", "--metric", "slo_violation_rate")[1]
        self.assertAlmostEqual(float(row["upper"]), 3 / 900)
        # The ratio r at which all 18 late ones would be the base's with a probability of 5 %: (1 / (1 + r))^18.
        high = float(row["ratio_high"])
        self.assertAlmostEqual((1 / (1 + high)) ** 18, 0.05)
        self.assertEqual((row["ratio"], row["ratio_low"]), ("0", "0"))
        self.assertIn(f"≤ {high:.2g}x", text)
        # The other way round there is no ratio, but a least one.
        row = self.rows("r.sqlite", "--metric", "slo_violation_rate", "--base", "ours")[1]
        self.assertEqual((row["ratio"], row["ratio_high"]), ("", ""))
        self.assertAlmostEqual(float(row["ratio_low"]), 1 / high)
        self.assertIn(f"≥ {1 / high:.2g}x", self.text("--metric", "slo_violation_rate", "--base", "ours"))

    def test_a_statistic_that_is_not_defined_says_why(self):
        self.results()
        text = self.text("--metric", "accuracy", "clairvoyant_bound_s", "mean_latency_s")
        self.assertIn("accuracy: not defined at any point: it needs `confidences`", text)
        self.assertIn("clairvoyant_bound_s: not defined at any point: bounds need `outputs.bounds: true`", text)
        self.assertIn("mean_latency_s (s): mean", text)
        self.assertNotIn("n/a", text)
        result = self.succeed("compare", "r.sqlite", "--metric", "accuracy", "--csv")
        self.assertIn("accuracy: not defined at any point", result.stderr)
        self.edit("UPDATE points SET accuracy = 0.9 WHERE system = 'ours'")
        text = self.text("--metric", "accuracy")
        self.assertRegex(self.line(text, "0.5"), "n/a +0.9")
        self.assertIn("n/a not defined: it needs `confidences`", text)

    def test_100000_columns_take_seconds(self):
        self.results(SWEEP.replace("[0.5, 1]", "[1]"), "r.sqlite")
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            point = list(database.execute("SELECT * FROM points LIMIT 1").fetchone())
            database.execute("DELETE FROM points")
            database.execute("DELETE FROM settings")
            count = 100_000
            database.executemany("INSERT INTO settings VALUES (?, 'workload.arrivals.rho', ?)", ((i, float(i + 1)) for i in range(count)))
            marks = ", ".join("?" * len(point))
            database.executemany(f"INSERT INTO points VALUES ({marks})", ([i, i, *point[2:]] for i in range(count)))
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        rows = self.rows("r.sqlite", "--by", "workload.arrivals.rho", "--metric", "mean_latency_s")
        self.assertEqual([float(row["workload.arrivals.rho"]) for row in rows], [float(i + 1) for i in range(count)])
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, 10)  # a square takes 23


if __name__ == "__main__":
    unittest.main()
