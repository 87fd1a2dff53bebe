"""The page of a sweep, as a person uses it: numbers are those of the file and of `compare`."""

import csv
import io
import json
import time
from statistics import fmean
from urllib.parse import parse_qs, urlencode

import pytest
from sample_results import NAME, rows
from seen import RHO, SLO, as_table, legend, number, table
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys


def compared(program, metric, *arguments):
    """What `compare --csv` says, by rho, SLO and system."""
    text = program("compare", NAME, "--metric", metric, "--csv", *arguments)
    return {(float(row[RHO]), float(row[SLO]), row["system"]): row for row in csv.DictReader(io.StringIO(text))}


def test_the_state_of_the_sweep_is_said(browser, results):
    browser.open(results.page)
    assert browser.text("#state") == "102 of 108 points done, 3 failed"
    assert browser.script("return document.title") == "load & 'more' <b>: results"


@pytest.mark.parametrize("metric", ["mean_latency_s", "p99_latency_s", "goodput_hz"])
def test_means_and_intervals_are_those_of_compare(browser, program, results, metric):
    browser.open(results.page)
    browser.choose("view", "table")
    browser.choose("y", metric)
    expected = compared(program, metric)
    seen = 0
    for row in table(browser):
        found = next(value for value in row.values() if isinstance(value, dict)) if row["state"] in ("done", "saturated †") else None
        wanted = expected.get((float(row["rho"]), float(row["slo.latency_ms"]), row["system"]))
        assert (found is None) == (wanted is None)
        if wanted is None:
            continue
        assert float(found["mean"]) == pytest.approx(float(wanted["mean"]), rel=1e-12)
        if wanted["ci95"]:
            assert (float(found["high"]) - float(found["low"])) / 2 == pytest.approx(float(wanted["ci95"]), rel=1e-9)
        assert (row["state"] == "saturated †") == (wanted["saturated"] == "1")
        seen += 1
    assert seen == len(expected)


@pytest.mark.parametrize("metric", ["mean_latency_s", "slo_violation_rate"])
def test_paired_ratios_are_those_of_compare(browser, program, results, metric):
    browser.open(results.page, urlencode({"view": "table", "y": metric}))
    browser.choose("base", "lazy")
    expected = compared(program, metric, "--base", "lazy")
    kinds = set()
    for row in table(browser):
        wanted = expected.get((float(row["rho"]), float(row["slo.latency_ms"]), row["system"]))
        base = expected.get((float(row["rho"]), float(row["slo.latency_ms"]), "lazy"))
        if wanted is None:
            continue
        found = next(value for value in row.values() if isinstance(value, dict))
        if base is None:
            assert number(found["mean"]) is None
            continue
        for ours, theirs in (("mean", "ratio"), ("low", "ratio_low"), ("high", "ratio_high")):
            if row["system"] == "lazy" and ours != "mean":
                continue  # of a ratio of 1 to itself `compare` says that it is exact
            value = number(wanted[theirs])
            if ours == "low" and value is None and number(wanted["ratio_high"]) is not None:
                value = 0.0  # a one-sided bound
            assert number(found[ours]) == (value if value is None else pytest.approx(value, rel=1e-9, abs=1e-12)), (row, wanted)
        kinds.add((wanted["ratio_low"] != "", wanted["ratio_high"] != ""))
    assert (True, True) in kinds and (False, False) in kinds


