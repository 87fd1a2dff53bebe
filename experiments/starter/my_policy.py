#!/usr/bin/python3
"""A policy of one's own, beside those of run.yaml. docs/python.md has all that a view shows."""

from pathlib import Path

import fluidbatch as fb


class MyPolicy(fb.Policy):
    """Waits a little for company."""

    def decide(self, view):
        if not view.idle:
            return fb.go_on()
        latest_s = view.arrival_s(view.queue[0]) + self.parameters.delay_ms / 1000
        if view.queued < self.max_batch and view.now_s < latest_s:
            return fb.wait_until(latest_s)
        return fb.start(min(view.queued, self.max_batch))


if __name__ == "__main__":
    fb.register("my_policy", MyPolicy, parameters={"delay_ms": 0.5})
    npu = str(Path(__file__).parent / "npus/small.yaml")
    systems = [{"label": name, "policy": {"name": name}, "npu": npu, "npu_mode": "r"}
               for name in ("dynamic_batching", "my_policy")]
    print(fb.run(Path(__file__).parent / "run.yaml", {"systems": systems}, requests=5000))
