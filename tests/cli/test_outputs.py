#!/usr/bin/python3
"""What a run leaves behind: files that others can read, none that is half-written, none that is lost."""

import csv
import io
import json
import math
import os
import resource
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import CONFIG, PROGRAM, ROOT, CommandLineTest  # noqa: E402

try:
    import yaml
except ImportError:
    yaml = None


class OutputTest(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.write("c.yaml", CONFIG)

    def contents(self, folder):
        root = self.folder / folder
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}

    def refuse(self, *arguments, limits=None):
        """Exit code 2 and everything as it was; what was said."""
        before = self.contents(".")
        folders = {p for p in self.folder.rglob("*") if p.is_dir()}
        result = subprocess.run([PROGRAM, *map(str, arguments)], cwd=self.folder, capture_output=True, text=True,
                                timeout=120, check=False, preexec_fn=limits)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(self.contents("."), before)
        self.assertEqual({p for p in self.folder.rglob("*") if p.is_dir()}, folders)
        return result.stderr

    def start_long_run(self, out):
        """A run of minutes, once it is at work: its process, with those of its simulations."""
        run = subprocess.Popen([PROGRAM, "run", "c.yaml", "--out", out, "--set", "requests=400000000", "--set",
                                "outputs.requests_csv=false"], cwd=self.folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(run.stderr.close)
        self.addCleanup(run.wait)
        self.addCleanup(run.kill)
        children = []
        deadline = time.monotonic() + 60
        while len(children) < 1 and time.monotonic() < deadline:
            time.sleep(0.02)
            children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        self.assertTrue(children)
        return run, [int(child) for child in children]


class SecondRun(OutputTest):
    def test_it_removes_all_systems_of_the_first_and_nothing_else(self):
        self.succeed("run", "c.yaml", "--out", "out", "--timeline", "--series", "1")
        self.write("out/notes.txt", "mine")
        self.write("out/dynamic/plot.py", "mine")
        one = CONFIG[:CONFIG.index("systems:")] + "systems: [{label: third, policy: {name: serial}}]\n"
        self.write("one.yaml", one)
        self.succeed("run", "one.yaml", "--out", "out")
        self.succeed("run", "one.yaml", "--out", "fresh")
        left = self.contents("out")
        self.assertEqual(left.pop("notes.txt"), b"mine")
        self.assertEqual(left.pop("dynamic/plot.py"), b"mine")
        self.assertEqual(left, self.contents("fresh"))
        self.assertFalse((self.folder / "out/serial").exists())

    def test_it_removes_timelines_of_an_earlier_program(self):
        self.succeed("run", "c.yaml", "--out", "fresh")
        for out in ("out", "again"):  # where each system had a timeline of its own
            self.succeed("run", "c.yaml", "--out", out)
            for system in ("serial", "dynamic"):
                self.write(f"{out}/{system}/timeline.json", "{}")
        self.succeed("run", "c.yaml", "--out", "out")
        self.assertEqual(self.contents("out"), self.contents("fresh"))
        self.succeed("run", "c.yaml", "--out", "again", "--timeline")
        self.assertEqual(set(self.contents("again")), {*self.contents("fresh"), "timeline.json"})
        self.succeed("run", "c.yaml", "--out", "again")
        self.assertEqual(self.contents("again"), self.contents("fresh"))

    def test_a_folder_in_the_place_of_the_timeline(self):
        self.succeed("run", "c.yaml", "--out", "out")
        (self.folder / "out/timeline.json").mkdir()
        self.write("out/timeline.json/notes.txt", "mine")
        self.assertEqual(self.refuse("run", "c.yaml", "--out", "out", "--timeline"), "out/timeline.json: is a folder, not a file\n")

    def test_a_folder_that_is_not_a_runs_is_refused(self):
        (self.folder / "mine").mkdir()
        self.succeed("run", "c.yaml", "--out", "mine")  # it is empty
        self.write("other.txt", "")
        self.assertRegex(self.refuse("run", "c.yaml", "--out", "."), r"^\.: has files that are not a run's, such as ")
        self.assertIn("is not a folder", self.refuse("run", "c.yaml", "--out", "other.txt"))
        self.assertIn("must not be empty", self.refuse("run", "c.yaml", "--out", ""))
        # Nor is that of one system, or one with a configuration that only has the name of a run's.
        self.assertIn("has files that are not a run's", self.refuse("run", "c.yaml", "--out", "mine/serial"))
        (self.folder / "configurations").mkdir()
        self.write("configurations/resolved.yaml", (self.folder / "mine/resolved.yaml").read_text())
        self.assertIn("has files that are not a run's", self.refuse("run", "c.yaml", "--out", "configurations"))

    def test_what_a_run_did_not_make_is_not_replaced(self):
        self.succeed("run", "c.yaml", "--out", "out", "--set", "systems=[{label: serial, policy: {name: serial}}]")
        (self.folder / "out/dynamic").mkdir()
        self.write("out/dynamic/requests.csv", "mine")
        self.assertRegex(self.refuse("run", "c.yaml", "--out", "out"),
                         r"^out/dynamic/requests\.csv: was not made by the earlier run in out; give another folder")

    def test_links_are_not_followed(self):
        self.succeed("run", "c.yaml", "--out", "out")
        precious = self.folder / self.write("precious.csv", "mine")
        (self.folder / "out/serial/requests.csv").unlink()
        (self.folder / "out/serial/requests.csv").symlink_to(precious)
        self.succeed("run", "c.yaml", "--out", "out")
        self.assertEqual(precious.read_text(), "mine")
        self.assertFalse((self.folder / "out/serial/requests.csv").is_symlink())
        (self.folder / "elsewhere").mkdir()
        (self.folder / "out/serial").rename(self.folder / "elsewhere/serial")
        (self.folder / "out/serial").symlink_to(self.folder / "elsewhere/serial")
        self.assertIn("out/serial: is not a folder", self.refuse("run", "c.yaml", "--out", "out"))
        self.write("best.yaml", "mine")
        (self.folder / "saved.yaml").symlink_to("nowhere.yaml")
        search = ["npu", "search", "--network", "resnet18", "--board", "z7045", "--batches", "1", "--t_r", "64", "--mode", "r"]
        for name in ("best.yaml", "saved.yaml"):
            self.assertEqual(self.refuse(*search, "--save", name), name + ": already exists\n")

    def test_configurations_of_one_name_do_not_replace_each_other_in_silence(self):
        for place in ("a", "b"):
            (self.folder / place).mkdir()
            self.write(place + "/load.yaml", CONFIG)
        self.succeed("run", "a/load.yaml")
        message = self.refuse("run", "b/load.yaml")
        self.assertEqual(message, "runs/load: has the results of another configuration, a/load.yaml; "
                                  "give another folder with --out\n")
        for same in ("a/load.yaml", "./b/../a/load.yaml", self.folder / "a/load.yaml"):
            self.assertIn("replacing those of an earlier run", self.succeed("run", same).stdout)
        self.succeed("run", "b/load.yaml", "--out", "runs/load")  # as the user says
        self.assertNotIn("configuration.txt", self.contents("runs/load"))

    def test_inputs_are_not_replaced(self):
        self.succeed("run", "c.yaml", "--out", "io")
        config = CONFIG.replace("{kind: poisson, rho: 0.8}", "{kind: trace, path: io/serial/requests.csv}")
        self.write("t.yaml", config)
        message = self.refuse("run", "t.yaml", "--out", "io")
        self.assertRegex(message, r"^io/serial/requests\.csv: is an input of this run, which would replace it")
        (self.folder / "trace.csv").symlink_to("io/serial/requests.csv")
        self.write("t.yaml", config.replace("io/serial/requests.csv", "trace.csv"))
        self.assertEqual(self.refuse("run", "t.yaml", "--out", "io"), message)
        for name in ("io/resolved.yaml", "io/serial/resolved.yaml"):
            self.assertIn(name + ": is an input of this run", self.refuse("run", name, "--out", "io"))
        self.succeed("run", "t.yaml", "--out", "other")


class Failures(OutputTest):
    def test_a_timeline_too_large_to_be_joined(self):
        """Each system's part fits, the file of both does not."""
        self.succeed("run", "c.yaml", "--out", "whole", "--timeline")
        size = (self.folder / "whole/timeline.json").stat().st_size
        few = ["--timeline", "--set", "outputs.requests_csv=false"]

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (size - 100, size - 100))

        message = self.refuse("run", "c.yaml", "--out", "out", *few, limits=small_files)
        self.assertEqual(message, "out/.fluidbatch-part/timeline.json: can't be written: File too large\n")

    def test_a_full_disk_leaves_the_earlier_results_and_nothing_else(self):
        self.succeed("run", "c.yaml", "--out", "out")

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))

        for out in ("out", "deep/down/new"):
            for more in (["--set", "requests=2000"], ["--timeline"]):
                message = self.refuse("run", "c.yaml", "--out", out, *more, limits=small_files)
                self.assertRegex(message, r"\.(csv|json): can't be written: File too large\n$")

    def test_what_the_system_refuses_is_no_bug(self):
        for out in ("n" * 300, "c.yaml/below", "loop/x"):
            (self.folder / "loop").unlink(missing_ok=True)
            (self.folder / "loop").symlink_to("loop")
            self.assertRegex(self.refuse("run", "c.yaml", "--out", out),
                             r"(File name too long|Not a directory|Too many levels of symbolic links)\n$")
        for name in ("n" * 300, "loop/x"):
            message = self.refuse("npu", "search", "--network", "resnet18", "--board", "z7045", "--batches", "1", "--t_r",
                                  "64", "--mode", "r", "--save", name)
            self.assertRegex(message, "can't be written: (File name too long|Too many levels)")

    def test_memory_that_runs_out(self):
        def little_memory():
            resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))

        try:
            subprocess.run([PROGRAM, "--version"], preexec_fn=little_memory, capture_output=True, check=True)
        except subprocess.CalledProcessError:
            self.skipTest("a sanitizer's shadow takes more than this")
        message = self.refuse("run", "c.yaml", "--out", "out", "--set", "requests=400000000", "--set",
                              "outputs.requests_csv=false", limits=little_memory)
        self.assertIn("not enough memory", message)

    def test_a_folder_beyond_a_link(self):
        (self.folder / "far/deep").mkdir(parents=True)
        (self.folder / "link").symlink_to("far/deep")
        self.assertTrue(self.succeed("run", "c.yaml", "--out", "link/../new/").stdout.endswith("\nresults in link/../new/\n"))
        self.assertTrue((self.folder / "far/new/serial/summary.json").exists())
        self.assertFalse((self.folder / "new").exists())

    def test_a_simulation_that_is_killed(self):
        self.succeed("run", "c.yaml", "--out", "out")
        before = self.contents("out")
        run, children = self.start_long_run("out")
        os.kill(children[0], signal.SIGKILL)
        self.assertRegex(run.communicate(timeout=60)[1], r"a simulation was killed by signal 9 \(Killed\)")
        self.assertEqual(run.returncode, 2)
        self.assertEqual(self.contents("out"), before)

    def test_a_run_that_is_killed_leaves_the_earlier_results(self):
        self.succeed("run", "c.yaml", "--out", "out")
        before = self.contents("out")
        run, _ = self.start_long_run("out")
        self.assertIn("out: another run is writing into it", self.call("run", "c.yaml", "--out", "out").stderr)
        run.kill()
        run.wait()
        left = self.contents("out")
        self.assertEqual({name: left[name] for name in before}, before)
        deadline = time.monotonic() + 60
        while self.call("run", "c.yaml", "--out", "out").returncode != 0:  # its simulations die with it
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        self.assertEqual(self.contents("out"), before)

    def test_stderr_that_fails_ends_nothing(self):
        self.write("s.yaml", "base: c.yaml\naxes: {grid: {workload.arrivals.rho: [0.1, 0.2]}}\n")
        self.write("t.csv", "arrival_s,exit\n0,1\n1,1\n")
        short = ["--set", "workload.arrivals.kind=trace", "--set", "workload.arrivals.path=t.csv", "--set", "warmup_requests=0"]
        for n, stderr in enumerate(("2>/dev/full", "2>&-", "2> >(exec true)")):
            for arguments in (["run", "c.yaml", "--out", f"out{n}", *short], ["sweep", "s.yaml", "--out", f"r{n}.sqlite"]):
                result = subprocess.run(["bash", "-c", f'"$@" {stderr}', "bash", PROGRAM, *arguments], cwd=self.folder,
                                        stdout=subprocess.DEVNULL, timeout=120, check=False)
                self.assertEqual(result.returncode, 0, (stderr, arguments))
        self.assertEqual(self.contents("out0"), self.contents("out1"))

    def test_a_reader_who_has_seen_enough(self):
        """Ends in silence, as other programs do."""
        result = subprocess.run(["bash", "-c", '"$@" | head -1; echo ${PIPESTATUS[0]}', "bash", PROGRAM, "npu", "table",
                                 "--network", "resnet50", "--npu", "zu7ev_large", "--max-batch", "64", "--csv"],
                                capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(result.stderr, "")
        self.assertEqual(result.stdout.splitlines()[-1], str(128 + signal.SIGPIPE))


@unittest.skipUnless(yaml, "needs python3-yaml")
class OtherReaders(OutputTest):
    def test_a_resolved_configuration_goes_through_a_reader_of_yaml_1_1(self):
        config = CONFIG.replace("latency_ms: 120", "latency_ms: 120, measured: end_to_end")
        self.write("c.yaml", config.replace("label: serial", "label: 'on'").replace("label: dynamic", "label: '1_000'"))
        self.succeed("run", "c.yaml", "--out", "out")
        document = yaml.safe_load((self.folder / "out/resolved.yaml").read_text())
        self.assertEqual(document["slo"]["measured"], "end_to_end")
        self.write("again.yaml", yaml.safe_dump(document))
        self.succeed("run", "again.yaml", "--out", "again")
        first, again = self.contents("out"), self.contents("again")
        self.assertEqual(set(first), set(again))
        for name in first:
            if not name.endswith("resolved.yaml"):  # whose keys are now in alphabetical order
                self.assertEqual(first[name], again[name], name)


class Names(OutputTest):
    """Texts of the user's that have a meaning in the format which they are written into."""

    NAMES = ['say "a"', "a,b", "=1+1", "back\\slash"]

    def setUp(self):
        super().setUp()
        layers = [{"name": name, "kind": "conv", "out_channels": 8} for name in self.NAMES]
        layers.append({"name": "classifier", "kind": "dense", "out_channels": 4})
        self.write("n.yaml", json.dumps({"input": [3, 8, 8], "layers": layers}))

    def test_csv(self):
        for command in (["network", "show", "./n.yaml"],
                        ["npu", "table", "--network", "./n.yaml", "--npu", "zu7ev_large", "--max-batch", "1"]):
            text = self.succeed(*command, "--csv").stdout
            self.assertEqual([row["layer"] for row in csv.DictReader(io.StringIO(text, newline=""))],
                             [*self.NAMES, "classifier"])
            self.assertIn('\n"=1+1",', text)

    def test_timeline(self):
        self.write("c.yaml", CONFIG.replace("ee_resnet50", "./n.yaml").replace("{kind: rates, rates: [0.30, 0.35, 0.40]}", "{kind: none}"))
        self.succeed("run", "c.yaml", "--out", "out", "--timeline")
        events = self.timeline("serial")
        layers = {event["args"]["layers"] for event in events if event["ph"] == "X"}
        self.assertEqual(layers, {self.NAMES[0] + " to classifier"})

    def test_the_command_in_a_saved_file(self):
        self.write("two\nlines.yaml", (ROOT / "npu_model/boards/z7045.yaml").read_text())
        command = ["npu", "search", "--network", "resnet18", "--board", "./two\nlines.yaml", "--batches", "1", "--t_r", "64",
                   "--mode", "r", "--save"]
        self.succeed(*command, "it's $x.yaml")
        head = (self.folder / "it's $x.yaml").read_text().splitlines()[0]
        self.assertTrue(head.startswith("# found by: fluidbatch npu search"), head)
        words = subprocess.run(["bash", "-c", "printf '%s\\0' " + head.removeprefix("# found by: fluidbatch ")],
                               capture_output=True, text=True, check=True).stdout.split("\0")[:-1]
        self.assertEqual(words, [*command, "it's $x.yaml"])

    def test_a_folder_for_slurm(self):
        """Its name reaches sbatch, and the command that is printed, as it is."""
        self.write("s.yaml", "base: c.yaml\naxes: {grid: {workload.arrivals.rho: [0.1, 0.2]}}\n")
        (self.folder / "bin").mkdir()
        self.write("bin/sbatch", "#!/bin/sh\nprintf '%s\\0' \"$@\" > sbatch.txt\necho 7\n")
        (self.folder / "bin/sbatch").chmod(0o755)
        environment = {**os.environ, "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "CDPATH": f"{ROOT}:.:/"}
        submit = os.path.relpath(ROOT / "experiments/slurm/submit.sh", ROOT)
        (self.folder / "experiments").symlink_to(ROOT / "experiments")
        out = "50% of it"
        result = subprocess.run(["bash", submit, "s.yaml", "--tasks", "2", "--out", out, "--program", PROGRAM], cwd=self.folder,
                                env=environment, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        words = (self.folder / "sbatch.txt").read_text().split("\0")[:-1]
        folder = str((self.folder / out).resolve())
        self.assertIn("--output=" + folder.replace("%", "%%") + "/task-%a.log", words)
        self.assertEqual(words[-5:], [str(ROOT / "experiments/slurm/task.sh"), PROGRAM, str(self.folder / "s.yaml"), "2", folder])
        self.assertEqual((self.folder / out / "job").read_text(), "7\n")
        for part in ("1", "2"):
            self.succeed("sweep", "s.yaml", "--shard", part + "/2", "--out", f"{folder}/part-{part}.sqlite")
        printed = result.stdout.splitlines()[-1].removeprefix("when all have ended: ")
        subprocess.run(["bash", "-c", printed], cwd=self.folder, check=True, capture_output=True)
        self.assertTrue((self.folder / "ALL.sqlite").exists())


class PartOfATimeline(CommandLineTest):
    def test_a_part_of_a_timeline(self):
        self.write("c.yaml", CONFIG)
        self.succeed("run", "c.yaml", "--out", "whole", "--timeline-requests", "0..199")
        self.succeed("run", "c.yaml", "--out", "part", "--timeline-requests", "0..199", "--timeline-from", "1.5", "--timeline-to", "3")

        def slices(of, first=0.0, last=math.inf):
            return [e for e in of if e["ph"] == "X" and e["ts"] + e["dur"] >= first and e["ts"] <= last]

        whole, part = self.timeline("serial", "whole"), self.timeline("serial", "part")
        self.assertEqual(slices(part), slices(whole, 1.5e6, 3e6))
        self.assertTrue(0 < len(slices(part)) < len(slices(whole)))
        for name in ("queue", "batch size"):
            of_whole, of_part = ([(e["ts"], e["args"]) for e in of if e["name"] == name] for of in (whole, part))
            before = [value for date, value in of_whole if date < 1.5e6]
            self.assertEqual(of_part, [(1.5e6, before[-1])] + [one for one in of_whole if 1.5e6 <= one[0] <= 3e6])
        followed = {int(e["name"].split()[1]) for e in part if e.get("cat") == "request" and e["name"] != "served"}
        with open(self.folder / "part/serial/requests.csv", newline="", encoding="ascii") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(followed, {int(r["request"]) for r in rows if float(r["completion_s"]) >= 1.5 and float(r["arrival_s"]) <= 3})
        self.succeed("run", "c.yaml", "--out", "asked", "--timeline-to", "1")  # wants a timeline by itself
        self.assertGreater(len(self.timeline("serial", "asked")), 0)
        for words in (["--timeline-to", "0"], ["--timeline-from", "2", "--timeline-to", "1"], ["--timeline-from", "-1"],
                      ["--timeline-from", "x"]):
            result = self.call("run", "c.yaml", "--out", "refused", *words)
            self.assertEqual(result.returncode, 2, words)
            self.assertRegex(result.stderr, r"\A--timeline-(from|to): [^:]+\n\Z")
        refused = self.call("run", "c.yaml", "--out", "refused", "--series", "0")
        self.assertRegex(refused.stderr, r"\A--series: the step must be a number, [^:]+\n\Z")


if __name__ == "__main__":
    unittest.main()
