#!/usr/bin/python3
"""A sweep that goes on with what is there: never with results of other files, never over another's database."""

import hashlib
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import PROGRAM, ROOT, SWEEP, SweepTest  # noqa: E402

NETWORK = """\
name: small
base: back.yaml
exits:
  - {name: e0, after: conv0, head: [{name: fc0, kind: dense, out_channels: 10}]}
"""
BACKBONE = """\
input: [3, 8, 8]
layers:
  - {name: conv0, kind: conv, kernel: 3, out_channels: 8}
  - {name: conv1, kind: conv, kernel: 3, out_channels: %d}
  - {name: fc, kind: dense, out_channels: 10}
"""
OWN = """\
base:
  requests: 50
  network: net.yaml
  slo: {latency_ms: 60}
  workload:
    arrivals: {kind: trace, path: t.csv}
    exits: {kind: confidences, path: c.csv, threshold: 0.5}
  systems:
    - {label: modelled, policy: {name: serial}, npu: npu.yaml}
    - {label: measured, policy: {name: serial}, npu: {table: table.csv}}
axes: {grid: {seed: [1, 2, 3]}}
replications: 2
"""


class Resume(SweepTest):
    def write_own_files(self):
        """A sweep in which every file that a configuration can name is one of the folder's."""
        self.write("net.yaml", NETWORK)
        self.write("back.yaml", BACKBONE % 16)
        board = (ROOT / "npu_model/boards/zu7ev.yaml").read_text()
        self.write("board.yaml", board)
        npu = (ROOT / "npu_model/npus/zu7ev_large.yaml").read_text()
        self.write("npu.yaml", npu.replace("board: zu7ev", "board: board.yaml"))
        self.assertIn("board: board.yaml", (self.folder / "npu.yaml").read_text())
        self.write("t.csv", "arrival_s\n" + "".join(f"{i * 0.001}\n" for i in range(50)))
        self.write("c.csv", "conf_0,correct_0,conf_1,correct_1\n" + "".join(f"{i % 10 / 10},1,1,1\n" for i in range(20)))
        self.write("table.csv", "layer,batch,latency_s\n" + "".join(f"{layer},1,0.001\n" for layer in ("conv0", "fc0", "conv1", "fc")))
        self.write("own.yaml", OWN)
        return ["net.yaml", "back.yaml", "npu.yaml", "board.yaml", "t.csv", "c.csv", "table.csv"]

    def test_every_file_that_a_configuration_names_is_looked_at(self):
        names = self.write_own_files()
        self.sweep("r.sqlite", "--limit", "3", sweep="own.yaml")
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            files = {file for file, _ in database.execute("SELECT file, hash FROM files")}
        self.assertEqual(files, {str(self.folder / name) for name in names} | {"npus/zu7ev_large.yaml", "boards/zu7ev.yaml"})
        self.sweep("other.sqlite", "--shard", "2/2", sweep="own.yaml")
        for name in names:
            with self.subTest(name):
                path = self.folder / name
                content = path.read_bytes()
                path.write_bytes(content + b"\n")  # the same numbers
                before = (self.folder / "r.sqlite").read_bytes()
                self.refuse(["sweep", "own.yaml", "--out", "r.sqlite", "--resume"],
                            rf"^r\.sqlite: was made with other contents of '{path}' than this one; the file has changed")
                self.assertEqual((self.folder / "r.sqlite").read_bytes(), before)
                self.sweep(f"{name}.sqlite", "--shard", "1/2", sweep="own.yaml")
                self.refuse(["sweep", "merge", f"{name}.sqlite", "other.sqlite", "--out", "x.sqlite"],
                            rf"^other\.sqlite: was made with other contents of '{path}' than {name}\.sqlite")
                path.write_bytes(content)
        self.assertRegex(self.sweep("r.sqlite", "--resume", sweep="own.yaml").stdout, "^9 points run")

    def test_a_trace_that_changes_during_a_sweep(self):
        self.write("t.csv", "arrival_s\n" + "".join(f"{i * 0.001}\n" for i in range(50)))
        self.write("s.yaml", (SWEEP % 40).replace("{kind: poisson, rho: 1}", "{kind: trace, path: t.csv}").replace(
            "workload.arrivals.rho: [0.5, 1, 1.5, 2]", "seed: {from: 1, to: 40, step: 1}"))
        process = subprocess.Popen([PROGRAM, "sweep", "s.yaml", "--out", "r.sqlite", "--jobs", "1"], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while not (self.folder / "r.sqlite-wal").exists():
            time.sleep(0.001)
        content = (self.folder / "t.csv").read_text()
        self.write("new.csv", content + "0.06\n")
        (self.folder / "new.csv").rename(self.folder / "t.csv")
        process.communicate()
        self.assertEqual(process.returncode, 4)
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            messages = database.execute("SELECT DISTINCT message FROM points WHERE status = 'failed'").fetchall()
        self.assertEqual(messages, [(f"{self.folder}/t.csv: has changed since the sweep began",)])
        self.refuse(["sweep", "s.yaml", "--out", "r.sqlite", "--resume"], r"^r\.sqlite: was made with other contents of .*/t\.csv'")
        self.write("t.csv", content)
        self.sweep("r.sqlite", "--resume")
        self.sweep("whole.sqlite")
        self.assertEqual(self.rows("r.sqlite"), self.rows("whole.sqlite"))

    def test_another_programs_database_is_left_as_it_is(self):
        for mode in ("DELETE", "WAL"):
            name = f"{mode}.sqlite"
            database = sqlite3.connect(self.folder / name)
            database.execute(f"PRAGMA journal_mode = {mode}")
            database.execute("CREATE TABLE sweep (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
            database.commit()
            database.close()
        self.write("text", "no database\n")
        before = {name: hashlib.sha256((self.folder / name).read_bytes()).hexdigest() for name in self.files()}
        for name in ("DELETE.sqlite", "WAL.sqlite", "text"):
            for command in (["sweep", "s.yaml", "--out", name, "--resume"], ["sweep", "merge", name, "--out", "x.sqlite"],
                            ["compare", name, "--metric", "requests"], ["sweep", "s.yaml", "--out", name]):
                self.refuse(command, rf"^{name}: (is not a results file of a sweep|is not an SQLite database|already exists)")
        self.assertEqual({name: hashlib.sha256((self.folder / name).read_bytes()).hexdigest() for name in self.files()}, before)

    def test_names_that_keep_nothing(self):
        (self.folder / "folder").mkdir()
        before = self.files()
        for arguments in ([], ["--resume"]):
            for out, message in ((":memory:", "^:memory:: is not the name of a file"), ("file:x.sqlite?mode=memory", "is not the name of a file"),
                                 ("folder", "^--out: folder is a folder"), ("", "^--out: must not be empty"),
                                 ("x" * 300, "can't be opened or written"), ("/dev/null", "is not a regular file|already exists")):
                with self.subTest(out):
                    self.refuse(["sweep", "s.yaml", "--out", out, *arguments], message)
        self.assertEqual(self.files(), before)

    def test_signals_end_a_sweep_in_order(self):
        self.write("s.yaml", SWEEP % 20000)
        self.sweep("whole.sqlite")
        for kind, to_group in ((signal.SIGINT, True), (signal.SIGTERM, True), (signal.SIGTERM, False), (signal.SIGHUP, True)):
            with self.subTest(kind):
                process = subprocess.Popen([PROGRAM, "sweep", "s.yaml", "--out", "r.sqlite", "--jobs", "2"], cwd=self.folder,
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
                while not (self.folder / "r.sqlite-wal").exists() or (self.folder / "r.sqlite-wal").stat().st_size < 80_000:
                    self.assertIsNone(process.poll(), "too fast to be stopped")
                    time.sleep(0.001)
                (os.killpg if to_group else os.kill)(process.pid, kind)  # a terminal's Ctrl-C goes to the children too
                out, err = process.communicate(timeout=20)
                self.assertEqual(process.returncode, 128 + kind, err)
                self.assertRegex(out, r"^\d+ points run in .*, \d+ left; results in r\.sqlite")
                self.assertRegex(err, rf"stopped by signal {kind.value} .*; the same command with --resume goes on")
                self.assertEqual(sorted(p.name for p in self.folder.glob("r.sqlite*")), ["r.sqlite"])
                with sqlite3.connect(self.folder / "r.sqlite") as database:
                    self.assertEqual(database.execute("SELECT DISTINCT status FROM points").fetchall(), [("done",)])
                self.sweep("r.sqlite", "--resume")
                self.assertEqual(self.rows("r.sqlite"), self.rows("whole.sqlite"))
                (self.folder / "r.sqlite").unlink()

    def test_an_ignored_hangup_stays_ignored(self):
        self.write("s.yaml", SWEEP % 3000)
        process = subprocess.Popen([PROGRAM, "sweep", "s.yaml", "--out", "r.sqlite"], cwd=self.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        while not (self.folder / "r.sqlite-wal").exists():
            time.sleep(0.001)
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.wait(timeout=60), 0)

    def test_as_many_processes_as_there_is_room_for(self):
        def limited(kind, number):
            return lambda: resource.setrlimit(kind, (number, number))

        self.write("t.csv", "arrival_s\n" + "".join(f"{i * 0.001}\n" for i in range(50)))  # which children open
        self.write("s.yaml", (SWEEP % 40).replace("{kind: poisson, rho: 1}", "{kind: trace, path: t.csv}").replace(
            "workload.arrivals.rho: [0.5, 1, 1.5, 2]", "seed: [1, 2, 3]"))
        self.sweep("whole.sqlite")
        result = subprocess.run([PROGRAM, "sweep", "s.yaml", "--out", "few.sqlite", "--jobs", "4096"], cwd=self.folder, capture_output=True,
                                text=True, check=False, preexec_fn=limited(resource.RLIMIT_NOFILE, 16))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.rows("few.sqlite"), self.rows("whole.sqlite"))

    def test_a_stderr_that_fails(self):
        """The disk is full where the notes go, not where the results go."""
        self.write("t.csv", "arrival_s\n" + "".join(f"{i * 0.001}\n" for i in range(50)))
        self.write("s.yaml", (SWEEP % 20000).replace("[0.5, 1, 1.5, 2]", "[0.5]"))
        with open("/dev/full", "w", encoding="ascii") as full:
            process = subprocess.Popen([PROGRAM, "sweep", "s.yaml", "--out", "r.sqlite"], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=full)
            while not (self.folder / "r.sqlite-wal").exists():
                time.sleep(0.001)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(timeout=20), 130)
        self.sweep("r.sqlite", "--resume")


if __name__ == "__main__":
    unittest.main()
