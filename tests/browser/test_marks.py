"""How points are marked: those that are missing, failed, saturated, or of which nothing was seen."""

import sqlite3
from urllib.parse import urlencode

import pytest
from sample_results import HOSTILE_MESSAGE, rows
from seen import RHO, SLO, as_table, legend, said_of_all, table
from selenium.webdriver.common.keys import Keys


def test_what_is_not_measured_is_marked(browser, results):
    browser.open(results.page)
    signs = legend(browser)
    saturated = rows(results.file, "SELECT count(DISTINCT setting || system) AS n FROM points WHERE saturated AND status = 'done'")[0]["n"]
    assert f"hollow †: saturated ({saturated})" in signs and "failed (1)" in signs and "not done yet (1)" in signs
    browser.choose("y", "slo_violation_rate")
    none = rows(results.file, "SELECT count(*) AS n FROM (SELECT setting, system FROM points WHERE status = 'done' GROUP BY 1, 2 "
                              "HAVING sum(slo_violation_rate) = 0)")[0]["n"]
    assert none > 0 and f"none seen ({none})" in legend(browser)
    browser.choose("view", "table")
    texts = [row["SLO violation rate"]["text"] for row in table(browser) if isinstance(row["SLO violation rate"], dict)]
    bounds = [text for text in texts if text.startswith("none seen")]
    assert len(bounds) == none and "none seen in 1800 requests, at most 0.001667" in bounds


def test_cells_with_some_of_their_replications_are_marked(browser, partly):
    browser.open(partly.page)
    assert {"some replications failed (1)", "some replications not done yet (1)", "failed (1)", "not done yet (1)"} <= set(legend(browser))
    assert "not all of its replications are done" in browser.text("#caption")
    said = said_of_all(browser)
    assert sum("replications: 2 of 3 done, 1 failed" in text for text in said) == 1
    assert sum(text.endswith("replications: 2 of 3 done") for text in said) == 1
    states = [row["state"] for row in as_table(browser)]
    assert states.count("2 of 3 done, 1 failed") == 1 and states.count("2 of 3 done") == 1
    # Each replication as a point: three failed of one cell and one of another; as many are missing.
    browser.open(partly.page, "show=points")
    assert {"failed (4)", "not done yet (4)"} <= set(legend(browser))
    assert not any("some replications" in text for text in legend(browser))


def test_a_sweep_that_has_hardly_begun_shows_all_its_points(browser, program, results):
    program("sweep", "sweep.yaml", "--out", "begun.sqlite", "--limit", "4")
    program("sweep", "report", "begun.sqlite", "--out", "begun.html")
    there = rows(program.folder / "begun.sqlite", "SELECT count(*) AS n FROM (SELECT DISTINCT setting, system FROM points)")[0]["n"]
    browser.open(program.folder / "begun.html")
    assert f"not done yet ({36 - there})" in legend(browser) and {"dynamic", "lazy", "ours"} <= set(legend(browser))
    browser.choose("show", "points")
    assert "not done yet (104)" in legend(browser)
    assert browser.text("#state") == "4 of 108 points done"
    # Where the file does not tell which points are missing, the page says how many.
    with sqlite3.connect(program.folder / "begun.sqlite") as database:
        database.execute("UPDATE points SET system = 'other'")
    program("sweep", "report", "begun.sqlite", "--out", "begun.html")
    browser.open(program.folder / "begun.html")
    assert browser.text("#state") == f"4 of 108 points done; {36 - there} settings and systems without a point are not shown"


def test_saturated_comes_before_none_seen(browser, results):
    """No request is dropped here, so that every share of the saturated ones is 0, too."""
    cells = rows(results.file, "SELECT max(saturated) AS saturated FROM points WHERE status = 'done' GROUP BY setting, system")
    saturated = sum(cell["saturated"] for cell in cells)
    browser.open(results.page, "y=drop_rate")
    assert f"hollow †: saturated ({saturated})" in legend(browser) and f"none seen ({len(cells) - saturated})" in legend(browser)


