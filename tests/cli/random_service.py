"""What random_site.py makes sites of: networks, services with their traces, policies."""

import csv
import io

import naive_server as naive
import naive_site

FIRST = """\
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
SECOND = """\
input: [4, 16, 16]
layers:
  - {name: a, kind: conv, out_channels: 24, kernel: 3, padding: 1}
  - {name: b, kind: conv, out_channels: 40, kernel: 3, stride: 2, padding: 1}
  - {name: c, kind: conv, out_channels: 64, kernel: 3, padding: 1}
  - {name: d, kind: dense, out_channels: 20}
exits:
  - {name: one, after: b, head: [{name: h1, kind: dense, out_channels: 20}]}
"""
NETWORKS = {"first.yaml": FIRST, "second.yaml": SECOND}
NPUS = ("zu7ev_large", "zu7ev_small", "zu7ev_buffered")
MODES = ("r", "fluid", "fluid_stacked")
MAX_BATCH = 8


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def read_networks(test):
    """The networks on each NPU in each mode, with the program's latencies: by (network, NPU, mode)."""
    networks = {}
    for name, text in NETWORKS.items():
        test.write(name, text)
        layers = rows(test.succeed("network", "show", name, "--csv").stdout)
        for npu in NPUS:
            for mode in MODES:
                table = test.succeed("npu", "table", "--network", name, "--npu", npu, "--max-batch", MAX_BATCH, "--mode", mode, "--csv")
                networks[name, npu, mode] = naive.Network(rows(table.stdout), layers)
    return networks


class Confidences:
    """A file of confidences with ties, thresholds, and an adaptive control of exits or None."""

    def __init__(self, rng, exits):
        digits = rng.choice((1, 2, 4))
        self.confidence = [[round(rng.random(), digits) for _ in range(exits)] for _ in range(rng.randint(41, 200))]
        self.correct = [[int(rng.random() < 0.3 + 0.7 * c) for c in row] for row in self.confidence]
        self.thresholds = [rng.choice((0.5, 0.8, 1.0, round(rng.random(), 2))) for _ in range(exits - 1)]
        self.nominal = naive.nominal_exits(self.confidence, self.thresholds)
        self.control = None
        if rng.random() < 0.7:
            self.control = {"queue_gain": rng.choice((0, 0.02, 0.5)), "floor": rng.choice((0, 0.3)),
                            "deadline": rng.choice((True, False)), "step": rng.choice((0.1, 0.5)), "window": rng.choice((1, 17))}
            if rng.random() < 0.5:
                self.control["accuracy_target"] = round(rng.uniform(0.5, 0.99), 3)

    def csv(self):
        exits = range(len(self.confidence[0]))
        lines = ["sample," + ",".join(f"conf_{e},correct_{e}" for e in exits)]
        for i, (row, right) in enumerate(zip(self.confidence, self.correct)):
            lines.append(f"{i}," + ",".join(f"{row[e]!r},{right[e]}" for e in exits))
        return "\n".join(lines) + "\n"

    def control_yaml(self):
        words = ", ".join(f"{key}: {str(value).lower()}" for key, value in self.control.items()) if self.control else ""
        return f", exit_control: {{kind: adaptive, {words}}}" if words else ""

    def naive_control(self, samples, slo):
        """`samples[i]` is the row of request i."""
        if self.control is None:
            return None
        return naive.AdaptiveControl(self.thresholds, self.confidence, self.correct, samples, slo, **self.control)


