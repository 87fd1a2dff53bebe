#!/usr/bin/python3
"""The benchmark's parts in their short form, the array scripts that it measures beside us, and what its ratios are made from."""

import importlib.util
import json
import math
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from harness import PROGRAM, RELEASE, ROOT, CommandLineTest  # noqa: E402

BENCH = ROOT / "experiments/bench"
sys.path.insert(0, str(BENCH))
import aims  # noqa: E402
import array_server  # noqa: E402
import costs  # noqa: E402
import md1  # noqa: E402
import md1_tail  # noqa: E402
import measure  # noqa: E402
import traces  # noqa: E402

NUMBA = importlib.util.find_spec("numba") is not None
PYTHON_MODULE = (Path(PROGRAM).resolve().parents[1] / "python").is_dir()
NUMBER = r"-?\d[\d.,]*"  # zero too, and a difference of two times may be negative: no test is of how fast anything is
# Of each part: expressions of lines that its short form prints, each of which is found as often as it says.
PARTS = {
    "start": {r"start: a run of one request as a whole process: median %s ms": 1, r"start: the program's --version": 1},
    "serving": {r"^(serial|dynamic_batching|exit_aware|lazy_batching) +(0\.4|1\.0|2\.0)( +%s){4} +[\d.]+$": 12,
                r"^aim: bare, ": 4, r"^aim: simgrid": 2, r"at rho 6, a queue that grows with the run: 1,000 requests %s ns": 4,
                r"^exit_aware by devices: 1: %s ns; .* 10,000: %s ns$": 1},
    "exits": {r"exits: \w+, 5,000 requests, adaptive: %s million requests/s; with fixed thresholds %s; a request takes %s times": 2,
              r"^aim: adaptive exits, ": 2},
    "energy": {r"energy: \w+, 10,000 requests, rho 1: with energy %s times as long": 4},
    "sites": {r"sites: 4 NPUs, 4 services, .*: %s million requests/s": 3, r"^aim: 4 NPUs": 1, r"round_robin, ns a request on 1 NPUs": 1},
    "generation": {r"^generation, (1|100|10,000|100,000) (Poisson|gamma|mmpp) devices?, (rates|correlated) +%s ns a request$": 7,
                   r"^generation, 10,000 periodic devices with jitter, rates +%s ns a request$": 1},
    "search": {r"npu search.*: %s million candidate evaluations/s": 2, r"npu table, .*: %s ms as a whole process": 4},
    "sweep": {r"sweep: 10 points of 1,000 requests of exit_aware": 1, r"sweep: overhead of a point .*: %s ms$": 1,
              r"sweep: 20 points of 1,000 requests: 2 jobs are %s times 1 job": 1},
    "tail": {r"tail: dynamic_batching, .* late to \+-\d+ %%: %s s, %s million events": 1},
    "module": {r"^module: import fluidbatch: %s ms, at best": 1, r"^module: fb\.run of one request: %s ms from a file, %s ms of a Scenario": 1,
               r"^module: 200,000 requests of serial take %s times what they take the program$": 1,
               r"^module: (greedy|oldest) in Python: at least %s decisions/s$": 2,
               r"^module: requests of 10,000 rows .* as an array: %s ms, no copy;": 1}
    if PYTHON_MODULE else {r"^module: not built \(FLUIDBATCH_PYTHON\)$": 1},
    "peers": {r"peers: numpy, serial, rho 0\.4, 10,000 requests: %s times": 1, r"peers: SimPy, \w+, rho 0\.4: %s us a request": 2,
              r"peers: M/D/1 at load 0\.7, SLO \d+ service times, exactly \S+ late: SimPy .*; tail %s s, found": 4},
}


