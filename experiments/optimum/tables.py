"""The tables: over loads, in every setting, of one network over rho, of decisions; and what they show in words."""

from optimum.points import NAMES, POLICIES, average, compare_decisions, of, percent, thirds


def spread(percents):
    return f"{percent(average(percents))} ({percent(min(percents))} to {percent(max(percents))})" if percents else "none"


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
        "EE-ResNet-50, fluid_stacked, by rho (arrivals in the time of a sample that takes no exit, mode r): percent above "
        "the best engine",
        ["rho", "free (ms)", "fbe (ms)", *(NAMES[p] for p in POLICIES)],
        rows,
    )


def of_decisions(page, found):
    """The table of decisions against the best ones; returns {policy: counts}."""
    compared = {policy: compare_decisions(found[policy], found["optimal"]) for policy in ("ours", "outlook")}
    page.table(
        "Decisions of the picture against the best, in states behind an exit where newcomers fit in (each state counts "
        "once, however often a run is in it)",
        [
            "policy",
            "states",
            "as many newcomers",
            "preempts, the best does not",
            "does not, the best does",
            "both, fewer",
            "both, more",
        ],
        [[NAMES[policy], *counts] for policy, counts in compared.items()],
    )
    return compared


def in_thirds(percents):
    return ", ".join(f"{percent(mean)} % ({percent(low)} to {percent(high)})" for mean, low, high in thirds(percents))


def place(setting):
    return f"{setting.network}, {setting.mode}, load {setting.load:g}"


def within(settings, policy, limit):
    return sum(value <= limit for value in of(settings, policy))


def summary(settings, compared):
    """What is seen over all settings."""
    count = len(settings)
    loads = sorted({s.load for s in settings})
    best, worst = (choose(settings, key=lambda s: s.above["ours"][0]) for choose in (min, max))
    dearest = max(settings, key=lambda s: s.register)
    heavy = [s for s in settings if s.load == loads[-1]]
    light = [s for s in settings if s.load == loads[0]]
    longer = [s for s in settings if s.above["outlook"][0] - s.above["ours"][0] > s.above["outlook"][1]]
    loss = max((s.above["outlook"][0] - s.above["ours"][0] for s in longer), default=0)
    greedy = [s for s in settings if "greedy" in s.above]
    as_good = [s for s in greedy if s.above["greedy"][0] <= s.above["ours"][0] + s.above["ours"][1]]
    off = max((s.checked for s in settings), key=lambda c: abs(c[0] - 1))
    states, same, too_soon, too_late, fewer, more = compared["ours"]
    return f"""Four networks in two modes at loads of {loads[0]:g} to {loads[-1]:g} of what the NPU can carry: {count}
        settings. The optimum is computed, and policies are simulated on the same requests as `optimal`, which meets it
        (its mean is {off[0]:.4f} ± {off[1]:.4f} times the computed one where it is farthest off). exit_aware is
        {percent(average(of(settings, "ours")))} % above the best engine on average; by thirds of the settings
        {in_thirds(of(settings, "ours"))}: nearest at {percent(best.above["ours"][0])} % ({place(best)}), farthest at
        {percent(worst.above["ours"][0])} % ({place(worst)}). With the outlook it is
        {percent(average(of(settings, "outlook")))} % on average, by thirds {in_thirds(of(settings, "outlook"))}; it is
        longer than without, beyond the interval, in {len(longer)} of {count}, by {percent(loss)} points at most.
        The single register costs {percent(average([s.register for s in settings]))} %, by thirds
        {in_thirds([s.register for s in settings])}, most at {place(dearest)}. Greedy batching is within 1 % of the best
        engine in {within(settings, "greedy", 1)} of {count} and within 5 % in {within(settings, "greedy", 5)}
        (exit_aware: {within(settings, "ours", 1)} and {within(settings, "ours", 5)}; with the outlook
        {within(settings, "outlook", 1)} and {within(settings, "outlook", 5)}), and no farther than exit_aware in
        {len(as_good)}; at load {loads[0]:g} it is {spread(of(light, "greedy"))} % above, at load {loads[-1]:g}
        {spread(of(heavy, "greedy"))} %. lazy_batching is {percent(average(of(settings, "lazy")))} % above on average, and
        serial does not carry {count - len(of(settings, "serial"))} of the settings. In the picture of decisions,
        exit_aware takes as many newcomers as the best in {same} of {states} states; it preempts where the best does not
        in {too_soon}, does not where the best does in {too_late}, and takes fewer in {fewer} and more in {more}."""
