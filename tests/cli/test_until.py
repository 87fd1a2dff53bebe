#!/usr/bin/python3
"""Runs to a precision, and automatic warm-ups: they are the runs of the length that they found."""

import json
import re
import sqlite3
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import CommandLineTest  # noqa: E402

CONFIG = """\
seed: 3
until: {mean_latency_s: 0.05, p99_latency_s: 0.2}
warmup_requests: 500
network: ee_resnet18
slo: {latency_ms: 60}
workload:
  arrivals: {kind: poisson, rho: 1}
  exits: {kind: rates, rates: [0.30, 0.35, 0.40]}
systems:
  - {label: serial, policy: {name: serial}}
  - {label: batched, policy: {name: dynamic_batching, max_queue_delay_ms: 5}}
"""
ADDED = ("until", "relative_half_widths", "until_reached", "warmup_requests", "warmup_at_end")
# A burst, then a load that is easily held.
BURST = "workload.arrivals={kind: spike, repeat: false, profile: [{rho: 6, duration_s: 2}, {rho: 0.4, duration_s: 1e6}]}"


class UntilTest(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.write("c.yaml", CONFIG)

    def run_to(self, folder, *arguments):
        """What `run` printed, with the results in `folder`."""
        return self.succeed("run", "c.yaml", "--out", folder, *arguments)

    def stopped_at(self, result):
        return int(re.search(r"stopped at (\d+) requests", result.stdout)[1])

    def contents(self, folder):
        root = self.folder / folder
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*")
                if p.is_file() and p.name != "configuration.txt"}

    def summary(self, folder, system):
        return json.loads((self.folder / folder / system / "summary.json").read_text())

    def require_same_systems(self, found, given, systems=("serial", "batched")):
        """The files of every system, but for what a run to a precision says of itself."""
        for system in systems:
            for file in ("requests.csv", "resolved.yaml"):
                self.assertEqual((self.folder / found / system / file).read_bytes(),
                                 (self.folder / given / system / file).read_bytes(), f"{system}/{file}")
            summary = self.summary(found, system)
            expected = self.summary(given, system)
            self.assertFalse(set(ADDED) & set(expected))
            self.assertEqual({key: value for key, value in summary.items() if key not in ADDED}, expected)

    def refuse(self, message, *arguments, command="run"):
        result = self.call(command, "c.yaml", *arguments, *(("--out", "r") if command == "run" else ()))
        self.assertEqual(result.returncode, 2, result.stdout)
        self.assertRegex(result.stderr, message)
        self.assertFalse((self.folder / "r").exists())


