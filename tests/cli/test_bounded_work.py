#!/usr/bin/python3
"""Legal input that once took all memory or time: bounded work, or a refusal that says the size and writes nothing."""

import resource
import statistics
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import CONFIG, PROGRAM, RELEASE, CommandLineTest  # noqa: E402

GIBIBYTE = 1 << 30
ARRIVALS = "{kind: poisson, rho: 0.8}"


class BoundedWork(CommandLineTest):
    def call(self, *arguments, program=PROGRAM):
        """Within 1 GiB and, on a busy machine, a generous minute."""
        def limit():
            if RELEASE:
                resource.setrlimit(resource.RLIMIT_AS, (GIBIBYTE, GIBIBYTE))
        return subprocess.run([program, *map(str, arguments)], cwd=self.folder, capture_output=True, text=True,
                              timeout=60, check=False, preexec_fn=limit)

    def setUp(self):
        super().setUp()
        self.write("c.yaml", CONFIG)

    def refuse(self, pattern, *arguments):
        before = self.files()
        result = self.call("run", "c.yaml", "--out", "out", *arguments)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertRegex(result.stderr, pattern)
        self.assertEqual(result.stdout, "")
        self.assertEqual(self.files(), before)
        self.assertFalse((self.folder / "out").exists())

    @unittest.skipUnless(RELEASE, "takes long with sanitizers")
    def test_latencies_of_a_large_site(self):
        """Every network on every NPU for batches up to 1024 would take 2 GB; for batches up to 8 they don't."""
        names = [line.split()[0] for line in self.call("network", "list").stdout.splitlines() if line[:1].strip()]
        npus = [line.split()[0] for line in self.call("npu", "list").stdout.splitlines() if line[:1].strip()]
        self.assertGreater(len(names) * len(npus), 60)
        site = ("requests: 100\nservices:\n" + "".join(f"  - {{name: {name}, network: {name}}}\n" for name in names)
                + "workload:\n  devices:\n"
                + "".join(f"    - {{service: {name}, arrivals: {{kind: poisson, rho: 0.1}}}}\n" for name in names)
                + "systems:\n  - policy: {name: exit_aware, max_batch: 1024}\n    npus:\n"
                + "".join(f"      - {{npu: {npu}, npu_mode: {mode}}}\n" for npu in npus for mode in ("r", "p", "fluid", "fluid_stacked")))
        self.write("c.yaml", site)
        self.refuse(r"^c\.yaml:\d+:9: the latencies of all layers .* more than 4194304 numbers")
        self.assertEqual(self.call("check", "c.yaml", "--set", "systems.0.policy.max_batch=8").returncode, 0)

    def values(self, *arguments):
        text = self.succeed("workload", "describe", "c.yaml", "--csv", *arguments).stdout
        return {row.split(",")[0]: row.split(",")[2] for row in text.splitlines()[1:]}

    def test_series_of_too_many_rows(self):
        for interval in ("1e-300", "1e-9"):
            self.refuse(f"^--series: rows every {interval.replace('e-9', 'e-09')} s .* at most 10000000 are allowed", "--series", interval)
        # Where the length is known only when it is over: a closed loop, 200 thoughts of about 1 s each.
        self.refuse(r"--series: rows every 1e-06 s are more than 10000000 at \d", "--series", "1e-6", "--set",
                    "workload.arrivals={kind: closed_loop, think_time_ms: 1000}")

    def test_series_is_written_in_pieces(self):
        self.succeed("run", "c.yaml", "--out", "out", "--series", "1e-3")
        text = (self.folder / "out/serial/series.csv").read_text()
        rows = text.splitlines()
        self.assertGreater(len(text), 1 << 16)
        self.assertEqual({row.count(",") for row in rows}, {6})
        self.assertEqual([float(row.split(",")[0]) for row in rows[1:]], [i * 1e-3 for i in range(1, len(rows))])

    def test_rates_that_change_all_the_time(self):
        for kind, items, duration in (("spike", "profile", "duration_s"), ("mmpp", "states", "mean_duration_s")):
            for rates, seconds in (((10, 0), 1e-6), ((1e-6, 2e-6), 1), ((1e-6, 1e-6), 1e-6)):
                pieces = ", ".join(f"{{rate_hz: {rate:.7f}, {duration}: {seconds:.7f}}}" for rate in rates)
                changes = 2 / (sum(rates) * seconds)
                arrivals = f"{{kind: {kind}, {items}: [{pieces}]}}"
                with self.subTest(arrivals):
                    self.write("c.yaml", CONFIG.replace(ARRIVALS, arrivals))
                    self.refuse(rf"^c\.yaml:8:\d+: {items} would change the rate \S+ times between two arrivals.* rate_hz: \S+\}}")
                    message = self.call("check", "c.yaml").stderr
                    self.assertAlmostEqual(float(message.split(" change the rate ")[1].split()[0]) / changes, 1, places=3)
                    self.assertAlmostEqual(float(message.split("rate_hz: ")[1].split("}")[0]), statistics.fmean(rates))

    def test_durations_below_the_last_bit_of_a_date(self):
        # All arrivals fall into a nanosecond every 200,000 s, one in ten of those; from 2^24 s on a date no longer
        # moves by a nanosecond.
        arrivals = "{kind: spike, profile: [{rate_hz: 1.0e+8, duration_s: 1.0e-9}, {rate_hz: 0, duration_s: 2.0e+5}]}"
        self.write("c.yaml", CONFIG.replace("requests: 200", "requests: 100").replace(ARRIVALS, arrivals)
                   .replace("ee_resnet50", "resnet50").replace("{kind: rates, rates: [0.30, 0.35, 0.40]}", "{kind: none}"))
        self.refuse("arrivals: none after 10000000 changes of the rate; around .* less than the last bit of a date")

    def test_describe_rare_arrivals(self):
        # Windows of 0.1 s over 1.6e7 s, of which 199 have one arrival each: mean m, dispersion (1 - m) n / (n - 1).
        self.write("t.csv", "arrival_s\n" + "\n".join(str(80_000 * i) for i in range(200)) + "\n")
        values = self.values("--set", "workload.arrivals={kind: trace, path: t.csv}")
        for window_s in (0.1, 1, 10):
            windows = round(80_000 * 199 / window_s)
            mean = 199 / windows
            self.assertAlmostEqual(float(values[f"window_mean_{window_s:g}s"]) / mean, 1, places=9)
            self.assertAlmostEqual(float(values[f"window_dispersion_{window_s:g}s"]), (1 - mean) * windows / (windows - 1))
            self.assertEqual(float(values[f"window_peak_rate_hz_{window_s:g}s"]), 1 / window_s)

    def test_batches_of_a_thousand_at_every_layer(self):
        self.succeed("run", "c.yaml", "--out", "out", "--driver", "bare", "--set", "workload.arrivals.rho=8", "--set",
                     "requests=5000", "--set", "systems.serial.policy={name: exit_aware, max_batch: 1024, decide_at: layer}")

    def test_outputs_larger_than_the_disk(self):
        # 10^12 rows of some 160 bytes, for each of two systems.
        self.refuse(r"^out: requests\.csv of 2 systems will take about 3\.2e\+05 GB; \S+ GB are free there\. "
                    r"outputs\.requests_csv=false", "--set", "requests=1000000000000")
        self.refuse(r"requests\.csv and timeline\.json of 2 systems will take about \S+ GB", "--set",
                    "requests=1000000000000", "--timeline-requests", "0..999999999")
        # Two systems take twice what is copied at a time.
        self.refuse(r"timeline\.json of 2 systems will take about 1\.4e\+06 GB, and 7e\+05 GB more until it is complete; \S+ GB are free",
                    "--set", "requests=1000000000000", "--set", "outputs.requests_csv=false", "--timeline")

    def test_a_range_of_requests_beyond_the_last_one(self):
        result = self.succeed("run", "c.yaml", "--out", "out", "--timeline-requests", "0..999999999")
        self.assertNotIn("GB", result.stderr)
        self.assertIn('"name":"request 199 (', (self.folder / "out/timeline.json").read_text())


