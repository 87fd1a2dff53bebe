"""What the results file of the headline has, as readings."""

import statistics
from collections import defaultdict

from headline import grid, readings
from headline.readings import Reading


class Runs:
    """Runs of a table by setting, system and replication; of a replication of cameras the means over its runs."""

    def __init__(self, page, table, last):
        rows = page.results.rows(
            f"SELECT network, multiple, kind, rho, system, replication, mean_latency_s, slo_violation_rate, requests, "
            f"saturated, {last} FROM {table} ORDER BY network, multiple, kind, rho, system, replication"
        )
        every = {row["replication"] for row in rows if row["kind"] == "poisson"}
        self.replications = sorted(every)
        self.saturated, self.runs = defaultdict(int), defaultdict(int)
        cells = defaultdict(list)
        for row in rows:
            setting = grid.Setting(row["network"], row["multiple"], row["kind"], row["rho"])
            cells[setting, row["system"], row["replication"] % len(every)].append(row)
            self.saturated[row["system"]] += bool(row["saturated"])
            self.runs[row["system"]] += 1
        self.settings = sorted({setting for setting, _, _ in cells})
        self.mean_s = {key: statistics.fmean(row["mean_latency_s"] for row in found) for key, found in cells.items()}
        self.late = {key: statistics.fmean(row["slo_violation_rate"] for row in found) for key, found in cells.items()}
        self.last = {key: statistics.fmean(row[last] for row in found) for key, found in cells.items()}
        self.requests = {key: sum(row["requests"] for row in found) for key, found in cells.items()}

    def latency(self, other, ours="ours", settings=None):
        """Mean over settings of the other's mean latency over ours."""
        return readings.over_replications(
            [
                statistics.fmean(
                    self.mean_s[s, other, r] / self.mean_s[s, ours, r] for s in settings or self.settings
                )
                for r in self.replications
            ]
        )

    def mean_late(self, system, replication, settings=None):
        return statistics.fmean(self.late[s, system, replication] for s in settings or self.settings)

    def pooled(self, other, ours="ours", settings=None):
        """The ratio of the mean violation rates over settings; NaN where ours is never late in a replication."""
        rates = [[self.mean_late(name, r, settings) for name in (other, ours)] for r in self.replications]
        if not all(own for _, own in rates):
            return Reading(*[float("nan")] * 3)
        return readings.over_replications([theirs / own for theirs, own in rates])

    def lower_in(self, other):
        """In how many settings ours has the lower mean latency."""

        def mean(setting, system):
            return statistics.fmean(self.mean_s[setting, system, r] for r in self.replications)

        return sum(mean(s, other) > mean(s, "ours") for s in self.settings)


class Tail:
    """The rates of all settings, as they enter the geometric mean."""

    def __init__(self, page, runs):
        split = {
            (row["network"], row["multiple"], row["kind"], row["rho"], row["system"]): row
            for row in page.results.rows(
                "SELECT network, multiple, kind, rho, system, value, low, high, far_high_s, events FROM tails"
            )
        }
        self.rates = {}
        for setting in runs.settings:
            for system in grid.CLAIMED:
                keys = [(setting, system, r) for r in runs.replications]
                rates, requests = [runs.late[key] for key in keys], sum(runs.requests[key] for key in keys)
                known = split.get((*setting, system))
                self.rates[setting, system] = readings.rate_of(rates, requests, grid.slo_s(setting), known)
        self.settings = runs.settings

    def geometric(self, other, settings=None, at_the_floor=False):
        change = readings.at_the_floor if at_the_floor else lambda rate: rate
        pairs = [[change(self.rates[s, system]) for system in (other, "ours")] for s in settings or self.settings]
        return readings.geometric([readings.pair_of(*pair) for pair in pairs])

    def counts(self, system):
        """{origin: number of settings}, how many of those from runs or splitting are wider than asked for, and how many
        of these have cameras."""
        rates = [self.rates[s, system] for s in self.settings]
        found = {origin: sum(r.origin == origin for r in rates) for origin in ("runs", "splitting", "floor", "unknown")}
        wide = [
            setting
            for setting, rate in zip(self.settings, rates)
            if rate.origin in ("runs", "splitting") and not rate.precise
        ]
        return found, len(wide), sum(setting.kind == "periodic" for setting in wide)


def loads(page, column):
    """{system: {place: [load of each seed]}}: `load`, which holds, or `fails_from`, None where none was met."""
    found = {system: defaultdict(list) for system in grid.CLAIMED}
    for row in page.results.rows(
        f"SELECT network, multiple, kind, system, {column} FROM capacities "
        "ORDER BY network, multiple, kind, system, seed"
    ):
        found[row["system"]][grid.Place(row["network"], row["multiple"], row["kind"])].append(row[column])
    return found


def groups(settings, place):
    """{value: settings} of network, SLO, arrivals or load."""
    found = defaultdict(list)
    for setting in settings:
        found[setting[place]].append(setting)
    return found
