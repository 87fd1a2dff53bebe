#!/usr/bin/python3
"""Wrong input: a message with its place, exit code 2, nothing written."""

import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import CONFIG, CommandLineTest  # noqa: E402

NPU = """\
t_r: 128
t_p: 16
t_c: 64
k_max: 4
clock_hz: 200.0e+6
bandwidth_bytes_per_s: 12.8e+9
"""

# name, text of the configuration to replace, its replacement, what the message must match
CONFIGURATIONS = [
    ("unknown key", "seed: 1", "sead: 1", r"^c\.yaml:1:1: unknown key 'sead' \(did you mean 'seed'\?\)"),
    ("unknown nested key", "rho: 0.8", "rh: 0.8", r"^c\.yaml:8:29: unknown key 'rh' \(did you mean 'rho'\?\)"),
    ("key twice", "seed: 1", "seed: 1\nseed: 2", r"^c\.yaml:2:1: key 'seed' stands twice"),
    ("wrong type", "requests: 200", "requests: many", r"^c\.yaml:2:11: requests must be a whole number, found 'many'"),
    ("unit in a number", "latency_ms: 120", "latency_ms: 120ms", r"^c\.yaml:5:19: latency_ms must be a number"),
    ("quoted number", "rho: 0.8", "rho: '0.8'", r"^c\.yaml:8:34: rho must be a number"),
    ("list for a number", "seed: 1", "seed: [1]", r"^c\.yaml:1:7: seed must be a whole number, found a list"),
    ("number for a map", "slo: {latency_ms: 120}", "slo: 120", r"^c\.yaml:5:6: slo must be a map, found '120'"),
    ("zero requests", "requests: 200", "requests: 0", r"^c\.yaml:2:11: requests must be a whole number from 1"),
    ("fraction of a request", "requests: 200", "requests: 20.5", r"^c\.yaml:2:11: requests must be a whole number"),
    ("negative seed", "seed: 1", "seed: -1", r"^c\.yaml:1:7: seed must be a whole number at least 0"),
    ("all warm-up", "warmup_requests: 10", "warmup_requests: 200", r"^c\.yaml:3:18: warmup_requests \(200\) leaves none"),
    ("two lengths", "seed: 1", "seed: 1\nduration_s: 5", r"only one of 'requests', 'duration_s'"),
    ("zero duration", "requests: 200", "duration_s: 0", r"^c\.yaml:2:13: duration_s must be a number, above 0"),
    ("zero load", "rho: 0.8", "rho: 0", r"^c\.yaml:8:34: rho must be a number, above 0, finite; found '0'"),
    ("negative rate", "rho: 0.8", "rate_hz: -3", r"^c\.yaml:8:38: rate_hz must be a number, above 0"),
    ("NaN", "rho: 0.8", "rho: .nan", r"^c\.yaml:8:34: rho must be a number, above 0, finite; found '\.nan'"),
    ("infinite rate", "rho: 0.8", "rate_hz: .inf", r"^c\.yaml:8:38: rate_hz must be a number, above 0, finite"),
    ("a rate that is as good as none", "rho: 0.8", "rate_hz: 1.0e-300", r"^c\.yaml:8:38: the arrival rate must be from 1e-09"),
    ("a load beyond any clock", "rho: 0.8", "rho: 1.0e+200", r"^c\.yaml:8:34: the arrival rate must be from 1e-09"),
    ("too large a number", "rho: 0.8", "rho: 1e999", r"^c\.yaml:8:34: rho must be a number"),
    ("rho and rate", "rho: 0.8", "rho: 0.8, rate_hz: 5", r"only one of 'rho', 'rate_hz'"),
    ("negative SLO", "latency_ms: 120", "latency_ms: -1", r"^c\.yaml:5:19: latency_ms must be a number, at least 0"),
    ("NaN SLO", "latency_ms: 120", "latency_ms: .nan", r"^c\.yaml:5:19: latency_ms must be a number"),
    ("unknown arrivals", "kind: poisson", "kind: poison", r"^c\.yaml:8:20: unknown arrivals kind 'poison' \(did you mean 'poisson'\?\); allowed: 'closed_loop', 'gamma', 'mmpp', 'periodic', 'poisson', 'spike', 'trace'"),
    ("no arrivals kind", "kind: poisson, ", "", r"^c\.yaml:8:13: arrivals needs the key 'kind'"),
    ("too few rates", "[0.30, 0.35, 0.40]", "[0.30]", r"^c\.yaml:9:31: rates needs one number for each early exit; the network has 3, found 1"),
    ("rate above one", "0.35", "1.35", r"^c\.yaml:9:38: an exit rate must be a number, from 0 to 1; found '1\.35'"),
    ("camera without a period", "{kind: poisson, rho: 0.8}", "{kind: periodic, period_ms: 0}", r"^c\.yaml:8:41: period_ms must be a number, from 1e-09"),
    ("negative CV", "{kind: poisson, rho: 0.8}", "{kind: gamma, rho: 0.8, cv: -1}", r"^c\.yaml:8:41: cv must be a number, above 0 to 100; found '-1'"),
    ("correlation above 1", "{kind: rates, ", "{kind: correlated, correlation: 1.5, ", r"^c\.yaml:9:42: correlation must be a number, from -1 to 1"),
    ("threshold above 1", "{kind: rates, rates: [0.30, 0.35, 0.40]}", "{kind: confidences, path: c.csv, threshold: 2}", r"^c\.yaml:9:54: threshold must be a number, from 0 to 1"),
    ("no file of confidences", "{kind: rates, rates: [0.30, 0.35, 0.40]}", "{kind: confidences, path: c.csv, threshold: 0.5}", r"c\.csv: no such file"),
    ("no devices", "arrivals: {kind: poisson, rho: 0.8}", "devices: [{count: 0, arrivals: {kind: poisson, rho: 0.8}}]", r"^c\.yaml:8:21: count must be a whole number from 1"),
    ("arrivals and devices", "arrivals: {kind: poisson, rho: 0.8}", "arrivals: {kind: poisson, rho: 0.8}\n  devices: []", r"takes only one of 'arrivals', 'devices'"),
    ("negative bytes", "arrivals: {", "uplink: {model: analytic, sample_bytes: -1, access_point_bandwidth_bytes_per_s: 5}\n  arrivals: {", r"^c\.yaml:8:43: sample_bytes must be a whole number from 0"),
    ("SLO on the wrong thing", "slo: {latency_ms: 120}", "slo: {latency_ms: 120, measured: device}", r"^c\.yaml:5:34: unknown measured 'device'; allowed: 'server', 'end_to_end'"),
    ("unknown network", "network: ee_resnet50", "network: ee_resnet5", r"^c\.yaml:4:10: unknown name 'ee_resnet5' \(did you mean 'ee_resnet50'\?\)"),
    ("missing network file", "network: ee_resnet50", "network: ./none.yaml", r"^c\.yaml:4:10: no file '.*/none\.yaml'"),
    ("unknown NPU", "- {label: serial, policy: {name: serial}, npu: zu7ev_large", "- {label: serial, policy: {name: serial}, npu: zu7ev_lrage", r"^c\.yaml:11:50: unknown name 'zu7ev_lrage' \(did you mean 'zu7ev_large'\?\)"),
    ("unknown mode", "{npu: zu7ev_large, npu_mode: r}\n", "{npu: zu7ev_large, npu_mode: q}\n", r"^c\.yaml:6:41: unknown npu_mode 'q'; allowed: 'r', 'p', 'fluid'"),
    ("unknown policy", "name: dynamic_batching", "name: dynamic_batchin", r"^c\.yaml:12:37: unknown policy name 'dynamic_batchin' \(did you mean 'dynamic_batching'\?\)"),
    ("parameter of another policy", "{name: serial}", "{name: serial, max_batch: 2}", r"^c\.yaml:11:44: unknown key 'max_batch'; policy serial takes 'name'"),
    ("zero batch", "max_batch: 8", "max_batch: 0", r"^c\.yaml:12:66: max_batch must be a whole number from 1 to 1024"),
    ("negative delay", "max_queue_delay_ms: 15", "max_queue_delay_ms: -1", r"^c\.yaml:12:89: max_queue_delay_ms must be a number"),
    ("same label twice", "label: dynamic", "label: serial", r"^c\.yaml:12:5: two systems are labelled 'serial'"),
    ("label that is no folder", "label: dynamic", "label: ../x", r"^c\.yaml:12:13: a label is made of letters"),
    ("no systems", re.compile(r"systems:\n.*", re.S), "systems: []\n", r"^c\.yaml:10:10: systems needs at least one entry"),
    ("no workload", re.compile(r"workload:\n.*\n.*\n"), "", r"^c\.yaml:1:1: a run needs the key 'workload'"),
    ("broken YAML", "rho: 0.8}", "rho: 0.8", r"^c\.yaml:\d+:\d+: not valid YAML"),
    ("empty file", re.compile(r".*", re.S), "", r"^c\.yaml:1:1: a run must be a map, found nothing"),
    ("a list", re.compile(r".*", re.S), "- 1\n", r"^c\.yaml:1:1: a run must be a map, found a list"),
]

