#!/usr/bin/python3
"""`make install`: the installed program finds its networks and NPUs, away from the build tree."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from onnx_file import two_convolutions  # noqa: E402
from harness import CONFIG, CommandLineTest  # noqa: E402


class Install(CommandLineTest):
    def test_installed_program(self):
        build = os.environ["FLUIDBATCH_BUILD"]
        subprocess.run(["cmake", "--install", build, "--prefix", str(self.folder / "prefix")], check=True,
                       capture_output=True, timeout=60)
        program = str(self.folder / "prefix/bin/fluidbatch")
        self.assertIn("ee_resnet50", self.succeed("network", "list", program=program).stdout)
        (self.folder / "m.onnx").write_bytes(two_convolutions())
        self.succeed("network", "import", "m.onnx", "--out", "n.yaml", program=program)
        self.write("c.yaml", CONFIG)
        self.succeed("run", "c.yaml", "--out", "out", program=program)
        for name in ("share/fluidbatch/npus/zu7ev_large.yaml", "share/doc/fluidbatch/README.md",
                     "share/doc/fluidbatch/docs/model.md"):
            self.assertTrue((self.folder / "prefix" / name).is_file(), name)


if __name__ == "__main__":
    unittest.main()
