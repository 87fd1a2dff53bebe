"""Policies and runs for the tests of what is written in Python."""

import fluidbatch as fb
import numpy as np

QUICK = {"requests": 2000, "warmup_requests": 0, "network": "ee_resnet50", "slo": {"latency_ms": 200},
         "reference": {"npu": "zu7ev_large", "npu_mode": "r"},
         "workload": {"arrivals": {"kind": "poisson", "rho": 1.5},
                      "exits": {"kind": "rates", "rates": [0.3, 0.35, 0.4]}}}


def answers(name, decide, **attributes):
    """Registers a policy whose `decide` is this function of (self, view)."""
    fb.register(name, type("Hand", (fb.Policy,), {"decide": decide, **attributes}))
    return name


def quick(*policies, **keys):
    """`QUICK` with a system for each policy, a map or a whole system, labelled s0, s1, .."""
    npu = {"npu": "zu7ev_large", "npu_mode": "r"}
    systems = [policy if "policy" in policy else {"policy": policy, **npu} for policy in policies]
    return {**QUICK, **keys, "systems": [{"label": f"s{i}", **system} for i, system in enumerate(systems)]}


def rows(results, label):
    """The requests of a system as bytes, NaNs and all: column after column, without what is between fields."""
    requests = results.requests(label)
    return b"".join(np.ascontiguousarray(requests[name]).tobytes() for name in requests.columns)


class Serial(fb.Policy):
    """One at a time."""

    max_batch = 1

    def decide(self, view):
        return fb.start(1)


class Patient(fb.Policy):
    def decide(self, view):
        latest_s = view.arrival_s(view.queue[0]) + self.parameters.patience_ms / 1000
        if view.queued >= self.max_batch or view.now_s >= latest_s:
            return fb.start(min(view.queued, self.max_batch))
        return fb.wait_until(latest_s)


class Newcomers(fb.Policy):
    """Lets newcomers catch up, deeper and deeper, with `until` layers passed over."""

    boundary = "layer"

    def decide(self, view):
        room = self.max_batch - view.in_flight
        if view.idle:
            return fb.start(min(view.queued, room))
        if view.active.next_layer == 3 and room > 0 and len(view.stack) == 1:
            return fb.preempt(min(view.queued, room))
        return fb.go_on(until_layer=3 if view.active.next_layer < 3 else view.table.layers)


class Counting(fb.Policy):
    """Serves two at a time at every third question."""

    def __init__(self, parameters, context):
        self.questions = 0

    def decide(self, view):
        self.questions += 1
        return fb.start(min(view.queued, 2 if self.questions % 3 == 0 else 1))