@unittest.skipUnless(RELEASE, "the Release build's speed")
class ShortForms(CommandLineTest):
    def bench(self, *arguments):
        return subprocess.run([sys.executable, "-B", str(BENCH / "bench.py"), PROGRAM, *arguments], cwd=self.folder,
                              capture_output=True, text=True, timeout=600, check=False)

    def check_short(self, *parts):
        result = self.bench("--short", *parts)
        self.assertEqual(result.returncode, 0, result.stderr)
        for part in parts:
            for expression, times in PARTS[part].items():
                found = re.findall(expression.replace("%s", NUMBER).replace("%%", "%"), result.stdout, re.MULTILINE)
                self.assertEqual(len(found), times, f"{part}: {expression} in\n{result.stdout}")
        self.assertNotIn("missed", result.stdout, "a short run says nothing of an aim")
        self.assertIn("none of these numbers says how fast anything is", result.stdout)
        return result.stdout

    def test_each_part(self):
        self.check_short(*(part for part in PARTS if part != "peers"))
        self.assertEqual(self.files(), [], "it works in folders of its own")

    def test_peers(self):
        text = self.check_short("peers")
        self.assertEqual("no Numba here" in text, not NUMBA)
        self.assertEqual(len(re.findall(r"^peers: numba, serial, rho 0\.4, 10,000 requests:", text, re.M)), int(NUMBA))
        self.assertRegex(text, rf"SLO 28 service times, .*: SimPy EXTRAPOLATED {NUMBER} (days|hours|minutes|s), \d\.?\d*e\+11 requests;")

    def test_goes_on_without_numba(self):
        self.write("numba.py", "raise ImportError('as if it were not installed')\n")
        measure.write_configs(self.folder)
        script = f"import measure, peers; peers.against_arrays({PROGRAM!r}, '.', measure.Effort(short=True))"
        result = subprocess.run([sys.executable, "-B", "-c", script], cwd=self.folder, capture_output=True, text=True, check=False,
                                timeout=120, env={**os.environ, "PYTHONPATH": f"{self.folder}:{BENCH}"})
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("no Numba here (Debian: python3-numba)", result.stdout)
        self.assertIn("peers: numpy, serial, rho 0.4, 10,000 requests", result.stdout)
        self.assertNotIn("peers: numba", result.stdout)

    def test_a_part_that_does_not_exist(self):
        result = self.bench("--short", "serv1ng")
        self.assertEqual(result.returncode, 2)
        self.assertIn("no such part: serv1ng; there are start, serving", result.stderr)


class ArrayServer(CommandLineTest):
    def test_worked_by_hand(self):
        arrivals_s, services_s = np.array([0, 1, 1.5, 10]), np.array([2, 1, 0.5, 3])
        for kind in array_server.kinds():
            self.assertEqual(list(array_server.server(kind)(arrivals_s, services_s)), [2, 3, 3.5, 13], kind)
        self.assertEqual("numba" in array_server.kinds(), NUMBA)

    def test_the_same_completions(self):
        for rho in (0.4, 1.0, 2.5):
            results = array_server.compare(PROGRAM, 5000, rho)
            self.assertEqual(set(results), {"numpy", "numba"} if NUMBA else {"numpy"})
            for kind, (furthest_s, mean_s, ours_s) in results.items():
                self.assertLess(furthest_s, 1e-9, (kind, rho))
                self.assertLess(abs(mean_s - ours_s), 1e-12 * ours_s, (kind, rho))

    def test_a_timed_run_has_the_load_that_was_asked_for(self):
        """Where nobody waits, the mean latency is the mean service time."""
        by_exit_s = [1.0, 2.0, 3.0, 4.0]
        result = array_server.measured("numpy", 20000, 1e-4, by_exit_s)
        mean_s = sum(share * s for share, s in zip(traces.SHARES, by_exit_s))
        self.assertAlmostEqual(sum(traces.SHARES), 1)
        self.assertLess(abs(result["mean_latency_s"] / mean_s - 1), 0.02)
        self.assertGreater(result["process"], result["draw"] + result["serve"] + result["statistics"])


