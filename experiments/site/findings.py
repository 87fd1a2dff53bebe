"""What is seen in the runs of a site: from all of them, not from the best."""

import collections

from experiments.site import points
from experiments.site.tables import FAMILIES, FLEETS, POLICIES, SERVICES, SPIKES, arbiters_of, shown

SHOWN = ("oldest_first", "priority-preemptive", "prema-preemptive")
FIGURES = """Figures: late requests by service, under all arbiters at the usual rates; under some of them over the
rates; two halves against the whole, and routers, over the load. Crosses at the upper edge are saturated systems."""
HALF_AS_FAST = {"zu7ev": "width", "edge": "columns"}


def span(values, form="{:.2f}"):
    """From the least to the largest."""
    return f"{form.format(min(values))} to {form.format(max(values))}"


def winners(settings, statistic, best):
    """How often each variant is the best of a setting, the most frequent one first; ties count for all of them."""
    counts = collections.Counter()
    for points_of in settings:
        wanted = best(point["all"][statistic] for point in points_of.values())
        counts.update(name for name, point in points_of.items() if point["all"][statistic] == wanted)
    return counts.most_common()


def by_setting(found):
    """For each setting what all variants came to: [{variant: point}]."""
    settings = {}
    for (*setting, variant), point in found.items():
        settings.setdefault(tuple(setting), {})[variant] = point
    return list(settings.values())


def late_of(home, spike, service):
    """Late requests of a service at the largest rate, under each of SHOWN, in per cent."""
    cells = []
    for arbiter in SHOWN:
        by_rate = points.by_load(home, spike, policy="ours", variant=arbiter)
        cells.append(f"{100 * by_rate[max(by_rate)][service]['slo_violation_rate']:.2g}")
    return f"{', '.join(cells[:-1])} and {cells[-1]} % of the {service}"


def best_held(home):
    """The arbiters that hold all SLOs up to the largest rate that any does, whatever the policy and the spike."""
    best = set(arbiters_of(home))
    for policy in POLICIES:
        for spike in SPIKES:
            lines = {a: points.by_load(home, spike, policy=policy, variant=a) for a in arbiters_of(home)}
            held = {arbiter: points.most_held(line) or 0 for arbiter, line in lines.items()}
            best &= {arbiter for arbiter in held if held[arbiter] == max(held.values())}
    return [arbiter for arbiter in arbiters_of(home) if arbiter in best]


def of_the_home(home):
    settings = by_setting(home)
    (best, times), *_ = winners(settings, "slo_violation_rate", min)
    (fairest, fair_times), *_ = winners(settings, "fairness", max)
    more = [s[fairest]["all"]["antt"] / min(p["all"]["antt"] for p in s.values()) for s in settings]
    late = {spike: ", ".join(late_of(home, spike, service) for service in SERVICES) for spike in SPIKES}
    text = f"""A home: at {max(key[1] for key in home):g} times the usual rates and with exit_aware, a spike in the
        scenes makes late, under {', '.join(shown(arbiter) for arbiter in SHOWN)}: {late['scenes']}. One in the faces:
        {late['faces']}."""
    if held := best_held(home):
        text += f""" The arbiters that hold all SLOs up to the largest rate that any does, whatever the policy and the
            spike: {', '.join(map(shown, held))}."""
    return text + f""" Over all {len(settings)} settings (rates, spikes, policies) {shown(best)} has the least late
        requests in {times}, ties counted. Jain's index is the largest for {shown(fairest)} in {fair_times}, which has
        {span(more)} times the least ANTT."""


def of_the_policies(home):
    every, others = [], []
    for spike in SPIKES:
        for arbiter in arbiters_of(home):
            ours, dynamic = (points.by_load(home, spike, policy=policy, variant=arbiter) for policy in POLICIES)
            every += points.ratios(dynamic, ours, "all")
            for service in set(SERVICES) - {spike}:
                others += points.ratios(dynamic, ours, service)
    return f"""exit_aware is not always ahead of dynamic_batching, which has {span(every)} times its mean latency over
        all requests, and {span(others)} times over those of a service without the spike: a batch that takes in
        newcomers of its own network keeps the NPU from the others for as long as they come."""


def of_the_sizes(sizes):
    exact, columns, saturated = collections.defaultdict(list), [], []
    for (family, load, policy, variant), point in sizes.items():
        if variant == "whole":
            continue
        by, router = variant.split("-")
        ratio = points.ratio(point, sizes[family, load, policy, "whole"], "mean_latency_s")
        if ratio is None:
            saturated.append((by, load))
        elif by == HALF_AS_FAST[family]:
            exact[router].append(ratio)
        else:
            columns.append(ratio)
    every = [ratio for ratios in exact.values() for ratio in ratios]
    text = f"""Halves: two NPUs that are half as fast have {span(exact['earliest_finish'])} times the mean latency of
        the whole under earliest_finish, {span(exact['join_shortest_queue'])} times under join_shortest_queue and
        {span(exact['round_robin'])} times under round_robin, over all loads, both policies and both kinds of NPUs
        ({' and '.join(FAMILIES.values())}); the whole is better in {sum(r > 1 for r in every)} of {len(every)}
        settings, most at low load, where one half is slow and the other has nothing to do. How an NPU is halved matters
        more: with half the columns of zu7ev_large, where only tiles stay on the chip, inputs cross half the bandwidth
        twice as often, which makes it {span(columns)} times"""
    if lost := [load for by, load in saturated if by == "columns"]:
        text += f"; from a load of {min(lost):g} on it saturates"
    return text + "."


def of_a_fleet(routers, fleet):
    settings = {}
    for (its_fleet, load, policy, router), point in routers.items():
        if its_fleet == fleet:
            settings.setdefault((load, policy), {})[router] = point
    known = {s: {r: p for r, p in of.items() if not p["all"]["saturated"]} for s, of in settings.items()}

    def over_earliest_finish(router):
        both = [of for of in known.values() if router in of and "earliest_finish" in of]
        return [points.ratio(of[router], of["earliest_finish"], "mean_latency_s") for of in both]

    def has_least_late(router):
        rates = [{r: p["all"]["slo_violation_rate"] for r, p in of.items()} for of in known.values()]
        return [load for (load, _), of in zip(known, rates) if of.get(router) == min(of.values())]

    others = ("least_work", "join_shortest_queue", "power_of_two", "round_robin", "random")
    means = [f"{router} has {span(over_earliest_finish(router))}" for router in others]
    text = f"""with {FLEETS[fleet]}, {', '.join(means)} times the mean latency of earliest_finish. earliest_finish has
        the least late requests in {len(has_least_late('earliest_finish'))} of {len(known)} settings (loads and
        policies, ties counted), least_work in {len(has_least_late('least_work'))}"""
    if fits := has_least_late("most_loaded_that_fits"):
        text += f""", and most_loaded_that_fits in {len(fits)}, all from a load of {min(fits):g} on, with
            {span(over_earliest_finish('most_loaded_that_fits'))} times the mean over all loads"""
    for router in ("round_robin", "random"):
        if lost := [load for (load, _), of in known.items() if router not in of]:
            text += f"; {router} saturates from a load of {min(lost):g} on"
    return text + "."


def of_the_routers(routers):
    return "Routers: " + " And ".join(of_a_fleet(routers, fleet) for fleet in FLEETS)


def write(page, home, sizes, routers):
    parts = (FIGURES, of_the_home(home), of_the_policies(home), of_the_sizes(sizes), of_the_routers(routers))
    page.seen(" ".join(parts))
