"""What the runs of a site say, put together over their seeds."""

import csv
import statistics

STATISTICS = (
    "mean_latency_s",
    "p99_latency_s",
    "slo_violation_rate",
    "mean_batch",
    "busy_fraction",
    "antt",
    "stp",
    "fairness",
)
MOST_LATE = 0.01  # of each service, where a load counts as held


def means(page, table, *keys):
    """{(.. values of keys, policy, variant): {service: {statistic: mean over the seeds}}}; `saturated`: any run is."""
    columns = ", ".join((*keys, "policy", "variant", "service"))
    averages = ", ".join(f"avg({s}) AS {s}" for s in STATISTICS)
    found = {}
    for row in page.results.rows(
        f"SELECT {columns}, count(*) AS seeds, max(saturated) AS saturated, {averages} FROM {table} GROUP BY {columns} "
        f"ORDER BY {columns}"
    ):
        point = found.setdefault(tuple(row[key] for key in (*keys, "policy", "variant")), {})
        point[row["service"]] = {key: row[key] for key in ("seeds", "saturated", *STATISTICS)}
    return found


def write_csv(path, keys, found):
    """The same as a file: a row for each point and service."""
    with open(path, "w", newline="", encoding="ascii") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*keys, "policy", "variant", "service", "seeds", "saturated", *STATISTICS))
        for key, point in found.items():
            for service, values in point.items():
                writer.writerow((*key, service, *("" if v is None else v for v in values.values())))


def holds(point):
    """Whether at most 1 % of each service's requests are late, in a run that is not saturated."""
    services = [values for name, values in point.items() if name != "all"]
    return not point["all"]["saturated"] and all(s["slo_violation_rate"] <= MOST_LATE for s in services)


def most_held(by_load):
    """The largest of the loads up to which all hold; None where the smallest does not."""
    most = None
    for load in sorted(by_load):
        if not holds(by_load[load]):
            break
        most = load
    return most


def by_load(found, *before, policy, variant):
    """{load: point}, of what has these keys before the load."""
    return {
        key[len(before)]: point
        for key, point in found.items()
        if key[: len(before)] == before and key[len(before) + 1 :] == (policy, variant)
    }


def average(points, service, statistic):
    """Over loads."""
    return statistics.fmean(point[service][statistic] for point in points.values())


def ratio(point, base, statistic):
    """Of the whole's statistic; None where either is saturated."""
    if point["all"]["saturated"] or base["all"]["saturated"]:
        return None
    return point["all"][statistic] / base["all"][statistic]


def ratios(points, base, service):
    """Of a service's mean latency, at each load."""
    return [points[load][service]["mean_latency_s"] / base[load][service]["mean_latency_s"] for load in points]
