#!/usr/bin/python3
"""SimPy's model of the server (experiments/bench/simpy_server.py) gives the same completions to 1e-9 s."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import PROGRAM, ROOT, CommandLineTest  # noqa: E402

sys.path.insert(0, str(ROOT / "experiments/bench"))
import simpy_server  # noqa: E402


class SimPy(CommandLineTest):
    def test_the_same_completions(self):
        for rho in (0.4, 1.0, 2.5):
            results = simpy_server.compare(PROGRAM, 5000, rho)
            self.assertEqual(set(results), {"serial", "dynamic"})
            for system, (_, furthest_s) in results.items():
                self.assertLess(furthest_s, 1e-9, (system, rho))
                self.assertGreater(furthest_s, 0, "two programs that add up in another order")


if __name__ == "__main__":
    unittest.main()
