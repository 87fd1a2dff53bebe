#!/usr/bin/python3
"""check.py SITE: a built site asks nothing of the network, and all its links lead somewhere."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a browser fetches by itself, by element and attribute.
FETCHED = {("script", "src"), ("img", "src"), ("img", "srcset"), ("iframe", "src"), ("object", "data"),
           ("embed", "src"), ("audio", "src"), ("video", "src"), ("source", "src"), ("source", "srcset"),
           ("link", "href"), ("use", "href"), ("image", "href")}
OUTSIDE = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//", re.I)
CSS_FETCHES = re.compile(r"url\(\s*[\"']?((?:https?:)?//[^)\"']+)|@import\s+[\"']([^\"']+)", re.I)


class Page(HTMLParser):
    """A page's links, what it fetches, and where links may lead in it."""

    def __init__(self, text):
        super().__init__()
        self.links, self.fetched, self.targets, self.styles = [], [], set(), []
        self.in_style = False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.in_style = tag == "style"
        for name, value in attributes:
            if name in ("id", "name") and value:
                self.targets.add(value)
            if name == "style" and value:
                self.styles.append(value)
            if (tag, name) in FETCHED and value:
                self.fetched.append(value)
            elif tag == "a" and name == "href" and value:
                self.links.append(value)

    def handle_endtag(self, tag):
        self.in_style = False

    def handle_data(self, data):
        if self.in_style:
            self.styles.append(data)


def outside(value):
    return bool(OUTSIDE.match(value)) and not value.startswith("data:")


def problems(site):
    """What is wrong with a built site, a line each."""
    site = Path(site).resolve()
    pages = {path: Page(path.read_text()) for path in sorted(site.rglob("*.html"))}
    found = [] if pages else [f"{site}: no pages"]
    for path, page in pages.items():
        name = path.relative_to(site)
        found += [f"{name}: fetches {value}" for value in page.fetched if outside(value)]
        found += [f"{name}: a style fetches {match[0]}" for style in page.styles
                  for match in CSS_FETCHES.finditer(style)]
        for value in page.fetched + page.links:
            if outside(value) or value.startswith(("data:", "mailto:")):
                continue
            parts = urlsplit(value)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                found.append(f"{name}: {value} leads to nothing")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].targets:
                found.append(f"{name}: no heading for {value}")
    for path in sorted(site.rglob("*.css")):
        found += [f"{path.relative_to(site)}: fetches {match[0]}" for match in CSS_FETCHES.finditer(path.read_text())]
    if not (site / "search/search_index.js").is_file():
        found.append("no search index")
    return found


def main():
    found = problems(sys.argv[1])
    print("\n".join(found) or f"{sys.argv[1]}: nothing is fetched from elsewhere, all links lead somewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
