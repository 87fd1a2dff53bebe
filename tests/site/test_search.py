#!/usr/bin/python3
"""test_search.py SITE: the built site in a browser, opened from the disk: its search finds, links of what it finds work, nothing complains.

`make test-browser` runs it.
"""

import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))
from browser import Browser  # noqa: E402

SITE = Path(sys.argv.pop(1) if len(sys.argv) > 1 else "build/site").resolve()
SECONDS = 20


class Search(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser(1300)
        cls.addClassCleanup(cls.browser.quit)

    def setUp(self):
        self.browser.size(1300)

    def open(self, address):
        self.browser.driver.get(address)

    def found(self, page, query):
        """Links that the search on a page gives."""
        self.open((SITE / page).as_uri())
        field = self.browser.find("input[name=query]")
        field.click()
        field.send_keys(query)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            links = self.browser.all(".md-search-result__link")
            if links:
                return [link.get_attribute("href") for link in links]
            time.sleep(0.1)
        return []

    def test_it_finds_words_names_and_headers_from_any_page(self):
        for page, query, wanted in (("index.html", "preemption_depth", "policies.html"), ("model.html", "roofline", "model.html"),
                                    ("api/scheduler.html", "PolicyTraits", "api/scheduler.html"),
                                    ("experiments/headline.html", "splitting", "tail.html")):
            with self.subTest(query=query):
                links = self.found(page, query)
                self.assertTrue(any(f"/{wanted}" in link for link in links), links)
                self.open(next(link for link in links if f"/{wanted}" in link))
                self.assertIn("fluidbatch", self.browser.driver.title)

    def test_nothing_is_found_where_there_is_nothing(self):
        self.found("index.html", "roofline")
        field = self.browser.find("input[name=query]")
        field.clear()
        field.send_keys("qwertzuiop")
        time.sleep(1)
        self.assertEqual(self.browser.all(".md-search-result__link"), [])

    def test_no_page_complains_or_is_wider_than_its_window(self):
        pages = sorted(SITE.rglob("*.html"))
        self.assertGreater(len(pages), 30)
        for page in pages:
            self.open(page.as_uri())
            for width in (400, 1300):
                with self.subTest(page=str(page.relative_to(SITE)), width=width):
                    self.browser.size(width)
                    wide = self.browser.script("return document.documentElement.scrollWidth - window.innerWidth")
                    self.assertLessEqual(wide, 0)
            with self.subTest(page=page.name):
                self.assertEqual(self.browser.messages(), [])


if __name__ == "__main__":
    unittest.main()
