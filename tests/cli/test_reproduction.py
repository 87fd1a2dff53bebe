#!/usr/bin/python3
"""The scripts of the reproduction: the same bytes each time, and docs/reproduction.md against a fresh quick run."""

import csv
import importlib
import json
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

# What does not depend on how many requests are simulated, and the cheapest figure of what does.
SAME_IN_EVERY_RUN = ("npu_batching", "control_block", "design_space", "area", "silicon")
CHEAPEST = "load_latency"


@unittest.skipUnless(os.environ.get("FLUIDBATCH_BUILD", "").endswith("release"), "takes long with sanitizers")
class Reproduction(CommandLineTest):
    def reproduce(self, folder, *names):
        subprocess.run(["/usr/bin/python3", "-B", str(ROOT / "experiments/reproduce.py"), "--quick", "--program", PROGRAM, "--out",
                        str(self.folder / folder), "--only", *names], check=True, capture_output=True)
        return self.folder / folder

    def test_the_same_bytes_and_the_numbers_of_the_docs(self):
        first = self.reproduce("first", *SAME_IN_EVERY_RUN, CHEAPEST)
        second = self.reproduce("second", *SAME_IN_EVERY_RUN, CHEAPEST)
        files = ["report.html"] + sorted(f"figures/{p.name}" for p in (first / "figures").iterdir())
        self.assertEqual(len(files), 1 + 3 * 6 + 2)  # the control block has two pictures
        for file in files:
            self.assertEqual((first / file).read_bytes(), (second / file).read_bytes(), file)
        docs = (ROOT / "docs/reproduction.md").read_text()
        for name in SAME_IN_EVERY_RUN:
            page = json.loads((first / "figures" / f"{name}.json").read_text())
            self.assertIn(page["seen"], docs)
            for table in page["tables"]:
                for row in table["rows"]:
                    self.assertIn("| " + " | ".join(row) + " |", docs)
            for figure in page["figures"]:
                self.assertEqual((first / "figures" / f"{figure}.svg").read_bytes(),
                                 (ROOT / "docs/pictures/reproduction" / f"{figure}.svg").read_bytes(), figure)

    def test_the_report_stands_alone(self):
        out = self.reproduce("out", "control_block")
        text = (out / "report.html").read_text()
        self.assertNotRegex(text, r'(?:src|href)="https?:|<script|@import|url\(')
        self.assertIn("prefers-color-scheme: dark", text)
        self.assertIn('href="results/control_block.sqlite"', text)
        self.assertIn("SELECT layer, batch, b_r, b_p, k, residency, latency_s FROM layers", text)


class Markdown(unittest.TestCase):
    def test_some_sections_alone(self):
        import report

        def page(name, seen, claims=()):
            return {"name": name, "title": f"About {name}", "seen": seen, "figures": [name], "claims": list(claims),
                    "captions": {name: f"What {name} shows."}, "alternatives": {name: f"A line of {name}."},
                    "tables": [{"caption": "A table", "head": ["x"], "rows": [[seen]]}]}

        one, two, three = page("one", "first"), page("two", "second"), page("three", "third")
        text = report.markdown([one, two])
        self.assertEqual(report.with_sections(text, [one]), text)
        self.assertEqual(report.with_sections(text, [page("one", "new"), page("two", "newer")]),
                         report.markdown([page("one", "new"), page("two", "newer")]))
        self.assertEqual(report.with_sections(text, [three]), report.markdown([one, two, three]))
        with self.assertRaisesRegex(ValueError, "one: has claims"):
            report.with_sections(text, [page("one", "new", [{"claim": "a", "published": "b", "found": "c", "verdict": "d"}])])
        # The claims that the text has already are no reason to leave a section as it was.
        same = [{"claim": "a", "published": "b", "found": "c", "verdict": "holds"}]
        whole = report.markdown([page("one", "first", same), two])
        self.assertEqual(report.with_sections(whole, [page("one", "new", same)]), report.markdown([page("one", "new", same), two]))

    def test_a_figure_has_a_caption_and_a_text_of_its_own(self):
        import report

        page = {"title": "T", "seen": "S", "figures": ["f"], "tables": [], "captions": {"f": "Bars < 1."}, "alternatives": {"f": 'A "line".'}}
        self.assertIn('![A "line".](pictures/reproduction/f.svg)\n\n*Bars < 1.*\n', report.section_markdown(page))
        html = report.figure_html(page, "f", b"<svg/>")
        self.assertIn('alt="A &quot;line&quot;."', html)
        self.assertIn("<figcaption>Bars &lt; 1. ", html)
        # A tap or the space bar shows it large: a checkbox and its label.
        self.assertIn('type="checkbox" id="large-f"', html)
        self.assertIn('<label for="large-f"><img', html)

    def test_a_number_stays_on_one_line(self):
        import report

        rows = [["0.3 ± 5.4", "-1.5", "3 of 8", "dynamic_batching", "15 of them late in one long sentence"]]
        html = report.table_html(list("abcde"), rows)
        self.assertEqual(html.count('<td class="number">'), 3)
        self.assertEqual(html.count("<td>"), 2)


