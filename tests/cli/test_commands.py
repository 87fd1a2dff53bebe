#!/usr/bin/python3
"""What the commands print and write."""

import csv
import io
import json
import os
import statistics
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from onnx_file import two_convolutions  # noqa: E402
from harness import CONFIG, PROGRAM, ROOT, CommandLineTest  # noqa: E402

OTHER = os.environ.get("FLUIDBATCH_OTHER", "")


class Run(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.write("c.yaml", CONFIG)

    def csv_rows(self, name):
        with open(self.folder / name, newline="") as file:
            return list(csv.DictReader(file))

    def contents(self, folder):
        root = self.folder / folder
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}

    def test_run_directories(self):
        result = self.succeed("run", "c.yaml", "--out", "out")
        self.assertEqual(result.stderr, "")
        self.assertEqual(self.files(), ["c.yaml", "out/dynamic/requests.csv", "out/dynamic/resolved.yaml",
                                        "out/dynamic/summary.json", "out/resolved.yaml", "out/serial/requests.csv",
                                        "out/serial/resolved.yaml", "out/serial/summary.json"])
        for word in ("serial", "dynamic", "mean ms", "p99 ms", "late %", "out/"):
            self.assertIn(word, result.stdout)
        self.assertLessEqual(max(map(len, result.stdout.splitlines())), 80)
        with open(self.folder / "out/dynamic/requests.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(list(rows[0]), "request,device,sent_s,arrival_s,start_s,completion_s,exit,correct,latency_s,end_to_end_s,queueing_s,"
                         "suspended_s,executing_s,slo_met".split(","))
        self.assertEqual([int(row["request"]) for row in rows], list(range(200)))
        summary = json.loads((self.folder / "out/dynamic/summary.json").read_text())
        measured = rows[10:]
        mean = sum(float(row["latency_s"]) for row in measured) / len(measured)
        self.assertAlmostEqual(summary["statistics"]["mean_latency_s"], mean, places=12)
        late = sum(row["slo_met"] == "0" for row in measured) / len(measured)
        self.assertAlmostEqual(summary["statistics"]["slo_violation_rate"], late, places=12)
        self.assertEqual(summary["admitted"], 200)
        for row in rows:
            parts = float(row["queueing_s"]) + float(row["suspended_s"]) + float(row["executing_s"])
            self.assertAlmostEqual(parts, float(row["latency_s"]), places=12)
            self.assertEqual(row["slo_met"], "1" if float(row["latency_s"]) <= 0.12 + 1e-9 else "0")

    def test_same_bytes(self):
        self.succeed("run", "c.yaml", "--out", "a")
        self.succeed("run", "c.yaml", "--out", "b")
        self.succeed("run", "c.yaml", "--out", "bare", "--driver", "bare")
        self.succeed("run", "c.yaml", "--out", "window", "--driver", "simgrid_window")
        self.succeed("run", "a/resolved.yaml", "--out", "again")
        for other in ("b", "bare", "window", "again"):
            self.assertEqual(self.contents("a"), self.contents(other), other)
        self.succeed("run", "c.yaml", "--out", "seed2", "--seed", "2")
        self.assertNotEqual(self.contents("a")["serial/requests.csv"], self.contents("seed2")["serial/requests.csv"])
        self.succeed("run", "c.yaml", "--out", "seed1", "--set", "seed=2", "--seed", "1")
        self.assertEqual(self.contents("a"), self.contents("seed1"))

    @unittest.skipUnless(OTHER and Path(OTHER).exists(), "no second build to compare with")
    def test_debug_and_release_give_the_same_bytes(self):
        self.succeed("run", "c.yaml", "--out", "one", "--set", "requests=20000")
        self.succeed("run", "c.yaml", "--out", "other", "--set", "requests=20000", program=OTHER)
        self.assertEqual(self.contents("one"), self.contents("other"))

    def test_a_second_run_replaces_the_first_and_says_so(self):
        self.succeed("run", "c.yaml", "--out", "out")
        result = self.succeed("run", "c.yaml", "--out", "out", "--set", "outputs.requests_csv=false")
        self.assertIn("replacing those of an earlier run", result.stdout)
        self.assertNotIn("out/serial/requests.csv", self.files())

    def test_default_folder(self):
        self.succeed("run", "c.yaml")
        self.assertIn("runs/c/serial/summary.json", self.files())

    def test_trace_replays(self):
        self.succeed("run", "c.yaml", "--out", "first")
        config = CONFIG.replace("{kind: poisson, rho: 0.8}", "{kind: trace, path: first/serial/requests.csv}")
        self.write("t.yaml", config.replace("{kind: rates, rates: [0.30, 0.35, 0.40]}", "{kind: trace}"))
        self.succeed("run", "t.yaml", "--out", "second")
        for label in ("serial", "dynamic"):
            name = label + "/requests.csv"
            self.assertEqual(self.contents("first")[name], self.contents("second")[name])

    def test_a_short_trace_ends_the_run_and_is_named(self):
        self.write("t.csv", "TIMESTAMP,Tokens\n2023-11-16 18:17:03.9799600,1\n2023-11-16 18:17:04.0319600,2\n")
        result = self.succeed("run", "c.yaml", "--out", "out", "--set", "workload.arrivals.kind=trace",
                              "--set", "workload.arrivals.path=t.csv", "--set", "workload.arrivals.time_scale=2",
                              "--set", "warmup_requests=0")
        self.assertIn("ended the run after 2 of 200 requests", result.stderr)
        with open(self.folder / "out/serial/requests.csv", newline="") as file:
            self.assertEqual([float(row["arrival_s"]) for row in csv.DictReader(file)], [0, 0.104])

    def test_dropped_requests_have_a_column_and_no_bound(self):
        result = self.succeed("run", "c.yaml", "--out", "out", "--set", "systems.serial.drop=hopeless", "--set",
                              "workload.arrivals.rho=3")
        head, serial, dynamic = [line.split("  ") for line in result.stdout.splitlines()[3:6]]
        cells = [[cell.strip() for cell in row if cell.strip()] for row in (head, serial, dynamic)]
        self.assertEqual(cells[0][-1], "drop %")
        self.assertGreater(float(cells[1][-1]), 1)
        self.assertEqual(cells[2][-1], "0")
        bound = cells[0].index("x bound")
        self.assertEqual(cells[1][bound], "-")
        self.assertGreater(float(cells[2][bound]), 1)
        self.assertIn("x bound: - where requests were dropped", result.stdout)
        summary = json.loads((self.folder / "out/serial/summary.json").read_text())
        self.assertIsNone(summary["statistics"]["distance_to_bound"])
        self.assertEqual(summary["absent"]["distance_to_bound"], "requests were dropped")
        self.assertNotIn("drop", self.succeed("run", "c.yaml", "--out", "other").stdout)

    def test_nothing_measured_is_said(self):
        self.write("short.yaml", CONFIG.replace("requests: 200\n", "duration_s: 0.2\n", 1))
        result = self.succeed("run", "short.yaml", "--out", "out")
        self.assertRegex(result.stderr, r"note: all \d requests are warm-up \(warmup_requests: 10\), so nothing was measured")
        summary = json.loads((self.folder / "out/serial/summary.json").read_text())
        self.assertEqual(summary["statistics"]["requests"], 0)
        self.assertEqual(summary["absent"]["mean_latency_ci95_s"], "nothing was measured")

    def test_timeline_and_series(self):
        config = CONFIG.replace("{name: serial}", "{name: exit_aware}").replace("npu_mode: r}\n  - ", "npu_mode: fluid_stacked}\n  - ")
        self.write("p.yaml", config)
        self.succeed("run", "p.yaml", "--out", "out", "--timeline-requests", "0..9", "--series", "0.5", "--set",
                     "workload.arrivals.rho=3")
        rows = {int(r["request"]): r for r in self.csv_rows("out/serial/requests.csv")}
        events = self.timeline("serial")
        npu = [e for e in events if e["ph"] == "X" and e["tid"] == 1]
        for before, after in zip(npu, npu[1:]):  # one step at a time
            self.assertGreaterEqual(after["ts"], before["ts"] + before["dur"] - 1e-3)
        busy = sum(e["dur"] for e in npu) / 1e6
        summary = json.loads((self.folder / "out/serial/summary.json").read_text())
        self.assertGreater(sum(e["ph"] == "X" and e["tid"] == 2 for e in events), 0)
        self.assertEqual(min(e["args"]["requests"] for e in events if e["name"] == "queue"), 0)
        followed = {e["name"].split(" (")[0] for e in events if e.get("cat") == "request" and e["name"] != "served"}
        self.assertEqual(followed, {f"request {i}" for i in range(10)})
        series = self.csv_rows("out/serial/series.csv")
        self.assertAlmostEqual(sum(float(r["busy_fraction"]) * 0.5 for r in series), busy, places=6)
        self.assertEqual(sum(int(r["completed"]) for r in series), 200)
        self.assertEqual((series[-1]["queue"], series[-1]["in_flight"]), ("0", "0"))
        total = sum(float(r["mean_latency_s"]) * int(r["completed"]) for r in series if r["mean_latency_s"])
        self.assertAlmostEqual(total, sum(float(r["latency_s"]) for r in rows.values()), places=9)
        self.assertGreater(summary["statistics"]["preemptions"], 0)
        self.assertGreaterEqual(summary["statistics"]["distance_to_bound"], 1)
        for word in ("x", "5..3", "-1"):
            self.assertEqual(self.call("run", "c.yaml", "--timeline-requests=" + word).returncode, 2)
        self.assertEqual(self.call("run", "c.yaml", "--series", "0").returncode, 2)

    def test_golden_schedules(self):
        """Five requests, byte for byte. GOLDEN=update rewrites the files; look at the difference before you commit it."""
        for label, policy in (("exit_aware", "{name: exit_aware, exit_knowledge: none}"), ("lazy", "{name: lazy_batching}")):
            self.succeed("run", ROOT / "experiments/preemption/preemption.yaml", "--out", "golden", "--set",
                         f"systems=[{{label: {label}, policy: {policy}, npu_mode: fluid_stacked}}]")
            got = (self.folder / f"golden/{label}/requests.csv").read_text()
            file = ROOT / f"tests/golden/preemption_{label}.csv"
            if os.environ.get("GOLDEN") == "update":
                file.write_text(got)
            self.assertEqual(got, file.read_text())
            rows = self.csv_rows(f"golden/{label}/requests.csv")
            self.assertEqual(len(rows), 5)
            for row in rows:  # what holds whatever the golden file says
                self.assertGreaterEqual(float(row["start_s"]), float(row["arrival_s"]))
                parts = sum(float(row[key]) for key in ("queueing_s", "suspended_s", "executing_s"))
                self.assertAlmostEqual(parts, float(row["latency_s"]), places=12)
            self.assertTrue(any(float(row["suspended_s"]) > 0 for row in rows))

    def test_workload_describe(self):
        config = CONFIG.replace("requests: 200", "requests: 20000")
        self.write("c.yaml", config.replace("arrivals: {kind: poisson, rho: 0.8}", "devices:\n    - {label: a, count: 4, arrivals: "
                                            "{kind: poisson, rho: 0.2}}\n    - {arrivals: {kind: gamma, rho: 0.1, cv: 2}}"))
        text = self.succeed("workload", "describe", "c.yaml").stdout
        self.assertRegex(text, r"^ee_resnet50: 5 devices, 20000 requests in")
        rows = list(csv.DictReader(io.StringIO(self.succeed("workload", "describe", "c.yaml", "--csv").stdout)))
        values = {row["name"]: row["value"] for row in rows}
        self.assertEqual(values["devices"], "5")
        self.assertAlmostEqual(float(values["offered_load"]), 0.9, delta=0.03)
        self.assertEqual(values["accuracy"], "")
        # What the reference can carry is what `load: 1` sends.
        self.assertAlmostEqual(float(values["load"]), float(values["rate_hz"]) / float(values["capacity_hz"]))
        self.assertEqual(values["capacity_batch"], "8")
        self.assertRegex(text, r"\nload 0\.\d+ of the \S+ /s that the reference NPU can carry, in batches of 8\n")
        full = self.succeed("workload", "describe", "c.yaml", "--set", "workload.devices=[{arrivals: {kind: poisson, load: 1}}]", "--csv")
        self.assertIn(f"\nconfigured_rate_hz,1/s,{values['capacity_hz']}\n", full.stdout)
        # What is described is what runs: the same arrivals, recounted from requests.csv.
        self.succeed("run", "c.yaml", "--out", "out")
        dates = [float(r["arrival_s"]) for r in self.csv_rows("out/serial/requests.csv")]
        gaps = [b - a for a, b in zip(dates, dates[1:])]
        mean = statistics.fmean(gaps)
        self.assertAlmostEqual(float(values["rate_hz"]), 1 / mean, places=9)
        self.assertAlmostEqual(float(values["gap_cv"]), statistics.stdev(gaps) / mean, places=9)
        counts = [0] * int(dates[-1])
        for date in dates:
            if date < len(counts):
                counts[int(date)] += 1
        self.assertAlmostEqual(float(values["window_dispersion_1s"]), statistics.variance(counts) / statistics.fmean(counts))
        self.assertEqual(float(values["window_peak_rate_hz_1s"]), max(counts))
        more = self.succeed("workload", "describe", "c.yaml", "--set", "workload.devices.a.count=40").stdout
        self.assertIn("41 devices", more)

    def test_an_uplink_and_real_confidences(self):
        self.write("c.yaml", CONFIG.replace("{kind: rates, rates: [0.30, 0.35, 0.40]}",
                   "{kind: confidences, threshold: 0.9, path: %s}" % (ROOT / "experiments/data/digits_multiexit.csv")).replace(
                   "  arrivals:", "  uplink: {model: analytic, sample_bytes: 150528, access_point_bandwidth_bytes_per_s: 1.2e+7}\n  arrivals:"))
        out = self.succeed("run", "c.yaml", "--out", "out").stdout
        self.assertIn("end-to-end ms", out)
        self.succeed("run", "c.yaml", "--out", "links", "--set", "workload.uplink.model=simgrid")
        for ours, theirs in zip(self.csv_rows("out/dynamic/requests.csv"), self.csv_rows("links/dynamic/requests.csv")):
            self.assertEqual((ours["exit"], ours["correct"]), (theirs["exit"], theirs["correct"]))
            self.assertAlmostEqual(float(ours["completion_s"]), float(theirs["completion_s"]), delta=1e-9)
            self.assertGreater(float(ours["arrival_s"]), float(ours["sent_s"]))
            self.assertAlmostEqual(float(ours["end_to_end_s"]), float(ours["completion_s"]) - float(ours["sent_s"]), delta=1e-12)
        summary = json.loads((self.folder / "out/dynamic/summary.json").read_text())["statistics"]
        rows = self.csv_rows("out/dynamic/requests.csv")[10:]
        self.assertEqual(summary["accuracy"], sum(r["correct"] == "1" for r in rows) / len(rows))
        self.assertAlmostEqual(summary["mean_end_to_end_s"], statistics.fmean(float(r["end_to_end_s"]) for r in rows))

    def test_dropped_requests_stay_in_the_rows(self):
        self.succeed("run", "c.yaml", "--out", "out", "--set", "systems.serial.drop=hopeless", "--set",
                     "workload.arrivals.rho=4", "--set", "warmup_requests=0")
        rows = self.csv_rows("out/serial/requests.csv")
        self.assertEqual(len(rows), 200)
        dropped = [r for r in rows if r["completion_s"] == ""]
        statistics = json.loads((self.folder / "out/serial/summary.json").read_text())["statistics"]
        self.assertGreater(len(dropped), 20)
        self.assertEqual(statistics["drop_rate"], len(dropped) / 200)
        self.assertTrue(all(r["slo_met"] == "0" and r["latency_s"] == "" for r in dropped))
        self.assertEqual(statistics["slo_violation_rate"], sum(r["slo_met"] == "0" for r in rows) / 200)

    def test_saturation_is_named(self):
        result = self.succeed("run", "c.yaml", "--out", "out", "--set", "workload.arrivals.rho=9", "--set", "requests=5000")
        self.assertIn("serial *", result.stdout)
        self.assertIn("* saturated", result.stdout)
        self.assertTrue(json.loads((self.folder / "out/serial/summary.json").read_text())["saturated"])

    def test_check(self):
        result = self.succeed("check", "c.yaml")
        self.assertIn("c.yaml: good", result.stdout)
        self.assertEqual(self.files(), ["c.yaml"])


