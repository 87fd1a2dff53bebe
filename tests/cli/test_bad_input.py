#!/usr/bin/python3
"""Wrong input: a message with its place, exit code 2, nothing written."""

import os
import re
import shutil
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import CONFIG, PROGRAM, CommandLineTest  # noqa: E402

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
    ("key twice", "seed: 1", "seed: 1\nseed: 2", r"^c\.yaml:2:1: key 'seed' appears twice"),
    ("wrong type", "requests: 200", "requests: many", r"^c\.yaml:2:11: requests must be a whole number, found 'many'"),
    ("unit in a number", "latency_ms: 120", "latency_ms: 120ms", r"^c\.yaml:5:19: latency_ms must be a number"),
    ("quoted number", "rho: 0.8", "rho: '0.8'", r"^c\.yaml:8:34: rho must be a number, found '0\.8' in quotes, which make it a text"),
    ("quoted whole number", "requests: 200", 'requests: "1000"', r"^c\.yaml:2:11: requests must be a whole number, found '1000' in quotes"),
    ("a stray comma", re.compile(r".*", re.S), ",", r"^c\.yaml:1:1: one YAML document is allowed"),
    ("a seed beyond 63 bits", "seed: 1", "seed: 18446744073709551615", r"^c\.yaml:1:7: seed must be a whole number from 0 to 9223372036854775807"),
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
    ("a misspelt load", "rho: 0.8", "laod: 0.8", r"^c\.yaml:8:29: unknown key 'laod' \(did you mean 'load'\?\)"),
    ("a load of nothing", "rho: 0.8", "load: 0", r"^c\.yaml:8:35: load must be a number, above 0, finite; found '0'"),
    ("rho and load", "rho: 0.8", "rho: 0.8, load: 0.5", r"^c\.yaml:8:45: arrivals of kind poisson takes only one of 'rho', 'load'"),
    ("period and load", "{kind: poisson, rho: 0.8}", "{kind: periodic, period_ms: 5, load: 0.8}", r"only one of 'period_ms', 'load'"),
    ("a load of states with a rate, too", "{kind: poisson, rho: 0.8}", "{kind: mmpp, states: [{load: 1, rate_hz: 5, mean_duration_s: 1}]}", r"^c\.yaml:8:42: an entry of states takes only one of 'rate_hz', 'load'"),
    ("a load of exits that come with the arrivals", re.compile(r"rho: 0\.8(.*)\{kind: rates.*?\}", re.S), r"load: 0.8\1{kind: trace}", r"^c\.yaml:9:10: a load of the arrivals needs the exit rates first, and these exits are named by the arrivals"),
    ("a reference without a batch", "npu_mode: r}\nworkload", "npu_mode: r, max_batch: 0}\nworkload", r"^c\.yaml:6:55: max_batch must be a whole number from 1 to 1024; found '0'"),
    ("negative SLO", "latency_ms: 120", "latency_ms: -1", r"^c\.yaml:5:19: latency_ms must be a number, at least 0"),
    ("NaN SLO", "latency_ms: 120", "latency_ms: .nan", r"^c\.yaml:5:19: latency_ms must be a number"),
    ("unknown arrivals", "kind: poisson", "kind: poison", r"^c\.yaml:8:20: unknown arrivals kind 'poison' \(did you mean 'poisson'\?\); allowed: 'closed_loop', 'gamma', 'mmpp', 'periodic', 'poisson', 'spike', 'trace'"),
    ("no arrivals kind", "kind: poisson, ", "", r"^c\.yaml:8:13: arrivals needs the key 'kind'"),
    ("too few rates", "[0.30, 0.35, 0.40]", "[0.30]", r"^c\.yaml:9:31: rates needs one number for each early exit; the network has 3, found 1"),
    ("rate above one", "0.35", "1.35", r"^c\.yaml:9:38: an exit rate must be a number, from 0 to 1; found '1\.35'"),
    ("camera without a period", "{kind: poisson, rho: 0.8}", "{kind: periodic, period_ms: 0}", r"^c\.yaml:8:41: period_ms must be a number, from 1e-09"),
    ("camera without a rate", "{kind: poisson, rho: 0.8}", "{kind: periodic}", r"^c\.yaml:8:13: arrivals of kind periodic needs one of 'period_ms', 'rho', 'rate_hz'"),
    ("negative CV", "{kind: poisson, rho: 0.8}", "{kind: gamma, rho: 0.8, cv: -1}", r"^c\.yaml:8:41: cv must be a number, above 0 to 100; found '-1'"),
    ("correlation above 1", "{kind: rates, ", "{kind: correlated, correlation: 1.5, ", r"^c\.yaml:9:42: correlation must be a number, from -1 to 1"),
    ("threshold above 1", "{kind: rates, rates: [0.30, 0.35, 0.40]}", "{kind: confidences, path: c.yaml, threshold: 2}", r"^c\.yaml:9:55: threshold must be a number, from 0 to 1"),
    ("no threshold", "{kind: rates, rates: [0.30, 0.35, 0.40]}", "{kind: confidences, path: c.yaml}", r"^c\.yaml:9:10: exits of kind confidences needs one of 'threshold', 'thresholds'"),
    ("no file of confidences", "{kind: rates, rates: [0.30, 0.35, 0.40]}", "{kind: confidences, path: c.csv, threshold: 0.5}", r"^c\.yaml:9:36: no file '/.*/c\.csv'"),
    ("an empty path", "{kind: rates, rates: [0.30, 0.35, 0.40]}", "{kind: confidences, path: '', threshold: 0.5}", r"^c\.yaml:9:36: a path must not be empty"),
    ("a folder for a file", "{kind: rates, rates: [0.30, 0.35, 0.40]}", "{kind: confidences, path: ., threshold: 0.5}", r"^c\.yaml:9:36: '/.*' is a folder, not a file"),
    ("a zero byte in a path", "network: ee_resnet50", 'network: "./a\\0.yaml"', r"^c\.yaml:4:10: a path can't have a zero byte"),
    ("a name beyond what the system takes", "network: ee_resnet50", "network: ./%s.yaml" % ("n" * 300), r"^c\.yaml:4:10: the file '.*' can't be read: File name too long"),
    ("a device for a file", "network: ee_resnet50", "network: /dev/zero", r"^/dev/zero: is a pipe or a device"),
    ("no devices", "arrivals: {kind: poisson, rho: 0.8}", "devices: [{count: 0, arrivals: {kind: poisson, rho: 0.8}}]", r"^c\.yaml:8:21: count must be a whole number from 1"),
    ("two groups of devices with one label", "arrivals: {kind: poisson, rho: 0.8}", "devices: [{label: a, arrivals: {kind: poisson, rho: 0.4}}, {label: a, arrivals: {kind: poisson, rho: 0.4}}]", r"^c\.yaml:8:70: two groups of devices are labelled 'a'"),
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
    ("no file", None, r"^c\.yaml:8:33: no file '/.*/no_trace\.csv'"),
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

