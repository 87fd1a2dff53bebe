"""What the results file says of each row: ratios of latencies and of violation rates over the grid, and the table of
latencies that they rest on."""

import math
import statistics

from python_module import fb

OTHERS = ("dynamic", "greedy", "lazy")
MODES = ("r", "fluid_stacked")


class Row:
    """The grid on one NPU, or on the engines that were searched for one."""

    def __init__(self, name, points, engines):
        """`points`: the rows of the table of that name; `engines`: {(network, mode): row of that table}."""
        self.name = name
        self.searched = "searched" in name
        self.cells = {
            ((p["network"], p["kind"], p["load"], p["multiple"]), p["system"], p["replication"]): p for p in points
        }
        self.settings = sorted({setting for setting, _, _ in self.cells})
        self.replications = sorted({replication for _, _, replication in self.cells})
        self.engines = engines
        self.networks = sorted({network for network, _ in engines})

    def latency_ratios(self, other, own="ours", mean=statistics.fmean):
        """In each replication: mean over settings of the mean latency of `other` over that of `own`."""
        return [
            mean([self.cells[s, other, r]["mean_s"] / self.cells[s, own, r]["mean_s"] for s in self.settings])
            for r in self.replications
        ]

    def rate_ratios(self, other):
        """In each replication: mean violation rate of `other` over that of ours; NaN where ours is never late."""
        found = []
        for r in self.replications:
            theirs, ours = (
                statistics.fmean(self.cells[s, system, r]["late"] for s in self.settings) for system in (other, "ours")
            )
            found.append(theirs / ours if ours > 0 else math.nan)
        return found

    def late(self, setting, system, replications):
        """Late requests in these replications together."""
        cells = [self.cells[setting, system, r] for r in replications]
        return sum(round(cell["late"] * cell["requests"]) for cell in cells)

    def geometric_mean(self, other, replications):
        """Over the settings, of the ratio of late requests in these replications together; none counts as a half."""
        logs = [
            math.log(max(self.late(s, other, replications), 0.5) / max(self.late(s, "ours", replications), 0.5))
            for s in self.settings
        ]
        return math.exp(statistics.fmean(logs))

    def geometric_interval(self, other):
        """That of all replications, and its 95 % interval by the jackknife of its logarithm: (mean, low, high)."""
        without = [
            math.log(self.geometric_mean(other, [r for r in self.replications if r != left_out]))
            for left_out in self.replications
        ]
        half = jackknife_half_width(without)
        middle = self.geometric_mean(other, self.replications)
        return middle, middle * math.exp(-half), middle * math.exp(half)

    def never_late(self, other):
        """Settings in which nobody is late: on both sides, and on ours alone."""
        counts = [[self.late(s, system, self.replications) for system in (other, "ours")] for s in self.settings]
        return sum(c == [0, 0] for c in counts), sum(c[0] > 0 and c[1] == 0 for c in counts)

    def saturated(self):
        return sum(cell["saturated"] for cell in self.cells.values())

    def over_networks(self, value, mean=statistics.geometric_mean):
        """Mean over the networks of value({mode: engine})."""
        return mean([value({m: self.engines[n, m] for m in MODES}) for n in self.networks])

    def batching_gain(self, mode):
        return self.over_networks(lambda by: 8 * by[mode]["latency_b1_s"] / by[mode]["latency_b8_s"])

    def utilisation(self, mode):
        return self.over_networks(lambda by: by[mode]["utilisation_b1"], statistics.fmean)

    def speed_up(self, batch):
        """Latency in mode r over that in fluid_stacked, each on its own engine, of a batch of 1 or 8."""
        key = f"latency_b{batch}_s"
        return self.over_networks(lambda by: by["r"][key] / by["fluid_stacked"][key])

    def tiles(self):
        """T_R, T_P, T_C of an NPU that ships."""
        engine = self.engines[self.networks[0], "r"]
        return f"{engine['t_r']}, {engine['t_p']}, {engine['t_c']}"


def jackknife_half_width(without):
    """Half of the 95 % interval of a statistic, of its values with one of n samples left out at a time: Student's t of
    n - 1 degrees of freedom times sqrt((n - 1) / n sum (value - mean)^2)."""
    n = len(without)
    # The half-width of a mean of the values is t sqrt(sum / (n - 1) / n).
    return fb.interval(without).half_width * (n - 1)


def read(page):
    """All rows, in the order in which they were run."""
    engines, points = {}, {}
    for e in page.results.rows("SELECT * FROM engines ORDER BY rowid"):
        engines.setdefault(e["npu"], {})[e["network"], e["mode"]] = e
    for p in page.results.rows("SELECT * FROM points ORDER BY rowid"):
        points.setdefault(p["npu"], []).append(p)
    return [Row(name, points[name], engines[name]) for name in engines]