def test_each_replication_has_the_ratio_to_its_own_base(browser, results):
    browser.open(results.page, urlencode({"show": "points", "base": "lazy", "only." + SLO: "[80]", "only.system": '["ours"]', "only." + RHO: "[1.5]"}))
    pairs = rows(results.file, "SELECT a.mean_latency_s / b.mean_latency_s AS ratio FROM results a JOIN results b USING (setting, replication) "
                               "WHERE a.system = 'ours' AND b.system = 'lazy' AND a.\"slo.latency_ms\" = 80 AND a.\"workload.arrivals.rho\" = 1.5")
    assert len({round(pair["ratio"], 3) for pair in pairs}) == 3
    shown = [float(text.split("mean latency ")[1].split("x")[0]) for text in said_of_all(browser)]
    assert sorted(shown) == pytest.approx(sorted(pair["ratio"] for pair in pairs), rel=5e-3)
    assert "over the same one of the base" in browser.text("#caption")


def test_a_ratio_to_nobody_is_at_least_something(browser, partly):
    browser.open(partly.page, urlencode({"base": "lazy", "y": "slo_violation_rate"}))
    caption = browser.text("#caption")
    assert "3/n" not in caption and "none seen in the base: the ratio is at least that" in caption
    assert any(text.startswith("at least: none seen in the base (") for text in legend(browser))
    strip = browser.script("return document.querySelector('#figure line.rim')?.getAttribute('y1')")
    least = [text for text in said_of_all(browser) if "at least " in text]
    assert least and not any("not defined" in text for text in least)
    browser.open(partly.page, urlencode({"base": "lazy", "y": "slo_violation_rate", "only.system": '["dynamic"]', "only." + RHO: "[1.5]",
                                         "only." + SLO: "[40]"}))
    browser.key("#figure", Keys.HOME)
    height = float(browser.script("return document.querySelector('.ring').getAttribute('cy')"))
    assert "at least" in browser.live() and (strip is None or height < float(strip))


def test_a_saturated_point_is_hollow(browser, results):
    """Its middle has the colour of the paper, that of a measured one has its own."""
    browser.open(results.page, urlencode({"only.system": '["ours"]', "only." + SLO: "[40]"}))

    def middle():
        return browser.script("""
          const ring = document.querySelector('.ring'), canvas = document.querySelector('#figure canvas');
          const [x, y] = ['cx', 'cy'].map((name) => Math.round(ring.getAttribute(name) * devicePixelRatio));
          return canvas.getContext('2d').getImageData(x, y, 1, 1).data[3]""")

    browser.key("#figure", Keys.HOME)
    assert "saturated" not in browser.live() and middle() > 200
    browser.key("#figure", Keys.END)
    assert "saturated" in browser.live() and middle() < 100


def test_failed_and_missing_points_can_be_chosen(browser, results):
    number = rows(results.file, "SELECT min(point) AS n FROM points WHERE status = 'failed'")[0]["n"]
    browser.open(results.page, f"point={number}")
    assert HOSTILE_MESSAGE in browser.script("return document.querySelector('#details .warning').textContent")
    assert browser.script("return document.title") == "load & 'more' <b>: results"
    assert not browser.all("#command")
    there = {row["point"] for row in rows(results.file, "SELECT point FROM points")}
    browser.open(results.page, f"point={min(set(range(0, 108, 3)) - there)}")
    assert browser.text("#details h2") == "A point that is not done yet"


def test_titles_keep_off_the_numbers_of_the_axis(browser, results):
    for y in ("drop_rate", "mean_latency_s", "throughput_hz"):
        browser.open(results.page, "y=" + y)
        title, number = browser.script("""
          const boxes = (selector) => [...document.querySelectorAll(selector)].map((node) => node.getBoundingClientRect());
          return [Math.max(...boxes('#figure text.label').filter((box) => box.height > box.width).map((box) => box.right)),
                  Math.min(...boxes('#figure g > .axis:nth-child(2) text').map((box) => box.left))]""")
        assert title < number


def test_a_number_of_requests_is_said_once(browser, results):
    browser.open(results.page, "y=requests")
    browser.key("#figure", Keys.HOME)
    assert "600 requests" in browser.live() and "requests 600 requests" not in browser.live()