class Listings(CommandLineTest):
    def test_version_and_help(self):
        self.assertRegex(self.succeed("--version").stdout, r"^fluidbatch \d+\.\d+\.\d+\n$")
        for arguments in ([], ["run"], ["check"], ["sweep"], ["sweep", "merge"], ["compare"], ["capacity"],
                          ["workload", "describe"], ["network", "show"], ["network", "import"], ["npu", "table"],
                          ["npu", "explain"], ["npu", "search"], ["npu", "fit"], ["policy", "list"], ["arbiter", "list"], ["router", "list"],
                          ["metric", "list"]):
            text = self.succeed(*arguments, "--help").stdout
            self.assertIn("--help", text)
            self.assertLessEqual(max(map(len, text.splitlines())), 80, arguments)

    def test_a_name_comes_first_on_each_line(self):
        for command, name in (("network", "resnet50"), ("npu", "zu7ev_large"), ("policy", "dynamic_batching"),
                              ("arbiter", "oldest_first"), ("router", "most_loaded_that_fits")):
            lines = self.succeed(command, "list").stdout.splitlines()
            self.assertIn(name, [line.split()[0] for line in lines if not line.startswith(" ")])

    def test_which_arbiters_may_preempt(self):
        lines = [line for line in self.succeed("arbiter", "list").stdout.splitlines()
                 if not line.startswith(5 * " ")]  # which goes on with what something means
        names = [line.split()[0] for line, below in zip(lines, lines[1:]) if below.startswith("    preemptive ")]
        self.assertEqual(names, ["earliest_deadline", "least_slack", "prema", "priority"])

    def test_network_csv(self):
        rows = list(csv.DictReader(io.StringIO(self.succeed("network", "show", "resnet50", "--csv").stdout)))
        self.assertEqual(list(rows[0]), ["layer", "kind", "groups", "r", "p", "c", "segment"])
        macs = sum(int(r["groups"]) * int(r["r"]) * int(r["p"]) * int(r["c"]) for r in rows)
        weights = sum(int(r["groups"]) * int(r["p"]) * int(r["c"]) for r in rows)
        self.assertEqual((macs, weights), (4089184256, 25502912))
        self.assertEqual(sum(r["kind"] == "conv" for r in rows), 53)
        self.assertIn("4089.2 MMAC", self.succeed("network", "show", "resnet50").stdout)

    def test_npu_table_csv(self):
        text = self.succeed("npu", "table", "--network", "resnet50", "--npu", "zu7ev_large", "--max-batch", "3",
                            "--mode", "r", "--csv").stdout
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual(list(rows[0]), "layer,batch,mode,b_r,b_p,k,compute_cycles,input_words,weight_words,"
                         "output_words,latency_s,roofline_s,mac_utilisation,residency,unique_input_words,macs,input_reads,"
                         "input_writes,weight_reads,weight_writes,output_reads,output_writes,energy_j,average_power_w".split(","))
        self.assertEqual(len(rows), 54 * 3)
        for row in rows:
            self.assertEqual((row["mode"], row["b_r"], row["b_p"], row["k"]), ("r", row["batch"], "1", "1"))
            self.assertLessEqual(float(row["roofline_s"]), float(row["latency_s"]) * (1 + 1e-12))
            self.assertGreater(float(row["mac_utilisation"]), 0)
            self.assertLessEqual(float(row["mac_utilisation"]), 1)

    def test_npu_table_modes(self):
        tables = {}
        for mode in ("r", "p", "fluid", "r_stacked", "fluid_stacked"):
            text = self.succeed("npu", "table", "--network", "ee_resnet50", "--npu", "zu7ev_middle", "--max-batch", "4",
                                "--mode", mode, "--csv").stdout
            tables[mode] = list(csv.DictReader(io.StringIO(text)))
        for rows in zip(*tables.values()):
            by_mode = dict(zip(tables, (float(row["latency_s"]) for row in rows)))
            self.assertLessEqual(by_mode["fluid"], min(by_mode["r"], by_mode["p"]))
            self.assertLessEqual(by_mode["fluid_stacked"], min(by_mode.values()))
        self.assertTrue(any(row["k"] != "1" for row in tables["fluid_stacked"]))
        self.assertTrue(any(row["b_p"] != "1" for row in tables["p"]))

    def test_npu_explain(self):
        arguments = ["npu", "explain", "--network", "resnet50", "--npu", "zu7ev_large", "--layer", "conv5_1_c",
                     "--batch", "4"]
        rows = list(csv.DictReader(io.StringIO(self.succeed(*arguments, "--csv").stdout)))
        self.assertEqual(len(rows), 9)
        chosen = [row for row in rows if row["chosen"] == "1"]
        self.assertEqual(len(chosen), 1)
        feasible = [float(row["latency_cycles"]) for row in rows if row["feasible"] == "1"]
        self.assertEqual(float(chosen[0]["latency_cycles"]), min(feasible))
        table = self.succeed("npu", "table", "--network", "resnet50", "--npu", "zu7ev_large", "--max-batch", "4",
                             "--mode", "fluid_stacked", "--csv").stdout
        row = [r for r in csv.DictReader(io.StringIO(table)) if r["layer"] == "conv5_1_c" and r["batch"] == "4"][0]
        for key in ("b_r", "b_p", "k", "latency_s", "input_words", "weight_words"):
            self.assertEqual(row[key], chosen[0][key])
        text = self.succeed(*arguments).stdout
        self.assertIn("* <4, 1, 2, stream>", text)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)

    def test_npu_search(self):
        arguments = ["npu", "search", "--network", "resnet18", "--board", "z7045", "--batches", "1,4", "--mode", "r",
                     "--t_r", "64,128"]
        rows = list(csv.DictReader(io.StringIO(self.succeed(*arguments, "--csv").stdout)))
        self.assertGreaterEqual(len(rows), 10)
        scores = [float(row["latency_per_sample_s"]) for row in rows]
        self.assertEqual(scores, sorted(scores))
        self.assertIn("1", [row["pareto"] for row in rows])
        self.assertTrue(all(int(row["dsps"]) <= 900 for row in rows))
        self.succeed(*arguments, "--save", "best.yaml")
        self.assertTrue((self.folder / "best.yaml").read_text().startswith("# found by: fluidbatch npu search"))
        text = self.succeed("npu", "table", "--network", "resnet18", "--npu", "best.yaml", "--max-batch", "1", "--csv").stdout
        latency = sum(float(row["latency_s"]) for row in csv.DictReader(io.StringIO(text)))
        self.assertAlmostEqual(latency, float(rows[0]["latency_b1_s"]), places=12)
        self.assertIn("engines fit", self.succeed(*arguments).stdout)

    def test_npu_table_text(self):
        text = self.succeed("npu", "table", "--network", "resnet50", "--npu", "zu7ev_large", "--max-batch", "6").stdout
        self.assertIn("B=6", text)
        self.assertIn("per sample", text)


