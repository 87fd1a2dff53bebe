#!/usr/bin/python3
"""All policies and the control of exits against the naive server of naive_server.py, request by request."""

import csv
import io
import random
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import naive_server as naive  # noqa: E402
from harness import CommandLineTest  # noqa: E402
from random_service import FIRST  # noqa: E402

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

    def networks(self):
        """The network in two modes, with the program's latencies."""
        self.write("n.yaml", FIRST)
        layers = self.rows(self.succeed("network", "show", "n.yaml", "--csv").stdout)
        networks = {}
        for mode in ("r", "fluid_stacked"):
            text = self.succeed("npu", "table", "--network", "n.yaml", "--npu", "zu7ev_large", "--max-batch", "8",
                                "--mode", mode, "--csv").stdout
            networks[mode] = naive.Network(self.rows(text), layers)
        return networks

    def test_completion_dates(self):
        rng = random.Random(2024)
        networks = self.networks()
        preemptions = 0
        for run in range(RUNS):
            mode = rng.choice(tuple(networks))
            network = networks[mode]
            latency = network.remaining(0)
            slo = latency * rng.choice((0, 1.2, 3, 10))
            self.write("t.csv", self.workload(rng, latency))
            trace = self.rows((self.folder / "t.csv").read_text())
            arrivals, exits = [float(r["arrival_s"]) for r in trace], [int(r["exit"]) for r in trace]
            text, policy = self.policy(rng, slo, naive.conditional_rates(exits, 2))
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

    def confidences(self, rng):
        """A file of confidences, with ties: the confidences and the correctness of its rows."""
        digits, confidence, correct = rng.choice((1, 2, 4)), [], []
        for _ in range(rng.randint(41, 400)):
            ease = rng.random()
            row = [min(1.0, max(0.0, round(ease + 0.2 * e + rng.gauss(0, 0.3), digits))) for e in range(3)]
            confidence.append(row)
            correct.append([int(rng.random() < 0.3 + 0.7 * c) for c in row])
        lines = ["sample,label," + ",".join(f"conf_{e},correct_{e}" for e in range(3))]
        for i, (row, right) in enumerate(zip(confidence, correct)):
            lines.append(f"{i},{i % 10}," + ",".join(f"{c!r},{r}" for c, r in zip(row, right)))
        self.write("c.csv", "\n".join(lines) + "\n")
        return confidence, correct

    def thresholds(self, rng):
        """Random thresholds: their YAML, and their values."""
        one, two = (rng.choice((0.0, 0.5, 0.8, 1.0, round(rng.random(), 2), rng.random())) for _ in range(2))
        return rng.choice(((f"threshold: {one!r}", [one, one]), (f"thresholds: [{one!r}, {two!r}]", [one, two])))

    def control(self, rng):
        """Random parameters of the control; those that are left out have their defaults."""
        parameters = {"queue_gain": rng.choice((0, 0.01, 0.06, 0.5, 1000)), "floor": rng.choice((0, 0.3, 1)),
                      "deadline": rng.choice((True, False)), "step": rng.choice((0.1, 0.5, 5)),
                      "window": rng.choice((1, 3, 17, 256))}
        parameters = {key: value for key, value in parameters.items() if rng.random() < 0.9}
        if rng.random() < 0.7:
            parameters["accuracy_target"] = rng.uniform(0.5, 0.99)
        return parameters

    def configuration(self, seed, slo, thresholds, systems):
        self.write("c.yaml", f"seed: {seed}\nnetwork: n.yaml\nslo: {{latency_ms: {slo * 1000!r}}}\nworkload: {{arrivals: {{kind: trace, "
                   f"path: t.csv, origin: 0}}, exits: {{kind: confidences, path: c.csv, {thresholds}}}}}\nsystems:\n"
                   + "".join(f"  - {{label: {label}, {keys}}}\n" for label, keys in systems.items()))

    def arrivals(self, rng, latency):
        """Dates of a trace that has nothing else."""
        rows = self.rows(self.workload(rng, latency)) if rng.random() < 0.5 else []
        now = float(rows[-1]["arrival_s"]) if rows else 0.0
        dates = [float(row["arrival_s"]) for row in rows]
        rho = rng.choice((0.3, 0.9, 1.4, 2.5))
        while len(dates) < 600:
            now += rng.expovariate(rho / latency)
            dates += [now] * rng.choice((1, 1, 1, 2, 5))
        self.write("t.csv", "arrival_s\n" + "".join(f"{date!r}\n" for date in dates))
        return dates

    def compare(self, got, server, correct, message):
        """The program's rows against the naive server's; of dropped requests only that they are the same."""
        self.assertEqual(len(got), len(server.taken), message)
        for i, row in enumerate(got):
            where = f"{message}, request {i}"
            self.assertEqual(row["completion_s"] == "", server.dropped[i] is not None, where)
            if server.dropped[i] is None:
                self.assertAlmostEqual(float(row["completion_s"]), server.completion[i], delta=1e-9, msg=where)
                self.assertEqual(int(row["exit"]), server.taken[i], where)
                self.assertEqual(int(row["correct"]), correct[int(row["sample"])][server.taken[i]], where)

    def check_samples(self, samples, file_rows, has_target):
        """Odd rows serve where even ones calibrate, all where nothing does."""
        self.assertLess(max(samples), file_rows)
        self.assertEqual({sample % 2 for sample in samples}, {1} if has_target else {0, 1})
        possible = file_rows // 2 if has_target else file_rows
        self.assertGreater(len(set(samples)), 0.5 * possible, "600 draws leave more than half of the rows out")

    def test_adaptive_exits(self):
        rng = random.Random(17)
        networks = self.networks()
        seen = dict.fromkeys(("forced", "windows", "preempted", "earlier", "later", "dropped"), 0)
        for run in range(RUNS):
            mode = rng.choice(tuple(networks))
            network = networks[mode]
            slo = network.remaining(0) * rng.choice((0, 1.2, 3, 10))
            dates = self.arrivals(rng, network.remaining(0))
            confidence, correct = self.confidences(rng)
            (text, thresholds), parameters = self.thresholds(rng), self.control(rng)
            nominal = naive.nominal_exits(confidence, thresholds)
            policy_text, policy = self.policy(rng, slo, naive.conditional_rates(nominal, 2))
            drops = rng.random() < 0.25
            words = ", ".join(f"{key}: {str(value).lower()}" for key, value in {"kind": "adaptive", **parameters}.items())
            keys = f"policy: {policy_text}, npu_mode: {mode}, exit_control: {{{words}}}" + (", drop: hopeless" if drops else "")
            self.configuration(run, slo, text, {"x": keys})
            self.succeed("run", "c.yaml", "--out", "out")
            got = self.rows((self.folder / "out/x/requests.csv").read_text())
            self.assertEqual(list(got[0])[-1], "sample")
            sample = [int(row["sample"]) for row in got]
            self.check_samples(sample, len(confidence), "accuracy_target" in parameters)
            control = naive.AdaptiveControl(thresholds, confidence, correct, sample, slo, **parameters)
            server = naive.Server(network, policy, dates, [nominal[row] for row in sample], control, slo if drops else None)
            server.run()
            self.compare(got, server, correct, f"run {run}: {keys}, {text}, SLO {slo}")
            served = [i for i in range(len(got)) if server.dropped[i] is None]
            seen["forced"] += len(control.forced)
            seen["windows"] += len(control.shifts)
            seen["preempted"] += sum(float(got[i]["suspended_s"]) > 0 for i in served)
            seen["earlier"] += sum(server.taken[i] < server.exit[i] for i in served)
            seen["later"] += sum(server.taken[i] > server.exit[i] for i in served)
            seen["dropped"] += len(got) - len(served)
        for what, count in seen.items():
            self.assertGreater(count, 500, f"{what} hardly occurs: the runs test too little")

    def test_a_control_that_moves_nothing(self):
        """Fixed exits are the default, and an adaptive control without gain, deadline and target is one."""
        rng = random.Random(18)
        networks = self.networks()
        for run in range(12):
            mode = rng.choice(tuple(networks))
            slo = networks[mode].remaining(0) * rng.choice((1.2, 3, 10))
            self.arrivals(rng, networks[mode].remaining(0))
            confidence, _ = self.confidences(rng)
            text, thresholds = self.thresholds(rng)
            policy, _ = self.policy(rng, slo, naive.conditional_rates(naive.nominal_exits(confidence, thresholds), 2))
            keys = f"policy: {policy}, npu_mode: {mode}"
            self.configuration(run, slo, text, {
                "default": keys, "fixed": keys + ", exit_control: {kind: fixed}",
                "still": keys + ", exit_control: {kind: adaptive, queue_gain: 0, deadline: false}"})
            self.succeed("run", "c.yaml", "--out", "out")
            default, fixed, still = ((self.folder / f"out/{label}/requests.csv").read_bytes()
                                     for label in ("default", "fixed", "still"))
            self.assertEqual(default, fixed, f"run {run}: {keys}, {text}")
            self.assertEqual(default, still, f"run {run}: {keys}, {text}")