NETWORK = """\
input: [3, 32, 32]
layers:
  - {name: a, kind: conv, out_channels: 8, kernel: 3}
  - {name: b, kind: conv, out_channels: 8, kernel: 3}
exits:
  - {name: e, after: a, head: [{name: e_a, kind: dense, out_channels: 10}]}
"""

# name, text of the network to replace, its replacement, what the message must match
NETWORKS = [
    ("an exit without a classifier", "head: [{name: e_a, kind: dense, out_channels: 10}]", "head: []", r"net\.yaml:6:31: the head of an exit needs at least one layer"),
    ("an exit after the last layer", "after: a", "after: b", r"net\.yaml:6:5: nothing runs between exit 'final'"),
    ("a base with exits", re.compile(r"input.*exits", re.S), "base: ee_resnet50\nexits", r"net\.yaml:1:7: the base 'ee_resnet50' has a base of its own: build on its own base, 'resnet50'"),
    ("an empty base", re.compile(r"input.*exits", re.S), "base: ''\nexits", r"net\.yaml:1:7: unknown name ''"),
    ("an input beyond counting", "[3, 32, 32]", "[1048576, 32768, 32768]", r"net\.yaml:1:8: a shape of more than 2\^40 words"),
    ("multiply-accumulates beyond counting", "[3, 32, 32]\nlayers:\n  - {name: a, kind: conv, out_channels: 8, kernel: 3}", "[256, 65536, 65536]\nlayers:\n  - {name: a, kind: conv, out_channels: 64, kernel: 16, padding: 7}", r"net\.yaml:3:5: layer 'a' has more than 2\^45 multiply-accumulates"),
    ("a name with a line break", "name: a,", 'name: "a\\nb",', r"net\.yaml:3:12: name must not have control characters, found 'a\\x0ab'"),
    ("an exit's name with an escape", "name: e,", 'name: "e\\e[2J",', r"net\.yaml:6:12: name must not have control characters"),
]