class LostDigits(CommandLineTest):
    """Dates and latencies that doubles can't hold together."""

    def refuse(self, config, pattern, command="run"):
        self.write("c.yaml", config)
        before = self.files()
        result = self.call(command, "c.yaml", *(["--out", "out"] if command == "run" else []))
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertRegex(result.stderr, pattern)
        self.assertEqual(self.files(), before)

    def test_rare_arrivals_over_a_long_time(self):
        for length in ("duration_s: 1.0e+12", "requests: 1000"):
            config = CONFIG.replace("requests: 200", length).replace("rho: 0.8", "rate_hz: 1.0e-9")
            for command in ("run", "check"):
                self.refuse(config, r"^(c\.yaml:2:13|requests): dates of up to (1e\+12|9{12}\.9*) s have a last bit of 0\.0001220703125 s, more "
                            "than a millionth of the smallest latency", command)
        # Found at the end of the run, where the length is not known before it.
        arrivals = "{kind: closed_loop, think_time_ms: 1.0e+12}"
        self.refuse(CONFIG.replace(ARRIVALS, arrivals), r"system '(serial|dynamic)': dates of up to \S+ s have a last bit of")

    def test_a_search_that_gets_there_ends(self):
        # No load holds this SLO, so that the search for one goes on to ever rarer requests.
        self.write("c.yaml", CONFIG.replace("latency_ms: 120", "latency_ms: 1").replace("requests: 200", "requests: 20000"))
        self.succeed("capacity", "c.yaml", "--over", "workload.arrivals.rho")

    def test_a_rate_in_reach_is_served(self):
        self.write("c.yaml", CONFIG.replace("rho: 0.8", "rate_hz: 1.0e-5"))
        self.succeed("run", "c.yaml", "--out", "out")

    def test_latencies_beyond_any_npu(self):
        text = self.succeed("npu", "table", "--network", "ee_resnet50", "--npu", "zu7ev_large", "--max-batch", "8", "--csv").stdout
        rows = [row.split(",") for row in text.splitlines()]
        column = rows[0].index("latency_s")
        for latency in ("1e307", "1e308", "1e12"):
            for row in rows[1:]:
                row[column] = latency
            self.write("table.csv", "\n".join(",".join(row) for row in rows) + "\n")
            config = CONFIG.replace("npu: zu7ev_large, npu_mode: r}\n  -", "npu: {table: table.csv}}\n  -")
            self.refuse(config, r"^c\.yaml:\d+:\d+: system 'serial': a batch of 1 takes \S+ s; at most 1e\+09 s is allowed")

    def test_bandwidth_of_next_to_nothing(self):
        self.write("n.yaml", "t_r: 128\nt_p: 16\nt_c: 64\nclock_hz: 200.0e+6\nbandwidth_bytes_per_s: 1.0e-300\n")
        self.refuse(CONFIG.replace("policy: {name: serial}, npu: zu7ev_large", "policy: {name: serial}, npu: n.yaml"),
                    r"system 'serial': a batch of 1 takes \S+ s; at most 1e\+09 s is allowed")
        uplink = "uplink: {model: analytic, sample_bytes: 1000, access_point_bandwidth_bytes_per_s: 1.0e-300}\n  arrivals"
        self.refuse(CONFIG.replace("arrivals", uplink, 1), "dates of up to .* have a last bit of|infinite")


