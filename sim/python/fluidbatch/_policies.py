"""Policies, routers, arbiters and exit controls that are written in Python.

Each is a class of one's own, below one of the four here, which `register` gives a name that configurations take:

    class Patient(fb.Policy):
        def decide(self, view):
            latest_s = view.arrival_s(view.queue[0]) + self.parameters.patience_ms / 1000
            if view.queued < self.parameters.max_batch and view.now_s < latest_s:
                return fb.wait_until(latest_s)
            return fb.start(min(view.queued, self.parameters.max_batch))

    fb.register("patient", Patient, parameters={"patience_ms": 5.0})
    fb.run(config, set={"systems": [{"policy": {"name": "patient", "patience_ms": 3}, "npu": "zu7ev_large"}]})

All of them must be pure functions of what they are told, so that runs can be repeated; they may keep a state of their
own, as attributes. A run may copy them at any time (`clone`). An exception in one of their methods ends the run and
reaches the caller of it; where the run is in a child process (driver "simgrid", sweeps, ..) it is a PolicyError with
the text of the traceback. A decision that is not allowed is a PolicyError too.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._core import ArbiterView, Contender, Decision, ExitRule, ExitView, FleetView, ServerView, Table
from ._parameters import Parameters, Value

if TYPE_CHECKING:
    from typing import Self

    import numpy as np
    import numpy.typing as npt


class _Shared:
    """What copies of a policy share, since it doesn't change."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class PolicyContext(_Shared):
    """What a policy may know of the run besides its parameters.

    exit_rates: for each early exit, of the samples that reach it the share that leaves there, as the workload says.
    rate_hz: mean rate of the arrivals; NaN: unknown.
    table: latencies of the network's layers on the system's NPU.
    """

    def __init__(self, exit_rates: list[float], rate_hz: float, table: Table) -> None:
        self.exit_rates = exit_rates
        self.rate_hz = rate_hz
        self.table = table


class ExitControlContext(_Shared):
    """What an exit control may know of the run besides its parameters.

    thresholds: the workload's, of each early exit; empty where it has none.
    calibration: for each exit two NumPy arrays, the confidences of the rows that calibrate and whether these are right;
        empty without an accuracy target.
    """

    def __init__(self, thresholds: list[float],
                 calibration: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]]) -> None:
        self.thresholds = thresholds
        self.calibration = calibration


class Plugin:
    """What the four kinds have in common: parameters, and copies."""

    parameters: Parameters

    # Here and not in __init__, so that a class with an __init__ of its own has them whatever that does.
    def __new__(cls, parameters: Mapping[str, Value] | None = None, context: object = None) -> Self:
        instance = super().__new__(cls)
        if parameters is not None:
            instance._set_up(parameters, context)
        return instance

    def _set_up(self, parameters: Mapping[str, Value], context: object) -> None:
        self.parameters = parameters if isinstance(parameters, Parameters) else Parameters(parameters)

    def clone(self) -> Self:
        """A copy in the same state, which goes its own way from here: by default copy.deepcopy. Audits, rare events
        and comparisons of runs take such copies."""
        return copy.deepcopy(self)


class Policy(Plugin):
    """A scheduling policy: `decide` says what the server does next.

    boundary: where it is asked while a batch runs, besides when the NPU is idle: "batch" (nowhere: a batch runs to its
        end), "segment" (before each segment but the first) or "layer".
    max_batch: default of the parameter max_batch, the most samples in flight, which every policy has.
    oracle: it looks at the exits that requests will take (view.exit_of), which no real server could.

    boundary and oracle may depend on the parameters: a parameter called boundary counts instead, and a property may be
    used, which sees self.parameters alone. In an instance max_batch is the value of the parameter. self.parameters and
    self.context (a PolicyContext) are there in __init__ already, whatever that does.
    """

    boundary: str = "batch"
    max_batch: int = 8
    oracle: bool = False
    context: PolicyContext

    def __init__(self, parameters: Parameters, context: PolicyContext) -> None:
        pass

    def _set_up(self, parameters: Mapping[str, Value], context: Any) -> None:
        super()._set_up(parameters, context)
        self.context = context
        if "max_batch" in self.parameters:
            self.max_batch = self.parameters.max_batch

    def decide(self, view: ServerView) -> Decision:
        """What to do now: fb.start(n), fb.preempt(n), fb.go_on(), fb.wait_until(t), fb.wait_for_arrival(otherwise) or
        fb.drop(n). Called, once for all events of a date, when the queue is not empty and the NPU is idle or the active
        batch stands at a boundary that the policy wants to see."""
        raise NotImplementedError


class Router(Plugin):
    """Says to which server of a site a request goes."""

    def __init__(self, parameters: Parameters) -> None:
        pass

    def route(self, view: FleetView) -> int:
        """The number of a server, from 0. Called once for each request, in the order of arrivals. By custom times that
        differ by 1e-9 s or less are ties, which go to the lower number."""
        raise NotImplementedError


class Arbiter(Plugin):
    """Says in which order the services of a server get its NPU.

    may_preempt: its order says who may push a batch off the NPU, and not only who comes next: a configuration may then
        ask for `preemptive: true`.
    """

    may_preempt: bool = False

    def __init__(self, parameters: Parameters) -> None:
        pass

    def consider(self, view: ArbiterView, heads: tuple[Contender, ...]) -> None:
        """Called once for each date at which the order is asked for, before `rank`. heads: the oldest request of each
        queue that is not empty, in the order of the services."""

    def rank(self, view: ArbiterView, contender: Contender) -> float:
        """The smaller rank goes first. Ranks that differ by 1e-9 or less are ties, which go to the one that arrived
        earlier, and then to the service that stands earlier in the configuration."""
        raise NotImplementedError


class ExitControl(Plugin):
    """Decides at run time at which exits samples leave, where otherwise each sample's exit is drawn when it is sent.

    needs_confidences: it means nothing where exits don't come from recorded confidences.
    accuracy_target: the accuracy that it steers to; NaN: none. A parameter of this name counts instead. Where there is
        one, the even rows of the recorded samples calibrate (context.calibration), and the odd ones are served.

    Both are attributes of the class, or properties as those of a Policy.
    """

    needs_confidences: bool = False
    accuracy_target: float = float("nan")
    context: ExitControlContext

    def __init__(self, parameters: Parameters, context: ExitControlContext) -> None:
        pass

    def _set_up(self, parameters: Mapping[str, Value], context: Any) -> None:
        super()._set_up(parameters, context)
        self.context = context

    def rule(self, view: ExitView) -> float | ExitRule:
        """Who leaves: samples of at least this confidence (0 to 1), or fb.leave(..). Called once at the end of each
        segment but the last, before anybody leaves; and at the end of the last one for the last early exit, for what
        the threshold is by then."""
        raise NotImplementedError

    def taken(self, exit: int, confidence: float) -> None:
        """A sample has left the NPU, at that exit, the last one of the network included, with that confidence."""