class Dark(unittest.TestCase):
    SVG = ('<svg><defs><style type="text/css">*{stroke-linejoin: round}</style></defs><path style="fill: #ffffff"/>'
           '<path style="fill: none; stroke: #000000"/><rect fill="#004488"/><path style="stroke: #ffff99"/><g style="fill: #fffffe"/></svg>')

    def test_rules_for_the_colours_that_are_there(self):
        import dark

        found = dark.follows_light_and_dark(self.SVG)
        head, begin, rules = found.partition("@media (prefers-color-scheme: dark){")
        self.assertTrue(begin)
        rules = rules.partition("</style>")[0]
        self.assertIn(f'[style*="fill: #ffffff"],[fill="#ffffff"]{{fill:{dark.BACK}!important}}', rules)
        self.assertIn(f'[style*="stroke: #000000"]{{stroke:{dark.INK}!important}}', rules)
        self.assertIn('[fill="#004488"]', rules)
        # Bright ones, and the letters on coloured cells, stay.
        self.assertNotIn("#ffff99", rules)
        self.assertNotIn("#fffffe", rules)
        # In light all is as it was, and a second time changes nothing.
        self.assertEqual(re.sub(r"\n@media.*?(?=</style>)", "", found), self.SVG)
        self.assertEqual(dark.follows_light_and_dark(found), found)
        with self.assertRaisesRegex(ValueError, "no style sheet"):
            dark.follows_light_and_dark("<svg/>")

    def test_all_colours_of_figures_can_be_seen_in_the_dark(self):
        import dark
        import figures

        def luminance(color):
            linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in dark.channels(color))]
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

        ground = luminance(dark.BACK)
        for color, _, _ in figures.LOOKS.values():
            contrast = (luminance(dark.in_the_dark(color.lower()) or color.lower()) + 0.05) / (ground + 0.05)
            self.assertGreater(contrast, 3, color)  # of WCAG, for graphics

    def test_the_docs_pictures_follow(self):
        for picture in sorted((ROOT / "docs/pictures").rglob("*.svg")):
            self.assertTrue("prefers-color-scheme: dark" in picture.read_text(), picture.name)


class Shares(unittest.TestCase):
    def test_the_rule_of_three(self):
        import figures

        # (1 - p)^n = 0.05 has p a little below 3 / n.
        for requests in (100, 1000, 495000):
            exact = 1 - 0.05 ** (1 / requests)
            self.assertTrue(exact < figures.never_seen(requests) < 1.02 * exact, requests)

    def test_a_curve_ends_where_none_was_seen(self):
        import figures

        figure, axis = figures.plt.subplots()
        figures.plot_shares(axis, [(1, 0, 300), (2, 0.5, 300), (3, 0.25, 300)], "lazy", 0)
        line, = axis.lines
        self.assertEqual([str(y) for y in line.get_ydata()], ["nan", "50.0", "25.0"])
        arrows, = axis.collections
        self.assertEqual(arrows.get_offsets().tolist(), [[1, 1]])  # 3 of 300 in %
        figures.plt.close(figure)
        self.assertEqual(figures.none_seen(495000.0), "none of 495,000")