def test_services_and_npus_are_those_of_compare(browser, program, site):
    """Also where axes are called as a statistic (requests) and as what else is known of points (seed)."""
    browser.open(site.page)
    assert {(row["requests (axis)"], row["seed"], row["part"]) for row in as_table(browser)} == \
        {(requests, seed, "whole") for requests in ("800", "1200") for seed in ("1", "2")}
    browser.choose("colour", "part")
    browser.choose("base", "service plates")
    seen = 0
    for by in ("service", "npu"):
        text = program("compare", "site.sqlite", "--metric", "p99_latency_s", "--csv", "--by", by, *(["--base", "plates"] if by == "service" else []))
        expected = {(row.get("system", "two"), row["requests"], row["seed"], row[by]): row for row in csv.DictReader(io.StringIO(text))}
        assert len(expected) == {"service": 16, "npu": 8}[by]
        for base in ("", "service plates") if by == "service" else ("",):
            browser.choose("view", "chart")
            browser.choose("base", base)
            browser.choose("y", "p99_latency_s")
            for row in as_table(browser):
                wanted = expected.get((row["system"], row["requests (axis)"], row["seed"], row["part"].removeprefix("service ")))
                if wanted is None:
                    continue
                found = next(value for value in row.values() if isinstance(value, dict))
                assert float(found["mean"]) == pytest.approx(float(wanted["ratio" if base else "mean"]), rel=1e-12)
                if base and row["part"] != base:
                    assert float(found["low"]) == pytest.approx(float(wanted["ratio_low"]), rel=1e-9)
                    assert float(found["high"]) == pytest.approx(float(wanted["ratio_high"]), rel=1e-9)
                seen += 1
    assert seen == 16 + 16 + 8


def test_the_part_of_a_point_is_in_the_fragment(browser, site):
    browser.open(site.page, urlencode({"point": 3, "part": "service faces", "only.part": "all"}))
    assert browser.text("#details h2") == "Point 3, service faces"
    assert len({row["part"] for row in as_table(browser)}) == 5
    assert parse_qs(browser.fragment())["part"] == ["service faces"]


def test_axes_change_and_the_figure_with_them(browser, results):
    browser.open(results.page)
    assert "Mean latency (ms) against rho, by system" in browser.text("#caption")
    browser.choose("y", "throughput_hz")
    browser.choose("x", SLO)
    browser.choose("colour", RHO)
    browser.choose("facet", "system")
    assert "Throughput (1/s) against slo.latency_ms, by rho" in browser.text("#caption")
    labels = browser.script("return [...document.querySelectorAll('#figure text.label')].map((text) => text.textContent)")
    assert [label for label in labels if label.startswith("system")] == ["system dynamic", "system lazy", "system ours"]
    assert legend(browser)[:3] == ["rho", "0.5", "1"]
    browser.choose("ys", "log")
    assert parse_qs(browser.fragment())["ys"] == ["log"]


def test_filters_leave_what_they_say(browser, results):
    browser.open(results.page, "view=table")
    assert len(table(browser)) == 36
    browser.find(".filters summary").click()
    browser.find("fieldset[data-axis=system] label:nth-of-type(2) input").click()
    assert {row["system"] for row in table(browser)} == {"dynamic", "ours"}
    browser.find(f"fieldset[data-axis='{SLO}'] label:nth-of-type(1) input").click()
    assert {(row["system"], row["slo.latency_ms"]) for row in table(browser)} == {("dynamic", "80"), ("ours", "80")}
    assert browser.script("return document.querySelector('.filters').open")
    assert "2 in force" in browser.text(".filters summary")
    browser.find("#reset").click()
    browser.choose("view", "table")
    assert len(table(browser)) == 36


def test_the_table_sorts_and_finds(browser, results):
    browser.open(results.page, "view=table")
    browser.find("#sort-mean_latency_s").click()
    means = [float(row["mean latency (ms)"]["mean"]) for row in table(browser) if isinstance(row["mean latency (ms)"], dict)]
    assert means == sorted(means) and len(means) > 30
    browser.find("#sort-mean_latency_s").click()
    assert browser.script("return document.querySelector('th[aria-sort=descending]').textContent").startswith("mean latency")
    means = [float(row["mean latency (ms)"]["mean"]) for row in table(browser) if isinstance(row["mean latency (ms)"], dict)]
    assert means == sorted(means, reverse=True)
    browser.key("#find", "saturated")
    assert {row["state"] for row in table(browser)} == {"saturated †"}
    browser.key("#find", Keys.CONTROL, "a")
    browser.key("#find", "not done yet")
    assert len(table(browser)) == 1
    browser.key("#find", Keys.CONTROL, "a")
    browser.key("#find", "ours 80")  # of two columns
    assert {(row["system"], row["slo.latency_ms"]) for row in table(browser)} == {("ours", "80")}