class Precision(UntilTest):
    def test_it_is_the_run_of_the_length_that_was_found(self):
        requests = self.stopped_at(self.run_to("a"))
        self.assertIn(requests - 500, [10_000 * 2**k for k in range(10)])
        self.run_to("b", "--set", f"requests={requests}")
        self.require_same_systems("a", "b")
        for system in ("serial", "batched"):
            summary = self.summary("a", system)
            self.assertIs(summary["until_reached"], True)
            self.assertEqual(summary["until"], {"mean_latency_s": 0.05, "p99_latency_s": 0.2})
            for name, target in summary["until"].items():
                half_width = summary["statistics"][name.replace("_s", "_ci95_s")]
                relative = summary["relative_half_widths"][name]
                self.assertAlmostEqual(relative, half_width / summary["statistics"][name], places=12)
                self.assertLessEqual(relative, target)

    def test_half_the_length_would_not_do(self):
        requests = self.stopped_at(self.run_to("a"))
        self.assertGreater(requests, 10_500)
        self.succeed("run", "c.yaml", "--set", f"requests={500 + (requests - 500) // 2}", "--out", "half")
        missed = False
        for system in ("serial", "batched"):
            statistics = self.summary("half", system)["statistics"]
            for name, target in (("mean_latency_s", 0.05), ("p99_latency_s", 0.2)):
                half_width = statistics[name.replace("_s", "_ci95_s")]
                missed = missed or half_width is None or half_width > target * statistics[name]
        self.assertTrue(missed)

    def test_same_bytes_again_and_by_every_driver(self):
        printed = self.run_to("a").stdout
        for i, driver in enumerate(("bare", "simgrid_window")):
            self.assertEqual(self.run_to(f"d{i}", "--driver", driver).stdout.replace(f"d{i}/", "a/"), printed)
            self.assertEqual(self.contents(f"d{i}"), self.contents("a"))

    def test_resolved_yaml_gives_all_of_it_again(self):
        self.run_to("a", "--set", "warmup_requests=auto")
        self.succeed("run", "a/resolved.yaml", "--out", "b")
        self.assertEqual(self.contents("b"), self.contents("a"))
        self.succeed("run", "a/serial/resolved.yaml", "--out", "c")
        self.require_same_systems("a", "c", ["serial"])

    def test_options_are_short_for_keys(self):
        self.run_to("a", "--set", "until={mean_latency_s: 0.1}", "--set", "max_requests=30000")
        self.write("c.yaml", CONFIG.replace("until: {mean_latency_s: 0.05, p99_latency_s: 0.2}", "requests: 700"))
        self.run_to("b", "--until", "mean_latency_s:0.1", "--max-requests", "30000")
        self.assertEqual(self.contents("b"), self.contents("a"))
        self.assertIn("max_requests: 30000", (self.folder / "b/resolved.yaml").read_text())
        self.assertNotIn("max_requests", (self.folder / "b/serial/resolved.yaml").read_text())

    def test_a_length_from_the_command_line_counts(self):
        self.write("c.yaml", CONFIG.replace("warmup", "max_requests: 5000\nwarmup"))
        result = self.run_to("a", "--set", "requests=2000")
        self.assertNotIn("stopped at", result.stdout)
        self.assertNotIn("until", (self.folder / "a/resolved.yaml").read_text())

    def test_where_it_does_not_get_there_it_says_so(self):
        result = self.run_to("a", "--until", "mean_latency_s:0.001", "--until", "slo_violation_rate:0.01",
                             "--max-requests", 25_000)
        self.assertIn("stopped at 25000 requests, without being as precise as was asked for", result.stdout)
        self.assertRegex(result.stderr, r"^note: did not reach within max_requests \(25000\): mean_latency_s of serial "
                                        r"\([0-9.]+ % instead of 0\.1 %\), .* of batched")
        self.assertIs(self.summary("a", "serial")["until_reached"], False)
        self.run_to("b", "--set", "requests=25000")
        self.require_same_systems("a", "b")

    def test_a_saturated_system_never_gets_there(self):
        result = self.run_to("a", "--set", "workload.arrivals.rho=3", "--max-requests", 20_000)
        self.assertIn("mean_latency_s of serial (saturated)", result.stderr)
        self.assertIs(self.summary("a", "serial")["until_reached"], False)

    def test_the_end_of_a_trace_is_the_last_stage(self):
        self.write("trace.csv", "arrival_s\n" + "".join(f"{0.03 * i + 0.0002 * (i % 100)}\n" for i in range(3000)))
        arguments = ("--set", "workload.arrivals={kind: trace, path: trace.csv}", "--set", "warmup_requests=0")
        result = self.run_to("a", *arguments, "--until", "mean_latency_s:0.00001")
        self.assertEqual(self.stopped_at(result), 3000)
        self.assertIn("note: did not reach with all the requests that there were: mean", result.stderr)
        self.run_to("b", *arguments, "--set", "requests=3000")
        self.require_same_systems("a", "b")

    def test_the_end_of_arrivals_is_the_last_stage(self):
        """A profile that ends in silence, after some 1,000 requests."""
        profile = "[{rate_hz: 50, duration_s: 20}, {rate_hz: 0, duration_s: 1}]"
        result = self.run_to("a", "--set", f"workload.arrivals={{kind: spike, repeat: false, profile: {profile}}}",
                             "--until", "mean_latency_s:0.0001", "--set", "warmup_requests=0")
        self.assertEqual(self.stopped_at(result), 10_000)
        self.assertIn("did not reach with all the requests that there were", result.stderr)
        self.assertIn("the arrivals ended the run after", result.stderr)

    def test_outputs_too_large_for_the_length_that_was_found(self):
        self.refuse(r"--series: rows every 1e-07 s of a run of about [0-9.e+]+ s are", "--series", "1e-7")

    def test_behind_links_of_simgrid(self):
        uplink = "workload.uplink={model: simgrid, sample_bytes: 20000, access_point_bandwidth_bytes_per_s: 12e6}"
        arguments = ("--set", uplink, "--set", "workload.arrivals.rho=0.4")
        requests = self.stopped_at(self.run_to("a", *arguments, "--until", "mean_end_to_end_s:0.2"))
        self.run_to("b", *arguments, "--set", f"requests={requests}")
        self.require_same_systems("a", "b")

    def test_in_a_closed_loop(self):
        arguments = ("--set", "workload.arrivals={kind: closed_loop, clients: 4, think_time_ms: 50}")
        requests = self.stopped_at(self.run_to("a", *arguments))
        self.run_to("b", *arguments, "--set", f"requests={requests}")
        self.require_same_systems("a", "b")

    def test_wrong_input(self):
        for message, arguments in (
                (r"--set max_requests: .*needs 'until'", ("--set", "requests=5", "--max-requests", "50")),
                (r"p50_latency_s has no interval; those that have one are 'mean_latency_s'", ("--until", "p50_latency_s:0.1")),
                (r"unknown key 'mean_latncy_s' \(did you mean 'mean_latency_s'\?\)", ("--until", "mean_latncy_s:0.1")),
                (r"above 0 to 0.999; found '1'", ("--until", "mean_latency_s:1")),
                (r"above 0 to 0.999; found '0'", ("--until", "mean_latency_s:0")),
                (r"must be a number, found 'x'", ("--until", "mean_latency_s:x")),
                (r"must be a number", ("--until", "mean_latency_s:")),
                (r"--until: must be NAME:R, such as mean_latency_s:0.01; found 'mean_latency_s'", ("--until", "mean_latency_s")),
                (r"--until: must be NAME:R", ("--until", "a.b:0.1")),
                (r"takes only one of 'requests', 'until'", ("--set", "requests=5", "--until", "mean_latency_s:0.1")),
                (r"until needs at least one statistic", ("--set", "until={}")),
                (r"until must be a map", ("--set", "until=0.1")),
                (r"slo_violation_rate needs an SLO", ("--until", "slo_violation_rate:0.1", "--set", "slo.latency_ms=.inf")),
                (r"c.yaml:3:18: warmup_requests \(500\) leaves none of the 400", ("--max-requests", "400")),
                (r"from 1 to 1099511627776; found '0'", ("--max-requests", "0")),
                (r"warmup_requests must be a whole number or auto, found 'atuo'", ("--set", "warmup_requests=atuo"))):
            with self.subTest(message):
                self.refuse(message, *arguments)
        self.write("c.yaml", CONFIG.replace("until:", "requests: 1000\nuntil:"))
        self.refuse(r"c.yaml:3:8: a run takes only one of 'requests', 'until'")
        self.write("c.yaml", CONFIG.replace("until: {mean_latency_s: 0.05, p99_latency_s: 0.2}", "max_requests: 1000"))
        self.refuse(r"c.yaml:2:15: max_requests is for a run to a precision: it needs 'until'")


