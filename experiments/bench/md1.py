"""M/D/1, in units of its service time."""

import decimal
import math
from decimal import Decimal


def late_share(load, slo):
    """P(wait + 1 > slo) at a load below 1, by Erlang's distribution of the wait: an alternating sum, so in 120
    digits."""
    if slo < 1:
        return 1.0
    with decimal.localcontext(prec=120):
        load, t = Decimal(load), Decimal(slo) - 1
        below = sum((load * (k - t)) ** k / math.factorial(k) * (load * (t - k)).exp() for k in range(1, int(t) + 1))
        return float(1 - (1 - load) * ((load * t).exp() + below))
