"""Plots: what they draw is what was measured, and what was not is marked."""

import csv
import io
import math
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas
import pytest

import fluidbatch as fb

PROGRAM = os.environ["FLUIDBATCH"]
QUICKSTART = str(Path(__file__).parents[2] / "experiments/quickstart.yaml")
RHO = "workload.arrivals.rho"
BASE = """base:
  requests: 1500
  warmup_requests: 100
  network: ee_resnet50
  slo: {latency_ms: 60}
  workload: {arrivals: {kind: poisson, rho: 1}, exits: {kind: rates, rates: [0.3, 0.35, 0.4]}}
  outputs: {bounds: false}
  systems:
    - {label: serial, policy: {name: serial}, npu: zu7ev_large, npu_mode: r}
    - {label: ours, policy: {name: exit_aware}, npu: zu7ev_large, npu_mode: fluid_stacked}
"""
AXES = f"axes: {{grid: {{{RHO}: [0.2, 1.0, 3.0]}}}}\nreplications: 4\n"


def sweep(folder, axes):
    (folder / "sweep.yaml").write_text(BASE + axes)
    subprocess.run([PROGRAM, "sweep", folder / "sweep.yaml", "--out", folder / "r.sqlite"], check=True,
                   capture_output=True)
    return folder / "r.sqlite"


def frame(file):
    return pandas.read_sql("SELECT * FROM results", sqlite3.connect(file))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return sweep(tmp_path_factory.mktemp("sweep"), AXES)


@pytest.fixture(scope="module")
def results():
    scenario = {**fb.Scenario(QUICKSTART).resolved, "requests": 2000}
    scenario["systems"].append({"label": "lazy", "policy": {"name": "lazy_batching"}, "npu": "zu7ev_large",
                                "npu_mode": "r"})
    return fb.run(scenario, timeline=True)


def lines(ax, system):
    """The lines of a system's colour: of values, and marks."""
    colour = fb.plot.look(system)["color"]
    return [line for line in ax.lines if line.get_color() == colour and len(line.get_xdata())]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_lines_and_bands_are_what_compare_prints(file):
    ax = fb.plot.load_latency(frame(file), metric="p99_latency_s")
    printed = subprocess.run([PROGRAM, "compare", file, "--metric", "p99_latency_s", "--csv"], check=True,
                             capture_output=True, text=True).stdout
    bands = {tuple(band.get_facecolor()[0][:3]): band for band in ax.collections}
    from matplotlib.colors import to_rgb
    compared = 0
    for row in csv.DictReader(io.StringIO(printed)):
        x, saturated = float(row[RHO]), row["saturated"] == "1"
        line = lines(ax, row["system"])[0]
        drawn = dict(zip(line.get_xdata(), line.get_ydata()))[x]
        if saturated:
            assert math.isnan(drawn)
            continue
        assert drawn == pytest.approx(1000 * float(row["mean"]), rel=1e-12)
        edges = [y for at, y in bands[to_rgb(line.get_color())].get_paths()[0].vertices if at == x]
        half_width = 1000 * float(row["ci95"])
        assert max(edges) == pytest.approx(drawn + half_width, rel=1e-9)
        assert min(edges) == pytest.approx(drawn - half_width, rel=1e-9)
        compared += 1
    assert compared >= 4
    assert ax.get_ylabel() == "p99 latency (ms)" and ax.get_xlabel() == "offered load rho"


def test_saturated_points_are_crosses_and_no_values(file):
    points = frame(file)
    assert points[(points.system == "serial") & (points[RHO] == 3.0)].saturated.all()
    ax = fb.plot.load_latency(points)
    values, crosses = lines(ax, "serial")
    assert math.isnan(values.get_ydata()[-1]) and crosses.get_marker() == "x"
    assert list(crosses.get_xdata()) == [3.0]
    assert any("saturated" in text for text in legend(ax))
    unsaturated = fb.plot.load_latency(points[points.system == "ours"])
    assert not any("saturated" in text for text in legend(unsaturated))


