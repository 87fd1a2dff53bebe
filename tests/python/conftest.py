"""What tests of the Python module share."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("FLUIDBATCH", str(ROOT / "build/release/bin/fluidbatch"))

#: A small configuration, as a dict.
CONFIG = {
    "seed": 3,
    "requests": 2000,
    "network": "ee_resnet50",
    "slo": {"unloaded_multiple": 5},
    "reference": {"npu": "zu7ev_large", "npu_mode": "r"},
    "workload": {"arrivals": {"kind": "poisson", "rho": 0.9}, "exits": {"kind": "rates", "rates": [0.3, 0.4, 0.2]}},
    "systems": [{"label": "serial", "policy": {"name": "serial"}},
                {"label": "fluid", "policy": {"name": "exit_aware", "max_batch": 8}, "npu_mode": "fluid_stacked"}],
}


@pytest.fixture
def config():
    """A small configuration, a copy of its own."""
    import copy

    return copy.deepcopy(CONFIG)


@pytest.fixture
def program():
    """Runs the program with these arguments, from the root of the project; what it printed."""
    def run(*arguments, **keywords):
        return subprocess.run([PROGRAM, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=True,
                              timeout=300, **keywords).stdout
    return run


@pytest.fixture(autouse=True)
def at_root(monkeypatch):
    """Paths of shipped files are from the root of the project."""
    monkeypatch.chdir(ROOT)
