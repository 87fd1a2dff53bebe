"""The readings of the headline: means of ratios, rates that are known or not, intervals, and the words of a verdict."""

import math
import statistics
from typing import NamedTuple

from python_module import fb

FLOOR = 1e-9  # a rate below counts as this
PRECISION = 0.2  # half-width over the rate that is asked for
ENOUGH = 1e-3  # rates from here on are taken from the runs where these know them so well
PUBLISHED = 6.7


class Reading(NamedTuple):
    """A factor with its 95 % interval."""

    value: float
    low: float
    high: float

    def text(self):
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def over_replications(values):
    """The mean of independent values, one for each replication."""
    mean, half = fb.interval(values)
    return Reading(mean, mean - half, mean + half)


class Rate(NamedTuple):
    """What is known of one violation rate, as it enters the geometric mean."""

    value: float  # as it counts
    origin: str  # "runs", "splitting", "floor" (below FLOOR), "unknown" (counts as 3 over the requests)
    half: float = 0  # of the logarithm's interval; of splitting alone
    deviations: tuple = ()  # by replication, relative; of runs alone
    precise: bool = True  # to PRECISION


def of_runs(rates):
    """(mean, half-width over it) of the rates of all replications; NaN where nobody was late."""
    mean, half = fb.interval(rates)
    return mean, half / mean if mean > 0 else math.nan


def are_enough(rates):
    """Whether the runs know a rate as it is asked for, so that nothing is to be split."""
    mean, half = of_runs(rates)
    return mean >= ENOUGH and half <= PRECISION


def is_below_the_floor(tail, slo_s):
    """Whether what splitting gave, as in `rate_of`, says that a rate is surely below FLOOR."""
    if tail["value"] is not None and tail["value"] > 0:
        return tail["high"] is not None and tail["high"] < FLOOR
    return tail["far_high_s"] is not None and tail["far_high_s"] < slo_s


def rate_of(rates, requests, slo_s, tail=None):
    """What is known of a rate.

    rates: of the runs, one for each replication, of together `requests`; tail: None, or what splitting gave, a dict
    with value, low and high, which may be None, and far_high_s, the upper end of the latency that a share of FLOOR is
    above, or None.
    """
    mean, half = of_runs(rates)
    if tail is not None and tail["value"] is not None and tail["low"] is not None and tail["value"] > 0:
        low, value, high = (max(FLOOR, tail[key]) for key in ("low", "value", "high"))
        if tail["value"] < FLOOR:
            return Rate(FLOOR, "floor", math.log(high / FLOOR))
        narrow = math.log(tail["high"] / tail["low"]) / 2 <= PRECISION * (1 + 1e-9)  # as `tail` measures it
        return Rate(value, "splitting", max(math.log(high / value), math.log(value / low)), precise=narrow)
    if mean > 0:
        return Rate(mean, "runs", deviations=tuple(r / mean - 1 for r in rates), precise=half <= PRECISION)
    if tail is not None and is_below_the_floor(tail, slo_s):
        return Rate(FLOOR, "floor")
    return Rate(3 / requests, "unknown", precise=False)


def geometric(pairs):
    """The geometric mean over settings of the ratio of two rates, from pairs of `Rate`s (the other's, ours).

    Splitting adds independent half-widths of logarithms; runs met the same requests, so their part is made over
    replications, from the sum of relative deviations in each.
    """
    count = len(pairs)
    middle = sum(math.log(other.value / ours.value) for other, ours in pairs) / count
    split = sum(rate.half**2 for pair in pairs for rate in pair)
    signed = [(sign, rate.deviations) for pair in pairs for sign, rate in zip((1, -1), pair) if rate.deviations]
    runs = 0
    if signed:
        replications = range(len(signed[0][1]))
        runs = fb.interval([sum(sign * parts[r] for sign, parts in signed) for r in replications]).half_width
    half = math.hypot(math.sqrt(split), runs) / count
    return Reading(*(math.exp(middle + part) for part in (0, -half, half)))


def pair_of(other, ours):
    """The two rates of a setting as they are compared: where the other's alone is not known, it counts as at most ours,
    so that what nobody knows never speaks for ours."""
    if other.origin == "unknown" and ours.origin != "unknown":
        return other._replace(value=min(other.value, ours.value)), ours
    return other, ours


def at_the_floor(rate):
    """The same rate, where it is not known as low as a rate can count."""
    return rate._replace(value=FLOOR) if rate.origin == "unknown" else rate


def capacity_ratio(loads, ours):
    """(geometric mean over places of the other's load over ours inverted, places left out).

    Both: {place: [load that holds with each seed, 0 for none]}; a factor above 1 says that ours carries more.
    """
    places = [p for p in ours if all(load > 0 for load in (*loads[p], *ours[p]))]
    seeds = range(len(next(iter(ours.values()))))
    found = [statistics.geometric_mean([ours[p][s] / loads[p][s] for p in places]) for s in seeds] if places else []
    reading = over_replications(found) if found else Reading(math.nan, math.nan, math.nan)
    return reading, len(ours) - len(places)


def capacity_bracket(holds, fails, other):
    """(low, high) of the geometric mean over places and seeds of ours over the other's load, by what is open between
    the highest load that was shown to hold and the lowest that was shown to fail; NaN where there is no place.

    Both: {system: {place: [load of each seed]}}; places where a load is 0 or no failing load was met are left out.
    """
    places = [p for p in holds["ours"] if all(all(of[s][p]) for of in (holds, fails) for s in ("ours", other))]
    if not places:
        return math.nan, math.nan

    def ratio(ours, others):
        return statistics.geometric_mean(a / b for p in places for a, b in zip(ours["ours"][p], others[other][p]))

    return ratio(holds, fails), ratio(fails, holds)


def verdict(readings, published=PUBLISHED):
    """In words, which of {name: reading} are above the published factor, which are not, and of which it is open."""
    above = [name for name, reading in readings.items() if reading.low > published]
    not_above = [name for name, reading in readings.items() if reading.high <= published]
    still_open = [name for name in readings if name not in above and name not in not_above]
    words = f"above {published:g}: {', '.join(above)}" if above else f"none above {published:g}"
    words += f"; not: {', '.join(not_above)}" if not_above else ""
    return words + (f"; open: {', '.join(still_open)}" if still_open else "")


def of_latency(reading, published):
    """The words for the average latency."""
    if reading.low >= published:
        return "holds"
    return "holds in direction, smaller" if reading.low > 1 else "does not hold"
