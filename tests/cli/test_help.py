#!/usr/bin/python3
"""Help on every command, and the width of what is read on a terminal."""

import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import CommandLineTest  # noqa: E402

WIDTH = 80


class Help(CommandLineTest):
    def commands(self, *words):
        """The command `words` and all below it, as the helps list them."""
        yield words
        text = self.succeed(*words, "--help").stdout
        listed = re.search(r"^Subcommands:\n(.*?)(?:\n\n|\Z)", text, re.M | re.S)
        for name in re.findall(r"^  (\S+)", listed[1], re.M) if listed else ():
            yield from self.commands(*words, name)

    def test_every_help_fits_a_terminal(self):
        commands = list(self.commands())
        for known in (("run",), ("sweep", "merge"), ("npu", "search"), ("workload", "describe"), ("help",),
                      ("run", "report"), ("sweep", "report"), ("schema",), ("init",), ("completion",)):
            self.assertIn(known, commands)
        for words in commands:
            text = self.succeed(*words, "--help").stdout
            self.assertLessEqual(max(map(len, text.splitlines())), WIDTH, words)
            self.assertEqual(self.succeed("help", *words).stdout, text)

    def test_what_there_is_is_said(self):
        for words, said in ((["run"], "--point N"), (["run"], "\n  report "), (["run", "report"], "--out FILE REQUIRED"),
                            (["sweep"], "\n  report "), (["sweep", "report"], "--out FILE REQUIRED"),
                            (["schema"], "run, sweep, network, npu or board"), (["completion"], "bash, fish or zsh")):
            self.assertIn(said, self.succeed("help", *words).stdout)

    def test_every_listing_fits_a_terminal(self):
        for words in (["policy", "list"], ["exit-control", "list"], ["arbiter", "list"], ["router", "list"],
                      ["network", "list"], ["npu", "list"], ["metric", "list"],
                      ["metric", "list", "--columns", "requests.csv"], ["metric", "list", "--columns", "series.csv"],
                      ["network", "show", "ee_resnet50"],
                      ["npu", "explain", "--network", "ee_resnet50", "--npu", "zu7ev_large", "--layer", "conv5_1_c",
                       "--batch", "4"]):
            lines = self.succeed(*words).stdout.splitlines()
            self.assertLessEqual(max(map(len, lines)), WIDTH, words)
            self.assertEqual([line for line in lines if line != line.rstrip()], [])

    def test_help_alone_is_that_of_the_program(self):
        self.assertEqual(self.succeed("help").stdout, self.succeed("--help").stdout)


if __name__ == "__main__":
    unittest.main()