# Stands in for Yosys: cells of each K_MAX from a file beside it.
YOSYS = """#!/bin/sh
[ "$1" = -V ] && echo "$(cat "$0.version") (git sha1 0)" && exit
k_max=$(echo "$3" | sed 's/.*K_MAX \\([0-9]*\\).*/\\1/')
cat "$0.$k_max"
"""


class Area(CommandLineTest):
    def test_a_line(self):
        from area import fits

        # Means 1 and 2, slope (1 + 0 + 2) / 2, and residuals 1/2, -1, 1/2.
        for found, wanted in zip(fits.line([(0, 1), (1, 1), (2, 4)]), (0.5, 1.5, 1), strict=True):
            self.assertAlmostEqual(found, wanted, places=12)

    def test_slopes_and_what_they_say_of_a_larger_engine(self):
        from area import fits

        # a + b T_P + (c + d T_P) T_C, with other a, b and c where PEs stack.
        engines = [{"t_p": p, "t_c": c, "k_max": k, "dsps": p * c, "luts": fixed + banks * p + (column + 3 * p) * c}
                   for p, c in ((4, 4), (4, 8), (4, 12), (8, 4), (8, 8)) for k, fixed, banks, column in ((1, 100, 10, 20), (4, 150, 30, 60))]
        for t_p, k_max, intercept, slope in ((4, 1, 140, 8), (8, 1, 180, 5.5), (4, 4, 270, 18), (8, 4, 390, 10.5)):
            found = fits.along_columns(engines, t_p, k_max)
            for value, wanted in zip(found, (intercept, slope, 0), strict=True):
                self.assertAlmostEqual(value, wanted, places=9, msg=(t_p, k_max))
        # 100 + 240 + (20 + 72) 72, and 150 + 720 + (60 + 72) 72.
        for k_max, luts, per_dsp in ((1, 6964, 92 / 24), (4, 10374, 132 / 24)):
            self.assertAlmostEqual(fits.Sizes(engines).cells(24, 72, k_max), luts, places=6)
            self.assertAlmostEqual(fits.Sizes(engines).further_dsp(24, k_max), per_dsp, places=9)
            self.assertAlmostEqual(fits.Sizes(engines).residuals[k_max], 0, places=6)
        # 40 more in one engine of five: of what stacking adds, in three numbers, the rest cannot all be met.
        engines[1]["luts"] += 40
        found = fits.Sizes(engines)
        self.assertAlmostEqual(found.residuals[1], 0, places=6)
        self.assertTrue(1 < found.residuals[4] < 40, found.residuals)

    def test_what_a_cell_counts_as(self):
        from area import synthesise

        cells = {"LUT2": 3, "LUT6": 4, "FDRE": 5, "FDSE": 1, "RAM32M16": 2, "SRL16E": 1, "RAMB18E2": 3, "DSP48E2": 7, "CARRY4": 8, "MUXF7": 9}
        self.assertEqual(synthesise.counts_of(cells), {"dsps": 7, "luts": 7, "lutram_luts": 17, "ffs": 6, "carries": 8, "brams": 1.5})
        with self.assertRaisesRegex(ValueError, "URAM288"):
            synthesise.counts_of({"URAM288": 1})

    def check_against(self, version, more_luts=0):
        """`synthesise.py --check` with a Yosys that finds what is stored, and some LUTs more."""
        from area import synthesise

        self.write("yosys", YOSYS)
        (self.folder / "yosys").chmod(0o755)
        self.write("yosys.version", version)
        for row in synthesise.read()[1]:
            if (row["t_p"], row["t_c"]) == synthesise.SMALLEST:
                cells = {"DSP48E2": row["dsps"], "LUT6": row["luts"] + more_luts, "SRL16E": row["lutram_luts"], "FDRE": row["ffs"],
                         "CARRY4": row["carries"], "RAMB36E2": row["brams"]}
                self.write(f"yosys.{row['k_max']:.0f}", "".join(f"     {name} {count:.0f}\n" for name, count in cells.items()))
        return self.synthesise(f"{self.folder}:/usr/bin:/bin")

    @staticmethod
    def synthesise(path):
        script = ["/usr/bin/python3", "-B", str(ROOT / "experiments/area/synthesise.py"), "--check"]
        return subprocess.run(script, capture_output=True, text=True, env={"PATH": path})

    def test_stale_counts_are_found(self):
        from area import synthesise

        version = next(line.split("Tool: ")[1] for line in synthesise.read()[0] if "Tool: " in line)
        same = self.check_against(version)
        self.assertEqual((same.returncode, same.stderr), (0, ""))
        self.assertEqual(same.stdout.count("16 DSPs"), 3)
        other = self.check_against(version, more_luts=1)
        self.assertEqual(other.returncode, 1)
        self.assertRegex(other.stderr, r"another RTL: it has luts (\d+), and here are \d+; experiments/area/synthesise.py makes it")
        newer = self.check_against("Yosys 9.9")
        self.assertEqual(newer.returncode, 2)
        self.assertIn("another version than Yosys 9.9", newer.stderr)

    def test_yosys_is_missing(self):
        result = self.synthesise(str(self.folder))
        self.assertEqual(result.returncode, 2)
        self.assertEqual(result.stderr, "yosys is not on PATH: install Debian's package yosys, as `make rtl` does\n")


