#!/usr/bin/python3
"""What tests/rtl/run.py says where it cannot begin. Needs none of the tools that it runs."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

RUN = Path(__file__).resolve().parent / "run.py"


class RunTest(unittest.TestCase):
    def run_with(self, path, *arguments):
        return subprocess.run([sys.executable, "-B", str(RUN), *arguments], env={"PATH": path}, capture_output=True, text=True, timeout=60)

    def with_tools(self, *names):
        """A folder that has `names` as programs which must not be run: they fail with 99."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for name in names:
            program = Path(folder.name) / name
            program.write_text("#!/bin/sh\nexit 99\n")
            os.chmod(program, 0o755)
        return folder.name

    def test_no_tool_at_all(self):
        result = self.run_with("")
        self.assertEqual(result.returncode, 2)
        self.assertEqual(result.stdout, "")
        self.assertEqual(result.stderr, "not on PATH: verilator, yosys, cmake, ninja, g++. `make rtl` installs what is missing on Debian 12; "
                                        "by hand: apt-get install verilator yosys cmake ninja-build g++\n")

    def test_one_tool_missing(self):
        for missing in ("verilator", "yosys"):
            path = self.with_tools(*({"verilator", "yosys", "cmake", "ninja", "g++"} - {missing}))
            result = self.run_with(path)
            self.assertEqual(result.returncode, 2)
            self.assertEqual(result.stderr, f"not on PATH: {missing}. `make rtl` installs what is missing on Debian 12; by hand: apt-get install {missing}\n")

    def test_a_tool_that_fails(self):
        result = self.run_with(self.with_tools("verilator", "yosys", "cmake", "ninja", "g++"))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, "verilator failed with exit code 99\n")

    def test_arguments(self):
        for arguments in (("0",), ("-5",), ("ten",), ("10", "1.5"), ("10", "1", "2")):
            result = self.run_with("", *arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertIn("usage: run.py [LAYERS [SEED]]", result.stderr)


if __name__ == "__main__":
    unittest.main()
