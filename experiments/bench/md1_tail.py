"""How long it takes to know a small rate of late answers of M/D/1 to +-20 %: by counting in SimPy, by `tail`."""

import csv
import math
import random
import tempfile
import time
from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simpy

import md1
import measure

LOAD = 0.7
PRECISION = 0.2
SLOS = (8, 12, 20, 28)  # over the service time
BATCHES = 32
T_31 = 2.0395  # 97.5 % quantile of Student's t with 31 degrees of freedom
NORMAL = 1.96  # of the normal distribution
CONFIG = """\
network: ee_resnet50
outputs: {requests_csv: false, bounds: false}
slo: {unloaded_multiple: 8}
workload:
  arrivals: {kind: poisson, rho: %r}
  exits: {kind: rates, rates: [0, 0, 0]}
systems:
  - {policy: {name: serial}, npu: zu7ev_large, npu_mode: r}
"""


@dataclass(frozen=True)
class Estimate:
    rate: float
    half_width: float  # over the rate, 95 %
    requests: float  # of `tail`: events
    seconds: float
    extrapolated: bool = False


@dataclass(frozen=True)
class Crude:
    """What SimPy did: `reached` by SLO, as far as it got, and what the rest is extrapolated from."""

    reached: dict
    seconds_per_request: float
    bursts: float

    def extrapolated(self, rate):
        """Requests for a rate grow as 1 / rate where bursts of late answers stay as long, as they do in M/D/1, whose
        tail is exponential."""
        requests = (NORMAL / PRECISION) ** 2 * self.bursts / rate
        return Estimate(rate, PRECISION, requests, requests * self.seconds_per_request, True)


class SimPyQueue:
    """A source, a store, a server, service times of 1; keeps the latencies."""

    def __init__(self, load, seed):
        self.latencies = array("d")
        self.env = simpy.Environment()
        self._queue = simpy.Store(self.env)
        self._random = random.Random(seed)
        self._load = load
        self.env.process(self._source())
        self.env.process(self._server())

    def _source(self):
        while True:
            yield self.env.timeout(self._random.expovariate(self._load))
            self._queue.put(self.env.now)

    def _server(self):
        while True:
            arrival = yield self._queue.get()
            yield self.env.timeout(1.0)
            self.latencies.append(self.env.now - arrival)
            if len(self.latencies) == self._wanted:
                self._there.succeed()

    def run_to(self, requests):
        """Until so many have been answered, more than before."""
        self._wanted, self._there = requests, self.env.event()
        self.env.run(until=self._there)


def batch_means(late):
    """Rate, and the half-width of its 95 % interval over it, of batches that are long beside a burst; inf where nobody
    is late."""
    means = late[: late.size // BATCHES * BATCHES].reshape(BATCHES, -1).mean(axis=1)
    rate = means.mean()
    return rate, T_31 * means.std(ddof=1) / math.sqrt(BATCHES) / rate if rate > 0 else math.inf


def burst_factor(late, length=5000):
    """Variance over mean of how many are late of `length` requests in a row: by so much more requests does a rate take
    than if they were late one by one."""
    counts = late[: late.size // length * length].reshape(-1, length).sum(axis=1)
    return counts.var(ddof=1) / counts.mean()


def crude(slos, most, first=100_000, load=LOAD, seed=1):
    """Each SLO's estimate when its interval was first narrow enough, looked at after `first` requests and each time
    that there are a quarter more, not beyond `most`. The first of many looks whose interval is narrow enough is more
    likely one where it came out too narrow than one fixed look is: that favours SimPy slightly."""
    queue = SimPyQueue(load, seed)
    found, requests, took_s = {}, first, 0.0
    while requests <= most and len(found) < len(slos):
        begin = time.process_time()
        queue.run_to(requests)
        took_s += time.process_time() - begin
        latencies = np.array(queue.latencies)
        for slo in slos:
            rate, half_width = batch_means(latencies > slo)
            if slo not in found and half_width <= PRECISION:
                found[slo] = Estimate(rate, half_width, requests, took_s)
        requests = requests * 5 // 4
    return Crude(found, took_s / latencies.size, burst_factor(latencies > min(slos)))


def splitting(program, slo):
    """What `tail` says, on one core; its processor time as a whole process."""
    with tempfile.TemporaryDirectory(prefix="fluidbatch-bench-") as folder:
        config = Path(folder) / "md1.yaml"
        config.write_text(CONFIG % LOAD, encoding="ascii")
        command = [program, "tail", str(config), "--precision", str(PRECISION), "--jobs", "1", "--csv",
                   "--set", f"slo={{unloaded_multiple: {slo}}}"]
        text, usage = measure.accounted(command)
    row = next(row for row in csv.DictReader(text.splitlines()) if row["metric"] == "slo_violation_rate")
    rate, high = float(row["value"]), float(row["high"])
    return Estimate(rate, high / rate - 1, float(row["events"]), measure.processor_s(usage))


def compare(program, effort):
    """By SLO: the exact rate, SimPy's estimate (or what it would take), and that of `tail`."""
    counted = crude(SLOS, most=effort.requests(10_000_000, least=400_000))
    results = {}
    for slo in SLOS:
        exact = md1.late_share(LOAD, slo)
        tails = sorted((splitting(program, slo) for _ in range(effort.rounds(3))), key=lambda tail: tail.seconds)
        results[slo] = (exact, counted.reached.get(slo) or counted.extrapolated(exact), tails[len(tails) // 2])
    return results
