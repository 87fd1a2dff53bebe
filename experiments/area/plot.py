"""LUTs against DSPs of small engines, what stacking adds for each DSP, and the utilisation that it brings."""

import figures
from area import fits
from figures import plt

COLORS = {1: "#000000", 2: "#0072B2", 4: "#009E73"}
MARKERS = {4: ("o", "-"), 8: ("s", "--")}
SHOWN = "zu7ev_large"
DSPS = 1728  # of a zu7ev


class Area:
    """The numbers of the page."""

    def __init__(self, page):
        rows = page.results.rows
        self.engines = rows("SELECT t_r, t_p, t_c, k_max, dsps, luts, lutram_luts, ffs, carries, brams FROM engines")
        self.gains = rows("SELECT npu, t_p, t_c, k_max, avg(mac_utilisation) AS used FROM gains GROUP BY 1, 2, 3, 4")
        self.sizes = fits.Sizes(self.engines)
        self.t_ps = sorted({e["t_p"] for e in self.engines})
        self.k_maxes = sorted({e["k_max"] for e in self.engines})
        self.npus = {g["npu"]: (g["t_p"], g["t_c"]) for g in sorted(self.gains, key=lambda g: -g["t_p"] * g["t_c"])}

    def slope(self, t_p, k_max, cells="luts"):
        return fits.along_columns(self.engines, t_p, k_max, cells)[1]

    def points(self, t_p, k_max, cells="luts"):
        return [(e["dsps"], e[cells]) for e in self.engines if (e["t_p"], e["k_max"]) == (t_p, k_max)]

    def residual(self, t_p, k_max, cells="luts"):
        """The largest residual in percent of the least count; None where the line has only two points."""
        points = self.points(t_p, k_max, cells)
        if len(points) < 3:
            return None
        return 100 * fits.line(points)[2] / min(y for _, y in points)

    def whole(self, npu, k_max):
        """LUTs of an engine of an NPU's shape: extrapolated."""
        return self.sizes.cells(*self.npus[npu], k_max)

    def further(self, npu, k_max):
        """LUTs of one more DSP in it: extrapolated."""
        return self.sizes.further_dsp(self.npus[npu][0], k_max)

    def more(self, npu, k_max):
        """LUTs that stacking adds to it, for each of its DSPs: extrapolated."""
        t_p, t_c = self.npus[npu]
        return (self.whole(npu, k_max) - self.whole(npu, 1)) / (t_p * t_c)

    def used(self, npu, k_max):
        return next(100 * g["used"] for g in self.gains if (g["npu"], g["k_max"]) == (npu, k_max))


def draw_measured(area, axis):
    for t_p in area.t_ps:
        marker, dash = MARKERS[t_p]
        for k_max in area.k_maxes:
            points = area.points(t_p, k_max)
            intercept, slope, _ = fits.line(points)
            residual = area.residual(t_p, k_max)
            fit = "two points" if residual is None else f"residual {residual:.1f} %"
            ends = [0, max(x for x, _ in points)]
            axis.plot(ends, [intercept + slope * x for x in ends], color=COLORS[k_max], linestyle=dash, linewidth=0.8)
            axis.plot(
                *zip(*points),
                linestyle="",
                color=COLORS[k_max],
                marker=marker,
                markerfacecolor="none",
                label=f"T_P {t_p:g}, k up to {k_max:g}: {slope:.0f} LUTs a DSP ({fit})",
            )
    most = max(e["luts"] for e in area.engines)
    axis.set(xlabel="DSPs", ylabel="LUTs", xlim=0, ylim=(0, 1.5 * most), title="measured, and lines along T_C")
    axis.legend(fontsize=6, loc="upper left")


def beyond(axis, x, height, form):
    """The height of a bar, written above it, or of one below zero beneath it."""
    offset, side = ((0, 2), "bottom") if height >= 0 else ((0, -2), "top")
    axis.annotate(f"{height:{form}}", (x, height), offset, textcoords="offset points", ha="center", va=side, fontsize=7)


