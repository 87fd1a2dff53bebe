#!/usr/bin/python3
"""Instructions per request, counted by callgrind, against the committed numbers: slower code is seen without a clock."""

import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import PROGRAM, ROOT, CommandLineTest  # noqa: E402

sys.path.insert(0, str(ROOT / "experiments/bench"))
import measure  # noqa: E402

COMMITTED = ROOT / "tests/golden/instructions.json"
FEW, MANY = 10_000, 40_000


@unittest.skipUnless(os.environ.get("FLUIDBATCH_BUILD", "").endswith("release"), "counted in the Release build")
class Instructions(CommandLineTest):
    def count(self, policy, driver, requests):
        """Of a whole run, the simulating child included. Into a new folder: to remove an old one takes instructions too."""
        for old in self.folder.glob("callgrind.*"):
            old.unlink()
        subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.folder}/callgrind.%p", PROGRAM, "run",
                        f"{self.folder}/{policy}.yaml", "--out", str(self.folder / f"out_{policy}_{requests}"), "--driver", driver, "--set",
                        f"requests={requests}"], check=True, capture_output=True)
        texts = [file.read_text() for file in self.folder.glob("callgrind.*")]
        self.assertEqual(len(texts), 2)
        return sum(int(re.search(r"^(?:summary|totals): (\d+)", text, re.MULTILINE)[1]) for text in texts)

    def test_instructions_per_request(self):
        measure.write_configs(self.folder)
        committed = json.loads(COMMITTED.read_text())
        self.assertEqual(len(committed), 4)
        found = {}
        for name in committed:
            policy, driver = name.split(", ")
            found[name] = (self.count(policy, driver, MANY) - self.count(policy, driver, FEW)) / (MANY - FEW)
        rounded = {name: round(count) for name, count in found.items()}
        for name, count in found.items():
            self.assertLess(abs(count - committed[name]) / committed[name], 0.1, f"{name}: found {rounded}, committed in {COMMITTED.name} "
                            f"are {committed}; where a change is meant, commit the new numbers")


if __name__ == "__main__":
    unittest.main()