# name, text of the trace, what the message must match
TRACES = [
    ("no file", None, r"no_trace\.csv: no such file"),
    ("empty", "", r"t\.csv:1:1: the file is empty"),
    ("header only", "arrival_s,exit\n", r"t\.csv:1:1: the trace has no row"),
    ("no dates", "when,exit\n1,0\n", r"t\.csv:2:1: no column 'arrival_s', and none with time stamps"),
    ("gap", "arrival_s,exit\n0,1\n,1\n", r"t\.csv:3:1: column 'arrival_s' has a gap"),
    ("broken line", "arrival_s,exit\n0,1\n1\n", r"t\.csv:3:1: the row has 1 cells, the header has 2"),
    ("unsorted", "arrival_s,exit\n1,1\n0.5,1\n", r"t\.csv:3:1: arrivals must be in order of time"),
    ("negative date", "arrival_s,exit\n-1,1\n", r"t\.csv:2:1: the first arrival must not be before 0"),
    ("not a number", "arrival_s,exit\nsoon,1\n", r"t\.csv:2:1: arrival_s must be a finite number, found 'soon'"),
    ("infinite date", "arrival_s,exit\n.inf,1\n", r"t\.csv:2:1: arrival_s must be a finite number"),
    ("exit out of range", "arrival_s,exit\n0,3\n1,4\n", r"t\.csv:3:3: exit must be a whole number from 0 to 3, found '4'"),
    ("negative exit", "arrival_s,exit\n0,-1\n", r"t\.csv:2:3: exit must be a whole number from 0"),
    ("no exits", "arrival_s\n0\n", r"^c\.yaml:9:10: these arrivals name no exits"),
    ("broken time stamp", "t,exit\n2023-11-16 18:17:03,0\n2023-11-16 18:70:03,0\n", r"t\.csv:3:1: not a time stamp"),
]

