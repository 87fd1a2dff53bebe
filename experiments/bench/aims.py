"""What speed is aimed at, and what was measured beside it: parts of the benchmark `record`, and the end prints `table`.

Rates are millions of requests a second on one core, at rho 1 where they depend on it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Aim:
    bound: float
    unit: str
    at_least: bool = True


RATE = "million requests/s"
AIMS = {
    "bare, serial": Aim(20, RATE),
    "bare, dynamic_batching": Aim(20, RATE),
    "bare, exit_aware": Aim(14, RATE),
    "bare, lazy_batching": Aim(11, RATE),
    "simgrid_window / bare, the largest of all policies and loads": Aim(1.05, "times", at_least=False),
    "simgrid / bare, the largest of all policies and loads": Aim(3, "times", at_least=False),
    "4 NPUs and 4 services, dynamic_batching": Aim(4, RATE),
    "adaptive exits, dynamic_batching": Aim(5, RATE),
    "adaptive exits, exit_aware": Aim(5, RATE),
    "a run of one request, beyond an empty SimGrid program": Aim(5, "ms", at_least=False),
}

_measured = {}


def record(name, value):
    """Keeps the value measured for one of AIMS; KeyError where there is no such aim."""
    AIMS[name]  # a misspelt name is an error here, not an empty row later
    _measured[name] = value


def reached(aim, value):
    return value >= aim.bound if aim.at_least else value <= aim.bound


def table(judge=True):
    """Lines of what has been recorded, in the order of AIMS: measured, aim, and, if `judge`, whether it is reached."""
    width = max(map(len, AIMS))
    for name, aim in AIMS.items():
        if name in _measured:
            value = _measured[name]
            wanted = f"at {'least' if aim.at_least else 'most'} {aim.bound:g} {aim.unit}"
            verdict = "reached" if reached(aim, value) else f"missed by {100 * abs(value / aim.bound - 1):.0f} %"
            yield f"aim: {name:<{width}}  {value:>6.2f}  {wanted:<31}" + (f"  {verdict}" if judge else "")
