#!/usr/bin/python3
"""test_search.py SITE: the built site in a browser, opened from the disk: its search finds, links of what it finds work, nothing complains.

Needs Debian's chromium, chromium-driver and python3-selenium.
"""

import sys
import time
import unittest
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By

SITE = Path(sys.argv.pop(1) if len(sys.argv) > 1 else "build/site").resolve()
SECONDS = 20


class Search(unittest.TestCase):
    def setUp(self):
        options = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1300,900"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.browser = webdriver.Chrome(options=options, service=webdriver.chrome.service.Service("/usr/bin/chromedriver"))
        self.addCleanup(self.browser.quit)

    def found(self, page, query):
        """Links that the search on a page gives."""
        self.browser.get((SITE / page).as_uri())
        field = self.browser.find_element(By.CSS_SELECTOR, "input[name=query]")
        field.click()
        field.send_keys(query)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            links = self.browser.find_elements(By.CSS_SELECTOR, ".md-search-result__link")
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
                self.browser.get(next(link for link in links if f"/{wanted}" in link))
                self.assertIn("fluidbatch", self.browser.title)

    def test_nothing_is_found_where_there_is_nothing(self):
        self.found("index.html", "roofline")
        field = self.browser.find_element(By.CSS_SELECTOR, "input[name=query]")
        field.clear()
        field.send_keys("qwertzuiop")
        time.sleep(1)
        self.assertEqual(self.browser.find_elements(By.CSS_SELECTOR, ".md-search-result__link"), [])

    def test_no_page_complains_or_is_wider_than_its_window(self):
        for width in (400, 1300):
            self.browser.set_window_size(width, 900)
            for page in sorted(SITE.glob("*.html")):
                with self.subTest(page=page.name, width=width):
                    self.browser.get(page.as_uri())
                    self.assertEqual(self.browser.get_log("browser"), [])
                    wide = self.browser.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
                    self.assertLessEqual(wide, 0)


if __name__ == "__main__":
    unittest.main()