# name, text of the NPU to replace, its replacement, what the message must match
NPUS = [
    ("unknown key", "clock_hz", "clock_mzh", r"npu\.yaml:5:1: unknown key 'clock_mzh' \(did you mean 'clock_hz'\?\)"),
    ("missing key", "t_p: 16\n", "", r"npu\.yaml:1:1: an NPU needs the key 't_p'"),
    ("zero tile", "t_r: 128", "t_r: 0", r"npu\.yaml:1:6: t_r must be a whole number from 1"),
    ("k_max not a power of two", "k_max: 4", "k_max: 3", r"npu\.yaml:4:8: k_max must be a power of two"),
    ("k_max does not divide", "t_c: 64", "t_c: 66", r"npu\.yaml:4:8: k_max \(4\) must divide t_c \(66\)"),
    ("zero bandwidth", "12.8e+9", "0", r"npu\.yaml:6:24: bandwidth_bytes_per_s must be a number, above 0, \.inf included"),
    ("infinite clock", "200.0e+6", ".inf", r"npu\.yaml:5:11: clock_hz must be a number, above 0, finite"),
    ("wrong channel key", "bandwidth_bytes", "input_bandwidth_bytes", r"npu\.yaml:6:\d+: 'input_bandwidth_bytes_per_s' does not go with channel: shared"),
    ("too large for its board", "t_r: 128", "t_r: 128\nboard: z7045", r"npu\.yaml:2:8: t_p x t_c needs 1024 DSPs; board 'z7045' has 900"),
]

