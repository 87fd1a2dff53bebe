#!/usr/bin/python3
"""`sweep report`, `run report` and `run --point`: the pages' data are the numbers of the files, whatever these hold."""

import csv
import json
import math
import sqlite3
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import CONFIG, ROOT, CommandLineTest, SweepTest  # noqa: E402
from page_file import Page  # noqa: E402

HOSTILE = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> & \"quoted\" \\ \u2028 end"


class ResultsPage(SweepTest):
    def page(self, results="r.sqlite"):
        self.succeed("sweep", "report", results, "--out", "page.html")
        return Page(self.folder / "page.html")

    def test_every_number_is_that_of_the_results(self):
        self.sweep("r.sqlite")
        page = self.page()
        database = sqlite3.connect(self.folder / "r.sqlite")
        database.row_factory = sqlite3.Row
        rows = database.execute("SELECT * FROM results ORDER BY point").fetchall()
        self.assertEqual(page.meta["rows"], len(rows))
        compared = 0
        for column in page.meta["columns"]:
            if column["role"] == "exit":
                expected = [json.loads(row["exit_shares"])[int(column["name"].split()[1])] for row in rows]
            elif column["name"] == "all_replications":
                expected = [1] * len(rows)
            elif column["name"] == "message":
                expected = [""] * len(rows)
            elif column["name"] == "seed":
                expected = [str(row["seed"]) for row in rows]
            else:
                expected = [row[column["name"]] for row in rows]
                compared += column["role"] == "statistic"
            self.assertEqual(page.column(column["name"]), expected, column["name"])
        self.assertGreater(compared, 25)
        self.assertEqual({c["name"] for c in page.meta["columns"] if c["role"] == "axis"},
                         {"system", "workload.arrivals.rho", "slo.latency_ms", "systems.ours.policy.max_batch"})
        for i in (0, 17, len(rows) - 1):
            self.assertEqual(page.configuration(i), rows[i]["configuration"])

    def test_students_t_is_that_of_tables(self):
        self.sweep("r.sqlite")
        self.assertEqual([round(t, 3) for t in self.page().meta["students_t"]], [12.706, 4.303])

    def test_failed_and_missing_points_are_there(self):
        self.sweep("r.sqlite", "--limit", "30")
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            database.execute("UPDATE points SET status = 'failed', message = ?, configuration = NULL WHERE point IN "
                             "(SELECT point FROM points LIMIT 2)", [HOSTILE])
            there = {row[0] for row in database.execute("SELECT point FROM points")}
        page = self.page()
        self.assertEqual(page.meta["state"]["text"], "28 of 48 points done, 2 failed")
        status = page.column("status")
        self.assertEqual((status.count("done"), status.count("failed")), (28, 2))
        # A pair of which no replication is there is missing; its values are those of the sweep.
        missing = [i for i, word in enumerate(status) if word == "missing"]
        numbers = page.column("point")
        self.assertEqual({numbers[i] for i in missing}, {3 * p for p in range(16) if not there & {3 * p, 3 * p + 1, 3 * p + 2}})
        self.assertGreater(len(missing), 0)
        for i in missing:
            setting, place = divmod(int(numbers[i]) // 3, 2)
            values = tuple(page.column(key)[i] for key in ("system", "workload.arrivals.rho", "slo.latency_ms",
                                                           "systems.ours.policy.max_batch"))
            self.assertEqual(values, (("dynamic", "ours")[place], (0.5, 1, 1.5, 2)[setting // 2], (40, 60)[setting % 2],
                                      (4, 8)[setting % 2]))
        self.assertIn(HOSTILE, page.column("message"))

    def test_systems_without_any_point_are_there(self):
        self.sweep("r.sqlite", "--limit", "3")
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            there = {row[0] // 3 for row in database.execute("SELECT point FROM points")}
            self.assertEqual(database.execute("SELECT count(DISTINCT system) FROM points").fetchone()[0], 1)
        page = self.page()
        found = {int(number) // 3: (system, status) for number, system, status
                 in zip(page.column("point"), page.column("system"), page.column("status"), strict=True)}
        self.assertEqual(found, {pair: (("dynamic", "ours")[pair % 2], "done" if pair in there else "missing") for pair in range(16)})
        # Where points are of other systems than the sweep's, the file does not tell which are missing.
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            database.execute("UPDATE points SET system = 'other'")
        self.assertNotIn("missing", self.page().column("status"))

    def test_services_and_npus_are_rows(self):
        self.write("site.yaml", "base: %s\naxes: {grid: {seed: [1, 2]}}\n" % (ROOT / "experiments/home/site.yaml"))
        self.succeed("sweep", "site.yaml", "--out", "r.sqlite", "--set", "requests=2000")
        page = self.page()
        database = sqlite3.connect(self.folder / "r.sqlite")
        database.row_factory = sqlite3.Row
        points = {row["point"]: row for row in database.execute("SELECT * FROM points")}
        parts = database.execute("SELECT * FROM parts ORDER BY point, kind, number").fetchall()
        self.assertEqual(page.meta["rows"], len(points) + len(parts))
        names = page.column("part")
        self.assertEqual(names[:len(points)], ["whole"] * len(points))
        for column in ("p99_latency_s", "slo_violation_rate", "saturated"):
            self.assertEqual(page.column(column)[len(points):], [part[column] for part in parts], column)
        for i, part in enumerate(parts, start=len(points)):
            name = f"NPU {part['number']}" if part["kind"] == "npu" else "service " + part["name"]
            of = points[part["point"]]
            self.assertEqual([names[i], page.column("point")[i], page.column("system")[i], page.column("seed")[i]],
                             [name, part["point"], of["system"], str(of["seed"])])
            self.assertEqual(page.configuration(i), of["configuration"])
        self.assertTrue(any(part["kind"] == "npu" for part in parts) and any(part["kind"] == "service" for part in parts))

    def test_hostile_texts_stay_texts(self):
        self.sweep("r.sqlite", "--limit", "12")
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            database.execute("UPDATE points SET system = ?, configuration = ?", [HOSTILE, HOSTILE])
        page = self.page()
        self.assertEqual(set(page.column("system")), {HOSTILE})
        self.assertEqual(page.configuration(0), HOSTILE + "\n")
        self.assertNotIn("alert(1)</script>", page.text)
        self.assertEqual([attributes for tag, attributes in page.tags if tag == "img"], [])

    def test_the_page_needs_nothing_else(self):
        self.sweep("r.sqlite", "--limit", "3")
        page = self.page()
        for tag, attributes in page.tags:
            for name in ("src", "href", "action", "data", "srcset"):
                value = attributes.get(name, "")
                self.assertTrue(value == "data:," or value.startswith("#") or value == "", (tag, attributes))
        self.assertIn("default-src 'none'", page.text)

    def test_a_point_is_run_again(self):
        self.sweep("r.sqlite", "--limit", "20")
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            database.row_factory = sqlite3.Row
            row = database.execute("SELECT * FROM points ORDER BY point DESC LIMIT 1").fetchone()
        self.succeed("run", "r.sqlite", "--point", row["point"])
        summary = json.loads((self.folder / f"runs/r-point-{row['point']}/{row['system']}/summary.json").read_text())
        self.assertGreater(len(summary["statistics"]), 30)
        for name, value in summary["statistics"].items():
            self.assertEqual(value, row[name], name)

    def test_what_is_refused(self):
        self.sweep("r.sqlite", "--limit", "3")
        self.write("text.sqlite", "no database")
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            database.execute("UPDATE points SET status = 'failed', message = 'why', configuration = NULL WHERE point = "
                             "(SELECT max(point) FROM points)")
            failed = database.execute("SELECT max(point) FROM points").fetchone()[0]
        before = (self.folder / "r.sqlite").read_bytes()
        for arguments, message in (
                (["sweep", "report", "none.sqlite", "--out", "p.html"], "none.sqlite: no such file"),
                (["sweep", "report", "text.sqlite", "--out", "p.html"], "text.sqlite: is not an SQLite database"),
                (["sweep", "report", "r.sqlite"], "--out is required"),
                (["sweep", "report", "r.sqlite", "--out", "r.sqlite"], "r.sqlite: is what the page would be made from"),
                (["sweep", "report", "r.sqlite", "--out", "no/p.html"], r"no/p\.html"),
                (["run", "r.sqlite", "--point", "12345"], "r.sqlite: point 12345 is not in the results"),
                (["run", "r.sqlite", "--point", str(failed)], rf"r.sqlite: point {failed} has failed: why"),
                (["run", "report", ".", "--out", "p.html"], r"\.: is not the folder of a run"),
                (["run", "report", "none", "--out", "p.html"], "none: is not the folder of a run")):
            with self.subTest(arguments):
                result = self.call(*arguments)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertRegex(result.stderr, message)
        self.assertEqual((self.folder / "r.sqlite").read_bytes(), before)
        self.assertFalse((self.folder / "p.html").exists())

    def test_only_an_earlier_page_is_replaced(self):
        self.sweep("r.sqlite", "--limit", "3")
        self.succeed("run", self.write("c.yaml", CONFIG), "--out", "run")
        first = self.page().text
        head = first[:first.index("<title>")]
        files = {"README.md": "# Mine\n", "empty": "", "other.html": head + "<title>fluidbatch, a page of mine</title>\n",
                 "begins.html": first[:40], "quotes.md": "x" + first}
        for name, text in files.items():
            self.write(name, text)
        (self.folder / "link.html").symlink_to("README.md")
        (self.folder / "nowhere.html").symlink_to("none.html")
        names = self.files()
        for report in (["sweep", "report", "r.sqlite"], ["run", "report", "run"]):
            for name in [*files, "link.html", "nowhere.html"]:
                with self.subTest(report=report, name=name):
                    result = self.call(*report, "--out", name)
                    self.assertEqual(result.returncode, 2)
                    self.assertIn(f"{name}: already exists, and is no page of fluidbatch's", result.stderr)
        self.assertEqual({name: (self.folder / name).read_text() for name in files}, files)
        self.assertEqual(self.files(), names)
        self.assertEqual([(self.folder / name).readlink().name for name in ("link.html", "nowhere.html")], ["README.md", "none.html"])
        self.succeed("run", "report", "run", "--out", "page.html")
        self.assertNotEqual(Page(self.folder / "page.html").text, first)
        self.assertEqual(self.page().text, first)
        (self.folder / "to_page.html").symlink_to("page.html")
        self.succeed("run", "report", "run", "--out", "to_page.html")
        self.assertFalse((self.folder / "to_page.html").is_symlink())
        self.assertEqual(Page(self.folder / "page.html").text, first)


class RunPage(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.write("c.yaml", CONFIG)
        self.succeed("run", "c.yaml", "--out", "out", "--set", "requests=3000")

    def page(self):
        self.succeed("run", "report", "out", "--out", "page.html")
        return Page(self.folder / "page.html")

    def rows(self, label):
        with open(self.folder / "out" / label / "requests.csv", newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def test_summaries_and_configurations(self):
        page = self.page()
        self.assertEqual([system["label"] for system in page.meta["systems"]], ["serial", "dynamic"])
        for system in page.meta["systems"]:
            folder = self.folder / "out" / system["label"]
            self.assertEqual(system["summary"], json.loads((folder / "summary.json").read_text()))
            self.assertEqual(system["configuration"], (folder / "resolved.yaml").read_text())

    def test_latencies_are_those_of_the_requests(self):
        for system in self.page().meta["systems"]:
            latencies = sorted(float(row["latency_s"]) for row in self.rows(system["label"])[10:])
            shown = system["requests"]
            self.assertEqual((shown["measured"], shown["dropped"]), (len(latencies), 0))
            for latency, share in shown["exceedance"]:
                self.assertIn(latency, latencies)
                # Equal latencies have a step each: the last one of them says how many are above.
                above, not_below = (sum(v > latency for v in latencies), sum(v >= latency for v in latencies))
                self.assertTrue(above <= round(share * len(latencies)) < not_below, (latency, share))
            self.assertEqual(shown["exceedance"][0][0], latencies[0])
            self.assertEqual(shown["exceedance"][-1], [latencies[-1], 0])
            counts, width = shown["histogram"], shown["bin_width_s"]
            self.assertEqual(sum(counts), len(latencies))
            edge = width * (len(counts) - 1)
            self.assertLessEqual(abs(counts[-1] - sum(v >= edge for v in latencies)), 1)  # one may be at the edge
            self.assertLessEqual(counts[-1], 0.002 * len(latencies) + 1)

    def test_the_queue_holds_what_requests_wait(self):
        """Its integral over time is the sum of all waits."""
        for system in self.page().meta["systems"]:
            waits = math.fsum(float(row["queueing_s"]) for row in self.rows(system["label"]))
            shown = system["requests"]
            integral = math.fsum(shown["queue_mean"]) * shown["queue_width_s"]
            self.assertAlmostEqual(integral / waits, 1, places=9)
            self.assertTrue(all(most >= mean - 1e-9 for mean, most in zip(shown["queue_mean"], shown["queue_most"], strict=True)))
            events = sorted([(float(r["arrival_s"]), 1) for r in self.rows(system["label"])]
                            + [(float(r["start_s"]), -1) for r in self.rows(system["label"])])
            longest = queue = 0
            for _, step in events:  # who starts at once leaves before it would be counted
                queue += step
                longest = max(longest, queue)
            self.assertEqual(max(shown["queue_most"]), longest)

    def test_without_requests(self):
        self.succeed("run", "c.yaml", "--out", "out", "--set", "outputs.requests_csv=false")
        self.assertEqual([system["requests"] for system in self.page().meta["systems"]], [None, None])

    def test_damaged_folders(self):
        for name, text, message in (("serial/summary.json", "{", "is not the summary of a run"),
                                    ("serial/summary.json", '{"admitted": 5, "statistics": {}}', "is not the summary of a run"),
                                    ("serial/summary.json", '{"admitted": 5, "statistics": {"requests": 5}, "npus": [1], "services": []}',
                                     "is not the summary of a run"),
                                    ("serial/requests.csv", "a,b\n", "arrival_s"),
                                    ("resolved.yaml", "systems: [{label: ../out}]", "a label that is the name of a folder"),
                                    ("resolved.yaml", "seed: 1", "has no systems")):
            kept = (self.folder / "out" / name).read_text()
            self.write("out/" + name, text)
            result = self.call("run", "report", "out", "--out", "page.html")
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertRegex(result.stderr, message)
            self.write("out/" + name, kept)
        self.page()


if __name__ == "__main__":
    unittest.main()
