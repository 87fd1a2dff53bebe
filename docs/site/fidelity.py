"""What a page of the site says, held against its source by a reader of Markdown that shares no code with the site's.

The site is made by Python's Markdown, whose rules differ from those of repositories' web pages (and of markdown-it): a
list that it takes for a paragraph, a bracket that it takes for HTML, would go unnoticed.
"""

import re
from html.parser import HTMLParser
from pathlib import Path

from markdown_it import MarkdownIt

from pages import ROOT

# Not code, which both put into pre in their own way, nor paragraphs, which lists have or have not.
COUNTED = ("li", "table", "tr", "td", "pre", "h1", "h2", "h3", "em", "strong", "img")


class Words(HTMLParser):
    """The words of an article without spaces, and how many elements of each kind it has."""

    def __init__(self, html, article):
        super().__init__()
        self.words, self.counts, self.skipped = [], dict.fromkeys(COUNTED, 0), 0
        self.inside = not article
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "article":
            self.inside = True
        if tag == "a" and values.get("class") in ("headerlink", "md-content__button md-icon"):
            self.skipped = 1
        if self.inside and not self.skipped and tag in self.counts:
            self.counts[tag] += 1

    def handle_endtag(self, tag):
        if tag == "article":
            self.inside = False
        if tag == "a":
            self.skipped = 0

    def handle_data(self, data):
        if self.inside and not self.skipped:
            self.words.append(data)

    def text(self):
        return re.sub(r"\s+", "", "".join(self.words))


def difference(source, html):
    """Where a page and its source part, or None."""
    markdown = re.sub(r"<!--.*?-->", "", source, flags=re.S)
    wanted = Words(MarkdownIt("commonmark").enable("table").render(markdown), article=False)
    found = Words(html, article=True)
    one, other = wanted.text(), found.text()
    if one != other:
        place = next((i for i, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
        return f"says '{other[place:place + 40]}', its source '{one[place:place + 40]}'"
    counts = {tag: (found.counts[tag], n) for tag, n in wanted.counts.items() if found.counts[tag] != n}
    return f"elements (page, source): {counts}" if counts else None


def problems(site, sources):
    """A line for each page that does not say what the repository's Markdown does; `sources`: file by page."""
    found = []
    for page, path in sorted(sources.items()):
        if not path.endswith(".md") or not page.endswith(".md"):
            continue
        html = Path(site) / (page.removesuffix(".md") + ".html")
        what = difference((ROOT / path).read_text(), html.read_text())
        if what:
            found.append(f"{path}: {what}")
    return found