def test_a_clicked_point_tells_the_command_that_gives_it_again(browser, program, results):
    browser.open(results.page)
    browser.key("#figure", Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    x, y = browser.script("const ring = document.querySelector('.ring'); return [+ring.getAttribute('cx'), +ring.getAttribute('cy')]")
    browser.key("#figure", Keys.HOME)
    figure = browser.find("#figure")
    size = figure.size
    ActionChains(browser.driver).move_to_element_with_offset(figure, x - size["width"] / 2, y - size["height"] / 2).click().perform()
    assert browser.text("#details h2").startswith("Point ")
    point = int(browser.text("#details h2").split()[1])
    command = browser.text("#command")
    assert f"--point {point} " in command
    done = program.shell(command)
    assert done.returncode == 0, done.stderr
    row = rows(results.file, "SELECT * FROM points WHERE point = ?", point)[0]
    folder = program.folder / f"runs/{results.file.stem}-point-{point}" / row["system"]
    summary = json.loads((folder / "summary.json").read_text())
    shown = dict(browser.script("""return [...document.querySelectorAll('#details .facts:nth-of-type(2) tr, #details .facts tr')]
      .filter((tr) => tr.querySelector('[data-value]')).map((tr) => [tr.title, tr.querySelector('[data-value]').dataset.value])"""))
    assert len(shown) > 25
    of_page = {float(value) for value in shown.values() if value != ""}
    of_run = {value for value in summary["statistics"].values() if value is not None}
    assert of_run - of_page <= {0}  # of what was not seen
    assert summary["statistics"]["mean_latency_s"] == row["mean_latency_s"]
    # The resolved configuration is in the page.
    assert browser.script("return document.getElementById('yaml').textContent") == row["configuration"]
    shares = [float(text.split()[0]) / 100 for text in browser.script(
        "return [...document.querySelectorAll('.shares td:last-child')].map((td) => td.textContent)")]
    assert shares == pytest.approx(summary["exit_shares"], abs=1e-3)


def test_the_command_is_copied(browser, results):
    browser.open(results.page, "point=0")
    browser.driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    browser.find("#command-copy").click()
    time.sleep(0.2)
    assert browser.text("#command-copy") == "Copied"
    copied = browser.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0], (why) => arguments[0]('' + why))")
    assert copied == browser.text("#command")


def test_the_fragment_gives_the_view_again(browser, results):
    browser.open(results.page)
    for field, value in (("y", "p99_latency_s"), ("ys", "log"), ("colour", RHO), ("facet", SLO), ("base", "1.5"), ("show", "means")):
        browser.choose(field, value)
    browser.find(".filters summary").click()
    browser.find("fieldset[data-axis=system] label:nth-of-type(1) input").click()
    browser.key("#figure", Keys.HOME, Keys.ENTER)
    seen = browser.script("return [caption.textContent, details.textContent, document.querySelector('#figure svg').innerHTML]")
    fragment = browser.fragment()
    browser.open(results.page, fragment)
    assert browser.script("return [caption.textContent, details.textContent, document.querySelector('#figure svg').innerHTML]") == seen
    assert browser.fragment() == fragment


@pytest.mark.parametrize("fragment", ["x=none&y=<b>&view=what", "only.system=no+list", "only.system=7", "part=nobody&point=1", "only.nothing=[1]", "point=99999&page=-3", "%",
                                      "base=nobody&colour=mean_latency_s", "facet=mean_latency_s&x=", "pareto=on", "y=system",
                                      "view=table&page=77&sort=nothing", "only.system=[]"])
