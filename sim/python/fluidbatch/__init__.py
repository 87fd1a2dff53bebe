"""fluidbatch: a simulator of an edge inference server, many devices and one NPU that runs an early-exit network.

    import fluidbatch as fb

    results = fb.run("experiments/quickstart.yaml", workload__arrivals__rho=0.9)
    results.table

docs/python.md lists all that is here.
"""

import typing as _typing
from pathlib import Path as _Path

from . import _core
from ._analyses import Capacities, Comparison, Optima, Tails, capacity, compare, optimum, tail
from ._core import (ArbiterView, Batch, Contender, Decision, ExitRule, ExitView, FleetView, InputError, PolicyError,
                    ServerView, ServiceView, Table, drop, go_on, leave, preempt, start, wait_for_arrival, wait_until)
from ._intervals import Interval, interval
from ._models import Network, Npu, boards, import_onnx, latency_table, modes, networks, npus
from ._parameters import Parameter, Parameters
from ._policies import Arbiter, ExitControl, ExitControlContext, Policy, PolicyContext, Router
from ._registration import register
from ._results import Results, Scenario, load, run
from ._searches import Fit, Search, fit, search
from ._sweep import Sweep, SweepOutcome, SweepPlan, results
from ._traffic import ArrivalDates, Arrivals, ExitList, Exits, RecordedExits

if _typing.TYPE_CHECKING:
    from . import plot
    from ._records import Records

__version__: str = _core.version


def _prefix() -> _Path:
    """The folder with share/fluidbatch, above this package, in a build tree and installed alike."""
    for folder in _Path(__file__).absolute().parents:
        if (folder / "share" / "fluidbatch").is_dir():
            return folder
    return _Path(__file__).absolute().parents[3]  # for the message that says what is missing


_core.use_prefix(str(_prefix()))


def _late(name: str) -> _typing.Any:
    """What is imported when somebody wants it: plots, and tables, which need NumPy."""
    import importlib

    if name == "plot":
        return importlib.import_module(".plot", __name__)
    if name == "Records":
        return importlib.import_module("._records", __name__).Records
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if not _typing.TYPE_CHECKING:  # to a checker of types a name that is not there is an error
    __getattr__ = _late


__all__ = ["Arbiter", "ArbiterView", "ArrivalDates", "Arrivals", "Batch", "Capacities", "Comparison", "Contender",
           "Decision", "ExitControl", "ExitControlContext", "ExitList", "ExitRule", "ExitView", "Exits", "Fit",
           "FleetView", "InputError", "Interval", "Network", "Npu", "Optima", "Parameter", "Parameters", "Policy",
           "PolicyContext", "PolicyError", "RecordedExits", "Records", "Results", "Router", "Scenario", "Search",
           "ServerView", "ServiceView", "Sweep", "SweepOutcome", "SweepPlan", "Table", "Tails", "boards", "capacity",
           "compare", "drop", "fit", "go_on", "import_onnx", "interval", "latency_table", "leave", "load", "modes",
           "networks", "npus", "optimum", "plot", "preempt", "register", "results", "run", "search", "start", "tail",
           "wait_for_arrival", "wait_until"]