SITE = """\
requests: 200
services:
  - {name: faces, network: ee_resnet18, slo: {latency_ms: 5}, exits: {kind: rates, rates: [0.3, 0.35, 0.4]}}
  - {name: plates, network: mobilenet_v2}
workload:
  devices:
    - {service: faces, arrivals: {kind: poisson, rho: 0.2}}
    - {service: plates, arrivals: {kind: poisson, rho: 0.2}}
systems:
  - {label: s, policy: {name: serial}, arbiter: {name: priority}, npus: [{count: 2}, {npu: zu7ev_small}], router: {name: random}}
"""

# name, what is replaced in SITE, by what, what the message must match
SITES = [
    ("no services", "    - {service: plates", "    - {service: plate",
     r"^c\.yaml:8:17: unknown service 'plate' \(did you mean 'plates'\?\)"),
    ("a group of none", "    - {service: plates, ", "    - {", r"^c\.yaml:8:7: a group of devices needs the key 'service': one of 'faces', 'plates'"),
    ("nobody sends", "    - {service: plates, ", "    - {service: faces, ", r"^c\.yaml:7:5: no group of devices sends for service 'plates'"),
    ("arrivals", re.compile(r"  devices:\n.*\n.*\n"), "  arrivals: {kind: poisson, rho: 1}\n",
     r"^c\.yaml:6:13: several services need 'devices'"),
    ("a network too", "requests: 200", "network: resnet50", r"^c\.yaml:1:10: each of 'services' has network of its own"),
    ("an SLO too", "requests: 200", "slo: {latency_ms: 1}", r"^c\.yaml:1:6: each of 'services' has slo of its own"),
    ("exits too", "workload:", "workload:\n  exits: {kind: none}", r"^c\.yaml:6:10: each of 'services' has exits of its own"),
    ("an empty list", re.compile(r"services:\n.*\n.*\n"), "services: []\n", r"^c\.yaml:2:11: services needs at least one entry"),
    ("too many", re.compile(r"services:\n.*\n.*\n"),
     "services:\n" + "".join("  - {name: s%d, network: resnet18}\n" % i for i in range(257)),
     r"^c\.yaml:3:3: there must not be more than 256 services, found 257"),
    ("the same name", "name: plates", "name: faces", r"^c\.yaml:4:12: two services are called 'faces'"),
    ("a bad name", "name: plates", "name: a.b", r"^c\.yaml:4:12: a name of a service is a label"),
    ("no name", "name: plates, ", "", r"^c\.yaml:4:5: a service needs the key 'name'"),
    ("no network", ", network: mobilenet_v2", "", r"^c\.yaml:4:5: a service needs the key 'network'"),
    ("an unknown key", ", network: mobilenet_v2", ", network: mobilenet_v2, wieght: 2", r"^c\.yaml:4:43: unknown key 'wieght' \(did you mean 'weight'"),
    ("a priority", ", network: mobilenet_v2", ", network: mobilenet_v2, priority: 1001", r"priority must be a whole number from -1000 to 1000"),
    ("a weight", ", network: mobilenet_v2", ", network: mobilenet_v2, weight: 0", r"weight must be a number"),
    ("exits of another network", ", network: mobilenet_v2", ", network: mobilenet_v2, exits: {kind: rates, rates: [0.5]}",
     r"^c\.yaml:4:71: rates needs one number for each early exit; the network has 0"),
    ("an arbiter", "name: priority", "name: priorities", r"^c\.yaml:10:\d+: unknown arbiter name 'priorities' \(did you mean 'priority'"),
    ("an arbiter without an order", "{name: priority}", "{name: fair_share, preemptive: true}",
     r"^c\.yaml:10:\d+: the order of arbiter fair_share does not say who may push a batch off the NPU.*'earliest_deadline'"),
    ("a router", "name: random", "name: rnadom", r"unknown router name 'rnadom' \(did you mean 'random'"),
    ("no NPUs", re.compile(r"npus: \[.*?\]"), "npus: []", r"npus needs at least one entry"),
    ("a thousand NPUs", "count: 2", "count: 1024", r"^c\.yaml:10:\d+: a system must not have more than 1024 NPUs, found 1025"),
    ("an NPU too", "npus: ", "npu: zu7ev_large, npus: ", r"a system takes only one of 'npu', 'npus'"),
    ("a mode too", "npus: ", "npu_mode: p, npus: ", r"a system takes only one of 'npu_mode', 'npus'"),
    ("deadlines out of order", re.compile(r"mobilenet_v2((?:.|\n)*)name: serial"), r"mobilenet_v2, slo: {measured: end_to_end}\1name: edf",
     r"^c\.yaml:10:\d+: edf takes the queue to be in order of deadlines"),
    ("a policy that knows the best", "name: serial", "name: optimal",
     r"^c\.yaml:10:\d+: policy optimal: the best decisions are known for one service on one NPU"),
]

