"""What is seen of a page of a sweep."""

from selenium.webdriver.common.keys import Keys

RHO = "workload.arrivals.rho"
SLO = "slo.latency_ms"


def number(text):
    """Of an attribute; None where there is none."""
    return None if text in (None, "", "NaN") else float(text)


def table(browser):
    """The rows of the table: texts by heading, and the exact numbers of the statistics."""
    return browser.script("""
      const heads = [...document.querySelectorAll('#table thead th')].map((th) => th.textContent.replace(/ [▲▼]$/, ''));
      return [...document.querySelectorAll('#table tbody tr')].map((tr) => Object.fromEntries(
        [...tr.children].map((td, i) => [heads[i], td.dataset.mean === undefined ? td.textContent
          : {text: td.textContent, mean: td.dataset.mean, low: td.dataset.low, high: td.dataset.high}])))""")


def legend(browser):
    return browser.script("return [...document.querySelectorAll('.legend li')].map((li) => li.textContent)")


def as_table(browser):
    browser.choose("view", "table")
    return table(browser)


def said_of_all(browser):
    """What is read out of each mark."""
    browser.key("#figure", Keys.HOME)
    texts = []
    while not texts or texts[-1] != browser.live():
        texts.append(browser.live())
        browser.key("#figure", Keys.ARROW_RIGHT)
    return [text.rsplit(";", 1)[0] for text in texts]