@unittest.skipUnless(os.environ.get("FLUIDBATCH_BUILD", "").endswith("release"), "takes long with sanitizers")
class AdaptiveExits(CommandLineTest):
    FOLDER = ROOT / "experiments/adaptive_exits"

    def yaml(self, name):
        return (self.FOLDER / f"{name}.yaml").read_text()

    def test_fixed_thresholds_between_two(self):
        from adaptive_exits import points

        curve = {0.5: [{"accuracy": 0.90, "late": 0.0, "mean": 0.01}], 0.6: [{"accuracy": 0.92, "late": 0.01, "mean": 0.04}],
                 0.7: [{"accuracy": 0.96, "late": 0.16, "mean": 0.64}]}
        for accuracy, key, wanted in ((0.91, "mean", 0.02), (0.94, "mean", 0.16), (0.93, "late", 0.02), (0.94, "late", 0.04),
                                      (0.905, "late", 0.0025), (0.90, "late", 0), (0.96, "late", 0.16)):
            self.assertAlmostEqual(points.at_accuracy(curve, accuracy, 0, key), wanted, places=12, msg=(accuracy, key))
        for accuracy in (0.899, 0.961):
            self.assertIsNone(points.at_accuracy(curve, accuracy, 0, "mean"))

    def test_all_arrivals_have_the_same_mean_load(self):
        from adaptive_exits import collect

        lists = {name: re.findall(r"^      - (\{kind: .*\})$", self.yaml(name), re.M) for name in ("thresholds", "targets", "gains")}
        self.assertEqual([collect.kind_of(a) for a in lists["thresholds"]], ["Poisson", "bursts", "spikes"])
        self.assertEqual([collect.mean_rho(a) for a in lists["thresholds"]], [1.6, 1.6, 1.6])
        self.assertEqual(lists["targets"], lists["thresholds"])
        self.assertEqual(lists["gains"], lists["thresholds"])

    def test_the_fixed_thresholds_are_fixed_and_meet_the_odd_rows(self):
        self.succeed("run", str(self.FOLDER / "spike.yaml"), "--set", "requests=2000", "--set", "warmup_requests=0", "--set",
                     "outputs.requests_csv=true", "--out", "out")
        with open(ROOT / "experiments/data/letters_multiexit.csv", newline="", encoding="ascii") as file:
            samples = list(csv.DictReader(file))
        taken = {}
        for system in ("fixed", "target"):
            with open(self.folder / "out" / system / "requests.csv", newline="", encoding="ascii") as file:
                taken[system] = list(csv.DictReader(file))
        self.assertEqual([row["sample"] for row in taken["fixed"]], [row["sample"] for row in taken["target"]])
        exits = set()
        for row in taken["fixed"]:
            sample = samples[int(row["sample"])]
            self.assertEqual(int(row["sample"]) % 2, 1)
            self.assertEqual(int(row["exit"]), next((e for e in range(3) if float(sample[f"conf_{e}"]) >= 0.7), 3))
            self.assertEqual(row["correct"], sample[f"correct_{row['exit']}"])
            exits.add(row["exit"])
        self.assertEqual(len(exits), 4)

    def test_the_quick_form(self):
        script = ["/usr/bin/python3", "-B", str(ROOT / "experiments/run.py"), "adaptive_exits"]
        results = str(self.folder / "results.sqlite")
        subprocess.run([*script, "collect", results, "--program", PROGRAM, "--quick"], capture_output=True, check=True)
        subprocess.run([*script, "plot", results, "--out", str(self.folder / "figures")], capture_output=True, check=True)
        page = json.loads((self.folder / "figures/adaptive_exits.json").read_text())
        self.assertEqual(page["figures"], ["adaptive_exits", "adaptive_exits_latency", "adaptive_exits_over_time"])
        comparison, loads, targets, gains = (table["rows"] for table in page["tables"])
        # Two targets, three arrivals, four policies, and the digits; short runs may leave the fixed curve, most don't.
        self.assertIn(len(comparison), range(20, 26))
        self.assertEqual([len(loads), len(targets), len(gains)], [12 * 4, 5, 5 * 6])
        greedy = {row[1]: row for row in comparison if row[0] == "95.5" and row[2] == "dynamic_batching, no delay"}
        for arrivals in ("bursts", "spikes"):
            self.assertLess(float(greedy[arrivals][9].split(" ± ")[0]), 1, greedy[arrivals])