def draw_cost(area, axis):
    """What stacking adds for each further DSP: of the lines, and of an engine of the shipped NPU's shape."""
    t_p, t_c = area.npus[SHOWN]
    stacked = area.k_maxes[1:]
    groups = [(f"T_P {p:g}\nmeasured", [area.slope(p, k) - area.slope(p, 1) for k in stacked], "") for p in area.t_ps]
    more = [area.further(SHOWN, k) - area.further(SHOWN, 1) for k in stacked]
    groups.append((f"<{t_p:g}, {t_c:g}>\nextrapolated", more, "////"))
    for at, (_, heights, hatch) in enumerate(groups):
        for i, (k_max, height) in enumerate(zip(stacked, heights)):
            x, color = at + 0.36 * (i - 0.5), COLORS[k_max]
            label = f"k up to {k_max:g}" if at == 0 else None
            axis.bar(x, height, 0.34, color="white" if hatch else color, edgecolor=color, hatch=hatch, label=label)
            beyond(axis, x, height, ".1f")
    axis.set_xticks(range(len(groups)), [name for name, _, _ in groups])
    axis.axhline(0, color="black", linewidth=0.8)
    axis.set(ylabel="LUTs more for each further DSP", title="cost of stacking, over k = 1")
    axis.margins(y=0.15)
    axis.legend()


def draw_gain(area, axis):
    for at, npu in enumerate(area.npus):
        for i, k_max in enumerate(area.k_maxes):
            height, x = area.used(npu, k_max), at + 0.28 * (i - 1)
            axis.bar(x, height, 0.26, color=COLORS[k_max], label=f"k up to {k_max:g}" if at == 0 else None)
            beyond(axis, x, height, ".0f")
    axis.set_xticks(range(len(area.npus)), [npu.replace("_", "\n", 1) for npu in area.npus])
    axis.set(ylabel="MAC utilisation at batch 1 (%)", title="gain of stacking (model)")
    axis.margins(y=0.15)
    axis.legend()


def measured_table(page, area):
    columns = {
        "t_p": "T_P",
        "t_c": "T_C",
        "k_max": "k up to",
        "dsps": "DSPs",
        "luts": "LUTs",
        "lutram_luts": "LUTs as memory",
        "ffs": "FFs",
        "carries": "carries",
        "brams": "BRAMs",
    }
    page.table(
        "Measured: cells of engines without channel, T_R = 16, 16-bit words (Yosys, `synth_xilinx -family xcup`)",
        list(columns.values()),
        [[f"{engine[name]:g}" for name in columns] for engine in area.engines],
    )


def slope_table(page, area):
    rows = []
    for t_p in area.t_ps:
        for k_max in area.k_maxes:
            slopes = {cells: area.slope(t_p, k_max, cells) for cells in ("luts", "lutram_luts", "ffs")}
            residual = area.residual(t_p, k_max)
            rows.append(
                [
                    f"{t_p:g}",
                    f"{k_max:g}",
                    *(f"{slope:.1f}" for slope in slopes.values()),
                    *(f"{slopes[cells] - area.slope(t_p, 1, cells):+.1f}" for cells in ("luts", "ffs")),
                    "two points" if residual is None else f"{residual:.2f} %",
                ]
            )
    page.table(
        "What one more DSP costs along T_C: slopes of the lines, measured; largest residual of LUTs, in % of the least",
        ["T_P", "k up to", "LUTs", "LUTs as memory", "FFs", "LUTs over k = 1", "FFs over k = 1", "residual"],
        rows,
    )


def shape_table(page, area):
    rows = []
    for npu, (t_p, t_c) in area.npus.items():
        for k_max in area.k_maxes:
            more_luts = 100 * (area.whole(npu, k_max) / area.whole(npu, 1) - 1)
            further = area.further(npu, k_max)
            rows.append(
                [
                    npu,
                    f"{t_p:g} x {t_c:g} = {t_p * t_c:,.0f}",
                    f"{k_max:g}",
                    f"{area.whole(npu, k_max):,.0f} ({more_luts:+.0f} %)",
                    f"{area.more(npu, k_max):.1f}",
                    f"{further:.1f} ({further - area.further(npu, 1):+.1f})",
                    f"{area.used(npu, k_max):.0f} % (x {area.used(npu, k_max) / area.used(npu, 1):.2f})",
                ]
            )
    head = ["NPU", "DSPs", "k up to", "LUTs (extrapolated)", "LUTs for stacking, a DSP (extrapolated)"]
    page.table(
        "Extrapolated, not measured: LUTs of engines of shipped NPUs' T_P x T_C; beside them the model's utilisation "
        "at batch 1, mean of five networks; in brackets against k = 1",
        [*head, "LUTs of a further DSP (extrapolated)", "utilisation"],
        rows,
    )
    names = ("k = 1", *(f"what k up to {k:g} adds" for k in area.k_maxes[1:]))
    forms = ("1", "T_P", "T_C", "T_P T_C")
    coefficients = [area.sizes.single, *area.sizes.added.values()]
    page.table(
        "What the extrapolation is made of: LUTs by least squares, fitted to the measured engines",
        ["LUTs", *forms, "largest residual, LUTs"],
        [
            [name, *(f"{value:.1f}" for value in found), *[""] * (4 - len(found)), f"{area.sizes.residuals[k]:.0f}"]
            for name, found, k in zip(names, coefficients, area.k_maxes)
        ],
    )


