"""What the rows show together, in words: on what the claim depends."""

import math
import statistics

from experiments.headline_npus.points import OTHERS
from figures import IN_WORDS
from npu_fit.fits import rank_correlation

PUBLISHED = 1.97  # average latency of another over ours
# What can be said of a table of latencies before anything is served.
CAUSES = {
    "batching gain in mode r": lambda row: row.batching_gain("r"),
    "r / fluid_stacked at batch 1": lambda row: row.speed_up(1),
    "r / fluid_stacked at batch 8": lambda row: row.speed_up(8),
    "utilisation at batch 1 in mode r": lambda row: row.utilisation("r"),
}


def span(values, form=".2f"):
    """From the least to the largest of what is known (not NaN)."""
    values = [value for value in values if not math.isnan(value)]
    if not values:
        return "not known"
    low, high = (format(choose(values), form) for choose in (min, max))
    return low if low == high else f"{low} to {high}"


def latency(row, other, mean=statistics.fmean):
    return statistics.fmean(row.latency_ratios(other, mean=mean))


def share_of_largest(ratios):
    """Of the sum of the ratios, what their largest tenth makes, rounded up to whole settings."""
    return sum(sorted(ratios)[-math.ceil(len(ratios) / 10) :]) / sum(ratios)


def correlation(rows, cause, other):
    """Of ranks over the rows: a number of the table and the ratio of latencies; 0 where one is always the same."""
    try:
        return rank_correlation([CAUSES[cause](row) for row in rows], [latency(row, other) for row in rows])
    except statistics.StatisticsError:
        return 0.0


def closest(rows, other):
    return max(CAUSES, key=lambda cause: abs(correlation(rows, cause, other)))


def farthest(rows, other):
    return min(CAUSES, key=lambda cause: abs(correlation(rows, cause, other)))


def beyond(rows, other, mean=statistics.fmean):
    """How many rows have the published ratio of latencies and more."""
    return sum(latency(row, other, mean) >= PUBLISHED for row in rows)


def of_shipped(rows):
    low, high = (choose(rows, key=lambda row: latency(row, "lazy")) for choose in (min, max))
    geometric = statistics.geometric_mean
    ranges, counts = [], []
    for other in OTHERS:
        both = [span([latency(row, other, mean) for row in rows]) for mean in (statistics.fmean, geometric)]
        ranges.append(f"{IN_WORDS[other]} {both[0]} times (by the geometric mean {both[1]})")
        counts.append(f"{beyond(rows, other)} against {IN_WORDS[other]} ({beyond(rows, other, geometric)})")
    apart = max(rows, key=lambda row: latency(row, "lazy") / latency(row, "lazy", geometric))
    share = statistics.fmean(apart.latency_ratios("lazy", mean=share_of_largest))
    saturated, runs = sum(row.saturated() for row in rows), sum(len(row.cells) for row in rows)
    return f"""On the {len(rows)} NPUs that ship the average latency of the others is, over that of ours, by the mean
        over the settings, {", ".join(ranges)}; it is {PUBLISHED} times and more on {", ".join(counts)}. Against
        LazyBatching it is least on {low.name} and most on {high.name}. The two means are farthest apart on
        {apart.name}, {latency(apart, "lazy"):.2f} and {latency(apart, "lazy", geometric):.2f} against LazyBatching:
        the tenth of the settings with the largest ratios makes {100 * share:.0f} % of the sum. {saturated} of {runs:,}
        runs are saturated, and count like the others."""


def of_rates(rows):
    texts = []
    for other in OTHERS:
        geometric = [row.geometric_mean(other, row.replications) for row in rows]
        means = [statistics.fmean(row.rate_ratios(other)) for row in rows]
        texts.append(
            f"{span(geometric, '.1f')} by the geometric mean and {span(means)} by the mean rates for {IN_WORDS[other]}"
        )
    never = sum(any(map(math.isnan, row.rate_ratios("dynamic"))) for row in rows)
    without = f", of mean rates without {never} in which ours is never late in some replication" if never else ""
    return f"Counted violation rates over ours are {'; '.join(texts)}, over all {len(rows)} rows{without}."


def of_parts(rows):
    scheduler, engine = (
        [statistics.fmean(row.latency_ratios(*pair, statistics.geometric_mean)) for row in rows]
        for pair in (("lazy", "ours_r"), ("ours_r", "ours"))
    )
    more = sum(e > s for s, e in zip(scheduler, engine))
    return f"""By geometric means, of the factor against LazyBatching the scheduler alone, both in mode r on one engine,
        makes {span(scheduler)}, and the engine and its mode alone, exit_aware in mode r over ours, {span(engine)}: the
        engine makes more of it in {more} of {len(rows)} rows."""


def of_causes(rows):
    found = {cause: [f"{correlation(rows, cause, other):.2f}" for other in ("dynamic", "lazy")] for cause in CAUSES}
    texts = [f"{cause} {' and '.join(both)}" for cause, both in found.items()]
    return f"""Rank correlations over the rows with the factors against dynamic batching and LazyBatching:
        {"; ".join(texts)}. So what goes with the factor best is {closest(rows, "lazy")} for LazyBatching and
        {closest(rows, "dynamic")} for dynamic batching. (Rows share boards and networks, so that these are no
        independent cases.)"""


def of_searched(rows):
    """Each searched row beside the one that ships."""
    by_name = {row.name: row for row in rows}
    pairs = [(by_name[row.name.partition(",")[0]], row) for row in rows if row.searched]
    factors = [(shipped.name, *(latency(row, "lazy") for row in (shipped, searched))) for shipped, searched in pairs]
    changes = ", ".join(f"{name} from {before:.2f} to {after:.2f}" for name, before, after in factors)
    lower = sum(after < before for _, before, after in factors)
    left = ", ".join(f"{span([latency(row, o) for _, row in pairs])} against {IN_WORDS[o]}" for o in OTHERS)
    return f"""Where each mode has the tiles that are best for it, network by network, the factor against LazyBatching
        is smaller in {lower} of {len(pairs)} ({changes}); what is left is {left}."""


def text(rows):
    shipped = [row for row in rows if not row.searched]
    return " ".join((of_shipped(shipped), of_searched(rows), of_parts(rows), of_causes(rows), of_rates(rows)))
