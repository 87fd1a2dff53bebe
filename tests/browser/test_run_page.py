"""The page of a run."""

import json

import pytest


def test_statistics_are_those_of_the_summaries(browser, run_page):
    browser.open(run_page.page)
    shown = browser.script("""return [...document.querySelectorAll('#statistics tbody tr')].map((tr) =>
      [...tr.querySelectorAll('td')].map((td) => td.firstChild.dataset ? td.firstChild.dataset.value : td.textContent))""")
    assert len(shown) > 25
    for place, label in enumerate(("serial", "ours")):
        statistics = json.loads((run_page.folder / label / "summary.json").read_text())["statistics"]
        values = [float(row[place]) for row in shown if row[place] not in ("n/a", "")
                  and not row[place].startswith("none seen")]
        expected = [value for name, value in statistics.items() if value is not None
                    and not (name in ("slo_violation_rate", "drop_rate") and value == 0)]
        assert values == expected


def test_statistics_say_their_unit_once_and_fit_a_telephone(browser, run_page):
    browser.size(400)
    browser.open(run_page.page)
    shown = browser.script("""return [...document.querySelectorAll('#statistics tbody tr')].map((tr) =>
      [tr.firstChild.textContent, tr.lastChild.textContent.split(' ').slice(1).join(' ')])""")
    for name, unit in (("mean latency", "ms"), ("DRAM energy per request", "J"), ("average power", "W"), ("energy delay product", "J s")):
        assert [name, unit] in shown
    assert browser.script("const box = document.querySelector('#statistics').parentElement; return box.scrollWidth - box.clientWidth") <= 0


def test_each_figure_is_there_and_described(browser, run_page):
    browser.open(run_page.page)
    for name, count in (("ccdf", 1), ("histogram", 1), ("queue", 2)):
        labels = browser.script("return [...document.querySelectorAll(`#${arguments[0]} svg`)].map((svg) => svg.getAttribute('aria-label'))",
                                name)
        assert len(labels) == count and all(labels)
        paths = browser.script("return [...document.querySelectorAll(`#${arguments[0]} svg > path`)].map((path) => path.getAttribute('d'))", name)
        assert len(paths) >= 2 and all(len(path) > 100 and "NaN" not in path for path in paths)
    assert "3900 of serial, 3900 of ours" in browser.text("#ccdf .caption")
    assert len(browser.all("#exits .shares")) == 2


def test_the_scales_are_those_of_what_is_not_saturated(browser, overload):
    summaries = {label: json.loads((overload.folder / label / "summary.json").read_text()) for label in ("serial", "ours")}
    assert summaries["serial"]["saturated"] and not summaries["ours"]["saturated"]
    browser.open(overload.page)
    last = browser.script("return Math.max(...[...document.querySelectorAll('#ccdf .axis text')].map((text) => +text.textContent))")
    longest = 1e3 * summaries["ours"]["statistics"]["max_latency_s"]
    assert 0.5 * longest < last <= longest < 1e3 * summaries["serial"]["statistics"]["p90_latency_s"]
    for name, edge in (("ccdf", "right"), ("queue", "upper")):
        assert f"cut at the {edge} edge (†): serial" in browser.text(f"#{name} .caption")
        assert len(browser.all(f"#{name} text.edge")) == 1
        clipped = browser.script("return [...document.querySelectorAll(`#${arguments[0]} svg > path`)].map((path) => path.getAttribute('clip-path'))", name)
        assert clipped and all(clipped)
    ticks = browser.script("""return [...document.querySelectorAll('#queue svg')].map((svg) =>
      [...svg.querySelectorAll('.axis text')].map((text) => text.textContent))""")
    assert len(ticks) == 2 and ticks[0] == ticks[1]
    titles = browser.script("return [...document.querySelectorAll('#queue svg text.label')].map((text) => text.textContent)")
    assert titles == ["time (s)", "requests waiting"] * 2


def test_nothing_is_cut_where_nothing_is_saturated(browser, run_page):
    browser.open(run_page.page)
    assert "cut at" not in browser.text("#view") and not browser.all("text.edge")


def test_services_have_their_shares_of_exits(browser, site):
    browser.open(site.run_page)
    expected = {}
    for label in ("one", "two"):
        for service in json.loads((site.run / label / "summary.json").read_text())["services"]:
            expected[f"{label}, {service['name']}"] = service["exit_shares"]
    shown = browser.script("""return [...document.querySelectorAll('#exits .exits')].map((box) => [box.querySelector('h3').textContent,
      [...box.querySelectorAll('td:last-child')].map((td) => parseFloat(td.textContent) / 100)])""")
    assert [label for label, _ in shown] == list(expected) and len(shown) == 4
    for label, shares in shown:
        assert shares == pytest.approx(expected[label], abs=1e-3)
    assert "from 0, as in requests.csv" in browser.text("#exits .caption")


def test_the_command_gives_the_run_again(browser, program, run_page):
    browser.open(run_page.page)
    done = program.shell(browser.text("#command"))
    assert done.returncode == 0, done.stderr
    for label in ("serial", "ours"):
        again = program.folder / "runs/one run-again" / label
        for name in ("summary.json", "requests.csv"):
            assert (again / name).read_bytes() == (run_page.folder / label / name).read_bytes()


def test_services_and_npus_of_a_site(browser, site):
    browser.open(site.run_page)
    summary = json.loads((site.run / "two/summary.json").read_text())
    heads = browser.script("return [...document.querySelectorAll('#parts-1 thead th')].map((th) => th.textContent)")
    assert heads == ["statistic", "faces", "plates", "NPU 0 (zu7ev_large)", "NPU 1 (z7045_middle)"]
    for place, part in enumerate(summary["services"] + summary["npus"]):
        shown = browser.script("""return [...document.querySelectorAll('#parts-1 tbody tr')].map((tr) => tr.children[1 + arguments[0]])
          .filter((td) => td.firstChild.dataset).map((td) => +td.firstChild.dataset.value)""", place)
        expected = [value for name, value in part["statistics"].items() if value is not None
                    and not (name in ("slo_violation_rate", "drop_rate") and value == 0)]
        assert shown == expected
