"""How far modelled cycles are from measured ones."""

import math
import statistics

from npu_fit.fits import rank_correlation

NEAR = 1.25  # a factor


def relative(pairs):
    """|modelled / measured - 1| of pairs (measured, modelled)."""
    return [abs(modelled / measured - 1) for measured, modelled in pairs]


def summary(pairs):
    """Median and largest relative error, geometric mean of modelled over measured, the share of pairs that are within a
    factor of NEAR of each other, and the rank correlation."""
    errors = relative(pairs)
    logs = [math.log(modelled / measured) for measured, modelled in pairs]
    return {
        "median": statistics.median(errors),
        "largest": max(errors),
        "bias": math.exp(statistics.fmean(logs)),
        "near": sum(abs(log) <= math.log(NEAR) for log in logs) / len(logs),
        "rank_correlation": rank_correlation(*zip(*pairs)),
    }