class CrudeTail(unittest.TestCase):
    def test_batch_means_of_independent_values(self):
        late = np.random.default_rng(1).random(320_000) < 0.01
        rate, half_width = md1_tail.batch_means(late)
        self.assertAlmostEqual(rate, late.mean(), places=12)
        expected = 1.96 * math.sqrt(0.99 / (0.01 * 320_000))
        self.assertLess(abs(half_width / expected - 1), 0.4)  # 31 degrees of freedom: +-25 %, and t is 4 % above
        self.assertEqual(md1_tail.batch_means(np.zeros(320, bool)), (0, math.inf))

    def test_bursts(self):
        alone = np.random.default_rng(1).random(1_000_000) < 0.01
        self.assertLess(abs(md1_tail.burst_factor(alone) - 0.99), 0.3)  # of 200 batches: +-10 %
        self.assertLess(abs(md1_tail.burst_factor(np.repeat(alone, 10)) - 9.9), 2)

    def test_what_it_counts_is_the_closed_form(self):
        reached = md1_tail.crude((1, 3), most=200_000, first=50_000).reached
        for slo in (1, 3):
            exact = md1.late_share(md1_tail.LOAD, slo)
            self.assertLess(abs(reached[slo].rate / exact - 1), 0.1)
            self.assertLessEqual(reached[slo].half_width, md1_tail.PRECISION)
            self.assertEqual((reached[slo].requests, reached[slo].extrapolated), (50_000, False))

    def test_what_it_does_not_reach_is_extrapolated(self):
        counted = md1_tail.crude((3, 60), most=50_000, first=50_000)
        self.assertEqual(set(counted.reached), {3})
        self.assertGreater(counted.bursts, 2)
        rare = md1_tail.Crude({}, seconds_per_request=4e-6, bursts=17).extrapolated(1e-6)
        self.assertTrue(rare.extrapolated)
        self.assertAlmostEqual(rare.requests, 96.04 * 17 / 1e-6, delta=1)
        self.assertAlmostEqual(rare.seconds, 96.04 * 17 * 4, delta=1e-3)

    @unittest.skipUnless(RELEASE, "millions of events")
    def test_tail_is_told_the_same_queue(self):
        tail = md1_tail.splitting(PROGRAM, 8)
        self.assertLess(abs(tail.rate / md1.late_share(md1_tail.LOAD, 8) - 1), 0.1)


class Aims(unittest.TestCase):
    def setUp(self):
        self.addCleanup(aims._measured.clear)

    def test_beside_what_was_measured(self):
        aims.record("bare, serial", 15)
        aims.record("simgrid / bare, the largest of all policies and loads", 2.5)
        first, second = aims.table()
        self.assertRegex(first, r"^aim: bare, serial +15\.00  at least 20 million requests/s +missed by 25 %$")
        self.assertRegex(second, r" 2\.50  at most 3 times +reached$")
        self.assertNotRegex("\n".join(aims.table(judge=False)), "missed|reached")

    def test_no_such_aim(self):
        with self.assertRaises(KeyError):
            aims.record("bare, seriell", 15)


class WithoutEnergy(CommandLineTest):
    def test_only_energy_differs(self):
        measure.write_configs(self.folder)
        found = {}
        for name, npu in (("with", "zu7ev_large"), ("without", costs.without_energy(self.folder))):
            self.succeed("run", "serial.yaml", "--out", name, "--set", "requests=500", "--set", f"systems.0.npu={npu}")
            (summary,) = (self.folder / name).rglob("summary.json")
            found[name] = json.loads(summary.read_text())
        self.assertIn("energy_per_request_j", json.dumps(found["with"]))
        self.assertNotIn("energy_per_request_j", json.dumps(found["without"]))
        for statistic in ("mean_latency_s", "throughput_hz"):
            first, second = (re.findall(rf'"{statistic}": ([^,]+)', json.dumps(f)) for f in found.values())
            self.assertTrue(first)
            self.assertEqual(first, second)


if __name__ == "__main__":
    unittest.main()
