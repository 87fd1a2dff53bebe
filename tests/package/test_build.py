#!/usr/bin/python3
"""What cmake/debian/build.py says where it cannot begin. Needs none of the tools that it runs."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "cmake/debian/build.py"
TOOLS = ("cmake", "dpkg-deb", "dpkg-gencontrol", "dpkg-shlibdeps", "strip")


class BuildTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def build(self, *arguments, tools=TOOLS, **environment):
        """Calls it where only `tools` are, which must not be run: they fail with 99."""
        programs = self.folder / "bin"
        programs.mkdir(exist_ok=True)
        for name in tools:
            (programs / name).write_text("#!/bin/sh\nexit 99\n")
            os.chmod(programs / name, 0o755)
        return subprocess.run([sys.executable, "-B", str(BUILD), *map(str, arguments)], env={"PATH": str(programs), **environment},
                              capture_output=True, text=True, timeout=60, check=False)

    def assert_refused(self, result, message):
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertIn(message, result.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_without_tools(self):
        self.assert_refused(self.build(self.folder, self.folder / "out", tools=()),
                            "not on PATH: cmake, dpkg-deb, dpkg-gencontrol, dpkg-shlibdeps, strip. `make deb` installs what is missing "
                            "on Debian 12; by hand: apt-get install cmake dpkg dpkg-dev binutils\n")

    def test_one_tool_missing(self):
        self.assert_refused(self.build(self.folder, self.folder / "out", tools=TOOLS[:3] + TOOLS[4:]),
                            "not on PATH: dpkg-shlibdeps. `make deb` installs what is missing on Debian 12; by hand: apt-get install dpkg-dev\n")

    def test_arguments(self):
        for arguments in ((), ("build",), ("build", "out", "more")):
            self.assert_refused(self.build(*arguments), "usage: build.py BUILD OUT")

    def test_not_a_build_folder(self):
        self.assert_refused(self.build(self.folder, self.folder / "out"), f"{self.folder}: not a build folder; `make deb` builds")

    def test_a_date_that_is_none(self):
        (self.folder / "CMakeCache.txt").touch()
        self.assert_refused(self.build(self.folder, self.folder / "out", SOURCE_DATE_EPOCH="today"),
                            "SOURCE_DATE_EPOCH has to be a number of seconds, and is 'today'")

    def test_a_tool_that_fails(self):
        (self.folder / "CMakeCache.txt").touch()
        result = self.build(self.folder, self.folder / "out", SOURCE_DATE_EPOCH="1700000000")
        self.assertEqual((result.returncode, result.stderr), (1, "cmake failed with exit code 99\n"))
        self.assertFalse((self.folder / "out").exists())


if __name__ == "__main__":
    unittest.main()
