"""How pages look: nothing is empty or cut off at any width; pictures are kept where FLUIDBATCH_PICTURES says, to be looked at."""

import os
import re
import shutil
from pathlib import Path

import matplotlib.image
import many_points
import pytest

VIEWS = {"figure": "", "panels": "facet=slo.latency_ms&ys=log&point=0", "pareto": "pareto=on&x=throughput_hz", "table": "view=table",
         "none": "y=slo_violation_rate&ys=log", "ratio": "base=dynamic", "each": "show=points"}


def keep(name, file):
    folder = os.environ.get("FLUIDBATCH_PICTURES")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, Path(folder) / name)


def looked_at(browser, tmp_path, name):
    """A picture of the whole page; asserts that it is not wider than the window, nor of one colour."""
    height = browser.script("return document.documentElement.scrollHeight")
    width = browser.script("return innerWidth")
    assert browser.script("return document.documentElement.scrollWidth") <= width
    browser.size(width, min(height, 8000))
    browser.script("return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    file = tmp_path / name
    browser.picture(file)
    keep(name, file)
    pixels = (matplotlib.image.imread(file)[:, :, :3] * 255).astype(int)
    assert len({tuple(pixel) for row in pixels[::7, ::7] for pixel in row}) > 8
    return pixels


def drawn(browser):
    """The share of the canvas that something is drawn on."""
    return browser.script("""
      const canvas = document.querySelector('#figure canvas');
      const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let i = 3; i < data.length; i += 4) count += data[i] > 0;
      return count / (canvas.width * canvas.height)""")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1000, 2000])
@pytest.mark.parametrize("view", VIEWS)
def test_no_view_of_a_sweep_is_empty(browser, results, tmp_path, view, width, scheme):
    browser.size(width)
    browser.scheme(scheme)
    browser.open(results.page, VIEWS[view])
    pixels = looked_at(browser, tmp_path, f"sweep-{view}-{width}-{scheme}.png")
    assert (pixels[2, 2].mean() < 80) == (scheme == "dark")
    if view != "table":
        assert drawn(browser) > 0.005


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1000, 2000])
def test_the_page_of_a_run_is_not_empty(browser, run_page, tmp_path, width, scheme):
    browser.size(width)
    browser.scheme(scheme)
    browser.open(run_page.page)
    looked_at(browser, tmp_path, f"run-{width}-{scheme}.png")


def test_100_000_points_open_soon(browser, program, capsys):
    (program.folder / "many.yaml").write_text(many_points.SWEEP)
    program("sweep", "many.yaml", "--out", "many.sqlite", "--limit", "40")
    many_points.fill(program.folder / "many.sqlite")
    said = program("sweep", "report", "many.sqlite", "--out", "many.html")
    megabytes = float(re.search(r"of ([\d.]+) MB", said)[1])
    times = []
    for _ in range(3):
        browser.open(program.folder / "many.html")
        times.append(int(browser.script("return document.documentElement.dataset.ready")) / 1000)
    with capsys.disabled():
        print(f"\n{many_points.POINTS} points: {megabytes} MB, open after {', '.join(f'{t:.2f}' for t in times)} s "
              f"(load of the machine {os.getloadavg()[0]:.1f})")
    assert browser.text("#state") == "100000 points done"
    assert drawn(browser) > 0.01
    assert megabytes < 60
    assert min(times) < 6  # a third of it where the machine has nothing else to do
