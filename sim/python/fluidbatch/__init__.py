"""fluidbatch: a simulator of an edge inference server, many devices and one NPU that runs an early-exit network.

    import fluidbatch as fb

    results = fb.run("experiments/quickstart.yaml", workload__arrivals__rho=0.9)
    results.table

docs/python.md lists all that is here.
"""

from pathlib import Path as _Path

from . import _core
from ._results import Results, Scenario, load, run

__version__: str = _core.version

InputError = _core.InputError
PolicyError = _core.PolicyError


def _prefix() -> _Path:
    """The folder with share/fluidbatch, above this package, in a build tree and installed alike."""
    for folder in _Path(__file__).absolute().parents:
        if (folder / "share" / "fluidbatch").is_dir():
            return folder
    return _Path(__file__).absolute().parents[3]  # for the message that says what is missing


_core.use_prefix(str(_prefix()))

__all__ = ["InputError", "PolicyError", "Results", "Scenario", "load", "run"]
