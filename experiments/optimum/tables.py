"""The tables: by load, of every setting, of one network by rho, of decisions; and what they show, in words."""

from optimum.points import MIXED, NAMES, POLICIES, average, compare_decisions, of, percent, thirds


def spread(percents):
    if not percents:
        return "none"
    return f"{percent(average(percents))} ({percent(min(percents))} to {percent(max(percents))})"


def by_load(page, settings):
    rows = []
    loads = sorted({s.load for s in settings})
    for load in loads:
        here = [s for s in settings if s.load == load]
        cells = [f"{load:g}", spread([s.register for s in here])]
        for policy in POLICIES:
            left_out = len(here) - len(of(here, policy))
            cells.append(spread(of(here, policy)) + (f"; {left_out} of {len(here)} saturated" if left_out else ""))
        rows.append(cells)
    page.table(
        "Percent above the best engine by load, geometric mean over networks and modes (least to most); first what the "
        "single register costs, the best engine above the free optimum",
        ["load", "single register", *(NAMES[p] for p in POLICIES)],
        rows,
    )


def cell(setting, policy):
    if policy not in setting.above:
        return "saturated"
    middle, half = setting.above[policy]
    return f"{percent(middle)} ± {percent(half)}"


def milliseconds(seconds):
    return f"{1000 * seconds:.3f}"


def every_setting(page, settings):
    rows = []
    for s in settings:
        optima = [milliseconds(s.free_s), milliseconds(s.fbe_s), percent(s.register)]
        rows.append([s.network, s.mode, f"{s.load:g}", *optima, *(cell(s, policy) for policy in POLICIES)])
    page.table(
        "Every setting: the optima (mean latency), and percent above the best engine (± 95 %)",
        ["network", "mode", "load", "free (ms)", "fbe (ms)", "single register (%)", *(NAMES[p] for p in POLICIES)],
        rows,
    )


def by_rho(page, settings):
    rows = []
    for s in settings:
        optima = [milliseconds(s.free_s), milliseconds(s.fbe_s)]
        rows.append([f"{s.load:g}", *optima, *(cell(s, policy) for policy in POLICIES)])
    page.table(
        "EE-ResNet-50, fluid_stacked, by rho (arrivals in the time of a sample that takes no exit, mode r): "
        "percent above the best engine",
        ["rho", "free (ms)", "fbe (ms)", *(NAMES[p] for p in POLICIES)],
        rows,
    )


def of_mixed(page, settings, found):
    """The table of where the distance is made: by the batch that an idle NPU starts, or by who preempts whom."""
    rows = []
    for s in settings:
        key = (s.network, s.mode, s.load)
        if key in found:
            parts = [found[key][name] for name in MIXED]
            cells = [f"{percent(middle)} ± {percent(half)}" for middle, half in parts]
            rows.append([s.network, s.mode, f"{s.load:g}", cell(s, "ours"), cell(s, "outlook"), *cells])
    page.table(
        "Where the distance is made: percent above the best engine of tables in which either an idle NPU or the "
        "boundaries behind exits follow the best engine",
        [
            "network",
            "mode",
            "load",
            "exit_aware",
            "exit_aware, outlook",
            "best start, exit_aware behind exits",
            "best start, outlook behind exits",
            "start all, best behind exits",
        ],
        rows,
    )


def of_decisions(page, found):
    """The table of decisions against the best ones; returns {policy: counts}."""
    compared = {policy: compare_decisions(found[policy], found["optimal"]) for policy in ("ours", "outlook")}
    page.table(
        "Decisions of the picture against the best, in states behind an exit where newcomers fit in, and of an idle "
        "NPU (each state counts once, however often a run is in it)",
        [
            "policy",
            "states",
            "as many newcomers",
            "preempts, the best does not",
            "does not, the best does",
            "both, fewer",
            "both, more",
            "idle: queues",
            "idle: as many",
            "idle: more",
        ],
        [[NAMES[policy], *counts] for policy, counts in compared.items()],
    )
    return compared


def in_thirds(percents):
    return ", ".join(f"{percent(mean)} % ({percent(low)} to {percent(high)})" for mean, low, high in thirds(percents))


def place(setting):
    return f"{setting.network}, {setting.mode}, load {setting.load:g}"


def nearer_than_greedy(settings, policy):
    """The settings in which a policy is nearer to the best engine than greedy batching is."""
    return [s for s in settings if policy in s.above and s.above[policy][0] < s.above["greedy"][0]]


