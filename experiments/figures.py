"""What the figure scripts share: results files, the look of figures, and the page that each makes for the report.

A script is called as `run.py NAME plot RESULTS.sqlite --out FOLDER`. It takes every number from the results file, by
queries that are kept and shown in the report, and writes NAME.svg, NAME.png and NAME.json (title, what is seen, tables,
claims).
"""

import argparse
import io
import json
import math
import sqlite3
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams.update(
    {
        "svg.hashsalt": "fluidbatch",  # the same bytes each time
        "font.size": 9,
        "axes.titlesize": 10,
        "axes.grid": True,
        "grid.color": "#dddddd",
        "grid.linewidth": 0.6,
        "axes.axisbelow": True,
        "legend.frameon": False,
        "lines.markersize": 4,
        "lines.linewidth": 1.3,
        "hatch.linewidth": 0.6,
    }
)
import matplotlib.pyplot as plt  # noqa: E402
from dark import follows_light_and_dark  # noqa: E402
from matplotlib.transforms import ScaledTranslation  # noqa: E402

EXPERIMENTS = Path(__file__).resolve().parent

# Okabe and Ito's colours, with a marker and a dash each, so that they read in grey, too.
LOOKS = {
    "serial": ("#000000", "x", ":"),
    "dynamic": ("#0072B2", "o", "-"),
    "greedy": ("#56B4E9", "v", "-."),
    "lazy": ("#E69F00", "s", "--"),
    "ours": ("#009E73", "^", "-"),
    "r": ("#000000", "o", "-"),
    "p": ("#E69F00", "s", ":"),
    "fluid": ("#56B4E9", "^", "--"),
    "r_stacked": ("#009E73", "v", "-."),
    "fluid_stacked": ("#D55E00", "D", "-"),
}
NAMES = {
    "serial": "serial",
    "dynamic": "dynamic_batching",
    "greedy": "dynamic_batching, no delay",
    "lazy": "lazy_batching",
    "ours": "exit_aware, fluid_stacked",
    "optimal": "optimal, fluid_stacked",
}
# The same within a sentence.
IN_WORDS = {"dynamic": "dynamic batching", "greedy": "greedy batching", "lazy": "LazyBatching", "ours": "exit_aware"}


def look(name, **more):
    color, marker, dash = LOOKS[name]
    return {
        "color": color,
        "marker": marker,
        "linestyle": dash,
        "markerfacecolor": "none",
        "label": NAMES.get(name, name),
        **more,
    }


class Results:
    """A results file, read only; remembers what it was asked."""

    def __init__(self, path):
        self.database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self.database.row_factory = sqlite3.Row
        self.queries = []

    def rows(self, sql, *values):
        sql = " ".join(sql.split())
        if sql not in self.queries:
            self.queries.append(sql)
        return self.database.execute(sql, values).fetchall()

    def series(self, x, y, where="1", by="system", together="avg"):
        """{value of `by`: [(x, mean of y over replications)]}, of the points that are done and not saturated;
        `together`: another aggregate than the mean."""
        found = {}
        for row in self.rows(
            f'SELECT {by} AS name, "{x}" AS x, {together}({y}) AS y FROM results WHERE status = \'done\' AND '
            f"NOT saturated AND {where} GROUP BY 1, 2 ORDER BY 1, 2"
        ):
            found.setdefault(row["name"], []).append((row["x"], row["y"]))
        return found


class Page:
    """What one experiment shows in the report."""

    def __init__(self, name, title, results, out):
        self.name, self.results, self.out = name, results, Path(out)
        self.data = {"name": name, "title": title, "seen": "", "tables": [], "claims": [], "figures": []}
        self.data["captions"], self.data["alternatives"] = {}, {}

    def save(self, figure, suffix="", *, caption, alternative):
        """`caption`: what the marks mean; `alternative`: what is to be seen, for who can't see it."""
        name = self.name + suffix
        svg = io.StringIO()
        figure.savefig(svg, format="svg", metadata={"Date": None}, bbox_inches="tight")
        (self.out / f"{name}.svg").write_text(follows_light_and_dark(svg.getvalue()), encoding="utf-8")
        figure.savefig(self.out / f"{name}.png", dpi=150, metadata={"Software": None}, bbox_inches="tight")
        plt.close(figure)
        self.data["figures"].append(name)
        self.data["captions"][name] = " ".join(caption.split())
        self.data["alternatives"][name] = " ".join(alternative.split())

    def seen(self, text):
        self.data["seen"] = " ".join(text.split())

    def table(self, caption, head, rows):
        self.data["tables"].append({"caption": caption, "head": head, "rows": [[str(c) for c in row] for row in rows]})

    def claim(self, claim, published, found, verdict):
        self.data["claims"].append({"claim": claim, "published": published, "found": found, "verdict": verdict})

    def write(self):
        self.data["queries"] = self.results.queries
        (self.out / f"{self.name}.json").write_text(json.dumps(self.data, indent=1) + "\n")


def main(name, title, make):
    """The command line of a figure script; `make(page)` fills the page."""
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("results", type=Path, help="the results file of the experiment")
    parser.add_argument("--out", type=Path, required=True, help="folder for the figure")
    parser.add_argument("--program", help="whose Python module is taken")
    arguments = parser.parse_args()
    try:
        results = Results(arguments.results)
        results.rows("SELECT name FROM sqlite_master")
        results.queries.clear()  # no number is from this one
        arguments.out.mkdir(parents=True, exist_ok=True)
        page = Page(name, title, results, arguments.out)
        make(page)
    except sqlite3.DatabaseError as error:
        parser.error(f"{arguments.results}: these are no results of {name} ({error})")
    page.write()
    print(", ".join(str(arguments.out / f"{figure}.svg") for figure in page.data["figures"]))


def log_scale(axis, low, high):
    """A logarithmic y axis with plain numbers at 1, 2 and 5 of each decade."""
    axis.set_yscale("log")
    axis.set_ylim(low, high)
    ticks = [m * 10.0**e for e in range(-6, 9) for m in (1, 2, 5) if low <= m * 10.0**e <= high]
    axis.set_yticks(ticks, [f"{t:g}" for t in ticks])
    axis.minorticks_off()


def never_seen(requests):
    """An upper bound (95 %) of the share of what none of so many independent requests had: the rule of three."""
    return 3 / requests


def plot_shares(axis, points, name, place):
    """A curve of shares in %, of points (x, share, requests). Where none was seen the curve ends, and a faint arrow
    points down from the bound of the rule of three; `place`: how far to its side, so that several can be seen."""
    axis.plot([p[0] for p in points], [100 * p[1] if p[1] > 0 else math.nan for p in points], **look(name))
    none = [p for p in points if p[1] == 0]
    aside = ScaledTranslation(place / 72, 0, axis.figure.dpi_scale_trans)
    axis.scatter(
        [p[0] for p in none],
        [100 * never_seen(p[2]) for p in none],
        marker="$\\downarrow$",
        s=36,
        linewidths=0.3,
        color=LOOKS[name][0],
        transform=axis.transData + aside,
        zorder=3,
    )
    if none:
        axis.update_datalim([(p[0], 100 * never_seen(p[2])) for p in none])
        axis.autoscale_view()


def none_seen(requests):
    """As a table says it."""
    return f"none of {requests:,.0f}"


def legend_below(figure, axis, columns):
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncol=columns, bbox_to_anchor=(0.5, 0.0))
