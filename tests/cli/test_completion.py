#!/usr/bin/python3
"""Completion of command lines, asked as shells ask, and the manual page."""

import re
import shutil
import sqlite3
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import CONFIG, PROGRAM, SWEEP, CommandLineTest  # noqa: E402
from test_sites import SITE  # noqa: E402

ASK = """
source ./fluidbatch.bash
COMP_WORDS=("$@")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_fluidbatch
for word in "${COMPREPLY[@]}"; do printf '%s\\n' "$word"; done
"""


class Completion(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.write("c.yaml", CONFIG)
        self.write("fluidbatch.bash", self.succeed("completion", "bash").stdout)

    def completed(self, *words):
        """What bash offers for the last of `words`, which are as bash splits them: at `=` and `:` too."""
        result = subprocess.run(["bash", "-c", ASK, "ask", PROGRAM, *words], cwd=self.folder, capture_output=True,
                                text=True, check=True, timeout=60)
        self.assertEqual(result.stderr, "")
        return result.stdout.split()

    def listed(self, *words):
        """The names that a listing begins its lines with."""
        return [line.split()[0] for line in self.succeed(*words).stdout.splitlines() if line[:1].strip()]

    def test_commands(self):
        shown = self.succeed("--help").stdout.split("Subcommands:\n")[1]
        commands = re.findall(r"^  (\S+)", shown, re.M)
        self.assertEqual(self.completed(""), commands)
        for hidden in ("complete", "manual"):
            self.assertNotIn(hidden, commands)
        for shown in ("init", "schema", "completion", "help"):
            self.assertIn(shown, commands)
        self.assertEqual(self.completed("ru"), ["run"])
        self.assertEqual(self.completed("npu", "t"), ["table"])
        self.assertEqual(self.completed("sweep", "m"), ["merge"])
        self.assertEqual(self.completed("help", "npu", "se"), ["search"])
        self.assertEqual(self.completed("help", "run", ""), ["report"])
        self.assertEqual(self.completed("help", "sweep", ""), ["merge", "report"])
        self.assertEqual(self.completed("sweep", "report", "--o"), ["--out"])
        self.assertEqual(self.completed("run", "r.sqlite", "--poi"), ["--point"])

    def test_commands_beside_files(self):
        self.write("read.yaml", CONFIG)
        self.write("my run.yaml", CONFIG)
        self.assertEqual(self.completed("run", "r"), ["report", "read.yaml"])
        self.assertEqual(self.completed("run", "rep"), ["report"])
        self.assertEqual(self.completed("sweep", "m"), ["merge", "my", "run.yaml"])
        self.assertEqual(sorted(self.completed("run", "")), ["c.yaml", "fluidbatch.bash", "my", "read.yaml", "report", "run.yaml"])
        self.assertEqual(self.completed("run", "c.yaml", ""), [])

    def test_every_option_of_every_command(self):
        def hold(*words):
            text = self.succeed(*words, "--help").stdout
            options = set(re.findall(r"^  (?:-\w,)?(--[\w-]+)", text, re.M))
            self.assertEqual(set(self.completed(*words, "--")), options, words)
            listed = text.split("Subcommands:\n")
            for name in re.findall(r"^  (\S+)", listed[1], re.M) if len(listed) > 1 else ():
                hold(*words, name)
        hold()

    def test_names(self):
        networks, npus = self.listed("network", "list"), self.listed("npu", "list")
        metrics = re.findall(r"^\| `(\w+)`", self.succeed("metric", "list", "--markdown").stdout, re.M)
        for words, names in ((("npu", "table", "--network", ""), networks), (("network", "show", ""), networks),
                             (("npu", "explain", "--npu", ""), npus),
                             (("run", "c.yaml", "--driver", ""), ["bare", "simgrid", "simgrid_window"]),
                             (("compare", "r.sqlite", "--metric", ""), metrics),
                             (("compare", "r.sqlite", "--metric", "mean_latency_s", ""), metrics),
                             (("npu", "table", "--mode", ""), ["r", "p", "fluid", "r_stacked", "fluid_stacked"]),
                             (("schema", ""), ["run", "sweep", "network", "npu", "board"]), (("schema", "n"), ["network", "npu"]),
                             (("schema", "run", ""), []),
                             (("completion", ""), ["bash", "fish", "zsh"]), (("completion", "x"), [])):
            self.assertEqual(self.completed(*words), names, words)
        self.assertIn("zu7ev", self.completed("npu", "search", "--board", ""))
        self.assertEqual(self.completed("run", "c.yaml", "--driver", "=", "b"), ["bare"])
        self.assertEqual(self.completed("run", "c.yaml", "--until", "mean_l"), ["mean_latency_s:"])

    def test_keys_of_the_configuration(self):
        self.assertEqual(self.completed("run", "c.yaml", "--set", "systems.dynamic.policy.max_q"),
                         ["systems.dynamic.policy.max_queue_delay_ms="])
        self.assertIn("workload.arrivals.rho=", self.completed("check", "c.yaml", "--set", "w"))
        for key, listing in (("policy.name", "policy"), ("arbiter.name", "arbiter"), ("router.name", "router"),
                             ("exit_control.kind", "exit-control")):
            self.assertEqual(self.completed("run", "c.yaml", "--set", f"systems.serial.{key}", "="),
                             self.listed(listing, "list"))
        self.assertEqual(self.completed("run", "c.yaml", "--set", "systems.serial.npu", "=", "zu7ev_l"), ["zu7ev_large"])
        self.assertEqual(self.completed("run", "c.yaml", "--set", "network", "=", "ee_resnet1"), ["ee_resnet18"])
        self.assertEqual(self.completed("run", "none.yaml", "--set", "w"), [])

    def test_offered_keys_can_be_set(self):
        self.write("site.yaml", SITE)
        for config in ("c.yaml", "site.yaml"):
            keys = self.completed("run", config, "--set", "")
            self.assertGreater(len(keys), 20)
            for key in keys:
                wrong = self.call("check", config, "--set", key + "{no: {}}").stderr
                self.assertNotRegex(wrong, "unknown key '(?!no')|has no element|no parameter", key)

    def test_keys_of_a_sweep(self):
        self.write("s.yaml", SWEEP % 200)
        self.assertEqual(self.completed("sweep", "s.yaml", "--set", "workload.arr"), ["workload.arrivals.kind=", "workload.arrivals.rho="])
        self.assertEqual(self.completed("sweep", "s.yaml", "--set", "systems.ours.policy.max_b"), ["systems.ours.policy.max_batch="])
        self.assertEqual(self.completed("sweep", "c.yaml", "--set", "w"), [])
        self.assertEqual(self.completed("run", "s.yaml", "--set", "w"), [])

    def test_labels_and_loads_of_the_configuration(self):
        for command in ("tail", "optimum"):
            self.assertEqual(self.completed(command, "c.yaml", "--system", ""), ["serial", "dynamic"])
            self.assertEqual(self.completed(command, "c.yaml", "--system", "d"), ["dynamic"])
            self.assertEqual(self.completed(command, "--system", ""), [])
        self.assertEqual(self.completed("capacity", "c.yaml", "--over", ""), ["workload.arrivals.rho"])
        self.write("site.yaml", SITE)
        loads = self.completed("capacity", "site.yaml", "--over", "")
        self.assertEqual(self.completed("capacity", "site.yaml", "--over", "services."),
                         [load for load in loads if load.startswith("services.")])
        self.assertGreater(len(loads), 4)
        offered = self.call("capacity", "site.yaml", "--over", "seed").stderr.split("can be raised: ")[1]
        self.assertEqual(loads, re.findall(r"'([^']+)'", offered))

    def test_what_results_can_be_compared_by(self):
        self.write("s.yaml", SWEEP % 200)
        self.succeed("sweep", "s.yaml", "--out", "r.sqlite")
        axes = ["slo.latency_ms", "systems.ours.policy.max_batch", "workload.arrivals.rho"]
        self.assertEqual(self.completed("compare", "r.sqlite", "--by", ""), ["system", *axes])
        self.assertEqual(self.completed("compare", "--by", ""), ["system", "service", "npu"])
        self.assertEqual(self.completed("compare", "c.yaml", "--by", ""), [])
        for words, values in (((), ["dynamic", "ours"]), (("--by", "workload.arrivals.rho"), ["0.5", "1", "1.5", "2"]),
                              (("--by=slo.latency_ms",), ["40", "60"]), (("--by", "none"), [])):
            offered = self.completed("compare", "r.sqlite", *words, "--base", "")
            self.assertEqual(sorted(offered), values, words)
            for value in offered:
                self.succeed("compare", "r.sqlite", *words, "--base", value, "--metric", "mean_latency_s")
        with sqlite3.connect(self.folder / "r.sqlite") as database:
            database.execute("UPDATE points SET system = '$(touch gone)' WHERE system = 'ours'")
        self.assertEqual(self.completed("compare", "r.sqlite", "--base", ""), ["dynamic"])

    def test_parts_of_sites_can_be_compared(self):
        self.write("site.yaml", SITE)
        self.write("s.yaml", "base: site.yaml\naxes: {grid: {seed: [1, 2]}}\n")
        self.succeed("sweep", "s.yaml", "--out", "r.sqlite")
        self.assertEqual(self.completed("compare", "r.sqlite", "--by", ""), ["system", "seed", "npu", "service"])
        self.assertEqual(self.completed("compare", "r.sqlite", "--by", "service", "--base", ""), ["faces", "plates"])

    def test_what_is_not_known_is_a_file(self):
        for words in (("run", "c"), ("run", "c.yaml", "--out", ""), ("run", "report", ""), ("run", "report", "runs/a", "--out", ""),
                      ("sweep", "report", "r.sqlite", "--out", ""), ("run", "r.sqlite", "--point", ""), ("schema", "run", "--plugin", ""),
                      ("init", "")):
            self.assertEqual(self.completed(*words), [], words)
        self.assertIn("complete -o default ", (self.folder / "fluidbatch.bash").read_text())

    def test_scripts_of_other_shells_are_read(self):
        for shell in ("bash", "zsh", "fish"):
            script = self.write(shell, self.succeed("completion", shell).stdout)
            if shutil.which(shell) is not None:
                subprocess.run([shell, "-n", script], cwd=self.folder, check=True, timeout=60)
        refused = self.call("completion", "fisch")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("unknown shell 'fisch' (did you mean 'fish'?)", refused.stderr)


class Manual(CommandLineTest):
    def test_it_has_every_option(self):
        page = self.succeed("manual").stdout.replace("\\-", "-")
        for words in ([], ["run"], ["run", "report"], ["sweep", "merge"], ["sweep", "report"], ["npu", "search"], ["help"], ["init"],
                      ["schema"], ["completion"]):
            for option in re.findall(r"^  (?:-\w,)?(--[\w-]+)", self.succeed(*words, "--help").stdout, re.M):
                self.assertIn(f"\\fB{option}\\fR", page)
            self.assertIn(f".SS {' '.join(['fluidbatch', *words])}\n" if words else ".SH SYNOPSIS\n", page)

    def test_its_examples_run(self):
        page = self.succeed("manual").stdout.replace("\\-", "-")
        for section in ("EXIT STATUS", "FILES", "ENVIRONMENT", "EXAMPLES", "SEE ALSO"):
            self.assertIn(f"\n.SH {section}\n", page)
        examples = re.findall(r"^\\fBfluidbatch (.*)\\fR$", page.split(".SH EXAMPLES\n")[1].split(".SH SEE")[0], re.M)
        self.assertGreater(len(examples), 5)
        for line in examples:
            # The starter's runs are for people to look at; here they are short.
            shorter = ["--set", "requests=2000"] if line.split()[0] in ("run", "capacity", "sweep") and ".yaml" in line else []
            self.succeed(*line.split(), *shorter)
        self.assertTrue((self.folder / "points.html").is_file())
        self.assertTrue((self.folder / "runs/run/resolved.yaml").is_file())

    @unittest.skipUnless(shutil.which("groff"), "needs groff")
    def test_it_is_set_without_a_warning(self):
        self.write("fluidbatch.1", self.succeed("manual").stdout)
        result = subprocess.run(["groff", "-man", "-ww", "-Tascii", "fluidbatch.1"], cwd=self.folder, check=True,
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(result.stderr, "")
        self.assertIn("simulator of an edge inference server", result.stdout)


if __name__ == "__main__":
    unittest.main()
