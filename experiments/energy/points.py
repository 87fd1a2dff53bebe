"""What the results file says, put together."""

import statistics

PARTS = ("mac", "buffer", "dram", "static")
POLICIES = ("serial", "dynamic", "greedy", "lazy", "ours")
MODES = ("r", "p", "fluid", "r_stacked", "fluid_stacked")


def loads(page):
    """{(npu, network, policy, mode): {rho: {statistic: mean over replications}}}, of runs that are not saturated."""
    found = {}
    averages = ", ".join(
        f"avg({s}) AS {s}"
        for s in (
            *("energy_per_request_j", "average_power_w", "energy_delay_product_js", "mean_latency_s", "mean_batch"),
            *(f"{part}_energy_per_request_j" for part in PARTS),
        )
    )
    for row in page.results.rows(
        f"SELECT npu, network, policy, mode, rho, max(saturated) AS saturated, {averages} FROM loads "
        "GROUP BY npu, network, policy, mode, rho ORDER BY npu, network, policy, mode, rho"
    ):
        if not row["saturated"]:
            key = tuple(row[name] for name in ("npu", "network", "policy", "mode"))
            found.setdefault(key, {})[row["rho"]] = dict(row)
    return found


def places(found):
    """The (npu, network) pairs, in order."""
    return list(dict.fromkeys((npu, network) for npu, network, _, _ in found))


def ratios(found, statistic, one, other, rhos=None):
    """`statistic` of the (policy, mode) `one` over that of `other`, at each place and load at which neither is
    saturated."""
    return [
        values[statistic] / found[*place, *other][rho][statistic]
        for place in places(found)
        for rho, values in found.get((*place, *one), {}).items()
        if rho in found.get((*place, *other), {}) and (rhos is None or rho in rhos)
    ]


def spread(values, digits=2):
    """Geometric mean, with the least and the largest; a dash where there is none."""
    if not values:
        return "–"
    mean = statistics.geometric_mean(values)
    return f"{mean:.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def words(page):
    """{(npu, network, mode, batch): {column: value}}."""
    return {
        (row["npu"], row["network"], row["mode"], row["batch"]): dict(row)
        for row in page.results.rows("SELECT * FROM words ORDER BY rowid")
    }


def front(rows):
    """Of the tiles, those that no other beats in both latency and energy; by latency."""
    best, kept = float("inf"), []
    for row in sorted(rows, key=lambda r: (r["latency_per_sample_s"], r["energy_per_sample_j"])):
        if row["energy_per_sample_j"] < best:
            best = row["energy_per_sample_j"]
            kept.append(row)
    return kept
