"""SLO violation rates against the SLO, by splitting and by counting, and the exact tail of M/D/1."""

import math
import statistics

import figures
from experiments.bench import md1
from figures import plt

LOOKS = {**figures.LOOKS, "optimal": ("#CC79A7", "D", "-.")}
SHORT = {**figures.IN_WORDS, "serial": "serial", "optimal": "the optimum of the mean"}
LOWEST = 1e-9  # of the figure
RARE = 1e-6
ENOUGH = 10  # late requests, from which on a count is drawn


class Point:
    def __init__(self, row):
        self.policy, self.rho, self.multiple = row["policy"], row["rho"], row["multiple"]
        self.rate, self.low, self.high, self.events = row["rate"], row["low"], row["high"], row["events"]
        self.requests, self.counted, self.counted_half = row["requests"], row["counted"], row["counted_ci95"]

    def is_counted(self):
        """Whether a run of that length saw enough."""
        return self.counted * self.requests >= ENOUGH

    def agrees(self):
        """Whether the count is no farther from the estimate than both intervals together allow; None where one of them
        is not known."""
        if self.rate is None or self.counted_half is None:
            return None
        return abs(self.counted - self.rate) <= math.hypot(self.counted_half, (self.high - self.low) / 2)


def read(page, setup):
    """{rho: {policy: points by SLO}}."""
    found = {}
    for row in page.results.rows("SELECT * FROM tails WHERE setup = ? ORDER BY rho, policy, multiple", setup):
        found.setdefault(row["rho"], {}).setdefault(row["policy"], []).append(Point(row))
    return found


def crossing(points, rate):
    """The SLO at which a curve falls to `rate`, its logarithm being linear between two neighbours that are known; None
    where it stays above, begins below, or passes it where nothing is known."""
    for a, b in zip(points, points[1:]):
        if a.rate and b.rate and a.rate >= rate >= b.rate and a.rate > b.rate:
            share = math.log(a.rate / rate) / math.log(a.rate / b.rate)
            return a.multiple + share * (b.multiple - a.multiple)
    return None


def needed(points, rate):
    """That SLO in words."""
    multiple = crossing(points, rate)
    if multiple is not None:
        return f"{multiple:.2f}"
    if points[0].rate and points[0].rate < rate:
        return f"below {points[0].multiple:g}"
    if points[-1].rate and points[-1].rate > rate:
        return f"above {points[-1].multiple:g}"
    return "not known"


def style(policy):
    color, marker, dash = LOOKS[policy]
    label = figures.NAMES[policy]
    return {"color": color, "marker": marker, "markerfacecolor": "none", "linestyle": dash, "label": label}


def curve(axis, points, **look):
    estimates = [(p.rate, p.rate - p.low, p.high - p.rate) if p.rate else (math.nan,) * 3 for p in points]
    rates, *bars = zip(*estimates)  # NaN, where nothing is known, breaks the line
    axis.errorbar([p.multiple for p in points], rates, bars, capsize=2, elinewidth=0.8, **look)
    seen = [p for p in points if p.is_counted()]
    axis.plot(
        [p.multiple for p in seen],
        [p.counted for p in seen],
        linestyle="",
        marker="+",
        markersize=8,
        color=look["color"],
        label="_",
    )


def draw_check(axis, check):
    """Marks of M/D/1 on lines of what is exact, one for each load."""
    for rho, curves in check.items():
        first = rho == min(check)
        points = curves["serial"]
        line = [1 + (points[-1].multiple - 1) * i / 200 for i in range(201)]
        tail = [md1.late_share(rho, m) for m in line]
        axis.plot(line, tail, color="#888888", linewidth=1, label="exact" if first else "_")
        curve(axis, points, color="#000000", marker="x", linestyle="", label="by splitting" if first else "_")
        axis.annotate(f"load {rho:g}", (line[110], tail[110]), (4, 4), textcoords="offset points", fontsize=8)
    axis.set_title("check: M/D/1")
    axis.legend(fontsize=7, loc="upper right")


def order(policies):
    """Which curves lie above which at the end of each panel, in words."""
    texts = []
    for rho, curves in policies.items():
        ends = sorted((points[-1].rate, policy) for policy, points in curves.items() if points[-1].rate)
        names = ", ".join(SHORT[policy] for _, policy in reversed(ends)) or "none is known"
        texts.append(f"at rho {rho:g} {names}")
    return "; ".join(texts)