# arguments of a call, what the message must match
CALLS = [
    (["run", "none.yaml"], r"^none\.yaml: no such file"),
    (["run", "."], r"^\.: is a folder"),
    (["run", "c.yaml", "--set", "seed"], r"^--set seed: must be KEY=VALUE"),
    (["run", "c.yaml", "--set", "systems.x.npu=zu7ev_large"], r"^--set systems\.x\.npu: the list has no element 'x'"),
    (["run", "c.yaml", "--seed", "one"], r"^--set seed: seed must be a whole number"),
    (["run", "c.yaml", "--driver", "fast"], r"--driver"),
    (["run"], r"config is required"),
    (["rnu", "c.yaml"], r"^unknown command 'rnu' \(did you mean 'run'\?\)"),
    (["npu", "tabel"], r"^unknown command 'tabel' \(did you mean 'table'\?\); there are 'list', 'table'"),
    ([], r"subcommand is required"),
    (["check", "c.yaml", "--set", "slo.latency_ms=-1"], r"^--set slo\.latency_ms: latency_ms must be a number"),
    (["workload", "describe", "c.yaml", "--set", "workload.arrivals.rho=0"], r"^--set workload\.arrivals\.rho: rho must be"),
    (["workload"], r"subcommand is required"),
    (["run", "c.yaml", "--driver", "bare", "--set",
      "workload.uplink={model: simgrid, sample_bytes: 5, access_point_bandwidth_bytes_per_s: 9}"], r"^--driver: uplink simgrid needs driver simgrid"),
    (["network", "show", "resnet5"], r"unknown name 'resnet5' \(did you mean 'resnet50'\?\)"),
    (["npu", "table", "--network", "resnet50", "--npu", "none.yaml", "--max-batch", "2"], r"^--npu: no file"),
    (["npu", "table", "--network", "resnet50", "--npu", "zu7ev_large", "--max-batch", "0"], r"--max-batch"),
    (["npu", "table", "--network", "resnet50", "--npu", "zu7ev_large", "--max-batch", "2", "--mode", "fluidd"],
     r"^--mode: unknown npu_mode 'fluidd' \(did you mean 'fluid'\?\)"),
    (["npu", "explain", "--network", "resnet50", "--npu", "zu7ev_large", "--layer", "conv5_1_d", "--batch", "2"],
     r"^--layer: resnet50 has no layer 'conv5_1_d' \(did you mean 'conv5_1_[abc]'\?\)"),
    (["npu", "explain", "--network", "resnet50", "--npu", "zu7ev_large", "--layer", "maxpool", "--batch", "2"],
     r"^--layer: 'maxpool' is fused"),
    (["npu", "search", "--network", "resnet50", "--board", "zu7"], r"^--board: unknown name 'zu7' \(did you mean 'zu7ev'\?\)"),
    (["npu", "search", "--network", "resnet50", "--board", "zu7ev", "--k_max", "3"], r"^--k_max: k_max must be a power of two"),
    (["npu", "search", "--network", "resnet50", "--board", "zu7ev", "--edge_rows", "cut"], r"^--edge_rows: unknown edge_rows 'cut'"),
    (["npu", "search", "--network", "resnet50", "--board", "zu7ev", "--bandwidth_bytes_per_s", "9e+10"], r"above that of board"),
    (["npu", "search", "--network", "resnet50", "--board", "zu7ev", "--t_r", "6", "--top", "3"], r"no engine fits the board"),
    (["network", "import", "c.yaml", "--out", "n.yaml"], r"^c\.yaml: not an ONNX model"),
    (["network", "import", "none.onnx", "--out", "n.yaml"], r"^none\.onnx: no such file"),
    (["network", "import", "none.onnx", "--out", "c.yaml"], r"^c\.yaml: already exists"),
]


class BadInput(CommandLineTest):
    def refuse(self, name, arguments, message):
        with self.subTest(name):
            before = self.files()
            result = self.call(*arguments)
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertRegex(result.stderr, message)
            self.assertEqual(result.stdout, "")
            self.assertEqual(self.files(), before, "something was written")
            self.assertFalse((self.folder / "out").exists(), "a folder was made")

    def edited(self, text, old, new):
        if isinstance(old, re.Pattern):
            return old.sub(new, text, count=1)
        self.assertIn(old, text)
        return text.replace(old, new, 1)

    def test_configurations(self):
        for name, old, new, message in CONFIGURATIONS:
            self.write("c.yaml", self.edited(CONFIG, old, new))
            self.refuse(name, ["run", "c.yaml", "--out", "out"], message)
            self.refuse(name + " (check)", ["check", "c.yaml"], message)

    def test_traces(self):
        for name, text, message in TRACES:
            if text is not None:
                self.write("t.csv", text)
            path = "no_trace.csv" if text is None else "t.csv"
            config = CONFIG.replace("{kind: poisson, rho: 0.8}", "{kind: trace, path: %s}" % path)
            config = config.replace("{kind: rates, rates: [0.30, 0.35, 0.40]}", "{kind: trace}")
            self.write("c.yaml", config.replace("warmup_requests: 10", "warmup_requests: 0"))
            self.refuse(name, ["run", "c.yaml", "--out", "out"], message)

    def test_npus(self):
        self.write("c.yaml", CONFIG.replace("npu: zu7ev_large", "npu: npu.yaml"))
        for name, old, new, message in NPUS:
            self.write("npu.yaml", self.edited(NPU, old, new))
            self.refuse(name, ["run", "c.yaml", "--out", "out"], message)

    def test_calls(self):
        self.write("c.yaml", CONFIG)
        for arguments, message in CALLS:
            extra = ["--out", "out"] if arguments[:2] == ["run", "c.yaml"] else []
            self.refuse(" ".join(arguments), arguments + extra, message)

    def test_unwritable(self):
        self.write("c.yaml", CONFIG)
        self.write("file", "")
        result = self.call("run", "c.yaml", "--out", "file/below")
        self.assertEqual(result.returncode, 2)
        self.assertIn("file/below: can't be written: Not a directory", result.stderr)
        result = self.call("run", "c.yaml", "--out", "/dev/full/below")
        self.assertEqual(result.returncode, 2)

    def test_legal_extremes(self):
        npu = NPU.replace("12.8e+9", ".inf")
        self.write("npu.yaml", npu)
        self.write("c.yaml", CONFIG)
        for override in ("slo.latency_ms=0", "slo.latency_ms=.inf", "systems.serial.npu=npu.yaml", "requests=11"):
            with self.subTest(override):
                self.succeed("run", "c.yaml", "--out", "out", "--set", override)


if __name__ == "__main__":
    unittest.main()