class NaiveControl(unittest.TestCase):
    """The naive control itself, on cases worked by hand: three segments of one layer each that take 1 s at any batch."""

    def serve(self, policy, arrivals, control):
        network = naive.Network([{"batch": b, "latency_s": 1} for _ in range(3) for b in range(1, 5)],
                                [{"segment": s} for s in range(3)])
        server = naive.Server(network, policy, arrivals, [2] * len(arrivals), control)
        return server, server.run()

    def test_the_queue_at_the_end_of_the_step_lowers_the_threshold(self):
        """Who comes at the very end of the first step does not count there. With one in the queue 0.75 is enough, alone it is not."""
        for second, completion, taken in ((0.5, [1, 2, 4], [0, 0, 1]), (1.0, [2, 3, 5], [1, 0, 1])):
            control = naive.AdaptiveControl([0.875, 0.875], [[0.75, 0.875, 1]], [[1, 1, 1]], [0] * 3, 100, 0.125, deadline=False)
            server, dates = self.serve(naive.serial(), [0, second, 1.0], control)
            self.assertEqual((dates, server.taken), (completion, taken))

    def test_the_deadline_forces_whoever_would_be_late_at_the_next_exit(self):
        """At the first exit, at 1.5 s, the next one is 2.5 s and 2.25 s after they came: the SLO itself is not late."""
        control = naive.AdaptiveControl([1, 1], [[0, 0, 0]], [[0, 0, 0]], [0] * 2, 2.25, 0)
        server, dates = self.serve(naive.dynamic_batching(4, 0.5), [0, 0.25], control)
        self.assertEqual((dates, server.taken, control.forced), ([1.5, 2.5], [0, 1], {0, 1}))

    def test_windows_of_calibrated_departures_shift_the_thresholds(self):
        """Rows 0 and 2 calibrate: 0.25 is never right, 0.75 always; both serving rows are of the upper bin, and the target is 0.5."""
        confidence = [[0.25] * 3, [0.75] * 3, [0.75] * 3, [0.9] * 3]
        correct = [[0] * 3, [0] * 3, [1] * 3, [0] * 3]
        control = naive.AdaptiveControl([0.5, 0.625], confidence, correct, [1, 3, 1], 100, 0, deadline=False,
                                        accuracy_target=0.5, step=0.5, window=2)
        server, _ = self.serve(naive.serial(), [0, 0, 0], control)
        self.assertEqual((server.taken, control.shifts), ([0, 0, 0], [-0.25]))
        for _ in range(7):  # windows of (1, 0), (0, 0), (0, 0), (0, 0): the last one ends at 1 - 0.625
            control.count(0.0)
        self.assertEqual(control.shifts, [-0.25, -0.25, 0, 0.25, 0.375])


if __name__ == "__main__":
    unittest.main()
