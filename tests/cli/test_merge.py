#!/usr/bin/python3
"""The parts of a sweep put together: what is missing is said, nothing of a part is believed or changed."""

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import PROGRAM, SWEEP, SweepTest  # noqa: E402


class Merge(SweepTest):
    def parts(self, count, names="part{}.sqlite"):
        """Results of all parts: pairs go round, so part 1 of 3 has the points 0-2, 9-11 .."""
        for part in range(1, count + 1):
            self.sweep(names.format(part), "--shard", f"{part}/{count}")
        return [names.format(part) for part in range(1, count + 1)]

    def hashes(self):
        return {name: hashlib.sha256((self.folder / name).read_bytes()).hexdigest() for name in self.files()}

    def test_refuses_what_does_not_fit(self):
        self.parts(2)
        self.write("o.yaml", SWEEP % 301)
        self.sweep("o.sqlite", "--limit", "1", sweep="o.yaml")
        before = self.hashes()
        self.refuse(["sweep", "merge", "part1.sqlite", "o.sqlite", "--out", "x.sqlite"],
                    r"^o\.sqlite: was made from a different sweep than part1\.sqlite; 'base\.requests' differs")
        self.succeed("sweep", "merge", "part1.sqlite", "part1.sqlite", "part2.sqlite", "--out", "fine.sqlite")  # overlaps that agree
        self.assertEqual(self.numbers("fine.sqlite"), list(range(48)))
        (self.folder / "fine.sqlite").unlink()
        self.assertEqual(self.hashes(), before)
        for change, message in (("SET point = 0, mean_latency_s = 7 WHERE point = 3", r"^part2\.sqlite: point 0 has results here that differ"),
                                ("SET point = 48 WHERE point = 0", r"^part2\.sqlite: point 48 is not one of the sweep's")):
            with sqlite3.connect(self.folder / "part2.sqlite") as database:
                database.execute(f"UPDATE points {change}")
            self.refuse(["sweep", "merge", "part1.sqlite", "part2.sqlite", "--out", "x.sqlite"], message)
        self.assertEqual([p.name for p in self.folder.glob("x.sqlite*")], [])

    def test_missing_points_are_said(self):
        one, _, three = self.parts(3)
        before = self.files()
        self.refuse(["sweep", "merge", one, three, "--out", "x.sqlite"],
                    r"^these files lack 15 of 48 points of the sweep: 3-5, 12-14, 21-23, 30-32, 39-41; .*--partial")
        self.assertEqual(self.files(), before)
        merged = self.succeed("sweep", "merge", one, three, "--out", "x.sqlite", "--partial")
        self.assertEqual(merged.stdout, "33 points of 2 files in x.sqlite, 15 missing\n")
        # What is missing can be added.
        self.assertRegex(self.sweep("x.sqlite", "--resume").stdout, r"^15 points run in .*, 33 done before")
        self.sweep("whole.sqlite")
        self.assertEqual(self.rows("x.sqlite"), self.rows("whole.sqlite"))

    def test_missing_replications_of_a_sweep_until_an_interval(self):
        self.write("s.yaml", (SWEEP % 300).replace("replications: 3", "until: {ci: 0.05, of: mean_latency_s, min: 3, max: 12}"))
        self.sweep("whole.sqlite")
        self.succeed("sweep", "merge", *self.parts(2), "--out", "x.sqlite")
        self.assertEqual(self.rows("x.sqlite"), self.rows("whole.sqlite"))
        last = max(self.numbers("whole.sqlite"))
        with sqlite3.connect(self.folder / "whole.sqlite") as database:
            database.execute(f"DELETE FROM points WHERE point = {last}")
        self.refuse(["sweep", "merge", "whole.sqlite", "--out", "y.sqlite"], rf"^these files lack 1 of \d+ points of the sweep: {last};")

    def test_a_part_that_is_called_as_the_output_would_be_on_its_way(self):
        one, two = self.parts(2)
        (self.folder / one).rename(self.folder / "all.sqlite.part")
        before = self.hashes()
        self.succeed("sweep", "merge", "all.sqlite.part", two, "--out", "all.sqlite")
        self.assertEqual({name: hash for name, hash in self.hashes().items() if name != "all.sqlite"}, before)
        self.assertEqual(self.numbers("all.sqlite"), list(range(48)))
        mask = os.umask(0)
        os.umask(mask)
        self.assertEqual((self.folder / "all.sqlite").stat().st_mode & 0o777, 0o666 & ~mask)

    def test_parts_that_a_kill_left_with_their_log(self):
        self.parts(2)
        self.sweep("whole.sqlite")
        for part in (1, 2):
            name = f"killed{part}.sqlite"
            process = subprocess.Popen([PROGRAM, "sweep", "s.yaml", "--out", name, "--shard", f"{part}/2", "--jobs", "1"], cwd=self.folder,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            log = self.folder / (name + "-wal")
            while not log.exists() or log.stat().st_size < 100_000:  # some points are finished
                self.assertIsNone(process.poll(), "too fast to be killed")
                time.sleep(0.0005)
            process.send_signal(signal.SIGKILL)
            process.wait()
        for files in (["killed1.sqlite", "part2.sqlite"], ["part1.sqlite", "killed2.sqlite"], ["killed1.sqlite", "killed2.sqlite"]):
            out = f"{files[0]}-{files[1]}"
            self.refuse(["sweep", "merge", *files, "--out", out], r"^these files lack \d+ of 48 points")
            self.succeed("sweep", "merge", *files, "--out", out, "--partial")
            self.assertGreater(len(self.numbers(out)), 2)
            whole = {row[0]: row for row in self.rows("whole.sqlite")[-1]}
            self.assertTrue(all(whole[row[0]] == row for row in self.rows(out)[-1]))
        self.sweep("killed1.sqlite", "--shard", "1/2", "--resume")
        self.sweep("killed2.sqlite", "--shard", "2/2", "--resume")
        self.succeed("sweep", "merge", "killed1.sqlite", "killed2.sqlite", "--out", "all.sqlite")
        self.assertEqual(self.rows("all.sqlite"), self.rows("whole.sqlite"))
        self.assertEqual([p.name for p in self.folder.glob("killed?.sqlite-*") if p.suffix != ".sqlite"], [])

    def test_no_statement_of_a_file_is_run(self):
        one, two = self.parts(2)
        with sqlite3.connect(self.folder / two) as database:
            # An SQL function in a trigger, a view in place of a table, a statement smuggled in beside a table.
            database.execute("CREATE TRIGGER t AFTER INSERT ON points BEGIN DELETE FROM points; END")
            database.execute("CREATE TABLE more (x)")
            database.execute("PRAGMA writable_schema = ON")
            database.execute("UPDATE sqlite_master SET sql = 'CREATE TABLE more (x); ATTACH ''pwned.sqlite'' AS p; "
                             "CREATE TABLE p.t (x)' WHERE name = 'more'")
        for files in ([one, two], [two, one]):
            out = f"from-{files[0]}"
            result = self.call("sweep", "merge", *files, "--out", out)
            self.assertFalse((self.folder / "pwned.sqlite").exists())
            if result.returncode == 0:
                with sqlite3.connect(self.folder / out) as database:
                    names = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
                self.assertFalse(names & {"t", "more"}, names)
            else:  # SQLite itself finds the schema broken
                self.assertEqual(result.returncode, 2, result.stderr)
        for statement in ("ALTER TABLE points RENAME TO p; CREATE VIEW points AS SELECT * FROM p",
                          "ALTER TABLE points ADD COLUMN x AS (zeroblob(1000))",
                          "DROP TABLE runs"):
            bad = self.folder / "bad.sqlite"
            bad.write_bytes((self.folder / one).read_bytes())
            with sqlite3.connect(bad) as database:
                database.execute("DROP VIEW results")
                database.executescript(statement)
            self.refuse(["sweep", "merge", "bad.sqlite", "--out", "x.sqlite", "--partial"], r"^bad\.sqlite: its table '(points|runs)' is not as")
            self.refuse(["compare", "bad.sqlite", "--metric", "requests"], r"^bad\.sqlite: its table '(points|runs)' is not as")

    def test_names_that_are_no_files(self):
        one, two = self.parts(2)
        (self.folder / "folder").mkdir()
        before = self.files()
        for out, message in (("", "^--out: must not be empty"), ("folder", "^folder: is a folder"), (one, "already exists"),
                             (":memory:", "^:memory:: is not the name of a file"), ("file:x.sqlite", "^file:x.sqlite: is not the name of a file"),
                             ("no/such/x.sqlite", r"^no/such/x\.sqlite: can't be opened or written"), ("x" * 300, "can't be opened or written")):
            with self.subTest(out):
                self.refuse(["sweep", "merge", one, two, "--out", out], message)
        for name, message in (("none", "^none: no such file"), ("folder", "^folder: is a folder"), ("", "^the results need the name of a file"),
                              (":memory:", "is not the name of a file")):
            with self.subTest(name):
                self.refuse(["sweep", "merge", name, "--out", "x.sqlite"], message)
        self.assertEqual(self.files(), before)

    def test_failed_points_end_with_exit_code_4(self):
        one, two = self.parts(2)
        with sqlite3.connect(self.folder / two) as database:
            database.execute("UPDATE points SET status = 'failed', message = 'why' WHERE point = 3")
        result = self.call("sweep", "merge", one, two, "--out", "all.sqlite")
        self.assertEqual((result.returncode, result.stdout), (4, "48 points of 2 files in all.sqlite, 1 FAILED\n"))
        self.assertIn("status = 'failed'", result.stderr)
        # A part that has it done has the last word.
        self.parts(2, "again{}.sqlite")
        self.succeed("sweep", "merge", one, two, "again2.sqlite", "--out", "mended.sqlite")


if __name__ == "__main__":
    unittest.main()
