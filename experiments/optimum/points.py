"""Distances of policies to the optimum, and counts of decisions, from the results."""

import math
import statistics
from dataclasses import dataclass

from python_module import fb

POLICIES = ("serial", "greedy", "lazy", "ours", "outlook")
NAMES = {
    "serial": "serial",
    "greedy": "dynamic_batching, no delay",
    "lazy": "lazy_batching",
    "ours": "exit_aware",
    "outlook": "exit_aware, outlook",
    "optimal": "optimal",
}
MIXED = ("best_start_ours", "best_start_outlook", "own_start_best")


@dataclass
class Setting:
    """A network on the NPU in a mode at a load: both optima, and how far each policy is above the best engine."""

    network: str
    mode: str
    load: float
    free_s: float
    fbe_s: float
    checked: tuple  # simulated mean of `optimal` over the computed one, and its half-width
    above: dict  # {policy: (percent above the mean of `optimal`, half-width)}, without those that don't carry the load

    @property
    def register(self):
        """What the single register costs: percent of the best engine's mean above the free optimum."""
        return 100 * (self.fbe_s / self.free_s - 1)


def distances(runs, policies=POLICIES):
    """{policy: (percent above, half-width)} from {policy: [mean of each seed, None where the backlog grew]}.

    Each mean is set beside that of `optimal` on the same requests, so that what the draw of arrivals and exits adds to
    both falls out. A policy whose backlog grew in any run is left out.
    """
    found = {}
    for policy in policies:
        means = runs[policy]
        if None not in means:
            found[policy] = fb.interval([100 * (m / best - 1) for m, best in zip(means, runs["optimal"])])
    return found


def read(page, unit):
    """All settings whose load is of a unit, in the order of the results."""
    runs, optima = {}, {}
    for row in page.results.rows(
        "SELECT network, mode, load, system, free_s, fbe_s, CASE WHEN policy_mean_low_s IS NULL THEN NULL "
        "ELSE policy_mean_s END AS mean_s FROM means WHERE unit = ? ORDER BY rowid",
        unit,
    ):
        key = (row["network"], row["mode"], row["load"])
        runs.setdefault(key, {}).setdefault(row["system"], []).append(row["mean_s"])
        if row["system"] == "optimal":
            optima[key] = (row["free_s"], row["fbe_s"])
    return [
        Setting(*key, *optima[key], fb.interval([m / optima[key][1] for m in one["optimal"]]), distances(one))
        for key, one in runs.items()
    ]


def of(settings, policy):
    """The distances of a policy in those settings that it carries."""
    return [setting.above[policy][0] for setting in settings if policy in setting.above]


def average(percents):
    """The geometric mean of factors, as a percentage above 1."""
    return 100 * (statistics.geometric_mean([1 + p / 100 for p in percents]) - 1)


def thirds(values):
    """[(average, least, most)] of the lowest, middle and highest third."""
    ordered = sorted(values)
    cuts = [round(i * len(ordered) / 3) for i in range(4)]
    return [(average(part), part[0], part[-1]) for part in (ordered[a:b] for a, b in zip(cuts, cuts[1:]))]


def mixed(page):
    """{(network, mode, load): distances of the tables made of two, as of policies}."""
    runs = {}
    query = "SELECT network, mode, load, system, policy_mean_s AS mean_s FROM mixed ORDER BY rowid"
    for row in page.results.rows(query):
        means = runs.setdefault((row["network"], row["mode"], row["load"]), {})
        means.setdefault(row["system"], []).append(row["mean_s"])
    return {key: distances(one, MIXED) for key, one in runs.items()}


def decisions(page):
    """{policy: {(queue, active, segment): newcomers}}."""
    found = {}
    for row in page.results.rows("SELECT policy, queue, active, segment, newcomers FROM decisions ORDER BY rowid"):
        found.setdefault(row["policy"], {})[row["queue"], row["active"], row["segment"]] = row["newcomers"]
    return found


def compare_decisions(own, best):
    """How often two tables take as many newcomers, or one takes more.

    Returns (states, same, preempts where the best does not, not where the best does, fewer, more) of the states behind
    an exit where newcomers fit in, then (queues, starts as many, more) of an idle NPU.
    """
    room = max(active for _, active, _ in best)
    pairs = [(own[state], best[state]) for state in best if 0 < state[1] < room]
    idle = [(own[state], best[state]) for state in best if state[1] == 0]
    return (
        len(pairs),
        sum(a == b for a, b in pairs),
        sum(a > 0 and b == 0 for a, b in pairs),
        sum(a == 0 and b > 0 for a, b in pairs),
        sum(0 < a < b for a, b in pairs),
        sum(0 < b < a for a, b in pairs),
        len(idle),
        sum(a == b for a, b in idle),
        sum(a > b for a, b in idle),
    )


def percent(value):
    """With two digits that count, and no minus before a zero."""
    digits = 1 if abs(value) < 99.5 else 0
    text = f"{value:.{digits}f}" if abs(value) >= 0.995 else f"{value:.2f}"
    return text.removeprefix("-") if math.isclose(float(text), 0, abs_tol=1e-9) else text