class EndsEarly(CommandLineTest):
    def run_(self, config, *arguments):
        self.write("c.yaml", config)
        return self.succeed("run", "c.yaml", "--out", "out", *arguments)

    def rows(self):
        return len((self.folder / "out/serial/requests.csv").read_text().splitlines()) - 1

    def test_spike_that_ends_in_a_rate_of_0(self):
        arrivals = "{kind: spike, repeat: false, profile: [{rate_hz: 10, duration_s: 5}, {rate_hz: 0, duration_s: 1}]}"
        result = self.run_(CONFIG.replace(ARRIVALS, arrivals))
        self.assertIn(f"note: the arrivals ended the run after {self.rows()} of 200 requests: no device sends any more, "
                      "since the profile of a spike ends in a rate of 0\n", result.stderr)
        self.assertNotIn("trace", result.stderr)
        self.assertIn(f"ee_resnet50: {self.rows()} of 200 requests, 10 of them warm-up", result.stdout)

    def test_traces(self):
        self.write("t.csv", "arrival_s\n" + "0\n" * 20)
        result = self.run_(CONFIG.replace(ARRIVALS, "{kind: trace, path: t.csv}"))
        self.assertIn("note: the trace ended the run after 20 of 200 requests\n", result.stderr)
        self.assertIn("ee_resnet50: 20 of 200 requests, ", result.stdout)
        self.write("e.csv", "exit\n" + "0\n" * 30)
        result = self.run_(CONFIG.replace("{kind: rates, rates: [0.30, 0.35, 0.40]}", "{kind: trace, path: e.csv}"))
        self.assertIn("note: the trace of exits ended the run after 30 of 200 requests\n", result.stderr)

    def test_nothing_measured(self):
        config = CONFIG.replace("requests: 200", "duration_s: 1.0e-9")
        result = self.run_(config)
        self.assertIn("note: no request was sent before duration_s (1e-09 s), so nothing was measured\n", result.stderr)
        self.assertIn("ee_resnet50: 0 requests in 1e-09 s of arrivals, ", result.stdout)
        self.write("t.csv", "arrival_s\n0\n0\n0\n5\n")
        config = CONFIG.replace("requests: 200", "duration_s: 1").replace(ARRIVALS, "{kind: trace, path: t.csv}")
        result = self.run_(config, "--set", "warmup_requests=3")
        self.assertIn("note: all 3 requests are warm-up (warmup_requests: 3), so nothing was measured\n", result.stderr)


if __name__ == "__main__":
    unittest.main()
