#!/usr/bin/python3
"""Energy of NPUs from the command line: shipped values from their table, joules from counts, searches, and what is refused."""

import csv
import io
import math
import re
import sys
import unittest
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parent))
from harness import RELEASE, ROOT, CommandLineTest  # noqa: E402

SHIPPED = sorted((ROOT / "npu_model/npus").glob("*.yaml"))
NPUS = [*SHIPPED, *(ROOT / "experiments/site").glob("zu7ev_half_*.yaml"), ROOT / "experiments/site/edge_16tops.yaml"]
NETWORKS = sorted(path.stem for path in (ROOT / "workloads/networks").glob("*.yaml"))
KEYS = ("mac_pj", "input_buffer_pj_per_word", "weight_buffer_pj_per_word", "output_buffer_pj_per_word", "dram_pj_per_word",
        "static_w")

# M. Horowitz, "Computing's energy problem (and what we can do about it)", ISSCC 2014: pJ at 45 nm and 0.9 V.
ADD = {8: 0.03, 32: 0.1}
MULTIPLY = {8: 0.2, 32: 3.1}
SRAM_64_BITS = {8 << 10: 10, 32 << 10: 20, 1 << 20: 100}  # by bytes of the memory
DRAM_64_BITS = 1300  # the lower end of 1.3 to 2.6 nJ

RANGE = r", from 0 to 1e\+12"

ENGINE = """\
t_r: 64
t_p: 8
t_c: 16
k_max: 2
clock_hz: 1.0e+8
bandwidth_bytes_per_s: 1.0e+9
"""
ENERGY = """\
energy:
  mac_pj: 1
  input_buffer_pj_per_word: 2
  weight_buffer_pj_per_word: 3
  output_buffer_pj_per_word: 5
  dram_pj_per_word: 100
  static_w: 0.25
"""


def on_power_law(points, x):
    """Linear in the logarithms between the two points around x, or on from the two at the end."""
    known = sorted(points)
    above = next((i for i in range(1, len(known) - 1) if x <= known[i]), len(known) - 1)
    (x0, y0), (x1, y1) = ((math.log(known[i]), math.log(points[known[i]])) for i in (above - 1, above))
    return math.exp(y0 + (y1 - y0) * (math.log(x) - x0) / (x1 - x0))


def by_the_rules(npu):
    word, accumulator = npu.get("word_bytes", 2), npu.get("accumulator_bytes", 4)
    rows, depth, columns = npu["t_r"], npu["t_p"], npu["t_c"]
    add = ADD[8] + (ADD[32] - ADD[8]) * (8 * accumulator - 8) / (32 - 8)
    return {"mac_pj": on_power_law(MULTIPLY, 8 * word) + add,
            "input_buffer_pj_per_word": on_power_law(SRAM_64_BITS, 2 * rows * depth * word) * word / 8,
            "weight_buffer_pj_per_word": on_power_law(SRAM_64_BITS, 2 * depth * columns * word) * word / 8,
            "output_buffer_pj_per_word": on_power_law(SRAM_64_BITS, 2 * rows * columns * accumulator) * accumulator / 8,
            "dram_pj_per_word": DRAM_64_BITS * word / 8}


