"""A home under each arbiter, one NPU against two halves of it, and routers against load."""

import math

import figures
from experiments.site import findings, points, tables
from experiments.site.tables import FAMILIES, FLEETS, POLICIES, SPIKES
from figures import plt

# Okabe and Ito's colours, with a marker and a dash each.
ARBITERS = {
    "oldest_first": ("#000000", "o", "-"),
    "fair_share": ("#56B4E9", "v", "--"),
    "shortest_first": ("#E69F00", "s", "--"),
    "earliest_deadline-preemptive": ("#0072B2", "D", "-."),
    "priority-preemptive": ("#D55E00", "^", "-"),
    "prema-preemptive": ("#009E73", "x", ":"),
}
SERVICES = {"faces": ("#D55E00", "^"), "objects": ("#0072B2", "o"), "scenes": ("#009E73", "s")}
HALVES = {
    "whole": ("#000000", "", "-", "whole"),
    "width-round_robin": ("#E69F00", "s", ":", "halves: round_robin"),
    "width-join_shortest_queue": ("#56B4E9", "v", "--", "halves: join_shortest_queue"),
    "width-earliest_finish": ("#009E73", "^", "-", "halves: earliest_finish"),
    "columns-earliest_finish": ("#D55E00", "D", "-.", "halves by columns: earliest_finish"),
}
ROUTERS = {
    "random": ("#999999", "*", ":"),
    "round_robin": ("#000000", "o", "-"),
    "power_of_two": ("#E69F00", "s", "--"),
    "join_shortest_queue": ("#56B4E9", "v", "-"),
    "least_work": ("#0072B2", "D", "--"),
    "earliest_finish": ("#009E73", "^", "-"),
    "most_loaded_that_fits": ("#D55E00", "P", "-."),
}
SHOWN_RATE = 1  # of the figure that has all arbiters
NONE_LATE = 1e-4  # per cent: where points without a late request are marked


def late_percent(values):
    """For a logarithmic axis: not a number where nobody is late."""
    return 100 * values["slo_violation_rate"] or math.nan


def late_scale(axis, set_ticks, set_limits):
    """Down to one in a million; where nobody is late is marked below that."""
    ticks = (NONE_LATE, *(10.0**e for e in range(-3, 3)))
    set_ticks(ticks, ["none", *(f"{tick:g}" for tick in ticks[1:])])
    set_limits(0.6 * NONE_LATE, 150)
    axis.minorticks_off()


def draw_line(axis, line, look, label, highest):
    """A line {x: y}, broken where y is not a number, which is marked below as nobody late, and where it is None, which
    is marked at the upper edge as saturated."""
    color, marker, dash = look
    style = {"color": color, "markerfacecolor": "none"}
    axis.plot(list(line), [math.nan if y is None else y for y in line.values()], marker=marker, linestyle=dash,
              label=label, **style)
    nobody = [x for x, y in line.items() if y is not None and math.isnan(y)]
    axis.plot(nobody, [NONE_LATE] * len(nobody), marker=marker, linestyle="", **style)
    saturated = [x for x, y in line.items() if y is None]
    axis.plot(saturated, [highest] * len(saturated), marker="x", linestyle="", **style)


def draw_arbiters(page, home):
    """All arbiters, at one rate: late requests by service."""
    figure, axes = plt.subplots(2, 2, figsize=(9.2, 6.4), sharex=True, sharey=True)
    arbiters = tables.arbiters_of(home)
    for line, policy in zip(axes, POLICIES):
        for axis, spike in zip(line, SPIKES):
            for service, (color, marker) in SERVICES.items():
                late = [late_percent(home[spike, SHOWN_RATE, policy, arbiter][service]) for arbiter in arbiters]
                found = [NONE_LATE if math.isnan(x) else x for x in late]
                axis.plot(found, range(len(arbiters)), linestyle="", marker=marker, color=color, label=service)
            axis.set_xscale("log")
            late_scale(axis, axis.set_xticks, axis.set_xlim)
            axis.set_yticks(range(len(arbiters)), [tables.shown(arbiter) for arbiter in arbiters], fontsize=7.5)
            axis.set_title(f"{POLICIES[policy]}, a spike in the {spike}")
    axes[0][0].invert_yaxis()
    for axis in axes[1]:
        axis.set_xlabel("late (%)")
    figures.legend_below(figure, axes[0][0], 3)
    figure.tight_layout()
    page.save(
        figure,
        caption="""Late requests of each service (marks) for each way to decide between services (rows), at one rate,
        with a spike in either of two services. On the left edge: nobody was late.""",
        alternative="""Four panels with a row of three marks for each arbiter. How far the marks of a row are apart is
        how unlike the services fare: under most arbiters the faces have the most late requests, under preemptive
        priority the objects.""",
    )


