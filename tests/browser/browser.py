"""A headless Chromium, and what the tests of pages ask it."""

import base64
import os
import sys
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
DRIVER = os.environ.get("CHROMEDRIVER", "/usr/bin/chromedriver")


class Browser:
    """Opens pages from files; what they write to the console is kept."""

    def __init__(self, width=1200, height=900, dark=False):
        options = Options()
        options.binary_location = CHROMIUM
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                         "--host-resolver-rules=MAP * ~NOTFOUND", f"--window-size={width},{height}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        self.size(width, height)
        self.scheme("dark" if dark else "light")

    def quit(self):
        self.driver.quit()

    def size(self, width, height=900):
        """Of the page itself: a window is never narrower than 500 pixels."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def scheme(self, name):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                    {"features": [{"name": "prefers-color-scheme", "value": name}]})

    def open(self, page, fragment="", seconds=60):
        self.driver.get("about:blank")
        self.driver.get(Path(page).resolve().as_uri() + ("#" + fragment if fragment else ""))
        WebDriverWait(self.driver, seconds).until(
            lambda driver: driver.execute_script("return document.documentElement.dataset.ready"))

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.find(selector).text

    def choose(self, field, value):
        Select(self.find("#choose-" + field)).select_by_value(value)

    def key(self, selector, *keys):
        self.find(selector).send_keys(*keys)

    def fragment(self):
        return self.script("return location.hash.slice(1)")

    def live(self):
        return self.script("return document.getElementById('live').textContent")

    def messages(self):
        """Errors and warnings in the console, but for one of what tests do: to read a canvas time and again."""
        return [entry for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")
                and "Multiple readback operations" not in entry["message"]]

    def picture(self, file, whole=True):
        """A screenshot of the whole page."""
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole})
        Path(file).write_bytes(base64.b64decode(shot["data"]))
