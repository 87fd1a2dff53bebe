"""What the tests of sites share: a site of three services under four systems, and what a run of it has written."""

import csv
import io
import json

from harness import CommandLineTest

SITE = """\
seed: 3
requests: 1500
warmup_requests: 0
reference: {npu: zu7ev_large, npu_mode: r}
services:
  - {name: faces, network: ee_resnet18, slo: {latency_ms: 30}, priority: 2, exits: {kind: rates, rates: [0.30, 0.35, 0.40]}}
  - {name: plates, network: ee_resnet50, slo: {unloaded_multiple: 2}, exits: {kind: rates, rates: [0.3, 0.3, 0.4]}}
  - {name: other, network: resnet18, slo: {latency_ms: 40}}
workload:
  devices:
    - {service: faces, label: door, count: 3, arrivals: {kind: poisson, rho: 0.2}}
    - {service: plates, label: gate, count: 2, arrivals: {kind: mmpp, states: [{rho: 0.1, mean_duration_s: 2}, {rho: 0.5, mean_duration_s: 1}]}}
    - {service: other, label: yard, arrivals: {kind: periodic, period_ms: 80}}
outputs: {bounds: false}
systems:
  - {label: one, policy: {name: exit_aware, max_batch: 4}, npu: zu7ev_large, npu_mode: fluid_stacked, arbiter: {name: priority, preemptive: true}}
  - label: two
    policy: {name: dynamic_batching, max_batch: 4}
    npus: [{npu: zu7ev_large, npu_mode: r}, {npu: zu7ev_small, npu_mode: r}]
    router: {name: least_work}
    arbiter: {name: earliest_deadline, preemptive: true}
  - {label: hopeless, policy: {name: serial}, drop: hopeless, npu: zu7ev_large, npu_mode: r, arbiter: {name: earliest_deadline}}
  - {label: serial, policy: {name: serial}, npus: [{npu: zu7ev_large, npu_mode: r, count: 2}], router: {name: earliest_finish}}
"""
NETWORKS = {"faces": "ee_resnet18", "plates": "ee_resnet50", "other": "resnet18"}
NPUS = {"one": ["zu7ev_large"], "two": ["zu7ev_large", "zu7ev_small"], "hopeless": ["zu7ev_large"], "serial": ["zu7ev_large"] * 2}
MODES = {"one": "fluid_stacked", "two": "r", "hopeless": "r", "serial": "r"}


class SiteTest(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.write("site.yaml", SITE)

    def run_site(self, *arguments):
        return self.succeed("run", "site.yaml", "--out", "out", *arguments).stdout

    def rows(self, system, out="out"):
        with open(self.folder / out / system / "requests.csv", newline="") as file:
            return list(csv.DictReader(file))

    def summary(self, system, out="out"):
        return json.loads((self.folder / out / system / "summary.json").read_text())

    def table_of(self, *command):
        return list(csv.DictReader(io.StringIO(self.succeed(*command, "--csv").stdout)))

    def alone_s(self, network, npu, mode):
        """Latency of a single sample by its exit, the layers added up."""
        segments = {row["layer"]: int(row["segment"]) for row in self.table_of("network", "show", network)}
        latencies = self.table_of("npu", "table", "--network", network, "--npu", npu, "--mode", mode, "--max-batch", "1")
        return [sum(float(row["latency_s"]) for row in latencies if segments[row["layer"]] <= exit)
                for exit in range(max(segments.values()) + 1)]
