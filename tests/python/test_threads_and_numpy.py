"""NumPy is imported late, and by one thread: also where several ask for arrays first."""

import subprocess
import sys

CODE = """
import fluidbatch as fb, sys
class Looks(fb.Policy):
    def decide(self, view):
        view.queue
        return fb.start(min(view.queued, 8))
fb.register("looks", Looks)
systems = [{"label": f"s{i}", "policy": {"name": "looks"}, "npu": "zu7ev_large", "npu_mode": "r"} for i in range(4)]
fb.run({"requests": 2000, "network": "resnet18", "workload": {"arrivals": {"kind": "poisson", "rho": 0.9}},
        "systems": systems}, jobs=4)
"""


def test_systems_whose_policies_look_at_arrays_first_at_once():
    for _ in range(3):
        subprocess.run([sys.executable, "-c", CODE], check=True, timeout=60)