def draw_rates(page, home):
    """Some arbiters over the rate: late requests by service."""
    figure, axes = plt.subplots(2, 3, figsize=(9.2, 5.4), sharex=True, sharey=True)
    for line, spike in zip(axes, SPIKES):
        for axis, service in zip(line, SERVICES):
            for arbiter, look in ARBITERS.items():
                found = points.by_load(home, spike, policy="ours", variant=arbiter)
                late = {rate: late_percent(point[service]) for rate, point in found.items()}
                draw_line(axis, late, look, tables.shown(arbiter), 120)
            axis.axhline(100 * points.MOST_LATE, color="#888888", linewidth=0.8)
            axis.set_yscale("log")
            late_scale(axis, axis.set_yticks, axis.set_ylim)
            axis.set_title(f"{service}, a spike in the {spike}", fontsize=9)
        line[0].set_ylabel("late (%)")
    for axis in axes[1]:
        axis.set_xlabel("times the usual rates")
    figures.legend_below(figure, axes[0][0], 3)
    figure.tight_layout()
    page.save(
        figure,
        "_rates",
        caption="""Late requests of each service against the rates, for some of the ways to decide between them;
        grey: the share that is allowed. Marks at the lower edge: nobody was late; crosses at the upper one:
        saturated.""",
        alternative="""Six panels of curves that rise with the rates. Which arbiter keeps a service below the grey line
        for longest differs from service to service.""",
    )


def draw_sizes(page, sizes):
    """Latencies on two halves over those on the whole."""
    figure, axes = plt.subplots(2, 4, figsize=(9.6, 5), sharex=True, sharey=True)
    columns = [(family, policy) for family in FAMILIES for policy in POLICIES]
    for line, (statistic, name) in zip(axes, (("mean_latency_s", "mean"), ("p99_latency_s", "p99"))):
        for axis, (family, policy) in zip(line, columns):
            whole = points.by_load(sizes, family, policy=policy, variant="whole")
            for variant, (*look, label) in HALVES.items():
                if family == "edge":
                    variant = variant.replace("columns", "none").replace("width", "columns")
                halves = points.by_load(sizes, family, policy=policy, variant=variant)
                ratios = {load: points.ratio(halves[load], whole[load], statistic) for load in halves}
                draw_line(axis, ratios, look, label, 20)
            axis.set_title(f"{FAMILIES[family]}\n{POLICIES[policy]}: {name}", fontsize=8)
            figures.log_scale(axis, 0.7, 25)
    for axis in axes[:, 0]:
        axis.set_ylabel("latency over that of the whole")
    for axis in axes[1]:
        axis.set_xlabel("load")
    figures.legend_below(figure, axes[0][0], 3)
    figure.tight_layout()
    page.save(
        figure,
        "_sizes",
        caption="""Latency on two NPUs of half the size over that on one of the whole size, against the load, for two
        ways to halve it; mean (above) and 99th percentile (below). Crosses at the upper edge: saturated.""",
        alternative="""Eight panels of curves that mostly lie between 1 and 2, fall a little with the load, and are
        alike for mean and 99th percentile. Halves by columns of zu7ev_large lie above 2 and are saturated at high
        loads.""",
    )


def draw_routers(page, routers):
    """Mean latency and late requests against the load of four NPUs."""
    figure, axes = plt.subplots(2, 4, figsize=(9.6, 5.4), sharex=True, sharey="row")
    columns = [(fleet, policy) for fleet in FLEETS for policy in POLICIES]
    for column, (fleet, policy) in enumerate(columns):
        for router, look in ROUTERS.items():
            found = points.by_load(routers, fleet, policy=policy, variant=router)
            known = {load: None if point["all"]["saturated"] else point["all"] for load, point in found.items()}
            mean = {load: values and 1000 * values["mean_latency_s"] for load, values in known.items()}
            late = {load: values and late_percent(values) for load, values in known.items()}
            draw_line(axes[0][column], mean, look, router, 170)
            draw_line(axes[1][column], late, look, router, 120)
        axes[0][column].set_title(f"{FLEETS[fleet]}\n{POLICIES[policy]}", fontsize=8)
        figures.log_scale(axes[0][column], 5, 200)
        axes[1][column].set_yscale("log")
        late_scale(axes[1][column], axes[1][column].set_yticks, axes[1][column].set_ylim)
        axes[1][column].set_xlabel("load")
    axes[0][0].set_ylabel("mean latency (ms)")
    axes[1][0].set_ylabel("late (%)")
    figures.legend_below(figure, axes[0][0], 4)
    figure.tight_layout()
    page.save(
        figure,
        "_routers",
        caption="""Mean latency (above) and late requests (below) against the load of four NPUs, for each way to choose
        the NPU of a request, in equal and in mixed fleets. Crosses at the upper edge: saturated.""",
        alternative="""Eight panels of curves that rise with the load. Routers that know the work or the queues
        (least_work, earliest_finish, join_shortest_queue) are lowest; random and round_robin, which know neither, are
        the first to leave the panels of mixed fleets.""",
    )


def make(page):
    parts = {"home": ("spike", "rate"), "sizes": ("family", "load"), "routers": ("fleet", "load")}
    found = {part: points.means(page, part, *keys) for part, keys in parts.items()}
    for part, keys in parts.items():
        points.write_csv(page.out / f"{page.name}_{part}.csv", keys, found[part])
    home, sizes, routers = found.values()
    draw_arbiters(page, home)
    draw_rates(page, home)
    draw_sizes(page, sizes)
    draw_routers(page, routers)
    for spike in SPIKES:
        tables.home(page, home, spike)
    tables.held(page, home)
    tables.policies(page, home)
    tables.sizes(page, sizes)
    tables.routers(page, routers)
    findings.write(page, home, sizes, routers)


def main():
    figures.main("site", "A site: several services, and several NPUs", make)
