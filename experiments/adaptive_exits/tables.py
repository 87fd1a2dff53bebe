"""The tables: at the same accuracy, over mean loads, over targets, over gains."""

import math
import statistics

from adaptive_exits.points import (
    ARRIVALS,
    COMPARED,
    DIGITS_TARGET,
    GAINS_TARGET,
    LOADS_TARGET,
    POLICIES,
    POLICY_NAMES,
    compare,
    mean,
    misses,
)
from python_module import fb


def percent(values):
    """Shares as a percentage with its interval; `none` where not one request was late."""
    if not any(values):
        return "none"
    middle, half = fb.interval([100 * value for value in values])
    digits = max(0, -math.floor(math.log10(middle)) + (middle >= 0.001))
    return f"{middle:.{digits}f} ± {half:.{digits}f}"


def milliseconds(values):
    return f"{1000 * statistics.fmean(values):.1f}"


def reached(rows, target):
    count = sum(misses(row, target) for row in rows)
    return f"{100 * mean(rows, 'accuracy'):.2f}" + (f" (missed in {count} of {len(rows)})" if count else "")


def comparison(page, curves, digits):
    """The table at the same accuracy; returns {(target, arrivals, policy): comparison}."""
    rows, found = [], {}
    settings = [(curves, t, a, p) for t in COMPARED for a in ARRIVALS for p in POLICIES]
    for source, target, arrivals, policy in [*settings, (digits, DIGITS_TARGET, "bursts", "greedy")]:
        value = target if source is curves else 0.7
        steered = source[arrivals, 1.6, policy, "target"][value]
        one = compare(source[arrivals, 1.6, policy, "fixed"], steered)
        if one is None:  # in a short run: fixed thresholds don't get to this accuracy
            continue
        plain = source.get((arrivals, 1.6, policy, "no_deadline"))
        cells = [
            f"{100 * target:g}" if source is curves else f"digits: {100 * target:g}",
            arrivals,
            POLICY_NAMES[policy],
            reached(steered, target),
        ]
        if source is curves:
            found[target, arrivals, policy] = one
        ratio, half = one["ratio"]
        rows.append(
            [
                *cells,
                percent(one["fixed_late"]),
                percent([row["slo_violation_rate"] for row in plain[value]]) if plain else "-",
                percent(one["late"]),
                milliseconds(one["fixed_mean_s"]),
                milliseconds(one["mean_s"]),
                f"{ratio:.3f} ± {half:.3f}",
            ]
        )
    requests = sum(row["requests"] for row in steered)
    page.table(
        f"At the same accuracy, mean load 1.6 (none: not one of {requests:,.0f} requests; ± 95 %)",
        [
            "target (%)",
            "arrivals",
            "policy",
            "accuracy reached (%)",
            "late, fixed (%)",
            "late, adaptive without deadline (%)",
            "late, adaptive (%)",
            "mean, fixed (ms)",
            "mean, adaptive (ms)",
            "ratio of means",
        ],
        rows,
    )
    return found


def over_loads(page, loads):
    """The table over mean loads: fixed at 0.7 and what is steered to its accuracy."""
    rows = []
    for arrivals, rho in sorted({key[:2] for key in loads}):
        steered = {p: loads[arrivals, rho, p, "target"][None] for p in POLICIES}
        missed = sum(misses(row, LOADS_TARGET) for runs_of in steered.values() for row in runs_of)
        accuracies = [100 * mean(runs_of, "accuracy") for runs_of in steered.values()]
        total = sum(len(runs_of) for runs_of in steered.values())
        cells = [
            arrivals,
            f"{rho:g}",
            f"{min(accuracies):.2f} to {max(accuracies):.2f}" + (f" (missed in {missed} of {total})" if missed else ""),
        ]
        for policy in POLICIES:
            fixed = loads[arrivals, rho, policy, "fixed"][None]
            late = [f"{100 * mean(r, 'slo_violation_rate'):.2g}" for r in (fixed, steered[policy])]
            ratios = [a["mean_latency_s"] / b["mean_latency_s"] for a, b in zip(steered[policy], fixed)]
            rows.append([*cells, POLICY_NAMES[policy], *late, f"{statistics.fmean(ratios):.3f}"])
    page.table(
        "Over mean loads, a fixed threshold of 0.7 and what is steered to its accuracy (95.25 %; reached: from the "
        "lowest to the highest of the four policies), and adaptive's mean latency over fixed's; where the target is "
        "missed, accuracies differ",
        [
            "arrivals",
            "mean load",
            "accuracy, adaptive (%)",
            "policy",
            "late, fixed (%)",
            "late, adaptive (%)",
            "ratio of means",
        ],
        rows,
    )


def over_gains(page, gains):
    rows = []
    for policy in ("greedy", "ours"):
        for arrivals in ARRIVALS:
            for gain, one in sorted(gains[arrivals, 1.6, policy, "target"].items()):
                accuracy, late = (100 * mean(one, key) for key in ("accuracy", "slo_violation_rate"))
                missed = " (missed)" if any(misses(row, GAINS_TARGET) for row in one) else ""
                numbers = [f"{accuracy:.2f}{missed}", f"{late:.2g}", f"{1000 * mean(one, 'mean_latency_s'):.1f}"]
                rows.append([POLICY_NAMES[policy], arrivals, f"{gain:g}", *numbers])
    page.table(
        "How steeply thresholds fall, at a target of 95.5 % and with the deadline",
        ["policy", "arrivals", "queue_gain", "accuracy reached (%)", "late (%)", "mean (ms)"],
        rows,
    )


def over_targets(page, curves):
    rows = []
    for target in sorted(curves["bursts", 1.6, "greedy", "target"]):
        cells = [f"{100 * target:g}"]
        for arrivals in ARRIVALS:
            for control in ("target", "no_deadline"):
                all_of = [curves[arrivals, 1.6, p, control][target] for p in POLICIES]
                means = [100 * mean(r, "accuracy") for r in all_of]
                missed = sum(misses(row, target) for r in all_of for row in r)
                total = sum(len(r) for r in all_of)
                cells.append(
                    f"{min(means):.2f} to {max(means):.2f}" + (f" (missed in {missed} of {total})" if missed else "")
                )
        rows.append(cells)
    page.table(
        "Accuracy reached (%), from the lowest to the highest of the four policies",
        [
            "target (%)",
            *(f"{a}{without}" for a in ARRIVALS for without in ("", ", no deadline")),
        ],
        rows,
    )
