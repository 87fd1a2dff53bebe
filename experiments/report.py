"""The report of a reproduction: one HTML file without anything from outside, or Markdown for docs/."""

import base64
import html as escape_module
import re

escape = escape_module.escape

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --back: #ffffff; --card: #f6f8fa;
  --good: #1a7f37; --part: #9a6700; --bad: #b42318; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #9aa4af; --line: #30363d; --back: #0d1117; --card: #161b22; --good: #4ac26b;
    --part: #d4a72c; --bad: #ff7b72; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 62rem; font: 16px/1.55 system-ui, sans-serif;
  color: var(--ink); background: var(--back); }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 3rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
p { margin: .6rem 0; }
.lead, figcaption, caption, nav { color: var(--soft); font-size: .92rem; }
nav a { margin-right: .8rem; white-space: nowrap; }
a { color: inherit; }
figure { margin: 1rem 0; }
figcaption { margin-top: .4rem; }
figure label { display: block; overflow-x: auto; cursor: zoom-in; border: 1px solid var(--line); border-radius: 6px; }
figure img { display: block; width: 100%; height: auto; padding: 8px; }
.large { position: absolute; opacity: 0; }
.large:focus-visible + label { outline: 2px solid var(--part); }
.large:checked + label { cursor: zoom-out; }
.large:checked + label img { width: 72rem; max-width: none; }
.tap { display: none; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; min-width: 60%; }
caption { text-align: left; padding-bottom: .3rem; position: sticky; left: 0; max-width: min(60rem, 100vw - 2rem); }
th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; }
.number { white-space: nowrap; }
.good { color: var(--good); font-weight: 600; } .part { color: var(--part); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
details { margin: .5rem 0; font-size: .88rem; }
summary { cursor: pointer; color: var(--soft); }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .7rem; overflow-x: auto;
  font-size: .8rem; line-height: 1.4; }
@media (max-width: 40rem) {
  .tap { display: inline; }
  nav a { white-space: normal; }
  table:not(.stack) td:not(.number) { min-width: 5rem; }
  .stack thead { display: none; }
  .stack tr, .stack td { display: block; border: 0; padding: 0; }
  .stack tr { border-bottom: 1px solid var(--line); padding: .5rem 0; }
  .stack td:first-child { font-weight: 600; }
  .stack td:nth-child(2)::before { content: "published: "; } .stack td:nth-child(3)::before { content: "found: "; }
}
@media print { .tap { display: none; } figure, tr { break-inside: avoid; } }
@media (max-width: 30rem) { body { font-size: 15px; padding: 1rem .7rem 3rem; } h1 { font-size: 1.35rem; } }
"""

INTRODUCTION = """The claims of <em>Fluid Batching: Exit-Aware Preemptive Serving of Early-Exit Neural Networks on Edge
NPUs</em> (arXiv 2209.13443), simulated again. What the paper does not publish (boards, exits, rates, SLOs) is ours, and
written down in docs/model.md; so the factors are those of this setting, not of the paper's."""


def kind_of(verdict):
    if verdict.startswith(("does not", "none")) and "open:" not in verdict:
        return "bad"
    return "part" if any(word in verdict for word in ("smaller", "direction", "; not:", "open:")) else "good"


def cell_html(text, kind=""):
    """A cell; a number with what belongs to it (an interval, `3 of 8`, a range) stays on one line."""
    kind = kind or ("number" if re.match(r"[-+]?\d", text) and len(text) <= 18 else "")
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"


def table_html(head, rows, caption="", classes=None):
    lines = [
        f'<div class="scroll"><table{" class=stack" if classes else ""}>',
        f"<caption>{escape(caption)}</caption>" if caption else "",
        "<thead><tr>" + "".join(f"<th>{escape(h)}</th>" for h in head) + "</tr></thead><tbody>",
    ]
    for row in rows:
        cells = [cell_html(c, kind_of(c) if classes and i == classes else "") for i, c in enumerate(row)]
        lines.append("<tr>" + "".join(cells) + "</tr>")
    return "\n".join(lines) + "</tbody></table></div>"


def claims_of(pages):
    return [[c["claim"], c["published"], c["found"], c["verdict"]] for page in pages for c in page["claims"]]