@unittest.skipUnless(os.environ.get("FLUIDBATCH_BUILD", "").endswith("release"), "takes long with sanitizers")
class Optimum(CommandLineTest):
    FILE = str(ROOT / "experiments/optimum/policies.yaml")

    def test_distances_are_of_the_same_requests(self):
        from optimum import points

        found = points.distances({"optimal": [0.010, 0.020], "greedy": [0.011, 0.022], "lazy": [0.012, 0.022],
                                  "serial": [0.5, None], "ours": [0.010, 0.020], "outlook": [0.010, 0.021]})
        self.assertEqual(sorted(found), ["greedy", "lazy", "ours", "outlook"])  # serial's backlog grew in one of two runs
        for policy, middle, half in (("greedy", 10, 0), ("ours", 0, 0), ("lazy", 15, 12.7062047361747 * 5), ("outlook", 2.5, 12.7062047361747 * 2.5)):
            self.assertAlmostEqual(found[policy][0], middle, places=9, msg=policy)
            self.assertAlmostEqual(found[policy][1], half, places=9, msg=policy)  # Student's t of one degree of freedom

    def test_averages_thirds_and_counts_of_decisions(self):
        from optimum import points

        self.assertAlmostEqual(points.average([0, 21]), 10, places=9)
        self.assertEqual([part[1:] for part in points.thirds([5, 1, 4, 2, 3, 6])], [(1, 2), (3, 4), (5, 6)])
        best = {(1, 0, 0): 1, (2, 0, 0): 1, (3, 0, 0): 2, (1, 1, 1): 0, (2, 1, 1): 2, (1, 2, 1): 0, (2, 2, 1): 2, (3, 2, 1): 1,
                (1, 3, 1): 0}  # with three in the batch there is no room
        own = {(1, 0, 0): 1, (2, 0, 0): 2, (3, 0, 0): 1, (1, 1, 1): 1, (2, 1, 1): 0, (1, 2, 1): 0, (2, 2, 1): 1, (3, 2, 1): 2,
               (1, 3, 1): 0}
        self.assertEqual(points.compare_decisions(own, best), (5, 1, 1, 1, 1, 1, 3, 1, 1))

    def test_tables_made_of_two(self):
        from optimum import collect

        head = "queue,active,segment,newcomers\n"
        self.write("a.csv", head + "1,0,0,1\n2,0,0,1\n1,1,1,0\n")
        self.write("b.csv", head + "1,0,0,1\n2,0,0,2\n1,1,1,1\n")
        collect.mix(self.folder, "mixed", "a", "b")
        self.assertEqual((self.folder / "mixed.csv").read_text(), head + "1,0,0,1\n2,0,0,1\n1,1,1,1\n")

    def test_loads_are_those_of_the_npu_and_rho_those_of_mode_r(self):
        from optimum import collect

        rates = {}
        for network, mode, unit, load, keys in collect.settings(False):
            if network == "ee_resnet50" and (unit, load) in (("load", 0.4), ("load", 0.8), ("rho", 1.6)):
                text = self.succeed("workload", "describe", self.FILE, *collect.changed([f"network={network}", *keys]), "--csv").stdout
                rates[mode, unit, load] = float(re.search(r"configured_rate_hz,1/s,(.*)", text)[1])
        self.assertEqual(len(rates), 5)
        for mode in collect.MODES:
            self.assertAlmostEqual(rates[mode, "load", 0.8] / rates[mode, "load", 0.4], 2, places=9)
        self.assertNotAlmostEqual(rates["r", "load", 0.8], rates["fluid_stacked", "load", 0.8], places=3)
        self.assertAlmostEqual(rates["fluid_stacked", "rho", 1.6] * 0.041031085, 1.6, places=6)

    def test_the_quick_form(self):
        script = ["/usr/bin/python3", "-B", str(ROOT / "experiments/run.py"), "optimum"]
        results = str(self.folder / "results.sqlite")
        subprocess.run([*script, "collect", results, "--program", PROGRAM, "--quick"], capture_output=True, check=True)
        subprocess.run([*script, "plot", results, "--out", str(self.folder / "figures")], capture_output=True, check=True)
        page = json.loads((self.folder / "figures/optimum.json").read_text())
        self.assertEqual(page["figures"], ["optimum", "optimum_decisions"])
        by_load, every, by_rho, mixed, compared = (table["rows"] for table in page["tables"])
        self.assertEqual([len(by_load), len(every), len(by_rho), len(mixed), len(compared)], [2, 16, 2, 1, 2])
        ours, best_behind_exits = (float(mixed[0][i].split(" ± ")[0]) for i in (3, 7))
        self.assertLess(best_behind_exits, 0.5 * ours)
        # The computed means and the decisions do not depend on how long is simulated.
        docs = (ROOT / "docs/reproduction.md").read_text()
        for row in every:
            self.assertIn("| " + " | ".join(row[:6]) + " |", docs)
            self.assertLessEqual(float(row[3]), float(row[4]))
        for row in compared:
            self.assertIn("| " + " | ".join(row) + " |", docs)
        self.assertEqual((self.folder / "figures/optimum_decisions.svg").read_bytes(),
                         (ROOT / "docs/pictures/reproduction/optimum_decisions.svg").read_bytes())
        # An independent prototype has 16.877 and 38.442 ms for the best engine at these two.
        self.assertAlmostEqual(float(by_rho[0][2]), 16.877, delta=0.0005 * 16.877)
        self.assertAlmostEqual(float(by_rho[1][2]), 38.442, delta=0.0005 * 38.442)