def test_a_path_is_as_good_as_its_results(file):
    from_path, from_results = fb.plot.load_latency(file), fb.plot.load_latency(fb.results(file))
    for first, second in zip(from_path.lines, from_results.lines, strict=True):
        assert np.array_equal(first.get_ydata(), second.get_ydata(), equal_nan=True)
    assert len(from_path.lines) == 4  # two systems, crosses, and their entry in the legend


def test_a_failed_point_is_left_out_and_a_single_one_has_no_band(file):
    points = frame(file)
    points = points[(points.system == "ours") & (points.replication < 2)].copy()
    points.loc[points.replication == 1, "status"] = "failed"
    ax = fb.plot.load_latency(points)
    alone = points[points.replication == 0].sort_values(RHO).mean_latency_s
    assert np.allclose(lines(ax, "ours")[0].get_ydata(), 1000 * alone)
    ys = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert set(np.round(ys, 9)) == set(np.round(1000 * alone, 9))


def test_none_late_is_a_bound_by_the_rule_of_three(file):
    points = frame(file)
    none = points[(points.system == "ours") & (points[RHO] == 0.2)]
    assert (none.slo_violation_rate == 0).all() and none.requests.sum() == 4 * 1400
    ax = fb.plot.violations(points)
    values, triangles = lines(ax, "ours")
    assert math.isnan(values.get_ydata()[0])
    assert triangles.get_xdata()[0] == 0.2 and triangles.get_ydata()[0] == pytest.approx(100 * 3 / 5600)
    assert ax.get_yscale() == "log"
    assert any("none seen in 5,600" in text for text in legend(ax))
    low, high = ax.get_xlim()
    assert low < 0.2 and high > 3.0
    serial = points[(points.system == "serial") & (points[RHO] == 1.0)]
    drawn = dict(zip(lines(ax, "serial")[0].get_xdata(), lines(ax, "serial")[0].get_ydata()))
    assert drawn[1.0] == pytest.approx(100 * serial.slo_violation_rate.mean(), rel=1e-12)


def test_different_settings_at_one_load_are_refused(tmp_path):
    two_axes = f"axes: {{grid: {{{RHO}: [0.5, 1.0], slo.latency_ms: [40, 80]}}}}\n"
    points = frame(sweep(tmp_path, two_axes))
    with pytest.raises(fb.InputError, match=r"differ in slo.latency_ms.*results\['slo.latency_ms'\] == "):
        fb.plot.load_latency(points)
    ax = fb.plot.load_latency(points[points["slo.latency_ms"] == 40])
    assert list(lines(ax, "ours")[0].get_xdata()) == [0.5, 1.0]
    other = fb.plot.violations(points[points[RHO] == 1.0], x="slo.latency_ms")
    assert other.get_xlabel() == "slo.latency_ms"


@pytest.mark.parametrize("arguments, message", [
    ({"metric": "p99_latency"}, "metric: unknown statistic 'p99_latency'.*did you mean 'p99_latency_s'"),
    ({"x": "workload.arrivals.rh"}, "x: unknown axis.*did you mean 'workload.arrivals.rho'"),
    ({"results": 3}, "results: must be the path of a sweep's results or a table of points.*found int"),
])
def test_wrong_arguments(file, arguments, message):
    with pytest.raises(fb.InputError, match=message):
        fb.plot.load_latency(**{"results": frame(file), **arguments})


def test_no_axis_is_named(file):
    with pytest.raises(fb.InputError, match="x: which axis"):
        fb.plot.load_latency(frame(file).drop(columns=RHO))


def boxes(ax):
    return [(patch.get_x(), patch.get_x() + patch.get_width(), -round(patch.get_y() + 0.4), bool(patch.get_hatch()))
            for patch in ax.patches]


