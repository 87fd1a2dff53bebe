"""Thresholds that follow the queue against fixed ones: accuracy, late requests and latency, and bursts over time."""

import math
import statistics

import figures
from adaptive_exits import tables
from adaptive_exits.points import ARRIVALS, POLICIES, POLICY_NAMES, mean, misses, runs
from figures import plt
from python_module import fb

# How thresholds are set: colour, marker, dash, name.
CONTROLS = {
    "fixed": ("#000000", "o", "-", "fixed"),
    "free": ("#56B4E9", "s", "--", "adaptive, no target"),
    "no_deadline": ("#E69F00", "v", ":", "adaptive to a target, no deadline"),
    "target": ("#009E73", "^", "-", "adaptive to a target"),
}
LEAST_PERCENT = 1e-4  # of late requests in the figure: one in the million of five seeds
MARGIN = 0.01  # of ratios of means: what the interpolation between fixed thresholds may be wrong by
NONE_LATE = 4e-5  # where points without a late request are marked
SPIKE = {"period_s": 5, "begin_s": 4, "length_s": 1, "before_s": 0.5}  # of spike.yaml, and what is drawn before it


def style(control):
    color, marker, dash, label = CONTROLS[control]
    return {
        "color": color,
        "marker": marker,
        "linestyle": dash,
        "markerfacecolor": "none",
        "markersize": 3.5,
        "label": label,
    }


def draw_curves(page, curves, key, suffix):
    """One panel for each policy and arrivals: a statistic against the accuracy."""
    late = key == "slo_violation_rate"
    scale = 100 if late else 1000
    figure, axes = plt.subplots(4, 3, figsize=(9.2, 9.2), sharex=True, sharey=True)
    for line, policy in zip(axes, POLICIES):
        for axis, arrivals in zip(line, ARRIVALS):
            for control in CONTROLS:
                points = []
                for target, rows in curves[arrivals, 1.6, policy, control].items():
                    missed = control in ("target", "no_deadline") and any(misses(row, target) for row in rows)
                    points.append((100 * mean(rows, "accuracy"), scale * mean(rows, key), missed))
                seen = [(x, y if y > 0 or not late else math.nan) for x, y, _ in points]
                axis.plot(*zip(*seen), **style(control))
                none = [x for x, y, _ in points if late and y == 0]
                marks = {**style(control), "linestyle": "", "label": None, "alpha": 0.8}
                axis.plot(none, [NONE_LATE] * len(none), **marks)
                lost = [(x, y if y > 0 or not late else NONE_LATE) for x, y, missed in points if missed]
                axis.plot(*zip(*lost) if lost else ([], []), linestyle="", marker="x", color="#D55E00", markersize=6)
            axis.set_title(f"{POLICY_NAMES[policy]}: {arrivals}", fontsize=8)
            axis.set_xlim(90, 96.5)
            axis.set_yscale("log")
            if late:
                ticks = (NONE_LATE, *(10.0**e for e in range(-4, 3)))
                axis.set_yticks(ticks, ["none", *(f"{t:g}" for t in ticks[1:])])
                axis.set_ylim(0.6 * NONE_LATE, 150)
                axis.axhline(0.75 * LEAST_PERCENT, color="#888888", linewidth=0.6)
            else:
                figures.log_scale(axis, 5, 500)
            axis.minorticks_off()
    for axis in axes[-1]:
        axis.set_xlabel("accuracy (%)")
    for axis in axes[:, 0]:
        axis.set_ylabel("late (%)" if late else "mean latency (ms)")
    axes[0][0].plot([], [], linestyle="", marker="x", color="#D55E00", label="target missed")
    figures.legend_below(figure, axes[0][0], 5)
    figure.tight_layout()
    shown = "Late requests" if late else "Mean latency"
    page.save(
        figure,
        suffix,
        caption=f"""{shown} against accuracy, both decided by the threshold or the target of accuracy, in a row for each
        policy and a column for each kind of arrivals at a mean load of 1.6. A cross: the target was
        missed.{" On the line of `none`: not one request was late." if late else ""}""",
        alternative=f"""Twelve panels of rising curves on logarithmic scales. Under Poisson arrivals fixed and adaptive
        thresholds lie close together; in the bursts and the spikes the curve of fixed thresholds lies
        {"orders of magnitude " if late else ""}above those of adaptive ones over most of its length, and crosses stand
        at the right end, where the load leaves no room for the target.""",
    )


