#!/usr/bin/python3
"""Misspelt commands, options and names: what was probably meant, exit code 2, nothing done."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import CONFIG, CommandLineTest  # noqa: E402

# arguments, what the whole of stderr must match
CALLS = [
    (["--verison"], r"unknown option '--verison' \(did you mean '--version'\?\); `fluidbatch --help` lists all\n"),
    (["run", "c.yaml", "--outt", "o"], r"unknown option '--outt' \(did you mean '--out'\?\); `fluidbatch run --help` lists all\n"),
    (["run", "c.yaml", "--outt=o"], r"unknown option '--outt' \(did you mean '--out'\?\);.*\n"),
    (["npu", "table", "--network", "resnet18", "--npu", "zu7ev_large", "--max-batch", "2", "--mod", "r"],
     r"unknown option '--mod' \(did you mean '--mode'\?\); `fluidbatch npu table --help` lists all\n"),
    (["-x"], r"unknown option '-x'; `fluidbatch --help` lists all\n"),
    (["rnu", "--help"], r"unknown command 'rnu' \(did you mean 'run'\?\); there are 'run', .*\n"),
    (["npu", "tabel", "--help"], r"unknown command 'tabel' \(did you mean 'table'\?\); there are 'list', 'table', .*\n"),
    (["foo", "--version"], r"unknown command 'foo'; there are 'run', .*\n"),
    (["run", "c.yaml", "--driver", "bear"],
     r"--driver: unknown driver 'bear' \(did you mean 'bare'\?\); allowed: 'bare', 'simgrid', 'simgrid_window'\n(.*\n)?"),
    (["run", "c.yaml", "--out", ""], r"--out: must not be empty\n(.*\n)?"),
    (["sweep", "s.yaml", "--out", ""], r"--out: must not be empty\n(.*\n)?"),
    (["sweep", "merge", "a.sqlite", "--out", ""], r"--out: must not be empty\n(.*\n)?"),
    (["network", "import", "m.onnx", "--out", ""], r"--out: must not be empty\n(.*\n)?"),
    (["npu", "search", "--network", "resnet18", "--board", "z7045", "--save", ""], r"--save: must not be empty\n(.*\n)?"),
    (["sweep", "until.yaml", "--out", "r.sqlite"], r"until\.yaml:3:\d+: .*'p99' \(did you mean 'p99_latency_s'\?\).*\n"),
    (["metric", "list", "--columns", "request.csv"],
     r"--columns: unknown file 'request\.csv' \(did you mean 'requests\.csv'\?\); allowed: 'requests\.csv', 'series\.csv'\n(.*\n)?"),
    (["help", "npu", "tabel"], r"unknown command 'tabel' \(did you mean 'table'\?\); there are 'list', 'table', .*\n"),
    (["help", "rnu"], r"unknown command 'rnu' \(did you mean 'run'\?\); there are 'run', .*\n"),
    (["report", "x"], r"unknown command 'report'; there are 'run report', 'sweep report'\n"),
    (["help", "report"], r"unknown command 'report'; there are 'run report', 'sweep report'\n"),
    (["merge", "a.sqlite"], r"unknown command 'merge'; there is 'sweep merge'\n"),
    ([], r"a command is required after `fluidbatch`; `fluidbatch help` lists them\n"),
    (["npu"], r"a command is required after `fluidbatch npu`; `fluidbatch help npu` lists them\n"),
    (["help", "check", "it"], r"`fluidbatch check` has no commands\n"),
    (["help", "run", "it"], r"unknown command 'it'; there is 'report'\n"),
    (["help", "run", "reprot"], r"unknown command 'reprot' \(did you mean 'report'\?\); there is 'report'\n"),
    (["help", "run", "report", "it"], r"`fluidbatch run report` has no commands\n"),
    (["run", "reprot", "runs", "--out", "r.html"], r"unknown command 'reprot' \(did you mean 'report'\?\); there is 'report'\n"),
    (["run", "reprot"], r"unknown command 'reprot' \(did you mean 'report'\?\); there is 'report'\n"),
    (["run", "reprot", "--help"], r"unknown command 'reprot' \(did you mean 'report'\?\); there is 'report'\n"),
    (["run", "report", "runs", "--otu", "r.html"],
     r"unknown option '--otu' \(did you mean '--out'\?\); `fluidbatch run report --help` lists all\n"),
    (["run", "none.yaml"], r"none\.yaml: no such file\n"),
    (["run", "c.yaml", "--pointt", "1"],
     r"unknown option '--pointt' \(did you mean '--point'\?\); `fluidbatch run --help` lists all\n"),
    (["sweep", "reprot", "r.sqlite", "--out", "r.html"],
     r"unknown command 'reprot' \(did you mean 'report'\?\); there are 'merge', 'report'\n"),
    (["sweep", "marge", "--help"], r"unknown command 'marge' \(did you mean 'merge'\?\); there are 'merge', 'report'\n"),
    (["schema", "rum"],
     r"schema: unknown kind of file 'rum' \(did you mean 'run'\?\); allowed: 'run', 'sweep', 'network', 'npu', 'board'\n"),
    (["int"], r"unknown command 'int' \(did you mean 'init'\?\); there are 'run', .*\n"),
    (["run", "c.yaml", "--until", "mean_latnecy_s:0.1"],
     r"--set until\.mean_latnecy_s: unknown key 'mean_latnecy_s' \(did you mean 'mean_latency_s'\?\);.*\n"),
    (["run", "c.yaml", "--set", "systems.serial.policy.name=seriall"],
     r"--set systems\.serial\.policy\.name: unknown policy name 'seriall' \(did you mean 'serial'\?\);.*\n"),
    (["run", "c.yaml", "--set", "network=ee_resnet5"],
     r"--set network: unknown name 'ee_resnet5' \(did you mean 'ee_resnet50'\?\);.*\n"),
    (["npu", "table", "--network", "ee_resnet50", "--npu", "zu7ev_larg", "--max-batch", "2"],
     r"--npu: unknown name 'zu7ev_larg' \(did you mean 'zu7ev_large'\?\);.*\n"),
    (["npu", "search", "--network", "resnet18", "--board", "zu7eV"],
     r"--board: unknown name 'zu7eV' \(did you mean 'zu7ev'\?\);.*\n"),
    (["check", "c.yaml", "--set", "workload.arrivals.rate=3"],
     r"--set workload\.arrivals\.rate: unknown key 'rate' \(did you mean 'rate_hz'\?\);.*\n"),
]


class Spelling(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.write("c.yaml", CONFIG)
        self.write("s.yaml", "base: c.yaml\naxes: {grid: {workload.arrivals.rho: [0.1, 0.2]}}\n")
        self.write("until.yaml", "base: c.yaml\naxes: {grid: {workload.arrivals.rho: [0.1, 0.2]}}\n"
                                 "until: {ci: 0.1, of: p99, min: 2, max: 3}\n")

    def refuse(self, arguments, message):
        before = self.files()
        result = self.call(*arguments)
        self.assertEqual((result.returncode, result.stdout), (2, ""), result.stderr)
        self.assertRegex(result.stderr, rf"\A{message}\Z")
        self.assertEqual(self.files(), before)

    def test_what_was_probably_meant(self):
        for arguments, message in CALLS:
            with self.subTest(arguments):
                self.refuse(arguments, message)

    def test_a_metric_of_a_comparison(self):
        self.succeed("sweep", "s.yaml", "--out", "r.sqlite")
        self.refuse(["compare", "r.sqlite", "--metric", "p99"],
                    r"--metric: there is no statistic 'p99' \(did you mean 'p99_latency_s'\?\);.*\n")

    def test_results_where_a_configuration_is_wanted(self):
        self.succeed("sweep", "s.yaml", "--out", "r.sqlite")
        for words in (["run", "r.sqlite"], ["check", "r.sqlite"], ["capacity", "r.sqlite"], ["sweep", "r.sqlite", "--out", "o.sqlite"]):
            with self.subTest(words):
                self.refuse(words, r"r\.sqlite: this file is a database, such as the results of a sweep, and not YAML; `fluidbatch run "
                                   r"r\.sqlite --point N` runs .*`fluidbatch sweep report r\.sqlite --out FILE\.html` makes .*\n")
        self.succeed("run", "r.sqlite", "--point", "1", "--out", "out")
        self.write("text.sqlite", "SQLite: [\n")
        self.refuse(["run", "text.sqlite"], r"text\.sqlite:\d+:\d+: not valid YAML: .*\n")

    def test_a_file_named_like_a_command(self):
        self.write("reports", CONFIG)
        self.succeed("run", "reports", "--out", "out")
        self.write("merges", "base: c.yaml\naxes: {grid: {workload.arrivals.rho: [0.1, 0.2]}}\n")
        self.succeed("sweep", "merges", "--out", "r.sqlite")

    def test_help_and_version_still_are(self):
        for arguments in (["--help"], ["npu", "--help"], ["run", "--help"], ["sweep", "merge", "--help"], ["--version"]):
            self.assertEqual(self.succeed(*arguments).stderr, "")


if __name__ == "__main__":
    unittest.main()