def draw(page, policies, check):
    figure, axes = plt.subplots(1, len(policies) + 1, figsize=(9.6, 4), sharey=True, squeeze=False)
    axes = axes[0]
    for axis, (rho, curves) in zip(axes, policies.items()):
        for policy in (p for p in LOOKS if p in curves):
            curve(axis, curves[policy], **style(policy))
        axis.set_title(f"EE-ResNet-50, rho {rho:g}")
    draw_check(axes[-1], check)
    for axis in axes:
        axis.set_yscale("log")
        axis.set_ylim(LOWEST, 1.5)
        axis.set_xlabel("SLO (single-sample latencies)")
    axes[0].set_ylabel("SLO violation rate")
    figures.legend_below(figure, axes[0], 3)
    figure.tight_layout()
    page.save(
        figure,
        caption=f"""SLO violation rate against the SLO; logarithmic. Left, a curve for each policy at each load, by
        splitting, with 95 % intervals (mostly smaller than the marks); crosses: what a run without splitting counts,
        where at least {ENOUGH} of its requests are late. Right, the same of `serial` without exits, with the exact tail
        as a line. Points below {LOWEST:g} are left out, as are those of which nothing is known, where a curve breaks
        off.""",
        alternative=f"""Panels of a curve for each policy, violation rate against SLO, with crosses where a run counts
        enough. The curves at the largest SLO of each panel, from the highest to the lowest: {order(policies)}. Right,
        lines of the exact tail of M/D/1 at loads of {" and ".join(f"{rho:g}" for rho in check)}, with a mark for each
        estimate.""",
    )


def rate_text(point):
    if point.rate is None:
        return "not known"
    return f"{point.rate:.2e} ({point.low:.2e} to {point.high:.2e})"


def counted_text(point):
    late = round(point.counted * point.requests)
    if not late:
        return figures.none_seen(point.requests)
    return f"{point.counted:.2e}" + (f" ± {point.counted_half:.1e}" if point.counted_half is not None else f" ({late})")


def tables(page, policies, check):
    page.table(
        "SLO violation rates (95 % interval) by splitting, and what a run counts (± 95 %, or how many where these are "
        "too few for an interval)",
        ["rho", "policy", "SLO", "by splitting", "counted", "million events"],
        [
            [
                *(f"{rho:g}", figures.NAMES[policy], f"{p.multiple:g}"),
                *(rate_text(p), counted_text(p), f"{p.events / 1e6:.1f}"),
            ]
            for rho, curves in policies.items()
            for policy in LOOKS
            for p in curves.get(policy, [])
        ],
    )
    page.table(
        "M/D/1: exact, and by splitting",
        ["load", "SLO", "exact", "by splitting", "over exact", "counted"],
        [
            [
                f"{rho:g}",
                f"{p.multiple:g}",
                f"{md1.late_share(rho, p.multiple):.3e}",
                rate_text(p),
                "" if p.rate is None else f"{p.rate / md1.late_share(rho, p.multiple):.3f}",
                counted_text(p),
            ]
            for rho, curves in check.items()
            for p in curves["serial"]
        ],
    )


def of_policies(rho, curves, rates=(1e-3, 1e-6)):
    """The SLO that each policy needs for a rate, in words."""
    texts = []
    for rate in rates:
        said = ", ".join(f"{SHORT[policy]} {needed(curves[policy], rate)}" for policy in LOOKS if policy in curves)
        texts.append(f"for {rate:g} {said}")
    return f"At rho {rho:g} the SLO that is missed at a given rate, in single-sample latencies, is {'; '.join(texts)}."


def of_check(check):
    known = [(p, md1.late_share(rho, p.multiple)) for rho, curves in check.items() for p in curves["serial"] if p.rate]
    if not known:
        return "Splitting knows none of the rates of M/D/1."
    held = sum(p.low <= truth <= p.high for p, truth in known)
    ratios = [p.rate / truth for p, truth in known]
    return f"""Of {len(known)} estimates of M/D/1, down to {min(truth for _, truth in known):.1e}, the 95 % interval
        holds the exact rate in {held}; they are {min(ratios):.3f} to {max(ratios):.3f} times that."""


def of_range(points):
    """How far down counting and splitting go, in words."""
    counted = [p.counted for p in points if p.is_counted()]
    known = [p for p in points if p.rate]
    rare = [p.events for p in known if p.rate < RARE]
    shown = f"shows {ENOUGH} late ones down to a rate of {min(counted):.0e}" if counted else "shows too few late ones"
    down = f"goes down to {min(p.rate for p in known):.0e}" if known else "knows no rate"
    effort = f", {statistics.fmean(rare) / 1e6:.0f} million events each below {RARE:g}" if rare else ""
    return f"A run of {points[0].requests:,.0f} requests {shown}; splitting {down}{effort}."


def findings(policies, check):
    points = [p for curves in policies.values() for some in curves.values() for p in some]
    agree = [p.agrees() for p in points if p.agrees() is not None]
    unknown = sum(p.rate is None for p in points)
    nothing = f"; of {unknown} of {len(points)} points splitting knows nothing, which does not make them 0"
    blind = nothing if unknown else ""
    return f"""{" ".join(of_policies(rho, curves) for rho, curves in policies.items())} {of_range(points)} Where a run
        has an interval, it agrees with splitting in {sum(agree)} of {len(agree)}{blind}. {of_check(check)}"""


def make(page):
    policies, check = read(page, "policies"), read(page, "M/D/1")
    draw(page, policies, check)
    tables(page, policies, check)
    page.seen(findings(policies, check))


def main():
    figures.main("tails", "Tails: violation rate against SLO", make)
