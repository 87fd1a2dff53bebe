"""A small program of a user's, with types throughout: a policy of one's own, a run of it, and a sweep."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import fluidbatch as fb


class Patient(fb.Policy):
    """Waits for company, but not for long."""

    max_batch = 4

    def decide(self, view: fb.ServerView) -> fb.Decision:
        latest_s = view.arrival_s(int(view.queue[0])) + 1e-3 * float(self.parameters.patience_ms)
        if view.queued < self.parameters.max_batch and view.now_s < latest_s:
            return fb.wait_until(latest_s)
        return fb.start(min(view.queued, self.parameters.max_batch))


def configuration(policy: dict[str, Any]) -> dict[str, Any]:
    return {
        "requests": 500,
        "warmup_requests": 50,
        "network": "ee_resnet50",
        "slo": {"latency_ms": 100},
        "workload": {"arrivals": {"kind": "poisson", "rho": 1.0},
                     "exits": {"kind": "rates", "rates": [0.3, 0.35, 0.4]}},
        "systems": [{"label": "mine", "policy": policy, "npu": "zu7ev_large", "npu_mode": "r"}],
    }


def main(folder: Path) -> None:
    fb.register("patient", Patient, parameters={"patience_ms": 5.0})
    mine = configuration({"name": "patient"})
    results = fb.run(mine)
    mean_s: float = results.table["mean_latency_s"][0]
    late: int = int((results.requests()["latency_s"] > 0.1).sum())
    print(f"mean {1000 * mean_s:.2f} ms, {late} late")

    file = folder / "sweep.sqlite"
    sweep = fb.Sweep({"base": mine, "axes": {"grid": {"workload.arrivals.rho": [0.5, 1.0]}}, "replications": 3})
    sweep.run(file, jobs=1)
    points = fb.results(file)
    for rho, of_rho in points.groupby("workload.arrivals.rho"):
        print(f"rho {rho}: {fb.interval(1000 * of_rho.mean_latency_s)} ms")
    fb.plot.load_latency(points).figure.savefig(folder / "latency.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
