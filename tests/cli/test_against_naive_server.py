#!/usr/bin/python3
"""All policies against the naive server of naive_server.py: completion dates, request by request."""

import csv
import io
import random
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import naive_server as naive  # noqa: E402
from harness import CommandLineTest  # noqa: E402

NETWORK = """\
input: [8, 12, 12]
layers:
  - {name: a, kind: conv, out_channels: 32, kernel: 3, padding: 1}
  - {name: b, kind: conv, out_channels: 48, kernel: 3, padding: 1}
  - {name: c, kind: conv, out_channels: 96, kernel: 3, stride: 2, padding: 1}
  - {name: d, kind: conv, out_channels: 96, kernel: 3, padding: 1}
  - {name: e, kind: conv, out_channels: 128, kernel: 3, stride: 2, padding: 1}
  - {name: f, kind: dense, out_channels: 100}
exits:
  - {name: one, after: b, head: [{name: h1, kind: dense, out_channels: 10}]}
  - {name: two, after: d, head: [{name: h2, kind: conv, out_channels: 16, kernel: 3}, {name: h3, kind: dense, out_channels: 10}]}
"""
RUNS = 60


class AgainstNaiveServer(CommandLineTest):
    def rows(self, text):
        return list(csv.DictReader(io.StringIO(text)))

    def workload(self, rng, latency):
        """Arrivals with bursts of equal dates, and exits."""
        rho, now, lines = rng.choice((0.3, 0.9, 1.4, 2.5)), 0.0, ["arrival_s,exit"]
        while len(lines) < 120:
            now += rng.expovariate(rho / latency)
            for _ in range(rng.choice((1, 1, 1, 2, 5))):
                lines.append(f"{now!r},{rng.choices((0, 1, 2), (rng.choice((0, 3, 5)), 3, 3))[0]}")
        return "\n".join(lines) + "\n"

    def policy(self, rng, slo, rates):
        """A random policy: its YAML, and the naive one."""
        b = rng.choice((1, 2, 4, 8))
        kind = rng.choice(("serial", "dynamic", "lazy", "lazy", "exit", "exit", "exit", "exit"))
        if kind == "serial":
            return "{name: serial}", naive.serial()
        if kind == "dynamic":
            delay = rng.choice((0, 1, 20))
            return f"{{name: dynamic_batching, max_batch: {b}, max_queue_delay_ms: {delay}}}", \
                naive.dynamic_batching(b, delay / 1000)
        if kind == "lazy":
            factor = rng.choice((0.001, 0.5, 1.0, 1.0, 2.0, 20.0))
            return f"{{name: lazy_batching, max_batch: {b}, slack_factor: {factor}}}", naive.lazy_batching(b, slo, factor)
        trigger = rng.choice(("exit_boundary", "exit_boundary", "exit_event"))
        slack = rng.choice(("expected", "worst_case"))
        knowledge = rng.choice(("rates", "oracle", "none"))
        depth, cost = rng.choice((1, 1, 3)), rng.choice((0.0, 0.0005))
        text = (f"{{name: exit_aware, max_batch: {b}, trigger: {trigger}, slack_estimate: {slack}, "
                f"exit_knowledge: {knowledge}, preemption_depth: {depth}}}, preemption_cost_s: {cost}")
        return text, naive.exit_aware(b, slo, rates, trigger, slack, knowledge, depth, cost)

    def test_completion_dates(self):
        rng = random.Random(2024)
        self.write("n.yaml", NETWORK)
        layers = self.rows(self.succeed("network", "show", "n.yaml", "--csv").stdout)
        networks = {}
        for mode in ("r", "fluid_stacked"):
            text = self.succeed("npu", "table", "--network", "n.yaml", "--npu", "zu7ev_large", "--max-batch", "8",
                                "--mode", mode, "--csv").stdout
            networks[mode] = naive.Network(self.rows(text), layers)
        preemptions = 0
        for run in range(RUNS):
            mode = rng.choice(tuple(networks))
            network = networks[mode]
            latency = network.remaining(0)
            slo = latency * rng.choice((0, 1.2, 3, 10))
            self.write("t.csv", self.workload(rng, latency))
            trace = self.rows((self.folder / "t.csv").read_text())
            arrivals, exits = [float(r["arrival_s"]) for r in trace], [int(r["exit"]) for r in trace]
            reach, rates = len(exits), []
            for e in (0, 1):
                rates.append(exits.count(e) / reach if reach else 0)
                reach -= exits.count(e)
            text, policy = self.policy(rng, slo, rates)
            self.write("c.yaml", f"network: n.yaml\nslo: {{latency_ms: {slo * 1000!r}}}\nworkload: {{arrivals: {{kind: trace, "
                       f"path: t.csv, origin: 0}}, exits: {{kind: trace}}}}\nsystems: [{{label: x, policy: {text}, npu_mode: {mode}}}]\n")
            self.succeed("run", "c.yaml", "--out", "out")
            got = [float(r["completion_s"]) for r in self.rows((self.folder / "out/x/requests.csv").read_text())]
            want = naive.serve(network, policy, arrivals, exits)
            self.assertEqual(len(got), len(want))
            for i, (g, w) in enumerate(zip(got, want)):
                self.assertAlmostEqual(g, w, delta=1e-9, msg=f"run {run}, request {i}: {text}, SLO {slo}, {mode}")
            preemptions += sum(float(r["suspended_s"]) > 0 for r in
                               self.rows((self.folder / "out/x/requests.csv").read_text()))
        self.assertGreater(preemptions, 100, "the runs hardly preempt: they test too little")


if __name__ == "__main__":
    unittest.main()
