"""The exact tail of M/D/1."""

import decimal
from decimal import Decimal

DIGITS = 80  # the terms alternate, and grow to some 10^(0.4 rho multiple)


def late(rho, multiple):
    """Share of the requests whose wait and service take longer than `multiple` service times, at a load of `rho` below
    1: 1 - P(W <= t) with t = multiple - 1, by Erlang's P(W <= t) = (1 - rho) sum over k = 0 .. floor(t) of
    (rho (k - t))^k / k! exp(-rho (k - t))."""
    if multiple < 1:
        return 1.0
    with decimal.localcontext() as context:
        context.prec = DIGITS
        load, t = Decimal(str(rho)), Decimal(str(multiple)) - 1
        total, factorial = Decimal(0), Decimal(1)
        for k in range(int(t) + 1):
            factorial *= max(k, 1)
            x = load * (k - t)
            total += (x**k if k else Decimal(1)) / factorial * (-x).exp()
        return float(1 - (1 - load) * total)
