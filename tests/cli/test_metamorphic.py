#!/usr/bin/python3
"""Runs that must give the same results, or results changed by a known factor: time shifted, time scaled by a power of two
(which is exact), devices renumbered, drivers exchanged."""

import csv
import json
import random
import sys
import unittest
from decimal import Decimal, localcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import ROOT, CommandLineTest  # noqa: E402

REQUESTS = 600
DEVICES = 5
MAX_BATCH = 4
LAYERS = ["conv1", "early_fc", "conv2", "fc"]
# All times are whole numbers of ticks; a tick is 2^-20 s, or another power of two.
SLO_TICKS, DELAY_TICKS, COST_TICKS = 3 << 13, 1 << 12, 256
POLICIES = ["{name: serial}", "{name: edf}", "{name: clockwork, max_batch: 4}",
            "{name: deferred_batching, max_batch: 4}", "{name: lazy_batching, max_batch: 4}",
            "{name: dynamic_batching, max_batch: 4, max_queue_delay_ms: DELAY_MS}",
            "{name: exit_aware, max_batch: 4}, preemption_cost_s: COST_S",
            "{name: exit_aware, max_batch: 4, preemption_depth: 2, decide_at: layer, trigger: exit_event}"]


def seconds(ticks, exponent):
    """ticks x 2^exponent, in as many decimals as it takes."""
    with localcontext() as context:
        context.prec = 60
        return f"{Decimal(ticks) * Decimal(2) ** exponent:f}"


def factor(name, scale):
    """What a result is multiplied by where all times are multiplied by `scale`."""
    name = name.removesuffix("_ci95")
    return scale if name.endswith("_s") else 1 / scale if name.endswith("_hz") else 1


class Metamorphic(CommandLineTest):
    def setUp(self):
        super().setUp()
        rng = random.Random(14)
        self.latencies = {(layer, batch): 3000 + 700 * batch + 64 * index + rng.randrange(32)
                          for index, layer in enumerate(LAYERS) for batch in range(1, MAX_BATCH + 1)}
        dates = sorted(rng.randrange(REQUESTS * 15000) for _ in range(REQUESTS))
        self.requests = [(date - dates[0], rng.randrange(DEVICES), rng.randrange(2)) for date in dates]
        self.write("network.yaml", (ROOT / "tests/fuzz/fixtures/network.yaml").read_text())

    def run_trace(self, name, *options, exponent=-20, shift_ticks=0, renumber=lambda device: device):
        """requests.csv and summary.json of each policy."""
        self.write("table.csv", "layer,batch,latency_s\n" + "".join(
            f"{layer},{batch},{seconds(ticks, exponent)}\n" for (layer, batch), ticks in self.latencies.items()))
        self.write("trace.csv", "arrival_s,device,exit\n" + "".join(
            f"{seconds(date + shift_ticks, exponent)},{renumber(device)},{exit_}\n"
            for date, device, exit_ in self.requests))
        policies = [policy.replace("DELAY_MS", str(float(seconds(DELAY_TICKS, exponent)) * 1000))
                    .replace("COST_S", seconds(COST_TICKS, exponent)) for policy in POLICIES]
        self.write("run.yaml", f"""\
requests: {REQUESTS}
warmup_requests: 20
network: ./network.yaml
slo: {{latency_ms: {float(seconds(SLO_TICKS, exponent)) * 1000}}}
reference: {{npu: {{table: ./table.csv}}}}
workload:
  arrivals: {{kind: trace, path: ./trace.csv}}
  exits: {{kind: trace}}
systems:
""" + "".join(f"  - {{label: s{i}, policy: {policy}}}\n" for i, policy in enumerate(policies)))
        self.succeed("run", "run.yaml", "--out", name, *options)
        folders = [self.folder / name / f"s{i}" for i in range(len(POLICIES))]
        return ([(folder / "requests.csv").read_text() for folder in folders],
                [json.loads((folder / "summary.json").read_text()) for folder in folders])

    def test_the_trace_is_worth_it(self):
        """Otherwise the other cases would hold of idle systems only."""
        _, summaries = self.run_trace("plain")
        by_policy = [summary["statistics"] for summary in summaries]
        self.assertTrue(all(0.5 < statistics["busy_fraction"] < 1 for statistics in by_policy))
        self.assertTrue(any(statistics["preemptions"] > 10 for statistics in by_policy))
        self.assertTrue(any(0.01 < statistics["slo_violation_rate"] < 0.9 for statistics in by_policy))

    def test_time_shifted(self):
        plain = self.run_trace("plain")
        for ticks in (1, 12345, 1_000_000_000 << 20, 1_700_000_000 << 20):  # the last: seconds since 1970
            with self.subTest(ticks=ticks):
                self.assertEqual(self.run_trace("shifted", shift_ticks=ticks), plain)

    def test_time_scaled(self):
        requests, summaries = self.run_trace("plain")
        for power in (-3, 1, 12):
            scale = 2.0**power
            scaled_requests, scaled_summaries = self.run_trace("scaled", exponent=-20 + power)
            for system in range(len(POLICIES)):
                with self.subTest(power=power, policy=POLICIES[system]):
                    for row, scaled in zip(csv.DictReader(requests[system].splitlines()),
                                           csv.DictReader(scaled_requests[system].splitlines())):
                        for name, value in row.items():
                            if name.endswith("_s") and value:
                                self.assertEqual(float(value) * scale, float(scaled[name]), (name, row))
                            else:
                                self.assertEqual(value, scaled[name], (name, row))
                    for name, value in summaries[system]["statistics"].items():
                        scaled = scaled_summaries[system]["statistics"][name]
                        self.assertEqual(scaled, value if value is None else value * factor(name, scale), name)

    def test_devices_renumbered(self):
        plain_requests, plain_summaries = self.run_trace("plain")
        renumbered = lambda device: (3 * device + 1) % DEVICES  # noqa: E731
        requests, summaries = self.run_trace("renumbered", renumber=renumbered)
        self.assertEqual(summaries, plain_summaries)
        for plain, other in zip(plain_requests, requests):
            for row, changed in zip(csv.DictReader(plain.splitlines()), csv.DictReader(other.splitlines()), strict=True):
                self.assertEqual(changed, row | {"device": str(renumbered(int(row["device"])))})

    def test_drivers(self):
        plain = self.run_trace("plain", "--driver", "simgrid")
        for driver in ("simgrid_window", "bare"):
            with self.subTest(driver=driver):
                self.assertEqual(self.run_trace("other", "--driver", driver), plain)


if __name__ == "__main__":
    unittest.main()
