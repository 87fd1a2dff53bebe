"""Points of the sweeps, and fixed thresholds between two of theirs."""

import math
import statistics

from python_module import fb

ARRIVALS = ("Poisson", "bursts", "spikes")
POLICIES = ("greedy", "delay", "lazy", "ours")
POLICY_NAMES = {
    "greedy": "dynamic_batching, no delay",
    "delay": "dynamic_batching, 15 ms",
    "lazy": "lazy_batching",
    "ours": "exit_aware",
}
COMPARED = (0.95, 0.955)  # targets of the table
DIGITS_TARGET = 0.91  # of digits.yaml
LOADS_TARGET = 0.9525  # of loads.yaml
GAINS_TARGET = 0.955  # of gains.yaml


def misses(row, target):
    """The rule of `accuracy_target_missed`: more than 0.2 points below, beyond the error of sampling."""
    error = math.sqrt(row["accuracy"] * (1 - row["accuracy"]) / row["requests"])
    return target - row["accuracy"] > 0.002 + 1.96 * error


def runs(page, table):
    """{(arrivals, mean load, policy, control): {value: [row of each replication]}}."""
    found = {}
    for row in page.results.rows(f"SELECT * FROM {table} ORDER BY arrivals, mean_rho, system, value, replication"):
        policy, control = row["system"].split("_", 1)
        curve = found.setdefault((row["arrivals"], row["mean_rho"], policy, control), {})
        curve.setdefault(row["value"], []).append(row)
    return found


def mean(rows, key):
    return statistics.fmean(row[key] for row in rows)


def at_accuracy(curve, accuracy, replication, key):
    """A statistic of the fixed thresholds, in one replication, between the two whose accuracies are nearest.

    Between two positive values the logarithm is interpolated, since latencies and late shares grow like exponentials
    with the accuracy, and a straight line would flatter what they are compared with. None outside the curve.
    """
    points = [(rows[replication]["accuracy"], rows[replication][key]) for rows in curve.values()]
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        if x0 <= accuracy <= x1:
            share = (accuracy - x0) / (x1 - x0) if x1 > x0 else 0
            if y0 > 0 and y1 > 0:
                return math.exp((1 - share) * math.log(y0) + share * math.log(y1))
            return (1 - share) * y0 + share * y1
    return None


def compare(fixed, rows):
    """Runs against fixed thresholds at the accuracy that each of them reached, replication by replication."""
    accuracies = [row["accuracy"] for row in rows]
    beside = {
        key: [at_accuracy(fixed, accuracy, i, key) for i, accuracy in enumerate(accuracies)]
        for key in ("slo_violation_rate", "mean_latency_s")
    }
    if any(value is None for values in beside.values() for value in values):
        return None
    ratios = [row["mean_latency_s"] / other for row, other in zip(rows, beside["mean_latency_s"])]
    return {
        "fixed_late": beside["slo_violation_rate"],
        "late": [row["slo_violation_rate"] for row in rows],
        "fixed_mean_s": beside["mean_latency_s"],
        "mean_s": [row["mean_latency_s"] for row in rows],
        "ratio": fb.interval(ratios),
    }