class RandomService:
    """A service, with the trace of its requests: `sent` is a list of (date, exit), in order of arrival.

    `kind` says where its exits come from: a `list` is in a file of its own, those of a `trace` come with the dates.
    """

    def __init__(self, rng, name, network, model, gap_s, digits, requests):
        self.name, self.network, self.segments = name, network, model.segments
        self.slo_ms = round(1000 * model.remaining(0) * rng.choice((0, 1.5, 3, 10, 10, 30)), digits - 3)
        self.slo, self.is_end_to_end = self.slo_ms / 1000, False
        self.priority, self.weight = rng.choice((0, 1, 2, -1)), rng.choice((1, 1, 2, 0.5))
        self.kind = rng.choice(("none", "trace", "trace", "list", "confidences"))
        self.confidences = Confidences(rng, model.segments) if self.kind == "confidences" else None
        self.groups = 1 if self.kind == "trace" else rng.choice((1, 2))
        self.sent, now, weights = [], 0.0, [rng.choice((1, 1, 3)) for _ in range(model.segments)]
        while len(self.sent) < requests:
            now = round(now + rng.expovariate(1 / gap_s), digits)
            for _ in range(rng.choice((1, 1, 1, 2, 5))):
                self.sent.append((now, rng.choices(range(model.segments), weights)[0]))

    def exit_of(self, e, sample):
        """Of a request that was sent with this exit, and is this row of the confidences."""
        if self.confidences:
            return self.confidences.nominal[sample]
        return self.segments - 1 if self.kind == "none" else e

    def rates(self):
        exits = self.confidences.nominal if self.confidences else [self.exit_of(e, None) for _, e in self.sent]
        return naive.conditional_rates(exits, self.segments - 1)

    def slo_yaml(self):
        return f"{{latency_ms: {self.slo_ms}{', measured: end_to_end' if self.is_end_to_end else ''}}}"

    def exits(self):
        if self.kind == "list":
            return f"{{kind: trace, path: {self.name}.csv}}"
        if self.confidences:
            return f"{{kind: confidences, path: {self.name}.csv, thresholds: {self.confidences.thresholds}}}"
        return f"{{kind: {self.kind}}}"

    def control(self):
        return self.confidences.control_yaml() if self.confidences else ""

    def yaml(self):
        return (f"{{name: {self.name}, network: {self.network}, slo: {self.slo_yaml()}, priority: {self.priority}, "
                f"weight: {self.weight}, exits: {self.exits()}{self.control()}}}")


def random_policy(rng):
    """Its YAML, its max_batch, and what makes the naive one of a service: a function of (SLO, rates)."""
    b = rng.choice((1, 2, 4, 8))
    kind = rng.choice(("serial", "edf", "dynamic", "deferred", "clockwork", "lazy", "lazy", "exit", "exit", "exit"))
    if kind in ("serial", "edf"):
        return f"{{name: {kind}}}", 1, lambda slo, rates: naive.serial()
    if kind == "dynamic":
        delay = rng.choice((0, 0, 0.5, 3))
        text = f"{{name: dynamic_batching, max_batch: {b}, max_queue_delay_ms: {delay}}}"
        return text, b, lambda slo, rates: naive_site.dynamic_batching(b, delay / 1000)
    if kind == "deferred":
        return f"{{name: deferred_batching, max_batch: {b}}}", b, lambda slo, rates: naive_site.deferred_batching(b, slo)
    if kind == "clockwork":
        return f"{{name: clockwork, max_batch: {b}}}", b, lambda slo, rates: naive_site.clockwork(b, slo)
    if kind == "lazy":
        factor = rng.choice((0.5, 1.0, 1.0, 20.0))
        text = f"{{name: lazy_batching, max_batch: {b}, slack_factor: {factor}}}"
        return text, b, lambda slo, rates: naive.lazy_batching(b, slo, factor)
    trigger = rng.choice(("exit_boundary", "exit_boundary", "exit_event"))
    slack, knowledge, depth = rng.choice(("expected", "worst_case")), rng.choice(("rates", "oracle", "none")), rng.choice((1, 1, 3))
    text = (f"{{name: exit_aware, max_batch: {b}, trigger: {trigger}, slack_estimate: {slack}, exit_knowledge: {knowledge}, "
            f"preemption_depth: {depth}}}")
    return text, b, lambda slo, rates: naive.exit_aware(b, slo, rates, trigger, slack, knowledge, depth)