@unittest.skipUnless(os.environ.get("FLUIDBATCH_BUILD", "").endswith("release"), "takes long with sanitizers")
class Site(CommandLineTest):
    FOLDER = ROOT / "experiments/site"

    def test_two_halves_have_what_the_whole_has(self):
        def npu(path):
            return {key: float(value) for key, value in re.findall(r"^(\w+): ([\d.e+]+)$", path.read_text(), re.M)}

        shipped = ROOT / "npu_model/npus"
        pairs = (("zu7ev_large", "zu7ev_half_width"), ("zu7ev_large", "zu7ev_half_columns"), ("edge_16tops", "edge_8tops"))
        for names in pairs:
            whole, half = (npu(next(f / f"{name}.yaml" for f in (self.FOLDER, shipped) if (f / f"{name}.yaml").exists()))
                           for name in names)
            for quantity in (lambda n: n["t_p"] * n["t_c"], lambda n: n["bandwidth_bytes_per_s"]):
                self.assertEqual(quantity(whole), 2 * quantity(half), names)
            for key in ("t_r", "k_max", "clock_hz"):
                self.assertEqual(whole[key], half[key], names)
        self.assertIn("board: edge_8tops", (shipped / "edge_8tops.yaml").read_text())
        memory = npu(ROOT / "npu_model/boards/edge_8tops.yaml")["on_chip_bytes"]
        self.assertEqual(npu(self.FOLDER / "edge_16tops.yaml")["on_chip_bytes"], 2 * memory)

    def test_loads_of_a_fleet(self):
        site = importlib.import_module("experiments.site.collect")
        # b takes 10 ms and 20 ms for what takes a 5 ms each: 3 times the time of the mix, so it carries a third.
        capacity = {("a", "n"): 200, ("a", "m"): 200, ("b", "n"): 100, ("b", "m"): 50}
        self.assertAlmostEqual(site.fleet_capacity(capacity, ("a", "b", "b")), 1 + 2 / 3, places=12)
        self.assertEqual(site.fleet_capacity(capacity, ("a", "a")), 2)
        self.assertEqual(site.scaled("{load: 0.5}, {rate_hz: 3, load: 2}", "load", 0.5), "{load: 0.25}, {rate_hz: 3, load: 1}")

    def test_what_is_held(self):
        points = importlib.import_module("experiments.site.points")

        def point(late, saturated=0):
            return {"all": {"saturated": saturated}, "a": {"slo_violation_rate": 0}, "b": {"slo_violation_rate": late}}

        self.assertEqual(points.most_held({0.2: point(0), 0.1: point(0.01), 0.3: point(0.02), 0.4: point(0)}), 0.2)
        self.assertEqual(points.most_held({0.1: point(0), 0.2: point(0, 1)}), 0.1)
        self.assertIsNone(points.most_held({0.1: point(0.011)}))

    def test_the_quick_form(self):
        script = ["/usr/bin/python3", "-B", str(ROOT / "experiments/run.py"), "site"]
        results = str(self.folder / "results.sqlite")
        subprocess.run([*script, "collect", results, "--program", PROGRAM, "--quick"], capture_output=True, check=True)
        subprocess.run([*script, "plot", results, "--out", str(self.folder / "figures")], capture_output=True, check=True)
        page = json.loads((self.folder / "figures/site.json").read_text())
        self.assertEqual(page["figures"], ["site", "site_rates", "site_sizes", "site_routers"])
        scenes, faces, held, policies, sizes, routers = (table["rows"] for table in page["tables"])
        self.assertEqual([len(rows) for rows in (scenes, faces, held, policies, sizes, routers)], [13] * 4 + [18, 28])
        # Two NPUs that are half as fast are slower than the whole wherever one of them alone is at work.
        for row in sizes:
            if (row[0], row[1]) != ("zu7ev_large", "columns"):
                self.assertTrue(1 < float(row[4]) < 2, row)
        with sqlite3.connect(results) as database:
            # The rule of priority: those of the first class are the soonest, and the sooner where they preempt.
            means = {variant: mean for variant, mean in database.execute(
                "SELECT variant, avg(mean_latency_s) FROM home WHERE service = 'faces' AND policy = 'ours' GROUP BY 1")}
            self.assertEqual(min(means, key=means.get), "priority-preemptive")
            self.assertLess(means["priority"], means["oldest_first"])
            # Requests of the services are those of the whole, and their latencies are its.
            for requests, of_services, mean, sums in database.execute(
                    "SELECT w.requests, sum(s.requests), w.mean_latency_s, sum(s.requests * s.mean_latency_s) FROM home w "
                    "JOIN home s USING (seed, spike, rate, policy, variant) WHERE w.service = 'all' AND s.service != 'all' "
                    "GROUP BY seed, spike, rate, policy, variant"):
                self.assertEqual(requests, of_services)
                self.assertAlmostEqual(mean * requests, sums, places=6)
            capacity = dict(database.execute("SELECT npu, capacity_hz FROM capacities WHERE network = 'ee_resnet50'"))
        self.assertAlmostEqual(2 * capacity["zu7ev_half_width.yaml"] / capacity["zu7ev_large"], 1, delta=0.01)
        self.assertAlmostEqual(2 * capacity["edge_8tops"] / capacity["edge_16tops.yaml"], 1, delta=0.01)
        with open(self.folder / "figures/site_routers.csv", newline="", encoding="ascii") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 28 * 3 * 3)  # loads, and all beside two services
        self.assertEqual({row["seeds"] for row in rows}, {"2"})


if __name__ == "__main__":
    unittest.main()