def line_table(page, area):
    rows = []
    for t_p in area.t_ps:
        ends = {k: fits.along_columns(area.engines, t_p, k) for k in area.k_maxes}
        whole = {k: end[0] + end[1] * DSPS for k, end in ends.items()}
        more = [f"{whole[k] - whole[1]:+,.0f}" for k in area.k_maxes[1:]]
        rows.append([f"{t_p:g}", *(f"{whole[k]:,.0f}" for k in area.k_maxes), *more])
    page.table(
        f"Extrapolated, not measured: LUTs at {DSPS:,} DSPs (zu7ev) along each line as it stands, with its T_P",
        ["T_P", *(f"k up to {k:g}" for k in area.k_maxes), *(f"k up to {k:g} over k = 1" for k in area.k_maxes[1:])],
        rows,
    )


def make(page):
    area = Area(page)
    figure, axes = plt.subplots(1, 3, figsize=(12.5, 3.8))
    draw_measured(area, axes[0])
    draw_cost(area, axes[1])
    draw_gain(area, axes[2])
    figure.tight_layout()
    page.save(
        figure,
        caption="""Left: LUTs of synthesised engines against their DSPs, and straight lines through those of one T_P.
        Middle: what stacking adds to each further DSP; hatched: extrapolated to the shipped NPU's shape. Right: the
        MAC utilisation that stacking buys, of the model.""",
        alternative="""Three panels. Left, points on straight lines that rise the more steeply the higher the largest
        stacking factor. Middle, bars of the cost, higher for the larger factor. Right, bars of the utilisation at
        batch 1, which stacking raises on NPUs with tall tiles and hardly elsewhere.""",
    )
    measured_table(page, area)
    slope_table(page, area)
    line_table(page, area)
    shape_table(page, area)
    least, most = area.t_ps[0], area.t_ps[-1]
    residuals = [r for k in area.k_maxes if (r := area.residual(least, k)) is not None]
    of_pe = {p: p * (area.slope(p, 4) - area.slope(p, 1)) for p in area.t_ps}
    page.seen(
        f"""Stacking takes no DSPs. Along T_C one more DSP of an engine with T_P = {least:g} takes
        {area.slope(least, 1):.0f} LUTs without stacking, {area.slope(least, 2):.0f} with k up to 2 and
        {area.slope(least, 4):.0f} with k up to 4; with T_P = {most:g} {area.slope(most, 1):.0f},
        {area.slope(most, 2):.0f} and {area.slope(most, 4):.0f}. So stacking by 4 costs
        {area.slope(least, 4) - area.slope(least, 1):.0f} and {area.slope(most, 4) - area.slope(most, 1):.0f} LUTs for
        each further DSP, {of_pe[least]:.0f} and {of_pe[most]:.0f} for each processing element: it adds sums that are
        joined, once for each, and that is spread over T_P multipliers. The lines' largest residual is
        {max(residuals):.1f} % of a count. Extrapolated, not measured, to the shape of {SHOWN}, 1,728 DSPs: a further
        DSP costs {area.further(SHOWN, 2) - area.further(SHOWN, 1):.1f} and
        {area.further(SHOWN, 4) - area.further(SHOWN, 1):.1f} LUTs more for k up to 2 and 4, and the engine, with the
        multiplexers of its banks, {area.more(SHOWN, 2):.1f} and {area.more(SHOWN, 4):.1f} for each of its DSPs,
        {100 * (area.whole(SHOWN, 2) / area.whole(SHOWN, 1) - 1):.0f} % and
        {100 * (area.whole(SHOWN, 4) / area.whole(SHOWN, 1) - 1):.0f} % of its LUTs. What that buys by the model: at
        batch 1 {area.used(SHOWN, 1):.0f} % of the multipliers are at work without stacking,
        {area.used(SHOWN, 2):.0f} % with k up to 2 and {area.used(SHOWN, 4):.0f} % with k up to 4. Yosys packs neither
        registers nor adders into DSPs of this family, so that LUTs and FFs are more than a vendor's tool would take."""
    )


def main():
    figures.main("area", "What stacking costs in area", make)
