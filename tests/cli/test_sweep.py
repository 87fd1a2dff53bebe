#!/usr/bin/python3
"""Sweeps as a user runs them: any number of jobs, in parts, killed and resumed, on broken disks."""

import csv
import io
import json
import math
import os
import random
import resource
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import CONFIG, PROGRAM, ROOT, SWEEP, SweepTest  # noqa: E402

APPLICATION_ID = 0x466C4261  # by which the program knows its files
RELEASE = os.environ.get("FLUIDBATCH_BUILD", "").endswith("release")


class Sweep(SweepTest):
    def test_any_number_of_jobs_and_parts_gives_the_same_rows(self):
        out = self.sweep("one.sqlite", "--jobs", "1").stdout
        self.assertRegex(out, r"^48 points run in")
        self.sweep("two.sqlite", "--jobs", "2", "--driver", "bare")
        self.assertEqual(self.rows("one.sqlite"), self.rows("two.sqlite"))
        for part in (1, 2, 3):
            self.sweep(f"part{part}.sqlite", "--shard", f"{part}/3")
        self.assertEqual(sum(len(self.numbers(f"part{p}.sqlite")) for p in (1, 2, 3)), 48)
        self.succeed("sweep", "merge", "part3.sqlite", "part1.sqlite", "part2.sqlite", "--out", "all.sqlite")
        self.assertEqual(self.rows("one.sqlite"), self.rows("all.sqlite"))
        self.assertEqual(sorted(p.name for p in self.folder.glob("*-wal")), [])
        with sqlite3.connect(self.folder / "all.sqlite") as database:
            self.assertEqual(database.execute("SELECT count(*) FROM runs WHERE wall_s > 0 AND process > 0").fetchone(), (48,))

    def test_the_driver_goes_with_the_uplink_of_every_setting(self):
        links = "{model: simgrid, sample_bytes: 5000, access_point_bandwidth_bytes_per_s: 1e9}"
        self.write("links.yaml", (SWEEP % 50).replace("replications: 3", "replications: 1").replace(
            "    exits:", f"    uplink: {links}\n    exits:").replace(
            "  zip:", "  list: [{workload.uplink.model: none}, {workload.uplink.model: simgrid}]\n  zip:"))
        for driver in ("bare", "simgrid_window"):
            for more in (["--dry-run"], ["--out", "no.sqlite"]):
                result = self.call("sweep", "links.yaml", "--driver", driver, *more)
                self.assertEqual(result.returncode, 2)
                self.assertRegex(result.stderr, "^--driver: uplink simgrid needs driver simgrid")
        self.assertFalse((self.folder / "no.sqlite").exists())
        self.succeed("sweep", "links.yaml", "--out", "one.sqlite")  # nobody asked: each point takes what it can
        self.succeed("sweep", "links.yaml", "--out", "two.sqlite", "--driver", "simgrid")
        self.assertEqual(self.rows("one.sqlite"), self.rows("two.sqlite"))

    def test_a_point_is_the_run_of_its_configuration(self):
        self.sweep("r.sqlite")
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            database.row_factory = sqlite3.Row
            rows = database.execute("SELECT * FROM results WHERE point IN (0, 4, 47)").fetchall()
        for row in rows:
            self.write("point.yaml", row["configuration"])
            self.succeed("run", "point.yaml", "--out", "point")
            summary = json.loads((self.folder / "point" / row["system"] / "summary.json").read_text())
            self.assertEqual(summary["seed"], row["seed"])
            for name, value in summary["statistics"].items():
                self.assertEqual(value, row[name], name)
            self.assertEqual(summary["exit_shares"], json.loads(row["exit_shares"]))
            self.assertEqual(summary["slo_s"] * 1000, row["slo.latency_ms"])
            self.assertIn(f"rho: {row['workload.arrivals.rho']:g}\n", row["configuration"])

    def test_loads_are_an_axis(self):
        self.write("s.yaml", (SWEEP % 300).replace("workload.arrivals.rho", "workload.arrivals.load"))
        self.sweep("r.sqlite")
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            database.row_factory = sqlite3.Row
            rows = database.execute('SELECT * FROM results ORDER BY "workload.arrivals.load"').fetchall()
        self.assertEqual({row["workload.arrivals.load"] for row in rows}, {0.5, 1, 1.5, 2})
        for row in rows:
            self.assertIn(f"load: {row['workload.arrivals.load']:g}\n", row["configuration"])
            self.assertNotIn("rho:", row["configuration"])
            self.assertIn("  max_batch: 8\n", row["configuration"].split("workload:")[0])

    def test_systems_of_a_replication_meet_the_same_requests(self):
        self.sweep("r.sqlite")
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            seeds = database.execute("SELECT replication, count(DISTINCT seed), min(seed) FROM points GROUP BY 1").fetchall()
            shares = database.execute("SELECT setting, replication, count(DISTINCT exit_shares) FROM points GROUP BY 1, 2").fetchall()
        self.assertEqual([(r, n) for r, n, _ in seeds], [(0, 1), (1, 1), (2, 1)])
        self.assertEqual(len({seed for _, _, seed in seeds}), 3)
        self.assertEqual({n for _, _, n in shares}, {1})

    def test_killed_at_any_moment_and_resumed(self):
        self.write("s.yaml", SWEEP % (12000 if RELEASE else 500))
        self.sweep("whole.sqlite")
        began = time.monotonic()
        self.sweep("timed.sqlite")
        whole_s = time.monotonic() - began
        chance = random.Random(5)
        for turn in range(20 if RELEASE else 4):
            name = f"killed{turn}.sqlite"
            for _ in range(2):  # the resumed one is killed as well
                process = subprocess.Popen([PROGRAM, "sweep", "s.yaml", "--out", name, "--resume"], cwd=self.folder,
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(chance.uniform(0, whole_s))
                process.send_signal(signal.SIGKILL)
                process.wait()
            self.sweep(name, "--resume")
            self.assertEqual(self.rows(name), self.rows("whole.sqlite"), f"turn {turn}")
        # The children of a killed sweep are gone with it.
        time.sleep(0.2)
        left = subprocess.run(["pgrep", "-f", f"{PROGRAM} sweep s.yaml --out killed"], capture_output=True, text=True, check=False)
        self.assertEqual(left.stdout, "")

    def test_resume_of_a_file_that_was_killed_before_its_first_table(self):
        for name, begun in (("nothing.sqlite", False), ("begun.sqlite", True)):
            (self.folder / name).touch()
            if begun:
                with sqlite3.connect(self.folder / name) as database:
                    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                    database.execute("PRAGMA journal_mode = WAL")
            self.sweep(name, "--resume")
            self.assertEqual(len(self.rows(name)[-1]), 48)

    def test_resume_runs_what_is_missing_and_limit_stops(self):
        self.assertRegex(self.sweep("r.sqlite", "--limit", "5").stdout, r"^5 points run in .*, 43 left")
        first = {row[0]: row for row in self.rows("r.sqlite")[-1]}
        again = self.call("sweep", "s.yaml", "--out", "r.sqlite")
        self.assertEqual((again.returncode, "--resume" in again.stderr), (2, True))
        self.assertRegex(self.sweep("r.sqlite", "--resume").stdout, r"^43 points run in .*, 5 done before")
        self.assertEqual(self.numbers("r.sqlite"), list(range(48)))
        for number, row in first.items():
            self.assertEqual(self.rows("r.sqlite")[-1][number], row)
        for old, new, key in (("requests: 300", "requests: 301", "base.requests"), ("[0.5, 1, 1.5, 2]", "[0.5, 1, 1.5]", "axes.workload.arrivals.rho"),
                              ("replications: 3", "replications: 2", "replications.least"),
                              ("max_queue_delay_ms: 5", "max_queue_delay_ms: 6", "base.systems.0.policy.max_queue_delay_ms")):
            self.write("other.yaml", (SWEEP % 300).replace(old, new))
            result = self.call("sweep", "other.yaml", "--out", "r.sqlite", "--resume")
            self.assertEqual(result.returncode, 2)
            self.assertIn(f"was made from a different sweep than this one; '{key}' differs", result.stderr)
        self.assertEqual(self.numbers("r.sqlite"), list(range(48)))

    def test_until_the_interval_is_narrow_enough(self):
        self.write("u.yaml", (SWEEP % 300).replace("replications: 3", "until: {ci: 0.05, of: mean_latency_s, min: 3, max: 12}"))
        self.sweep("u1.sqlite", "--jobs", "1", sweep="u.yaml")
        self.sweep("u2.sqlite", "--jobs", "4", sweep="u.yaml")
        self.assertEqual(self.rows("u1.sqlite"), self.rows("u2.sqlite"))
        self.sweep("u3.sqlite", "--limit", "20", sweep="u.yaml")
        self.sweep("u3.sqlite", "--resume", sweep="u.yaml")
        self.assertEqual(self.rows("u1.sqlite"), self.rows("u3.sqlite"))
        with sqlite3.connect(self.folder / "u1.sqlite") as database:
            points = database.execute("SELECT setting, system, mean_latency_s FROM points ORDER BY point").fetchall()
        t = {2: 12.706, 3: 4.3027, 4: 3.1824, 5: 2.7764, 6: 2.5706, 7: 2.4469, 8: 2.3646, 9: 2.3060, 10: 2.2622, 11: 2.2281, 12: 2.2010}
        counts = set()
        for key in {p[:2] for p in points}:
            values = [p[2] for p in points if p[:2] == key]
            counts.add(len(values))
            narrow = [t[n] * statistics.stdev(values[:n]) / math.sqrt(n) / statistics.fmean(values[:n]) <= 0.05
                      for n in range(3, len(values) + 1)]
            self.assertEqual(sum(narrow), 1 if len(values) < 12 or narrow[-1] else 0)
            self.assertTrue(narrow[-1] or len(values) == 12)
        self.assertGreater(len(counts), 1)

    def test_compare(self):
        self.sweep("r.sqlite")
        text = self.succeed("compare", "r.sqlite", "--metric", "mean_latency_s", "goodput_hz", "--by", "system").stdout
        self.assertIn("mean_latency_s (s): mean over replications ± 95 %\n", text)
        self.assertIn("ratio to dynamic [95 %]\n", text)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        rows = list(csv.DictReader(io.StringIO(self.succeed("compare", "r.sqlite", "--metric", "mean_latency_s", "--csv").stdout)))
        self.assertEqual(len(rows), 16)
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            points = database.execute('SELECT "workload.arrivals.rho", "slo.latency_ms", system, mean_latency_s FROM results').fetchall()
        for row in rows:
            key = (float(row["workload.arrivals.rho"]), float(row["slo.latency_ms"]))
            mine = [p[3] for p in points if p[:2] == key and p[2] == row["system"]]
            base = [p[3] for p in points if p[:2] == key and p[2] == "dynamic"]
            self.assertAlmostEqual(float(row["mean"]), statistics.fmean(mine), places=12)
            self.assertAlmostEqual(float(row["ci95"]), 4.302652729911275 * statistics.stdev(mine) / math.sqrt(3), places=9)
            ratio = statistics.fmean(mine) / statistics.fmean(base)
            self.assertAlmostEqual(float(row["ratio"]), ratio, places=9)
            spread = statistics.stdev([m - ratio * b for m, b in zip(mine, base)]) if row["system"] == "ours" else 0
            half = 4.302652729911275 * spread / math.sqrt(3) / statistics.fmean(base)
            self.assertAlmostEqual(float(row["ratio_high"]), ratio + half, places=9)
            self.assertEqual(row["best"], str(int(statistics.fmean(mine) <= min(statistics.fmean(base), statistics.fmean(mine)))
                                              if row["system"] == "ours" else int(row["best"])))
        by_load = self.succeed("compare", "r.sqlite", "--metric", "p99_latency_s", "--by", "workload.arrivals.rho", "--base", "2").stdout
        self.assertIn("ratio to 2 [95 %]\n", by_load)
        for arguments, message in ((["--metric", "mean_latency"], "did you mean 'mean_latency_s'"), (["--metric", "requests", "--by", "rho"],
                                   "--by: the sweep has no axis 'rho'"), (["--metric", "requests", "--base", "x"], "--base: no value 'x'")):
            result = self.call("compare", "r.sqlite", *arguments)
            self.assertEqual(result.returncode, 2)
            self.assertIn(message, result.stderr)

    def test_failed_points_are_recorded_and_tried_again(self):
        self.write("t.csv", "arrival_s\n" + "".join(f"{i * 0.001}\n" for i in range(50)))
        self.write("f.yaml", (SWEEP % 40).replace("{kind: poisson, rho: 1}", "{kind: trace, path: t.csv}").replace(
            "workload.arrivals.rho: [0.5, 1, 1.5, 2]", "seed: [1, 2, 3]"))
        # Its children lose the trace that its parent has still found.
        process = subprocess.Popen([PROGRAM, "sweep", "f.yaml", "--out", "f.sqlite", "--jobs", "1"], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while not (self.folder / "f.sqlite").exists():
            time.sleep(0.001)
        (self.folder / "t.csv").rename(self.folder / "away.csv")
        out, err = process.communicate()
        (self.folder / "away.csv").rename(self.folder / "t.csv")
        with sqlite3.connect(self.folder / "f.sqlite") as database:
            failed = database.execute("SELECT message FROM points WHERE status = 'failed'").fetchall()
            self.assertEqual(database.execute("SELECT count(*) FROM points").fetchone(), (36,))
        if failed:  # nearly always; the children may have been faster
            self.assertEqual(process.returncode, 4)
            self.assertRegex(out, rf"{len(failed)} FAILED")
            self.assertIn("status = 'failed'", err)
            self.assertIn("no file '", failed[0][0])
        self.sweep("f.sqlite", "--resume", sweep="f.yaml")
        with sqlite3.connect(self.folder / "f.sqlite") as database:
            self.assertEqual(database.execute("SELECT status, count(*) FROM points GROUP BY 1").fetchall(), [("done", 36)])

    def test_a_child_that_the_kernel_kills(self):
        self.write("k.yaml", (SWEEP % 30_000_000).replace("[0.5, 1, 1.5, 2]", "[0.5]"))
        process = subprocess.Popen([PROGRAM, "sweep", "k.yaml", "--out", "k.sqlite", "--jobs", "2", "--limit", "2"], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        killed = []
        while len(killed) < 2:
            for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                if child not in killed:
                    os.kill(int(child), signal.SIGKILL)
                    killed.append(child)
            time.sleep(0.01)
        process.communicate()
        self.assertEqual(process.returncode, 4)
        with sqlite3.connect(self.folder / "k.sqlite") as database:
            self.assertEqual(database.execute("SELECT DISTINCT status, message FROM points").fetchall(),
                             [("failed", "a simulation was killed by signal 9 (Killed)")])

    def test_broken_files_and_folders(self):
        self.sweep("r.sqlite", "--limit", "3")
        with sqlite3.connect(self.folder / "r.sqlite", isolation_level=None) as other:
            other.execute("BEGIN EXCLUSIVE")
            self.refuse(["sweep", "s.yaml", "--out", "r.sqlite", "--resume"], r"^r\.sqlite: is in use by another process")
        self.write("text.sqlite", "this is not a database, although it is long enough to be read as the head of one" * 20)
        self.refuse(["sweep", "s.yaml", "--out", "text.sqlite", "--resume"], r"^text\.sqlite: is not an SQLite database")
        self.refuse(["compare", "text.sqlite", "--metric", "requests"], r"^text\.sqlite: is not an SQLite database")
        with sqlite3.connect(self.folder / "empty.sqlite") as other:
            other.execute("CREATE TABLE t (x)")
        self.refuse(["compare", "empty.sqlite", "--metric", "requests"], r"^empty\.sqlite: is not a results file of a sweep")
        self.sweep("damaged.sqlite")
        data = bytearray((self.folder / "damaged.sqlite").read_bytes())
        data[8192:] = os.urandom(len(data) - 8192)
        (self.folder / "damaged.sqlite").write_bytes(data)
        result = self.call("sweep", "s.yaml", "--out", "damaged.sqlite", "--resume")
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("damaged.sqlite: is", result.stderr)
        self.refuse(["sweep", "s.yaml", "--out", "/proc/r.sqlite"], r"^/proc/r\.sqlite: can't be opened or written")
        self.refuse(["sweep", "s.yaml", "--out", "s.yaml/r.sqlite"], r"^s\.yaml/r\.sqlite: can't be opened or written")
        self.refuse(["compare", "none.sqlite", "--metric", "requests"], r"^none\.sqlite: no such file")

    def test_a_full_disk(self):
        """A limit on the size of files stands for the disk: SQLite meets a write that fails."""
        self.write("s.yaml", SWEEP % 100)
        process = subprocess.run([PROGRAM, "sweep", "s.yaml", "--out", "full.sqlite"], cwd=self.folder, capture_output=True, text=True,
                                 check=False, preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(
                                     resource.RLIMIT_FSIZE, (120_000, 120_000))))
        self.assertEqual(process.returncode, 2, process.stderr)
        self.assertRegex(process.stderr, r"full\.sqlite: (the disk is full|can't be written)")
        self.sweep("full.sqlite", "--resume")
        self.sweep("whole.sqlite")
        self.assertEqual(self.rows("full.sqlite"), self.rows("whole.sqlite"))

    def test_wrong_sweeps(self):
        cases = [("grid: {workload", "gird: {workload", r"^w\.yaml:13:3: unknown key 'gird' \(did you mean 'grid'\?\)"),
                 ("[0.5, 1, 1.5, 2]", "[0.5, -1]", r"^w\.yaml:13:39: rho must be a number, above 0"),
                 ("[0.5, 1, 1.5, 2]", "{from: 2, to: 1, step: 1}", r"^w\.yaml:13:47: to must be a number, at least 2"),
                 ("[0.5, 1, 1.5, 2]", "[]", r"^w\.yaml:13:33: axis workload\.arrivals\.rho needs at least one value"),
                 ("[0.5, 1, 1.5, 2]", "5", r"^w\.yaml:13:33: axis workload\.arrivals\.rho must be a list"),
                 ("workload.arrivals.rho: [", "workload.arrivals.rhoo: [", r"rhoo"),
                 ("systems.ours.policy", "systems.our.policy", r"the list has no element 'our' \(did you mean 'ours'\?\)"),
                 ("[4, 8]", "[4]", r"^w\.yaml:14:\d+: the axes of zip must be of one length"),
                 ("slo.latency_ms: [40, 60]", "workload.arrivals.rho: [40, 60]", r"two axes are over 'workload\.arrivals\.rho'"),
                 ("replications: 3", "replications: 0", r"^w\.yaml:15:15: replications must be a whole number from 1"),
                 ("replications: 3", "until: {ci: 0.1, of: p99, max: 9}", r"^w\.yaml:15:22: unknown of 'p99'"),
                 ("replications: 3", "replications: 3\nuntil: {ci: 0.1, of: requests, max: 9}", r"only one of 'replications', 'until'"),
                 ("base:", "bas:", r"^w\.yaml:1:1: unknown key 'bas'")]
        for old, new, message in cases:
            with self.subTest(new):
                self.write("w.yaml", (SWEEP % 300).replace(old, new, 1))
                self.refuse(["sweep", "w.yaml", "--out", "w.sqlite"], message)
                self.assertFalse((self.folder / "w.sqlite").exists())
        self.refuse(["sweep", "s.yaml"], "--out RESULTS.sqlite is needed")
        self.refuse(["sweep", "s.yaml", "--out", "w.sqlite", "--shard", "3/2"], "--shard: must be I/N")
        self.refuse(["sweep", "--out", "w.sqlite"], "SWEEP is required")

    def test_dry_run(self):
        out = self.succeed("sweep", "s.yaml", "--dry-run").stdout
        self.assertEqual(out, "8 settings of 3 axes, 16 pairs of setting and system, 48 points, 14400 requests\n")
        self.assertIn("5 pairs of setting and system in part 2 of 3", self.succeed("sweep", "s.yaml", "--dry-run", "--shard", "2/3").stdout)
        self.assertEqual([p.name for p in self.folder.glob("*.sqlite")], [])

    def test_a_dry_run_of_a_million_settings(self):
        """Only what is new in a setting is read, and settings are made as they are asked for."""
        sweep = (SWEEP % 300).split("axes:")[0] + (
            "axes:\n  grid:\n    workload.arrivals.rho: {from: 0.001, to: 3, step: 0.001}\n"
            "    systems.dynamic.policy.max_queue_delay_ms: {from: 0.1, to: %s, step: 0.1}\n")
        self.write("million.yaml", sweep % 33.4)
        began = time.monotonic()
        out = self.succeed("sweep", "million.yaml", "--dry-run").stdout
        self.assertEqual(out, "1002000 settings of 2 axes, 2004000 pairs of setting and system, 2004000 points, 6.012e+08 requests\n")
        self.assertLess(time.monotonic() - began, 30)
        self.write("millions.yaml", sweep % 300)
        result = subprocess.run([PROGRAM, "sweep", "millions.yaml", "--dry-run"], cwd=self.folder, capture_output=True, text=True,
                                check=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)))
        if RELEASE:  # sanitizers need more
            self.assertTrue(result.stdout.startswith("9000000 settings of 2 axes, 18000000 pairs"), result.stderr)
        self.write("more.yaml", sweep % 400)
        self.refuse(["sweep", "more.yaml", "--dry-run"], r"^more\.yaml:\d+:3: the axes make more than 10000000 settings")
        self.write("wrong.yaml", (sweep % 33.4).replace("from: 0.001, to: 3", "from: -2.998, to: 0.001"))
        self.refuse(["sweep", "wrong.yaml", "--dry-run"], r"^wrong\.yaml:\d+:\d+: rho must be a number, above 0")

    def test_seeds_of_any_size_are_exact(self):
        self.write("s.yaml", (SWEEP % 20).split("axes:")[0] + "axes: {grid: {seed: {from: 9007199254740993, to: 9007199254740996, step: 1}}}\n")
        self.sweep("r.sqlite")
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            values = database.execute("SELECT typeof(value), value FROM settings").fetchall()
            seeds = database.execute("SELECT DISTINCT seed FROM points").fetchall()
        self.assertEqual(values, [("integer", 9007199254740993 + i) for i in range(4)])
        self.assertEqual(seeds, [(9007199254740993 + i,) for i in range(4)])
        rows = list(csv.DictReader(io.StringIO(self.succeed("compare", "r.sqlite", "--metric", "requests", "--csv").stdout)))
        self.assertEqual({row["seed"] for row in rows}, {str(9007199254740993 + i) for i in range(4)})

    def test_files_of_another_kind(self):
        """Each command says what a file is that it does not take, and which command does."""
        self.write("run.yaml", CONFIG)
        for command, message in ((["run", "s.yaml"], r"^s\.yaml:1:1: this file is a sweep, which `fluidbatch sweep s\.yaml --out RESULTS\.sqlite` takes"),
                                 (["check", "s.yaml"], "this file is a sweep"), (["workload", "describe", "s.yaml"], "this file is a sweep"),
                                 (["capacity", "s.yaml"], "this file is a sweep"),
                                 (["sweep", "run.yaml", "--dry-run"], r"^run\.yaml:1:1: this file is the configuration of a run, which `fluidbatch run run\.yaml` takes"),
                                 (["run", ROOT / "npu_model/npus/zu7ev_large.yaml"], "this file is an NPU"),
                                 (["check", ROOT / "npu_model/boards/zu7ev.yaml"], "this file is a board"),
                                 (["sweep", ROOT / "workloads/networks/ee_resnet18.yaml", "--dry-run"], "this file is a network")):
            with self.subTest(command):
                self.refuse(command, message)
        self.write("of_sweep.yaml", "base: s.yaml\naxes: {grid: {seed: [1]}}\n")
        self.refuse(["sweep", "of_sweep.yaml", "--dry-run"], "s.yaml:1:1: this file is a sweep")


if __name__ == "__main__":
    unittest.main()
