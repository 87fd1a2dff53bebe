"""The page of a run."""

import json


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