def test_boxes_of_one_at_a_time_are_the_requests(results):
    requests = results.requests("serial")
    shown = requests[10:20]
    ax = fb.plot.timeline(results, "serial", shown["start_s"][0] + 1e-6, shown["completion_s"][-1] - 1e-6)
    found = boxes(ax)
    # A box for each segment that a request goes through: 0 to the exit it takes.
    assert len(found) == int((shown["exit"] + 1).sum())
    assert all(row == 0 and not suspended for _, _, row, suspended in found)
    spent = sum(end - begin for begin, end, *_ in found)
    assert spent == pytest.approx(shown["executing_s"].sum(), rel=1e-6)
    assert min(found)[0] == pytest.approx(shown["start_s"][0], abs=1e-9)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["batch of 1"]


def test_suspended_batches_are_below_and_never_overlap(results):
    ax = fb.plot.timeline(results, "lazy", 2.0, 4.0)
    found = boxes(ax)
    suspended = [box for box in found if box[3]]
    assert suspended and all(row > 0 for _, _, row, _ in suspended)
    for row in {row for _, _, row, _ in found}:
        of_row = sorted(box for box in found if box[2] == row)
        assert all(first[1] <= second[0] + 2e-9 for first, second in zip(of_row, of_row[1:]))
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names[:2] == ["NPU", "suspended batches"]
    assert ax.get_xlim() == (2.0, 4.0) and ax.get_xlabel() == "time (s)"


def test_a_timeline_of_too_much_is_refused(results):
    with pytest.raises(fb.InputError, match="last_s: .* boxes, more than 3,000"):
        fb.plot.timeline(results, "lazy")


def test_utilisation_is_the_table_s(results):
    ax = fb.plot.utilisation(results)
    widths = [patch.get_width() for patch in ax.patches]
    expected = [100 * row[name] for row in results.table for name in ("busy_fraction", "mac_utilisation")]
    assert widths == pytest.approx(expected)
    assert [text.get_text() for text in ax.get_yticklabels()] == results.labels


def test_a_system_has_one_colour_in_all_plots(file, results):
    before = fb.plot.look("serial")
    for ax in (fb.plot.load_latency(frame(file)), fb.plot.violations(frame(file))):
        assert lines(ax, "serial")[0].get_color() == before["color"]
    first = fb.plot.utilisation(results).patches[0]
    from matplotlib.colors import to_rgb
    assert first.get_facecolor()[:3] == pytest.approx(to_rgb(before["color"]))
    looks = [tuple(fb.plot.look(f"system {i}").values()) for i in range(30)]
    assert len(set(looks)) == 30


def test_axes_show_themselves_and_draw_into_others(file):
    from matplotlib.figure import Figure
    assert fb.plot.load_latency(frame(file))._repr_png_()[:4] == b"\x89PNG"
    mine = Figure().add_subplot()
    assert fb.plot.load_latency(frame(file), ax=mine) is mine


def python(code):
    return subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, check=False)


def test_nothing_is_imported_before_it_is_drawn():
    asked = python("import sys, fluidbatch as fb; fb.plot.look('a'); print([m for m in ('numpy', 'matplotlib', "
                   "'pandas') if m in sys.modules])")
    assert asked.stdout == "[]\n", asked.stderr
    drawn = python(f"import sys, fluidbatch as fb; r = fb.run({QUICKSTART!r}, requests=2000); "
                   "fb.plot.utilisation(r); print('matplotlib.pyplot' in sys.modules)")
    assert drawn.stdout == "False\n", drawn.stderr


def test_without_matplotlib_the_package_is_named():
    drawn = python("import sys, fluidbatch as fb; sys.modules['matplotlib'] = None; "
                   f"r = fb.run({QUICKSTART!r}, requests=2000); fb.plot.utilisation(r)")
    assert "ImportError: fluidbatch.plot draws with matplotlib (Debian: python3-matplotlib)" in drawn.stderr


def test_intervals():
    """Hand-worked: of 1, 2, 3 the deviation is 1, and t(2) is 4.302653 (97.5 %)."""
    found = fb.interval([1, 2, 3])
    assert found.mean == 2 and found.half_width == pytest.approx(4.302652730 / math.sqrt(3), rel=1e-9)
    assert (found.low, found.high) == (found.mean - found.half_width, found.mean + found.half_width)
    assert math.isnan(fb.interval([5.0]).half_width)
