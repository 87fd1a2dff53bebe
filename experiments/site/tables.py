"""The tables of a site."""

from experiments.site import points

POLICIES = {"ours": "exit_aware", "dynamic": "dynamic_batching"}
SPIKES = ("scenes", "faces")
SERVICES = ("faces", "objects", "scenes")
NUMBERS = ("late (%)", "mean (ms)", "p99 (ms)")  # of each service
FAMILIES = {"zu7ev": "zu7ev_large", "edge": "edge_16tops"}
FLEETS = {"equal": "four equal NPUs", "mixed": "two large, two small"}


def shown(arbiter):
    name, *preemptive = arbiter.split("-")
    return f"preemptive {name}" if preemptive else name


def arbiters_of(home):
    """Those that don't preempt, and then those that do; of each in the order in which they are late at all."""
    names = dict.fromkeys(key[3] for key in home)
    return sorted(names, key=lambda name: (name.endswith("preemptive"), name))


def home(page, found, spike):
    """Each arbiter with exit_aware, averaged over the rates."""
    rows = []
    for arbiter in arbiters_of(found):
        by_rate = points.by_load(found, spike, policy="ours", variant=arbiter)
        cells = [shown(arbiter)]
        for service in SERVICES:
            late, mean, p99 = (
                points.average(by_rate, service, s) for s in ("slo_violation_rate", "mean_latency_s", "p99_latency_s")
            )
            cells += [f"{100 * late:.2f}", f"{1000 * mean:.1f}", f"{1000 * p99:.0f}"]
        cells += [f"{points.average(by_rate, 'all', s):.2f}" for s in ("antt", "stp")]
        rows.append([*cells, f"{points.average(by_rate, 'all', 'fairness'):.3f}"])
    page.table(
        f"A home under each arbiter (exit_aware, a spike in the {spike}), averaged over all rates",
        ["arbiter", *(f"{s}: {one}" for s in SERVICES for one in NUMBERS), "ANTT", "STP", "fairness"],
        rows,
    )


def held(page, found):
    """Up to which rate each arbiter holds every SLO."""
    columns = [(policy, spike) for policy in POLICIES for spike in SPIKES]
    rows = []
    for arbiter in arbiters_of(found):
        most = [points.most_held(points.by_load(found, spike, policy=p, variant=arbiter)) for p, spike in columns]
        rows.append([shown(arbiter), *("none" if m is None else f"{m:g}" for m in most)])
    page.table(
        "The largest of the rates tried, over the usual ones, up to which at most 1 % of each service is late",
        ["arbiter", *(f"{POLICIES[policy]}, a spike in the {spike}" for policy, spike in columns)],
        rows,
    )


def policies(page, found):
    """What exit_aware gains or loses against dynamic_batching, for each service."""
    rows = []
    for arbiter in arbiters_of(found):
        cells = []
        for spike in SPIKES:
            ours, dynamic = (points.by_load(found, spike, policy=policy, variant=arbiter) for policy in POLICIES)
            for service in SERVICES:
                ratios = points.ratios(dynamic, ours, service)
                cells.append(f"{min(ratios):.2f} to {max(ratios):.2f}")
        rows.append([shown(arbiter), *cells])
    page.table(
        "Mean latency under dynamic_batching over that under exit_aware, from the least to the most over the rates",
        ["arbiter", *(f"{service}, a spike in the {spike}" for spike in SPIKES for service in SERVICES)],
        rows,
    )


def sizes(page, found):
    """Mean latencies on halves over those on the whole, at each load."""
    loads = sorted({key[1] for key in found})
    rows = []
    for family, policy, variant in dict.fromkeys((key[0], *key[2:]) for key in found):
        if variant == "whole":
            continue
        halves = points.by_load(found, family, policy=policy, variant=variant)
        whole = points.by_load(found, family, policy=policy, variant="whole")
        ratios = [points.ratio(halves[load], whole[load], "mean_latency_s") for load in loads]
        by, router = variant.split("-")
        cells = ["saturated" if r is None else f"{r:.2f}" for r in ratios]
        rows.append([FAMILIES[family], by, router, POLICIES[policy], *cells])
    page.table(
        "Mean latency on two halves over that on the whole, by load",
        ["whole", "halved by", "router", "policy", *(f"{load:g}" for load in loads)],
        rows,
    )


def routers(page, found):
    """Mean latencies, and the load up to which all SLOs are held."""
    loads = sorted({key[1] for key in found})
    rows = []
    for fleet, policy, router in dict.fromkeys((key[0], *key[2:]) for key in found):
        by_load = points.by_load(found, fleet, policy=policy, variant=router)
        alls = [point["all"] for point in by_load.values()]
        cells = ["saturated" if a["saturated"] else f"{1000 * a['mean_latency_s']:.1f}" for a in alls]
        most = points.most_held(by_load)
        rows.append([FLEETS[fleet], POLICIES[policy], router, *cells, "none" if most is None else f"{most:g}"])
    page.table(
        "Mean latency in ms by load, and the largest load tried up to which at most 1 % of each service is late",
        ["NPUs", "policy", "router", *(f"{load:g}" for load in loads), "held"],
        rows,
    )
