#!/usr/bin/python3
"""--json says what --csv says, and `run` in both what summary.json says, bit for bit."""

import csv
import io
import json
import re
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

    def rows(self, *arguments):
        """Those of CSV, when JSON has been seen to have the same."""
        table = list(csv.DictReader(io.StringIO(self.succeed(*arguments, "--csv").stdout)))
        text = self.succeed(*arguments, "--json").stdout
        found = json.loads(text, parse_int=str, parse_float=str)
        self.assertEqual(list(found), ["version", "command", "rows"])
        self.assertEqual("fluidbatch " + found["version"] + "\n", self.succeed("--version").stdout)
        self.assertEqual(found["command"], "fluidbatch " + " ".join([*arguments, "--json"]))
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
        for row in rows:
            self.hold_to_summary(row, (self.folder / f"out/{row['system']}/summary.json").read_text())

    def test_run_of_a_site(self):
        self.write("site.yaml", SITE)
        rows = self.rows("run", "site.yaml", "--out", "out")
        for row in rows:
            text = (self.folder / f"out/{row['system']}/summary.json").read_text()
            summary = json.loads(text, parse_int=str, parse_float=str)
            part = summary
            if row["service"]:
                part = next(its for its in summary["services"] if its["name"] == row["service"])
            elif row["npu"]:
                part = summary["npus"][int(row["npu"])]
            self.assertEqual(row["mean_latency_s"], cell(part["statistics"]["mean_latency_s"]))
            self.assertEqual(row["admitted"], part["admitted"])
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

    def test_capacity(self):
        rows = self.rows("capacity", "c.yaml", "--tolerance", "0.3", "--set", "requests=400")
        self.assertEqual({row["system"] for row in rows}, {"serial", "dynamic"})

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