class Energy(CommandLineTest):
    def rows(self, *arguments):
        return list(csv.DictReader(io.StringIO(self.succeed("npu", *arguments, "--csv").stdout)))

    def refuse(self, text, pattern):
        self.write("npu.yaml", text)
        result = self.call("npu", "table", "--network", "resnet18", "--npu", "./npu.yaml", "--max-batch", 2)
        self.assertEqual((result.returncode, result.stdout), (2, ""), result.stderr)
        self.assertRegex(result.stderr, pattern)

    def test_the_rules_give_the_table_back(self):
        for table in (MULTIPLY, SRAM_64_BITS):
            for x, y in table.items():
                self.assertAlmostEqual(on_power_law(table, x), y, places=12)
        self.assertAlmostEqual(on_power_law(SRAM_64_BITS, 2 << 10), 5)  # on with the slope of 8 to 32 KB: half

    def test_shipped_values_are_those_of_the_table(self):
        self.assertEqual(len(NPUS), 11)
        static_w = {}
        for path in NPUS:
            npu = yaml.safe_load(path.read_text())
            with self.subTest(npu=path.stem):
                self.assertEqual(tuple(npu["energy"]), KEYS)
                self.assertFalse({"weight_buffer_words", "output_tiles"} & set(npu))  # then the rules would have to ask
                for key, value in by_the_rules(npu).items():
                    shipped = npu["energy"][key]
                    self.assertEqual(shipped, float(f"{shipped:.4g}"), key)
                    self.assertTrue(math.isclose(shipped, value, rel_tol=5.001e-4), (key, value))  # four digits
                self.assertRegex(path.read_text(), "# energy: assumptions, not measured: .*45 nm table of M. Horowitz")
                static_w.setdefault(npu.get("board", path.stem), set()).add(npu["energy"]["static_w"])
        self.assertEqual({len(values) for values in static_w.values()}, {1})  # one guess for a board

    def test_joules_are_what_the_counts_come_to(self):
        """Of all shipped networks and NPUs: the sum over operations, from the columns of the table."""
        batches = (1, 3) if RELEASE else (2,)
        networks = NETWORKS if RELEASE else ("ee_mobilenet_v2", "resnet18")
        for path in SHIPPED:
            energy = yaml.safe_load(path.read_text())["energy"]
            for network in networks:
                for row in self.rows("table", "--network", network, "--npu", path.stem, "--max-batch", max(batches), "--mode",
                                     "fluid_stacked"):
                    if int(row["batch"]) not in batches:
                        continue
                    count = {key: int(value) for key, value in row.items()
                             if key.endswith(("_words", "_reads", "_writes")) or key == "macs"}
                    dram = count["input_words"] + count["weight_words"] + count["output_words"]
                    picojoules = energy["mac_pj"] * count["macs"] + energy["dram_pj_per_word"] * dram
                    for buffer in ("input", "weight", "output"):
                        accesses = count[f"{buffer}_reads"] + count[f"{buffer}_writes"]
                        picojoules += energy[f"{buffer}_buffer_pj_per_word"] * accesses
                    latency_s = float(row["latency_s"])
                    joules = picojoules * 1e-12 + energy["static_w"] * latency_s
                    self.assertTrue(math.isclose(float(row["energy_j"]), joules, rel_tol=1e-12), row)
                    self.assertTrue(math.isclose(float(row["average_power_w"]), joules / latency_s, rel_tol=1e-12), row)
                    self.assertEqual((count["input_writes"], count["weight_writes"]),
                                     (count["input_words"], count["weight_words"]))

    def test_an_npu_that_says_nothing(self):
        self.write("npu.yaml", ENGINE)
        table = ("table", "--network", "resnet18", "--npu", "./npu.yaml", "--max-batch", 2)
        explain = ("explain", "--network", "resnet18", "--npu", "./npu.yaml", "--layer", "conv1", "--batch", 2)
        for row in self.rows(*table) + self.rows(*explain):
            self.assertEqual((row["energy_j"], row["average_power_w"]), ("", ""))
            self.assertGreater(int(row["macs"]), 0)
        for command in (table, explain):
            self.assertNotIn("mJ", self.succeed("npu", *command).stdout)
        self.write("measured.csv", self.succeed("npu", *table, "--csv").stdout)
        self.write("npu.yaml", ENGINE + ENERGY)
        for row, silent in zip(self.rows(*table), csv.DictReader(io.StringIO((self.folder / "measured.csv").read_text()))):
            self.assertEqual({**row, "energy_j": "", "average_power_w": ""}, silent)

    def test_texts_have_totals(self):
        text = self.succeed("npu", "table", "--network", "resnet18", "--npu", "zu7ev_large", "--max-batch", 4).stdout
        rows = self.rows("table", "--network", "resnet18", "--npu", "zu7ev_large", "--max-batch", 4)
        for label, of in (("mJ, all layers", lambda j, s, b: 1000 * j), ("mJ per sample", lambda j, s, b: 1000 * j / b),
                          ("average W", lambda j, s, b: j / s)):
            shown = re.search(rf"^{label} +(\S+) +(\S+) +(\S+)$", text, re.M).groups()
            for batch, cell in zip((1, 2, 4), shown):
                joules, seconds = (sum(float(row[key]) for row in rows if row["batch"] == str(batch))
                                   for key in ("energy_j", "latency_s"))
                self.assertAlmostEqual(float(cell) / of(joules, seconds, batch), 1, delta=1e-3)
        arguments = ("npu", "explain", "--network", "ee_resnet50", "--npu", "zu7ev_buffered", "--layer", "conv5_1_c", "--batch", 4)
        lines = self.succeed(*arguments).stdout.splitlines()
        self.assertLessEqual(max(map(len, lines)), 80)
        chosen = next(row for row in self.rows(*arguments[1:]) if row["chosen"] == "1")
        at = next(i for i, line in enumerate(lines) if line.startswith("energy of *: "))
        joules, watts, *shares = (float(number) for number in re.findall(r"\d[\d.]*", " ".join(lines[at:at + 2])))
        self.assertAlmostEqual(1000 * float(chosen["energy_j"]) / joules, 1, delta=1e-3)
        self.assertAlmostEqual(float(chosen["average_power_w"]) / watts, 1, delta=1e-3)
        energy = yaml.safe_load((ROOT / "npu_model/npus/zu7ev_buffered.yaml").read_text())["energy"]
        self.assertEqual(len(shares), 4)  # MAC, buffers, DRAM, static
        self.assertAlmostEqual(sum(shares), 100, delta=0.3)
        self.assertAlmostEqual(shares[0], 1e-10 * energy["mac_pj"] * int(chosen["macs"]) / float(chosen["energy_j"]), delta=0.06)
        self.assertAlmostEqual(shares[3], 100 * energy["static_w"] / watts, delta=0.06)

    def test_searches_by_energy(self):
        arguments = ("search", "--network", "resnet18", "--board", "zu7ev", "--batches", "1,4", "--t_p", "8,13,24", "--t_c",
                     "64,72,132", "--t_r", "64,196")
        best = {}
        for objective, column in (("latency", "latency_per_sample_s"), ("energy", "energy_per_sample_j"), ("edp", "edp_js")):
            rows = self.rows(*arguments, "--energy", "zu7ev_large", "--objective", objective, "--top", 100)
            scores = [float(row[column]) for row in rows]
            self.assertEqual(scores, sorted(scores))
            for row in rows:
                each = [(float(row[f"energy_b{b}_j"]) / b, float(row[f"latency_b{b}_s"]) / b) for b in (1, 4)]
                self.assertTrue(math.isclose(float(row["energy_per_sample_j"]), sum(j for j, s in each) / 2, rel_tol=1e-12))
                self.assertTrue(math.isclose(float(row["edp_js"]), sum(j * s for j, s in each) / 2, rel_tol=1e-12))
            best[objective] = {tuple(row[key] for key in ("t_r", "t_p", "t_c")): row for row in rows}
        self.assertEqual(best["latency"].keys(), best["energy"].keys())
        for tiles, row in best["latency"].items():  # worked out afterwards, or in the search: the same
            for key in set(row) - {"rank", "pareto"}:
                self.assertEqual(row[key], best["energy"][tiles][key])
        plain = self.rows(*arguments, "--top", 100)
        for row, other in zip(plain, best["latency"].values()):
            self.assertEqual(row, {key: other[key] for key in row})
        self.assertFalse(any("energy" in key or "edp" in key for key in plain[0]))
        text = self.succeed("npu", *arguments, "--energy", "zu7ev_large", "--objective", "edp").stdout
        self.assertIn("ranked by the mean over the batches of the energy per sample times its latency", text)
        self.assertIn("mJ/inf", text)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)

    def test_a_search_saves_what_it_was_given(self):
        arguments = ("npu", "search", "--network", "resnet18", "--board", "zu7ev", "--batches", 1, "--t_p", 24, "--t_c", 72)
        given = "{" + ", ".join(f"{key}: {i + 0.5}" for i, key in enumerate(KEYS)) + "}"
        self.succeed(*arguments, "--energy", given, "--save", "one.yaml")
        self.assertEqual(yaml.safe_load((self.folder / "one.yaml").read_text())["energy"],
                         {key: i + 0.5 for i, key in enumerate(KEYS)})
        self.succeed(*arguments, "--energy", "./one.yaml", "--save", "two.yaml")
        one, two = ((self.folder / name).read_text().splitlines() for name in ("one.yaml", "two.yaml"))
        self.assertEqual(one[1:], two[1:])
        self.assertIn(f"--energy '{given}'", one[0])

    def test_a_fit_keeps_energies(self):
        self.write("npu.yaml", ENGINE + ENERGY)
        self.write("m.csv", self.succeed("npu", "table", "--network", "resnet18", "--npu", "./npu.yaml", "--max-batch", 1, "--csv").stdout)
        fit = ("npu", "fit", "--measured", "m.csv", "--npu", "./npu.yaml", "--network", "resnet18", "--free")
        self.succeed(*fit, "bandwidth_bytes_per_s", "--out", "fitted.yaml")
        fitted, given = (yaml.safe_load((self.folder / name).read_text()) for name in ("fitted.yaml", "npu.yaml"))
        self.assertEqual(fitted["energy"], given["energy"])
        result = self.call(*fit, "static_w")  # latencies do not depend on it
        self.assertEqual(result.returncode, 2)
        self.assertIn("'static_w' can't be fitted", result.stderr)

    def test_wrong_energies(self):
        for i, key in enumerate(KEYS):
            line = 8 + i
            value = re.search(rf"{key}: (\S+)", ENERGY)[1]
            for wrong, rule in (("-1", RANGE), (".inf", RANGE), (".nan", RANGE), ("1.0e+13", RANGE), ("much", ""), ("[1]", "")):
                self.refuse(ENGINE + ENERGY.replace(f"{key}: {value}", f"{key}: {wrong}"),
                            rf"npu.yaml:{line}:\d+: {key} must be a number{rule}[,;] found")
            self.refuse(ENGINE + ENERGY.replace(f"{key}: {value}", f"{key}:"), rf"npu.yaml:\d+:\d+: {key} must be a number, found nothing")
            self.refuse(ENGINE + ENERGY.replace(f"  {key}: {value}\n", ""), rf"npu.yaml:8:\d+: energy needs the key '{key}'")
            self.refuse(ENGINE + ENERGY.replace(key, key[:-1] + "x"),
                        rf"npu.yaml:{line}:3: unknown key '{key[:-1]}x' \(did you mean '{key}'\?\)")
        self.refuse(ENGINE + "energy: low\n", r"npu.yaml:7:\d+: energy must be a map, found 'low'")
        self.refuse(ENGINE + "energy: {}\n", r"npu.yaml:7:\d+: energy needs the key 'mac_pj'")
        self.refuse(ENGINE + "enrgy: {}\n", r"npu.yaml:7:1: unknown key 'enrgy' \(did you mean 'energy'\?\)")

    def test_searches_that_are_refused(self):
        def refuse(pattern, *options):
            result = self.call("npu", "search", "--network", "resnet18", "--board", "zu7ev", "--save", "best.yaml", *options)
            self.assertEqual((result.returncode, result.stdout), (2, ""), result.stderr)
            self.assertRegex(result.stderr, pattern)
            self.assertEqual(list(self.folder.glob("best.yaml")), [])

        self.write("silent.yaml", ENGINE)
        refuse(r"--objective: energy needs to know what operations take: give --energy, the name or path", "--objective", "energy")
        refuse(r"--objective: edp needs", "--objective", "edp")
        refuse(r"--objective: unknown objective 'enery' \(did you mean 'energy'\?\)", "--objective", "enery")
        refuse(r"--energy: unknown name 'zu7ev_larg' \(did you mean 'zu7ev_large'\?\)", "--energy", "zu7ev_larg")
        refuse(r"--energy: NPU 'silent' has no 'energy' in its file", "--objective", "energy", "--energy", "./silent.yaml")
        refuse(r"--energy:1:\d+: mac_pj must be a number" + RANGE, "--energy",
               "{" + ", ".join(f"{key}: -1" for key in KEYS) + "}")
        refuse(r"--energy.*: energy needs the key 'input_buffer_pj_per_word'", "--energy", "{mac_pj: 1}")


if __name__ == "__main__":
    unittest.main()