def test_a_wrong_fragment_does_no_harm(browser, results, fragment):
    browser.open(results.page, fragment)
    assert browser.all("#figure") or browser.all("#table") or browser.all("#nothing")


def test_filters_that_leave_nothing_say_so(browser, results):
    for view in ("chart", "table"):
        browser.open(results.page, urlencode({"only.system": "[]", "view": view}))
        assert browser.text("#nothing").startswith("Nothing left") and not browser.all("#figure")
        browser.find("#reset-filters").click()
        assert browser.all("#figure" if view == "chart" else "#table") and "only" not in browser.fragment()


def test_the_pareto_front_is_that_of_all_pairs(browser, results):
    browser.open(results.page)
    browser.find("#choose-pareto").click()
    browser.choose("y", "mean_latency_s")
    browser.choose("x", "throughput_hz")
    assert "no other point is better in both" in browser.text("#caption")
    cells = {}
    for row in rows(results.file, "SELECT * FROM points WHERE status = 'done'"):
        cells.setdefault((row["setting"], row["system"]), []).append(row)
    means = [(fmean(row["throughput_hz"] for row in cell), fmean(row["mean_latency_s"] for row in cell))
             for cell in cells.values() if not any(row["saturated"] for row in cell)]
    front = [a for a in means if not any(b != a and b[0] >= a[0] and b[1] <= a[1] for b in means)]
    browser.key("#figure", Keys.HOME)
    said = [browser.live()]
    for _ in range(40):
        browser.key("#figure", Keys.ARROW_RIGHT)
        said.append(browser.live())
    found = {text.split(";")[0] for text in said if "on the Pareto front" in text}
    assert len(found) == len(front) > 2


def test_the_keyboard_is_enough(browser, results):
    browser.open(results.page)
    for _ in range(40):
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        if browser.script("return document.activeElement.id") == "figure":
            break
    assert browser.script("return document.activeElement.id") == "figure"
    assert "1 of " in browser.live() and "mean latency" in browser.live()
    outline = browser.script("return getComputedStyle(document.getElementById('figure')).outlineStyle")
    assert outline == "solid"
    ActionChains(browser.driver).send_keys(Keys.ARROW_RIGHT).perform()
    assert "2 of " in browser.live()
    first = browser.live()
    ActionChains(browser.driver).send_keys(Keys.ARROW_DOWN).perform()
    # The next series, at the same load.
    assert first.split(",")[1:3] != browser.live().split(",")[1:3] or first.split(",")[0] != browser.live().split(",")[0]
    assert [text for text in first.split(", ") if text.startswith("rho")] == [text for text in browser.live().split(", ") if text.startswith("rho")]
    ActionChains(browser.driver).send_keys(Keys.ENTER).perform()
    assert browser.script("return document.activeElement.id") == "details"
    browser.key("#figure", Keys.ESCAPE)
    assert not browser.find("#details").is_displayed()
    assert browser.script("return document.activeElement.id") == "figure"


def test_all_that_can_be_used_has_a_name(browser, results):
    browser.open(results.page, "point=0")
    nameless = browser.script("""
      const named = (node) => node.getAttribute('aria-label') || node.textContent.trim() || (node.labels && node.labels.length);
      return [...document.querySelectorAll('button, select, input, [role], aside, section')].filter((node) => !named(node) &&
        node.id !== 'live').map((node) => node.outerHTML.slice(0, 100))""")
    assert nameless == []
    assert browser.script("return document.documentElement.lang") == "en"
    assert browser.script("return document.querySelector('#live').getAttribute('aria-live')") == "polite"


def test_print_has_no_fields(browser, results):
    browser.open(results.page, "point=0")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        heights = browser.script("return ['controls', 'figure', 'details'].map((id) => document.getElementById(id).offsetHeight)")
        assert heights[0] == 0 and heights[1] > 100 and heights[2] > 100
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
