#!/usr/bin/python3
"""--json says what --csv says, and `run` in both what summary.json says, bit for bit."""

import csv
import io
import json
import math
import re
import statistics
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import CONFIG, SWEEP, CommandLineTest  # noqa: E402
from test_sites import SITE  # noqa: E402

QUICK = CONFIG.replace("requests: 200", "requests: 2000")


def cell(value):
    """The text of a CSV's cell as it must be for a value of JSON; numbers were kept as the texts that they are."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return value


class Json(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.write("c.yaml", QUICK)

    def rows(self, *arguments, beside=()):
        """Those of CSV, when JSON has been seen to have the same, and arrays called as in `beside` before them."""
        table = list(csv.DictReader(io.StringIO(self.succeed(*arguments, "--csv").stdout)))
        text = self.succeed(*arguments, "--json").stdout
        found = json.loads(text, parse_int=str, parse_float=str)
        self.assertEqual(list(found), ["version", "command", *beside, "rows"])
        self.assertEqual("fluidbatch " + found["version"] + "\n", self.succeed("--version").stdout)
        self.assertEqual(found["command"], "fluidbatch " + " ".join([*arguments, "--json"]))
        self.assertTrue(all(("exit_shares" in row) == (arguments[0] == "run") for row in found["rows"]))
        self.shares = [row.pop("exit_shares", None) for row in found["rows"]]
        self.assertEqual([{name: cell(value) for name, value in row.items()} for row in found["rows"]], table)
        self.assertGreater(len(table), 0)
        self.assertEqual([list(row) for row in found["rows"]], [list(row) for row in table])
        self.assertNotRegex(text, r"\b(nan|inf)\b")
        self.assertEqual(self.call(*arguments, "--csv", "--json").returncode, 2)
        return table

    def hold_to_summary(self, row, text):
        summary = json.loads(text, parse_int=str, parse_float=str)
        for name, value in summary["statistics"].items():
            self.assertEqual(row[name], cell(value), name)
        self.assertEqual(row["admitted"], summary["admitted"])
        self.assertEqual(row["saturated"], cell(summary["saturated"]))
        listed = set(re.findall(r"^\| `(\w+)`", self.succeed("metric", "list", "--markdown").stdout, re.M))
        self.assertGreater(len(listed), 40)
        self.assertEqual(listed - set(row), set())
        for name in listed - set(summary["statistics"]):
            self.assertEqual(row[name], "", name)

    def test_run(self):
        rows = self.rows("run", "c.yaml", "--out", "out")
        self.assertEqual([row["system"] for row in rows], ["serial", "dynamic"])
        for row, shares in zip(rows, self.shares, strict=True):
            text = (self.folder / f"out/{row['system']}/summary.json").read_text()
            self.hold_to_summary(row, text)
            self.assertEqual(shares, json.loads(text, parse_float=str)["exit_shares"])
            self.assertEqual(len(shares), 4)

    def test_run_of_a_site(self):
        self.write("site.yaml", SITE)
        rows = self.rows("run", "site.yaml", "--out", "out")
        for row, shares in zip(rows, self.shares, strict=True):
            text = (self.folder / f"out/{row['system']}/summary.json").read_text()
            summary = json.loads(text, parse_int=str, parse_float=str)
            part = summary
            if row["service"]:
                part = next(its for its in summary["services"] if its["name"] == row["service"])
            elif row["npu"]:
                part = summary["npus"][int(row["npu"])]
            self.assertEqual(row["mean_latency_s"], cell(part["statistics"]["mean_latency_s"]))
            self.assertEqual(row["admitted"], part["admitted"])
            self.assertEqual(shares, part.get("exit_shares"))
        self.assertEqual([(row["service"], row["npu"]) for row in rows if row["system"] == "fleet"],
                         [("", ""), ("faces", ""), ("plates", ""), ("", "0"), ("", "1"), ("", "2")])

    def test_what_is_not_defined_is_null(self):
        text = self.succeed("run", "c.yaml", "--out", "out", "--json", "--set", "outputs.bounds=false").stdout
        self.assertEqual({row["unloaded_bound_s"] for row in json.loads(text)["rows"]}, {None})

    def test_compare(self):
        self.write("s.yaml", SWEEP % 200)
        self.succeed("sweep", "s.yaml", "--out", "r.sqlite")
        rows = self.rows("compare", "r.sqlite", "--metric", "mean_latency_s", "slo_violation_rate", "accuracy")
        self.assertEqual(len(rows), 3 * 4 * 2 * 2)
        found = json.loads(self.succeed("compare", "r.sqlite", "--metric", "mean_latency_s", "--json").stdout)["rows"]
        self.assertEqual({row["workload.arrivals.rho"] for row in found}, {0.5, 1, 1.5, 2})
        self.assertEqual({row["slo.latency_ms"] for row in found}, {40, 60})
        self.assertEqual({row["system"] for row in found}, {"dynamic", "ours"})

    def test_values_of_axes_are_numbers_where_all_are(self):
        self.write("s.yaml", SWEEP.split("axes:")[0] % 200 + """\
axes:
  grid: {systems.ours.label: [10, 20], seed: [9007199254740993, 2], systems.dynamic.npu_mode: [r, p]}
