"""Names for what is written in Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from . import _core
from ._core import InputError
from ._parameters import Parameter, Parameters, Value, declared_parameter, defaults_of
from ._policies import Arbiter, ExitControl, ExitControlContext, Plugin, Policy, PolicyContext, Router


def _probe(kind: type[Plugin], values: Mapping[str, Value]) -> Any:
    """An instance that only has its parameters, for its class attributes and properties."""
    return kind.__new__(kind, values, None)


def _policy_traits(kind: type[Policy], values: Mapping[str, Value]) -> tuple[int, str, bool]:
    probe = _probe(kind, values)
    boundary = probe.parameters.get("boundary", probe.boundary)
    if boundary not in ("batch", "segment", "layer"):
        raise InputError(f"{kind.__name__}.boundary is 'batch', 'segment' or 'layer', found {boundary!r}")
    return int(probe.parameters.max_batch), boundary, bool(probe.oracle)


def _exit_control_traits(kind: type[ExitControl], values: Mapping[str, Value]) -> tuple[bool, float]:
    probe = _probe(kind, values)
    target = probe.parameters.get("accuracy_target", probe.accuracy_target)
    return bool(probe.needs_confidences), float("nan") if target is None else float(target)


def _max_batch_of(kind: type[Policy]) -> Parameter:
    if isinstance(kind.max_batch, bool) or not isinstance(kind.max_batch, int) or not 1 <= kind.max_batch <= 1024:
        raise InputError(f"{kind.__name__}.max_batch is a whole number from 1 to 1024, found {kind.max_batch!r}")
    return Parameter(kind.max_batch, 1, 1024, "largest number of samples in a batch")


def _register_policy(name: str, summary: str, kind: type[Policy], parameters: Mapping[str, object]) -> None:
    everything: dict[str, object] = {"max_batch": _max_batch_of(kind), **parameters}
    declared = [declared_parameter(*item) for item in everything.items()]
    _, default, least, most, form, _, _ = declared[0]
    if form != "integer" or not 1 <= least <= most <= 1024:
        raise InputError(f"the parameter max_batch is a whole number with a range within 1 to 1024, found "
                         f"{everything['max_batch']!r}")
    _policy_traits(kind, defaults_of(declared))  # so that what is wrong with it is said now
    _core.register_policy(name, summary, declared, lambda values: _policy_traits(kind, values),
                          lambda values, rates, rate_hz, table: kind(Parameters(values),
                                                                     PolicyContext(rates, rate_hz, table)))


def _register_exit_control(name: str, summary: str, kind: type[ExitControl],
                           parameters: Mapping[str, object]) -> None:
    declared = [declared_parameter(*item) for item in parameters.items()]
    _exit_control_traits(kind, defaults_of(declared))
    _core.register_exit_control(name, summary, declared, kind.taken is not ExitControl.taken,
                                lambda values: _exit_control_traits(kind, values),
                                lambda values, thresholds, calibration: kind(
                                    Parameters(values), ExitControlContext(thresholds, calibration)))


def _register_router(name: str, summary: str, kind: type[Router], parameters: Mapping[str, object]) -> None:
    declared = [declared_parameter(*item) for item in parameters.items()]
    _core.register_router(name, summary, declared, lambda values: kind(Parameters(values)))


def _register_arbiter(name: str, summary: str, kind: type[Arbiter], parameters: Mapping[str, object]) -> None:
    declared = [declared_parameter(*item) for item in parameters.items()]
    _core.register_arbiter(name, summary, declared, bool(kind.may_preempt), kind.consider is not Arbiter.consider,
                           lambda values: kind(Parameters(values)))


#: Each kind with the method that its classes must have, and what registers them.
_KINDS: tuple[tuple[type[Plugin], str, Any], ...] = (
    (Policy, "decide", _register_policy),
    (Router, "route", _register_router),
    (Arbiter, "rank", _register_arbiter),
    (ExitControl, "rule", _register_exit_control),
)


def register(name: str, source: object, parameters: Mapping[str, object] | None = None) -> None:
    """Gives a class of one's own, below Policy, Router, Arbiter or ExitControl, a name that configurations take; or
    anything else that makes arrivals or exits.

    name: letters, digits, '_' and '-'. Registered again under its name, as when a notebook's cell is run again, a class
        takes the place of the earlier one, which scenarios that have been read go on with.
    source: the class. The first line of its docstring is its summary.
    parameters: by name the default of each, from which its kind follows, or a Parameter.

    Raises InputError where that can't be done, as for the name of one that is shipped, and TypeError for a class that
    lacks the method that it is for.
    """
    from . import _records  # noqa: F401  # views have arrays, and runs have threads: see there

    for base, method, register_it in _KINDS:
        if isinstance(source, type) and issubclass(source, base):
            if getattr(source, method) is getattr(base, method):
                raise TypeError(f"{source.__name__} needs the method {method}, which a {base.__name__} is asked by")
            _check_name(name)
            summary = (source.__doc__ or "").strip().partition("\n")[0]
            register_it(name, summary, source, dict(parameters or {}))
            return
    from . import _traffic

    _traffic.register(name, source, parameters)


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise InputError(f"a name is made of letters, digits, '_' and '-', found {name!r}")