def of_rules(settings):
    """What the rules cost, in words."""
    count = len(settings)
    best, worst = (choose(settings, key=lambda s: s.above["ours"][0]) for choose in (min, max))
    longer = [s for s in settings if s.above["outlook"][0] - s.above["ours"][0] > s.above["outlook"][1]]
    loss = max((s.above["outlook"][0] - s.above["ours"][0] for s in longer), default=0)
    worst_outlook = max(settings, key=lambda s: s.above["outlook"][0])
    return f"""exit_aware is {percent(average(of(settings, "ours")))} % above the best engine on average; by thirds
        of the settings {in_thirds(of(settings, "ours"))}: nearest at {percent(best.above["ours"][0])} %
        ({place(best)}), farthest at {percent(worst.above["ours"][0])} % ({place(worst)}). With the outlook it is
        {percent(average(of(settings, "outlook")))} % on average, by thirds {in_thirds(of(settings, "outlook"))},
        farthest at {place(worst_outlook)}; beyond the interval it is farther than without in {len(longer)} of
        {count}, by {percent(loss)} points at most."""


def of_others(settings):
    """Where policies that know no exits are as good, in words."""
    count = len(settings)
    lowest, highest = (choose(s.load for s in settings) for choose in (min, max))
    light, heavy = ([s for s in settings if s.load == load] for load in (lowest, highest))
    as_good = [s for s in settings if s.above["greedy"][0] <= s.above["ours"][0] + s.above["ours"][1]]
    where = ", ".join(dict.fromkeys(f"{s.network} in {s.mode}" for s in as_good))
    within_limits = {p: [sum(v <= limit for v in of(settings, p)) for limit in (1, 5)] for p in POLICIES}
    serial = nearer_than_greedy(settings, "serial")
    ours, outlook, greedy = (within_limits[p] for p in ("ours", "outlook", "greedy"))
    return f"""Within 1 % of the best engine are greedy batching in {greedy[0]} of {count}, exit_aware in {ours[0]},
        with the outlook in {outlook[0]}; within 5 % {greedy[1]}, {ours[1]} and {outlook[1]}. Greedy is
        {spread(of(light, "greedy"))} % above at load {lowest:g} and {spread(of(heavy, "greedy"))} % at load
        {highest:g}; it is as near as exit_aware, within the interval, in {len(as_good)} ({where or "nowhere"}).
        Serial is nearer than greedy in {len(serial)} of {count}, at loads of up to
        {max((s.load for s in serial), default=0):g}. lazy_batching is {percent(average(of(settings, "lazy")))} %
        above on average, and serial does not carry {count - len(of(settings, "serial"))} of the settings."""


def summary(settings, compared, found):
    """What is seen over all settings."""
    loads = sorted({s.load for s in settings})
    dearest = max(settings, key=lambda s: s.register)
    dearer = sum(s.register > s.above["ours"][0] for s in settings)
    off = max((s.checked for s in settings), key=lambda c: abs(c[0] - 1))
    held = sum(abs(middle - 1) <= half for middle, half in (s.checked for s in settings))
    states, same, too_soon, too_late, fewer, more, queues, as_many, larger = compared["ours"]
    start, _, behind = ([one[name][0] for one in found.values()] for name in MIXED)
    here = [s for s in settings if (s.network, s.mode, s.load) in found]
    return f"""Four networks in two modes at loads of {loads[0]:g} to {loads[-1]:g} of what the NPU can carry:
        {len(settings)} settings. The optimum is computed, and policies are set beside `optimal`, simulated on the
        same requests; its interval holds the computed mean in {held} of {len(settings)}, and where it is farthest
        off it has {off[0]:.4f} ± {off[1]:.4f} times that. {of_rules(settings)} The single register costs
        {percent(average([s.register for s in settings]))} % on average, by thirds
        {in_thirds([s.register for s in settings])}, most at {place(dearest)}; that is more than exit_aware's rule
        costs in {dearer} of {len(settings)}. {of_others(settings)} In the picture of decisions (ee_resnet50,
        fluid_stacked, load 0.8) exit_aware takes as many newcomers as the best in {same} of {states} states behind
        an exit; it preempts where the best does not in {too_soon}, does not where the best does in {too_late}, and
        takes fewer in {fewer} and more in {more}. An idle NPU it starts with as many as the best at {as_many} of
        {queues} lengths of the queue, and with more at {larger}. Where the
        distance is made: at that load, over {len(found)} pairs of network and mode, exit_aware's
        {spread(of(here, "ours"))} % become {spread(start)} % if an idle NPU starts as the best engine does, and
        {spread(behind)} % if it starts as many as it can and the best decisions are taken behind exits."""