def figure_html(page, name, svg):
    """A picture with its caption; a click, a tap or the space bar shows it large, in a frame that scrolls."""
    data = base64.b64encode(svg).decode("ascii")
    return (
        f'<figure><input class="large" type="checkbox" id="large-{name}" aria-label="Show the figure large">'
        f'<label for="large-{name}"><img alt="{escape(page["alternatives"][name])}" '
        f'src="data:image/svg+xml;base64,{data}"></label>'
        f'<figcaption>{escape(page["captions"][name])} <span class="tap">Tap the figure for a large one.</span>'
        "</figcaption></figure>"
    )


def section_html(page, figures):
    parts = [f'<h2 id="{page["name"]}">{escape(page["title"])}</h2>', f"<p>{escape(page['seen'])}</p>"]
    for figure in page["figures"]:
        parts.append(figure_html(page, figure, (figures / f"{figure}.svg").read_bytes()))
    for table in page["tables"]:
        parts.append(table_html(table["head"], table["rows"], table["caption"]))
    file = f"results/{page['name']}.sqlite"
    parts.append(
        f'<details><summary>Where the numbers are from: <a href="{file}">{file}</a>, by these '
        f'queries</summary><pre>' + escape("\n\n".join(page["queries"])) + "</pre></details>"
    )
    parts.append(
        f"<details><summary>Command and configuration</summary><pre>{escape(page['command'])}</pre>"
        + (f"<pre>{escape(page['configuration'])}</pre>" if page["configuration"] else "")
        + "</details>"
    )
    return "\n".join(parts)


def html(pages, figures, quick):
    note = (
        "<p><strong>A quick run</strong>: short ones, and fewer of them; the numbers of the full run are in "
        "docs/reproduction.md.</p>"
        if quick
        else ""
    )
    links = "\n".join(f'<a href="#{p["name"]}">{escape(p["title"])}</a>' for p in pages)
    claims = claims_of(pages)
    return (
        "\n".join(
            [
                '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
                'content="width=device-width, '
                'initial-scale=1">',
                f"<title>fluidbatch: reproduction</title><style>{STYLE}</style></head><body>",
                f'<h1>Fluid batching, reproduced</h1><p class="lead">{INTRODUCTION}</p>',
                note,
                table_html(["claim", "published", "found (mean ± 95 %)", "verdict"], claims, "The claims", 3)
                if claims
                else "",
                f"<nav>{links}</nav>",
                *(section_html(page, figures) for page in pages),
                "</body></html>",
            ]
        )
        + "\n"
    )


def row_markdown(cells):
    return "| " + " | ".join(cells) + " |"


def table_markdown(head, rows):
    return "\n".join([row_markdown(head), "|" + "---|" * len(head), *map(row_markdown, rows)])


def section_markdown(page):
    parts = [f"## {page['title']}", "", page["seen"], ""]
    for figure in page["figures"]:
        parts += [f"![{page['alternatives'][figure]}](pictures/reproduction/{figure}.svg)", ""]
        parts += [f"*{page['captions'][figure]}*", ""]
    for one in page["tables"]:
        parts += [f"{one['caption']}:", "", table_markdown(one["head"], one["rows"]), ""]
    return "\n".join(parts)


def with_sections(text, pages):
    """The report in Markdown with other sections of these pages; one that is not there comes last. ValueError where a
    page has other claims than the text, whose table of them is that of all pages."""
    for page in pages:
        if any(row_markdown(claim) not in text for claim in claims_of([page])):
            raise ValueError(f"{page['name']}: has claims, which only a run of all experiments writes")
        head, begin, rest = text.partition(f"## {page['title']}\n")
        after = rest.find("\n## ") + 1 if begin else 0
        text = (head if begin else text + "\n") + section_markdown(page) + ("\n" + rest[after:] if after else "")
    return text


def markdown(pages):
    parts = [
        "# The paper's claims, reproduced",
        "",
        "Made by `make reproduce` (`experiments/reproduce.py --markdown docs/reproduction.md`): every number is a "
        "query on a results file, which",
        "`report.html` shows. What the paper does not publish (boards, exits, rates, SLOs) is ours "
        "([model.md](model.md)), so the factors are those",
        "of this setting. The grid of the headline, and what is made of it, was declared before it was run:",
        "[experiments/headline/README.md](../experiments/headline/README.md).",
        "",
        table_markdown(["claim", "published", "found (mean ± 95 %)", "verdict"], claims_of(pages)),
        "",
        *map(section_markdown, pages),
    ]
    return "\n".join(parts)