class Warmup(UntilTest):
    def warmup(self, result):
        return int(re.search(r"(\d+) of them warm-up \(MSER-5\)", result.stdout)[1])

    def mser5(self, folder, system):
        """From requests.csv, by its formula."""
        rows = (self.folder / folder / system / "requests.csv").read_text().splitlines()
        column = rows[0].split(",").index("latency_s")
        latencies = [float(row.split(",")[column]) for row in rows[1:]]
        means = [sum(latencies[i:i + 5]) / 5 for i in range(0, len(latencies) - 4, 5)]

        def error(d):
            rest = means[d:]
            mean = sum(rest) / len(rest)
            return sum((z - mean) ** 2 for z in rest) / len(rest) ** 2

        return 5 * min(range(len(means) // 2 + 1), key=error)

    def test_it_is_the_run_with_the_warm_up_that_was_found(self):
        arguments = ("--set", "requests=4000", "--set", BURST)
        found = self.warmup(self.run_to("a", *arguments, "--set", "warmup_requests=auto"))
        self.run_to("b", *arguments, "--set", f"warmup_requests={found}")
        self.require_same_systems("a", "b")
        self.assertEqual(self.summary("a", "serial")["warmup_requests"], found)
        each = [self.mser5("a", system) for system in ("serial", "batched")]
        self.assertGreater(min(each), 0)
        self.assertNotEqual(*each)
        self.assertEqual(found, max(each))

    def test_one_system_alone_has_its_own(self):
        arguments = ("--set", "requests=4000", "--set", BURST, "--set", "warmup_requests=auto")
        self.write("c.yaml", CONFIG[:CONFIG.index("  - {label: serial")] + CONFIG[CONFIG.index("  - {label: batched"):])
        self.assertEqual(self.warmup(self.run_to("a", *arguments)), self.mser5("a", "batched"))

    def test_with_a_duration_and_with_a_precision(self):
        for i, (auto, given) in enumerate(((("--set", "duration_s=200"), None),
                                           (("--until", "mean_latency_s:0.1"), "requests"))):
            result = self.run_to(f"a{i}", *auto, "--set", BURST, "--set", "warmup_requests=auto")
            length = (given + f"={self.stopped_at(result)}") if given else auto[1]
            self.run_to(f"b{i}", "--set", length, "--set", BURST, "--set", f"warmup_requests={self.warmup(result)}")
            self.require_same_systems(f"a{i}", f"b{i}")

    def test_a_run_too_short_to_tell(self):
        result = self.run_to("a", "--set", "requests=2000", "--set", "workload.arrivals.rho=3",
                             "--set", "warmup_requests=auto")
        self.assertRegex(result.stderr, r"note: MSER-5 found the warm-up \(1000 requests\) at the end of what it looks at")
        self.assertIs(self.summary("a", "serial")["warmup_at_end"], True)


class OtherCommands(UntilTest):
    SWEEP = "base: c.yaml\naxes:\n  grid: {workload.arrivals.rho: [0.6, 1.1]}\nreplications: 2\n"

    def points(self, name):
        with sqlite3.connect(self.folder / name) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute("SELECT * FROM points ORDER BY point")]

    def test_each_point_of_a_sweep_stops_by_its_own_system(self):
        self.write("c.yaml", CONFIG + "outputs: {requests_csv: false}\n")
        self.write("s.yaml", self.SWEEP)
        self.succeed("sweep", "s.yaml", "--out", "s.sqlite", "--jobs", 2)
        points = self.points("s.sqlite")
        self.assertEqual(len(points), 8)
        lengths = set()
        for point in points:
            self.assertEqual(point["status"], "done", point["message"])
            self.write("p.yaml", point["configuration"])
            result = self.succeed("run", "p.yaml", "--out", "p")
            summary = self.summary("p", point["system"])
            self.assertEqual(point["admitted"], self.stopped_at(result))
            self.assertEqual(point["mean_latency_s"], summary["statistics"]["mean_latency_s"])
            self.assertLessEqual(point["p99_latency_ci95_s"], 0.2 * point["p99_latency_s"])
            lengths.add((point["system"], point["admitted"]))
        self.assertGreater(len({n for system, n in lengths if system == "serial"} |
                               {n for system, n in lengths if system == "batched"}), 1)

    def test_precisions_warm_ups_and_limits_can_be_axes(self):
        self.write("s.yaml", "base: c.yaml\naxes:\n  grid:\n    until.mean_latency_s: [0.2, 0.05]\n"
                             "    warmup_requests: [500, auto]\n    max_requests: [12000, 1000000]\n")
        dry = self.succeed("sweep", "s.yaml", "--dry-run")
        self.assertRegex(dry.stdout, r"16 points, up to [0-9.e+]+ requests")
        self.succeed("sweep", "s.yaml", "--out", "s.sqlite", "--jobs", 2)
        serial = [point for point in self.points("s.sqlite") if point["system"] == "serial"]
        self.assertEqual([point["status"] for point in serial], ["done"] * 8)
        self.assertTrue(all(serial[i]["admitted"] <= 12_000 for i in range(0, 8, 2)))
        self.assertLess(serial[1]["admitted"], serial[5]["admitted"])

    def test_check_says_what_it_will_do(self):
        result = self.succeed("check", "c.yaml", "--set", "warmup_requests=auto", "--max-requests", "1e6")
        self.assertIn("up to 1000000 requests, as many of them warm-up as MSER-5 finds", result.stdout)
        self.assertIn("at most 5 % of mean_latency_s and 20 % of p99_latency_s", result.stdout)

    def test_capacity_takes_a_warm_up_but_no_precision(self):
        self.refuse(r"c.yaml:2:8: capacity has no use for 'until'.*--set requests=100000", command="capacity")
        result = self.succeed("capacity", "c.yaml", "--set", "requests=3000", "--set", "warmup_requests=auto",
                              "--tolerance", 0.2, "--csv")
        with_none = self.succeed("capacity", "c.yaml", "--set", "requests=3000", "--set", "warmup_requests=0",
                                 "--tolerance", 0.2, "--csv")
        self.assertEqual(result.stdout.splitlines()[0], with_none.stdout.splitlines()[0])

    def test_optimum_simulates_to_a_precision(self):
        arguments = ("c.yaml", "--csv", "--set", "workload.arrivals.rho=0.5", "--until", "mean_latency_s:0.05")
        means = {}
        for row in self.succeed("optimum", *arguments).stdout.splitlines()[1:]:
            system, _, _, mean, low, high = row.split(",")
            self.assertLessEqual(float(high) - float(mean), 0.05 * float(mean))
            means[system] = mean
        self.run_to("a", "--set", "workload.arrivals.rho=0.5", "--until", "mean_latency_s:0.05")
        for system, mean in means.items():
            self.assertEqual(float(mean), self.summary("a", system)["statistics"]["mean_latency_s"])
        missed = self.succeed("optimum", *arguments, "--until", "mean_latency_s:0.001", "--max-requests", 20_000)
        self.assertIn("note: did not reach within max_requests (20000)", missed.stderr)

    def test_workload_describe_shows_all_that_may_come(self):
        result = self.succeed("workload", "describe", "c.yaml", "--set", "max_requests=30000")
        self.assertIn("30000 requests", result.stdout)


if __name__ == "__main__":
    unittest.main()