def in_period(row):
    """Tenths of a second from where the figure begins to a row of the series, in its period."""
    tenths = round(10 * (row["t_s"] - SPIKE["begin_s"] + SPIKE["before_s"])) - 1  # a row is dated by its end
    return divmod(tenths, 10 * SPIKE["period_s"])


def folded(rows, key, tenths):
    """The mean over all periods of the run, in bins of so many tenths of a second: [(s, mean)]."""
    bins = {}
    for row in rows:
        if row[key] is not None:
            weight = 1 if key == "queue" else row["completed"]
            total = bins.setdefault(in_period(row)[1] // tenths, [0, 0])
            total[0] += weight * row[key]
            total[1] += weight
    return [((one + 0.5) * tenths / 10, total / weight) for one, (total, weight) in sorted(bins.items())]


def accuracy_in(rows, bursts):
    """Over the time of all bursts, or over that between them."""
    begin = round(10 * SPIKE["before_s"])
    within = range(begin, begin + round(10 * SPIKE["length_s"]))
    chosen = [row for row in rows if row["completed"] and (in_period(row)[1] in within) == bursts]
    return sum(row["completed"] * row["accuracy"] for row in chosen) / sum(row["completed"] for row in chosen)


def draw_spike(page):
    """The heaviest burst in thin lines, and the mean over all bursts of the run in bold ones.

    Returns {system: {in the bursts, or not: accuracy}}.
    """
    panels = (
        ("queue", 1, 1, "queue"),
        ("threshold", 1, 1, "threshold"),
        ("accuracy", 100, 5, "accuracy (%)"),
        ("mean_latency_s", 1000, 1, "latency (ms)"),
    )
    figure, axes = plt.subplots(4, 1, figsize=(8.4, 7.6), sharex=True)
    heaviest, accuracies = None, {}
    for system in ("fixed", "target"):
        rows = page.results.rows(
            """SELECT t_s, queue, completed, mean_latency_s, threshold, accuracy FROM series WHERE system = ?
               ORDER BY t_s""",
            system,
        )
        if heaviest is None:
            heaviest = in_period(max(rows, key=lambda row: row["queue"]))[0]
        one = [row for row in rows if in_period(row)[0] == heaviest]
        accuracies[system] = {part: accuracy_in(rows, part) for part in (True, False)}
        color = CONTROLS[system][0]
        name = "fixed" if system == "fixed" else "adaptive to the same accuracy"
        for axis, (key, scale, tenths, label) in zip(axes, panels):
            if key != "accuracy":  # that of a tenth of a second is that of a few samples
                thin = [scale * row[key] if row[key] is not None else math.nan for row in one]
                dates = [(in_period(row)[1] + 0.5) / 10 for row in one]
                axis.plot(dates, thin, color=color, linewidth=0.8, alpha=0.8)
            bold = [(x, scale * y) for x, y in folded(rows, key, tenths)]
            marker = "o" if key == "accuracy" else ""
            dash = "--" if system == "fixed" else "-"
            axis.plot(*zip(*bold), color=color, linestyle=dash, linewidth=2, marker=marker, label=name)
            axis.set_ylabel(label)
    for axis in axes:
        axis.axvspan(SPIKE["before_s"], SPIKE["before_s"] + SPIKE["length_s"], color="#eeeeee", zorder=0)
    axes[3].axhline(120, color="#888888", linewidth=0.8)
    axes[3].text(5, 125, "SLO", ha="right", va="bottom", fontsize=8, color="#555555")
    axes[3].set_xlabel(
        "time (s); load: 0.8, in the grey burst 4.8. Bold: mean over all bursts; thin: the one with the longest queue"
    )
    figures.legend_below(figure, axes[0], 2)
    figure.tight_layout()
    page.save(
        figure,
        "_over_time",
        caption="""Queue, thresholds, accuracy and latency over the period of a burst (grey), with a fixed threshold
        and with adaptive ones of the same accuracy over the whole run. Bold: the mean over all bursts; thin: the burst
        with the longest queue.""",
        alternative="""Four panels of curves over time. In the burst the queue and the latency rise far with a fixed
        threshold and little with adaptive ones, whose thresholds and accuracy dip in the burst and are higher between
        the bursts.""",
    )
    return accuracies


def span(values, form="{:.2f}"):
    return f"{form.format(min(values))} to {form.format(max(values))}" if values else "-"


def say(page, curves, found, digits, accuracies):
    """The summary: of all settings of the table, the ones that lose included."""
    requests = sum(row["requests"] for row in curves["bursts", 1.6, "greedy", "target"][0.95])
    held = {
        key: one
        for key, one in found.items()
        if not any(misses(row, key[0]) for row in curves[key[1], 1.6, key[2], "target"][key[0]])
    }

    def of(kind, settings, *policies):
        return [one for (_, a, p), one in settings.items() if a == kind and p in (policies or POLICIES)]

    def ratios(settings):
        return span([one["ratio"][0] for one in settings])

    def late(settings, key):
        return span([100 * statistics.fmean(one[key]) for one in settings], "{:.2g}")

    missed = {key: one for key, one in found.items() if key not in held}
    fewer = [fb.interval([b - a for a, b in zip(one["late"], one["fixed_late"])]) for one in found.values()]
    less = sum(middle > half for middle, half in fewer)
    more = sum(middle < -half for middle, half in fewer)
    shorter = sum(sum(one["ratio"]) < 1 - MARGIN for one in found.values())
    longer = sum(one["ratio"][0] - one["ratio"][1] > 1 + MARGIN for one in found.values())
    letters = [mean(curves["bursts", 1.6, "greedy", "fixed"][t], "accuracy") for t in (0.3, 0.7)]
    numerals = [mean(digits["bursts", 1.6, "greedy", "fixed"][t], "accuracy") for t in (0.3, 0.7)]
    inside, between = ([100 * accuracies[system][part] for system in ("fixed", "target")] for part in (True, False))
    lone = digits["bursts", 1.6, "greedy", "fixed"][0.7]
    page.seen(
        f"""Late requests and mean latency against accuracy, at a mean load of 1.6. A fixed threshold buys accuracy with
        requests that are late in the bursts; one that falls with the queue lets samples think while nobody waits. Set
        side by side at the same accuracy (targets of 95 and 95.5 %, four policies, three arrivals: {len(found)}
        settings), adaptive has, beyond the interval, fewer late requests in {less} and more in {more}; its mean is, by
        more than {100 * MARGIN:g} % too, shorter in {shorter} and longer in {longer}. In the bursts
        {late(of("bursts", held), "fixed_late")} % late
        become {late(of("bursts", held, "ours"), "late")} % for exit_aware and
        {late(of("bursts", held, "greedy", "delay", "lazy"), "late")} % for the others, of {requests:,.0f} requests,
        with means of {ratios(of("bursts", held))} times those of fixed thresholds; in the spikes, where the target is
        held, {late(of("spikes", held), "fixed_late")} % become {late(of("spikes", held), "late")} %, with means of
        {ratios(of("spikes", held))} times. Under Poisson arrivals there is little to gain: hardly anybody is late
        either way, and the mean is {ratios(of("Poisson", held))} times. Where the load leaves no room for the target it
        is missed ({len(missed)} settings: {", ".join(sorted({a for _, a, _ in missed})) or "none"}), and the mean is
        {ratios(missed.values())} times that of a fixed threshold with the accuracy that is reached: the controller
        raises the thresholds, samples leave for their deadline at whatever confidence, and what they get wrong raises
        the thresholds further; without the deadline accuracy is higher there, and more requests are late. The digits
        are the counter-example: from a threshold of 0.3 to 0.7 their accuracy grows by
        {100 * (numerals[1] - numerals[0]):.1f} points, that of the letters by {100 * (letters[1] - letters[0]):.1f}, so
        that a fixed threshold may be low, and {100 * mean(lone, "slo_violation_rate"):.2g} % are late at 0.7 in the
        bursts; and what the even rows, which calibrate, promise, the odd ones, which are served, don't keep. Over time,
        accuracy is {inside[1]:.1f} % in the bursts and {between[1]:.1f} % between them with adaptive thresholds, and
        {inside[0]:.1f} and {between[0]:.1f} % with a fixed one."""
    )


def make(page):
    curves = {**runs(page, "thresholds"), **runs(page, "targets")}
    digits, loads, gains = (runs(page, name) for name in ("digits", "loads", "gains"))
    draw_curves(page, curves, "slo_violation_rate", "")
    draw_curves(page, curves, "mean_latency_s", "_latency")
    accuracies = draw_spike(page)
    found = tables.comparison(page, curves, digits)
    tables.over_loads(page, loads)
    tables.over_targets(page, curves)
    tables.over_gains(page, gains)
    say(page, curves, found, digits, accuracies)


def main():
    figures.main("adaptive_exits", "Exits decided at run time", make)