replications: 1
""")
        self.succeed("sweep", "s.yaml", "--out", "r.sqlite")
        of_seeds = self.rows("compare", "r.sqlite", "--by", "seed", "--metric", "mean_latency_s")
        self.assertEqual({row["seed"] for row in of_seeds}, {"9007199254740993", "2"})
        found = json.loads(self.succeed("compare", "r.sqlite", "--by", "seed", "--metric", "mean_latency_s", "--json").stdout)["rows"]
        self.assertEqual({row["seed"] for row in found}, {9007199254740993, 2})
        self.assertEqual({row["systems.dynamic.npu_mode"] for row in found}, {"r", "p"})
        self.assertEqual({row["system"] for row in found}, {"dynamic", "10", "20"})
        self.assertEqual({row["systems.ours.label"] for row in found}, {10, 20})

    def test_capacity(self):
        rows = self.rows("capacity", "c.yaml", "--tolerance", "0.3", "--set", "requests=400", beside=["capacities"])
        self.assertEqual({row["system"] for row in rows}, {"serial", "dynamic"})

    def hold_to_table(self, answers, text, members):
        """`members`: for each column of the table for people, which number of JSON it rounds."""
        table = [re.split(r" {2,}", line.strip()) for line in text.splitlines() if re.match(r"serial|dynamic", line)]
        self.assertEqual(len(answers), len(table))
        for answer, cells in zip(answers, table, strict=True):
            self.assertEqual(answer["system"], cells[0])
            for cell_text, (name, factor) in zip(cells[1:], members, strict=True):
                if cell_text == "-":
                    self.assertIsNone(answer[name])
                else:
                    self.assertAlmostEqual(answer[name] * factor, float(cell_text.split()[0]), delta=0.006 * answer[name] * factor)

    def test_answers_of_capacity(self):
        arguments = ["capacity", "c.yaml", "--tolerance", "0.05", "--confidence", "0.95", "--set", "requests=3000"]
        found = json.loads(self.succeed(*arguments, "--json").stdout)
        answers = found["capacities"]
        self.hold_to_table(answers, self.succeed(*arguments).stdout,
                           [("capacity", 1), ("fails_from", 1), ("throughput_hz", 1), ("late_share", 100), ("loads", 1), ("runs", 1),
                            ("energy_per_request_j", 1000), ("average_power_w", 1)])
        for answer in answers:
            its = [row for row in found["rows"] if row["system"] == answer["system"]]
            best = max((row for row in its if row["verdict"] == "holds"), key=lambda row: row["workload.arrivals.rho"])
            self.assertEqual((answer["key"], answer["confidence"], answer["violation_rate"], answer["no_end"]),
                             ("workload.arrivals.rho", 0.95, 0.01, False))
            self.assertEqual((answer["capacity"], answer["throughput_hz"], answer["late_share"], answer["average_power_w"]),
                             (best["workload.arrivals.rho"], best["throughput_hz"], best["late"] / best["requests"],
                              best["average_power_w"]))
            fails = [row["workload.arrivals.rho"] for row in its if row["verdict"] == "fails"]
            self.assertEqual(answer["fails_from"], min(fails, default=None))
            self.assertEqual((answer["loads"], answer["runs"], answer["open_loads"]),
                             (len(its), sum(row["runs"] for row in its), sum(row["verdict"] == "open" for row in its)))

    def test_where_no_load_holds_there_is_no_capacity(self):
        found = json.loads(self.succeed("capacity", "c.yaml", "--set", "requests=2000", "--set", "slo.latency_ms=1", "--json").stdout)
        for answer in found["capacities"]:
            self.assertEqual((answer["capacity"], answer["throughput_hz"], answer["late_share"]), (None, None, None))
            self.assertGreater(answer["fails_from"], 0)

    def test_answers_of_capacity_over_seeds(self):
        arguments = ["capacity", "c.yaml", "--tolerance", "0.1", "--seeds", "3", "--set", "requests=3000"]
        found = json.loads(self.succeed(*arguments, "--json").stdout)
        text = self.succeed(*arguments).stdout
        self.hold_to_table(found["capacities"], text, [("capacity", 1), ("least", 1), ("most", 1), ("throughput_hz", 1), ("seeds", 1)])
        for answer in found["capacities"]:
            held = {}
            for row in found["rows"]:
                if row["system"] == answer["system"] and row["holds"]:
                    held[row["seed"]] = max(held.get(row["seed"], 0), row["workload.arrivals.rho"])
            values = [held.get(seed, 0) for seed in range(3)]
            self.assertAlmostEqual(answer["capacity"], statistics.mean(values), places=12)
            # Student's t with two degrees of freedom.
            self.assertAlmostEqual(answer["ci95"], 4.302652729911275 * statistics.stdev(values) / math.sqrt(3), places=9)
            self.assertEqual((answer["least"], answer["most"], answer["seeds"]), (min(values), max(values), 3))

    def test_optimum(self):
        self.rows("optimum", "c.yaml", "--set", "requests=300")

    def test_tail(self):
        rows = self.rows("tail", "c.yaml", "--system", "serial", "--precision", "0.3", "--set", "requests=1000")
        self.assertEqual(rows[0]["metric"], "slo_violation_rate")

    def test_npu(self):
        self.assertGreater(len(self.rows("npu", "table", "--network", "ee_resnet18", "--npu", "zu7ev_large",
                                         "--max-batch", "3", "--mode", "fluid")), 50)
        self.rows("npu", "search", "--network", "resnet18", "--board", "z7045", "--t_r", "64,128", "--t_p", "8",
                  "--top", "3")

    def test_the_command_can_be_pasted(self):
        text = self.succeed("run", "c.yaml", "--out", "a b", "--json").stdout
        self.assertEqual(json.loads(text)["command"], "fluidbatch run c.yaml --out 'a b' --json")
        self.assertFalse(re.search(r"\n\n", text))


if __name__ == "__main__":
    unittest.main()