class FullDisk(CommandLineTest):
    def test_lost_output_is_said(self):
        # Short output is lost at the end, long output on the way.
        for command in (["policy", "list"], ["network", "show", "resnet50", "--csv"], ["--help"],
                        ["npu", "table", "--network", "resnet50", "--npu", "zu7ev_large", "--max-batch", "16", "--csv"]):
            with open("/dev/full", "w", encoding="ascii") as full:
                result = subprocess.run([PROGRAM, *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(result.returncode, 2, command)
            self.assertEqual(result.stderr, "the output can't be written: No space left on device\n", command)


class Import(CommandLineTest):
    def test_from_onnx_to_a_run(self):
        (self.folder / "m.onnx").write_bytes(two_convolutions())
        said = self.succeed("network", "import", "m.onnx", "--out", "n.yaml", "--exits", "after=a").stdout
        self.assertTrue(said.startswith("n.yaml: "), said)
        rows = list(csv.DictReader(io.StringIO(self.succeed("network", "show", "./n.yaml", "--csv").stdout)))
        sizes = {row["layer"]: tuple(int(row[key]) for key in ("groups", "r", "p", "c", "segment")) for row in rows}
        self.assertEqual(sizes["a"], (1, 14 * 14, 3 * 3 * 3, 8, 0))
        self.assertEqual(sizes["c"], (1, 12 * 12, 3 * 3 * 8, 4, 1))
        self.write("c.yaml", CONFIG.replace("ee_resnet50", "./n.yaml").replace("[0.30, 0.35, 0.40]", "[0.5]"))
        self.succeed("run", "c.yaml", "--out", "out")


if __name__ == "__main__":
    unittest.main()