# arguments of a call, what the message must match
CALLS = [
    (["run", "none.yaml"], r"^none\.yaml: no such file"),
    (["run", "."], r"^\.: is a folder"),
    (["run", "c.yaml", "--set", "seed"], r"^--set seed: must be KEY=VALUE"),
    (["run", "c.yaml", "--set", "systems.x.npu=zu7ev_large"], r"^--set systems\.x\.npu: the list has no element 'x'"),
    (["run", "c.yaml", "--seed", "one"], r"^--set seed: seed must be a whole number"),
    (["run", "c.yaml", "--seed", ","], r"^--set seed:1:1: one YAML document is allowed"),
    (["run", "c.yaml", "--set", "workload.exits.rates=[0.1], 0.3"], r"^--set workload\.exits\.rates:1:6: one YAML document is allowed"),
    (["run", "c.yaml", "--driver", "fast"], r"--driver"),
    (["run"], r"config is required"),
    (["rnu", "c.yaml"], r"^unknown command 'rnu' \(did you mean 'run'\?\)"),
    (["npu", "tabel"], r"^unknown command 'tabel' \(did you mean 'table'\?\); there are 'list', 'table'"),
    ([], r"a command is required"),
    (["check", "c.yaml", "--set", "slo.latency_ms=-1"], r"^--set slo\.latency_ms: latency_ms must be a number"),
    (["workload", "describe", "c.yaml", "--set", "workload.arrivals.rho=0"], r"^--set workload\.arrivals\.rho: rho must be"),
    (["workload"], r"a command is required"),
    (["run", "c.yaml", "--driver", "bare", "--set",
      "workload.uplink={model: simgrid, sample_bytes: 5, access_point_bandwidth_bytes_per_s: 9}"], r"^--driver: uplink simgrid needs driver simgrid"),
    (["capacity", "c.yaml", "--driver", "bare", "--set",
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

    def test_sites(self):
        for name, old, new, message in SITES:
            self.write("c.yaml", self.edited(SITE, old, new))
            self.refuse(name, ["check", "c.yaml"], message)
        self.write("c.yaml", CONFIG.replace("systems:", "  devices: [{service: a, arrivals: {kind: poisson, rho: 1}}]\nsystems:")
                   .replace("  arrivals: {kind: poisson, rho: 0.8}\n", ""))
        self.refuse("a service without a list", ["check", "c.yaml"], r"there is no list of 'services'")

    def test_sites_where_none_are_known(self):
        self.write("c.yaml", SITE)
        one = re.sub(r"  - .name: plates.*\n|    - .service: plates.*\n", "", SITE)
        self.write("one.yaml", one)
        for name, arguments, message in [
                ("optimum", ["optimum", "c.yaml"], r"^c\.yaml:7:5: an optimum is known for one service only"),
                ("optimum of NPUs", ["optimum", "one.yaml"], r"^one\.yaml:8:\d+: an optimum is known for one NPU only"),
        ]:
            self.refuse(name, arguments, message)

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

    def test_networks(self):
        self.write("c.yaml", CONFIG.replace("network: ee_resnet50", "network: net.yaml"))
        for name, old, new, message in NETWORKS:
            self.write("net.yaml", self.edited(NETWORK, old, new))
            self.refuse(name, ["run", "c.yaml", "--out", "out"], message)
            self.refuse(name + " (show)", ["network", "show", "net.yaml"], message)

    def test_a_hundred_thousand_layers(self):
        layers = "".join("  - {name: l%d, kind: conv, out_channels: 3, kernel: 1}\n" % i for i in range(100_000))
        self.write("net.yaml", "input: [3, 8, 8]\nlayers:\n" + layers)
        begin = time.monotonic()
        self.assertEqual(self.succeed("network", "show", "net.yaml", "--csv").stdout.count("\n"), 100_001)
        self.assertLess(time.monotonic() - begin, 25, "36 s where each layer looks through those before it")

    def test_paths_are_what_the_system_says(self):
        (self.folder / "far/deep").mkdir(parents=True)
        (self.folder / "lnk").symlink_to("far/deep")
        (self.folder / "loop.yaml").symlink_to("loop.yaml")
        self.write("far/net.yaml", NETWORK)
        self.write("net.yaml", "broken")
        self.assertIn("exits: 0 e", self.succeed("network", "show", "lnk/../net.yaml").stdout)
        self.succeed("network", "show", "lnk/../../lnk/.././net.yaml")
        self.refuse("a folder that is missing", ["network", "show", "none/../net.yaml"], r"no file '.*/none/\.\./net\.yaml'")
        self.refuse("a loop of links", ["network", "show", "./loop.yaml"], r"can't be read: Too many levels of symbolic links")
        self.refuse("a loop of links", ["run", "loop.yaml"], r"^loop\.yaml: can't be read: Too many levels")

    @unittest.skipIf(os.geteuid() == 0 and not shutil.which("setpriv"), "root may read everything")
    def test_forbidden_files(self):
        self.folder.chmod(0o755)
        self.write("c.yaml", CONFIG.replace("network: ee_resnet50", "network: closed/net.yaml"))
        (self.folder / "closed").mkdir()
        self.write("closed/net.yaml", NETWORK)
        self.write("secret.yaml", CONFIG)
        (self.folder / "secret.yaml").chmod(0)
        (self.folder / "closed").chmod(0)
        user = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        for arguments, message in ((["check", "c.yaml"], r"^c\.yaml:4:10: the file '.*' can't be read: Permission denied"),
                                   (["check", "secret.yaml"], r"^secret\.yaml: can't be read: Permission denied")):
            program, *before = [*user, PROGRAM]
            result = self.call(*before, *arguments, program=program)
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertRegex(result.stderr, message)
        (self.folder / "closed").chmod(0o755)

    def test_a_missing_shipped_folder(self):
        (self.folder / "bin").mkdir()
        program = shutil.copy(PROGRAM, self.folder / "bin")
        for arguments in (["network", "list"], ["check", "c.yaml"]):
            self.write("c.yaml", CONFIG)
            result = self.call(*arguments, program=program)
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertRegex(result.stderr, r"share/fluidbatch: the folder with the shipped networks and NPUs is missing; reinstall")
        (self.folder / "share/fluidbatch").mkdir(parents=True)
        result = self.call("network", "list", program=program)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertRegex(result.stderr, r"the shipped networks can't be read: No such file or directory; reinstall")

    def test_values_that_no_npu_has(self):
        """A warning, since a study may want them: the run goes on, and its output is the same."""
        self.write("c.yaml", CONFIG.replace("npu: zu7ev_large", "npu: npu.yaml"))
        for old, new, warning in (("200.0e+6", "480", r"^warning: c\.yaml:6:18: NPU 'npu': clock_hz is 480; NPUs have from 1e\+06 to 1e\+10 \(480 MHz is 4\.8e\+08\)$"),
                                  ("12.8e+9", "12.8", r"^warning: c\.yaml:6:18: NPU 'npu': bandwidth_bytes_per_s is 12\.8; NPUs have from 1e\+06 to 1e\+17 \(12\.8 GB/s is 1\.28e\+10\)$")):
            self.write("npu.yaml", self.edited(NPU, old, new))
            result = self.succeed("check", "c.yaml")
            self.assertRegex(result.stderr, re.compile(warning, re.M))
            self.assertEqual(result.stderr.count("warning"), 1, "once for each NPU: " + result.stderr)
        self.write("npu.yaml", NPU)
        self.assertEqual(self.succeed("check", "c.yaml").stderr, "")

    def test_latencies_that_no_npu_has(self):
        table = self.succeed("npu", "table", "--network", "ee_resnet50", "--npu", "zu7ev_large", "--max-batch", "8", "--csv").stdout
        self.write("c.yaml", CONFIG.replace("npu: zu7ev_large, npu_mode: r", "npu: {table: t.csv}"))
        self.write("t.csv", table)
        self.assertEqual(self.succeed("check", "c.yaml").stderr, "")
        rows = [row.split(",") for row in table.splitlines()]
        latency = rows[0].index("latency_s")
        rows[9][latency] = "200"
        self.write("t.csv", "".join(",".join(row) + "\n" for row in rows))
        self.assertRegex(self.succeed("check", "c.yaml").stderr,
                         r"^warning: c\.yaml:\d+:\d+: table 't\.csv': latency_s of layer '.*' at batch \d is 200; a layer takes up to 100 on an NPU$")

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
