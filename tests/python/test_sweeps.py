"""Sweeps from Python: the same bytes as the program's, and the results as data frames."""

import math
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

import fluidbatch as fb
from interrupts import ends_at_once, environment
from program import ROOT, message, succeed

BASE = {
    "requests": 300,
    "network": "ee_resnet18",
    "slo": {"latency_ms": 60},
    "workload": {"arrivals": {"kind": "poisson", "rho": 1}, "exits": {"kind": "rates", "rates": [0.3, 0.35, 0.4]}},
    "outputs": {"bounds": False},
    "systems": [
        {"label": "dynamic", "policy": {"name": "dynamic_batching", "max_queue_delay_ms": 5}, "npu": "zu7ev_large",
         "npu_mode": "r"},
        {"label": "ours", "policy": {"name": "exit_aware"}, "npu": "zu7ev_large", "npu_mode": "fluid_stacked"}]}
SWEEP = {"base": BASE, "axes": {"grid": {"workload.arrivals.rho": [0.5, 1, 1.5, 2]},
                                "zip": {"slo.latency_ms": [40, 60], "systems.ours.policy.max_batch": [4, 8]}},
         "replications": 3}
TEXT = """\
base:
  requests: 300
  network: ee_resnet18
  slo: {latency_ms: 60}
  workload:
    arrivals: {kind: poisson, rho: 1}
    exits: {kind: rates, rates: [0.3, 0.35, 0.4]}
  outputs: {bounds: false}
  systems:
    - {label: dynamic, policy: {name: dynamic_batching, max_queue_delay_ms: 5}, npu: zu7ev_large, npu_mode: r}
    - {label: ours, policy: {name: exit_aware}, npu: zu7ev_large, npu_mode: fluid_stacked}
axes:
  grid: {workload.arrivals.rho: [0.5, 1, 1.5, 2]}
  zip: {slo.latency_ms: [40, 60], systems.ours.policy.max_batch: [4, 8]}
replications: 3
"""
SITE = """\
requests: 300
reference: {npu: zu7ev_large, npu_mode: r}
services:
  - {name: faces, network: ee_resnet18, slo: {latency_ms: 60}, exits: {kind: rates, rates: [0.3, 0.35, 0.4]}}
  - {name: signs, network: ee_resnet18, slo: {latency_ms: 90}, exits: {kind: rates, rates: [0.3, 0.35, 0.4]}}
workload:
  devices:
    - {label: doors, service: faces, arrivals: {kind: poisson, rho: 0.4}}
    - {label: cars, service: signs, arrivals: {kind: poisson, rho: 0.4}}
systems:
  - {label: two, policy: {name: serial}, npus: [{npu: zu7ev_large, npu_mode: r}, {npu: zu7ev_large, npu_mode: r}]}
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Each test has a folder of its own, with the sweep as a file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(TEXT)
    return tmp_path


def dump(file):
    """All that results are compared by: the file's SQL but for how points were run."""
    with sqlite3.connect(file) as database:
        return [line for line in database.iterdump() if not line.startswith('INSERT INTO "runs"')]


def points(file):
    with sqlite3.connect(file) as database:
        return database.execute("SELECT * FROM points ORDER BY point").fetchall()


def refused(act):
    with pytest.raises(fb.InputError) as caught:
        act()
    return caught.value


def test_a_file_gives_the_bytes_that_the_program_writes(here):
    succeed("sweep", "s.yaml", "--out", "program.sqlite", "--jobs", "2", folder=here)
    outcome = fb.Sweep("s.yaml").run("module.sqlite", jobs=2)
    assert outcome == fb.SweepOutcome(run=48, before=0, left=0, failed=0)
    assert dump("module.sqlite") == dump("program.sqlite")
    assert not list(here.glob("*-wal"))
    succeed("sweep", "s.yaml", "--out", "module.sqlite", "--resume", folder=here)  # it is one of its own


SHIPPED = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "experiments").rglob("*.yaml")
                 if re.search("^base:", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("file", SHIPPED)
def test_shipped_sweeps_give_the_bytes_that_the_program_writes(file, tmp_path):
    """The first points of each, with fewer requests."""
    fewer = {"requests": 2000, "warmup_requests": 100}
    fb.Sweep(ROOT / file, fewer).run(tmp_path / "module.sqlite", limit=4)
    words = [word for key, value in fewer.items() for word in ("--set", f"{key}={value}")]
    succeed("sweep", ROOT / file, "--out", tmp_path / "program.sqlite", "--limit", 4, *words, folder=tmp_path)
    assert dump(tmp_path / "module.sqlite") == dump(tmp_path / "program.sqlite")


def test_a_dict_a_path_and_a_scenario_as_the_base_give_the_same(here):
    fb.Sweep("s.yaml").run("file.sqlite")
    fb.Sweep(SWEEP).run("dict.sqlite", jobs=1, driver="bare")
    (here / "below").mkdir()
    (here / "below" / "base.yaml").write_text(TEXT[TEXT.index("\n") + 1:TEXT.index("axes:")].replace("\n  ", "\n")[2:])
    fb.Sweep({**SWEEP, "base": "below/base.yaml"}).run("path.sqlite")
    fb.Sweep({**SWEEP, "base": fb.Scenario("below/base.yaml")}).run("scenario.sqlite")
    for name in ("dict", "path", "scenario"):
        assert points(f"{name}.sqlite") == points("file.sqlite"), name
    assert dump("dict.sqlite") == dump("file.sqlite")


def test_overrides_are_those_of_the_base(here):
    succeed("sweep", "s.yaml", "--out", "program.sqlite", "--set", "requests=100", "--set", "seed=9", folder=here)
    fb.Sweep("s.yaml", {"seed": 9}, requests=100).run("module.sqlite")
    assert dump("module.sqlite") == dump("program.sqlite")


def test_a_plan_is_that_of_a_dry_run(here):
    sweep = fb.Sweep("s.yaml")
    assert sweep.axes == ["workload.arrivals.rho", "slo.latency_ms", "systems.ours.policy.max_batch"]
    assert (sweep.settings, sweep.points) == (8, 48)
    plan = sweep.plan()
    text = succeed("sweep", "s.yaml", "--dry-run", folder=here)
    assert [int(n) for n in re.findall(r"\d+", text)] == [plan.settings, 3, plan.pairs, plan.points, plan.requests]
    assert sweep.plan(shard=(2, 3)).pairs == 5


def test_parts_limits_and_resuming_lose_and_repeat_nothing():
    fb.Sweep("s.yaml").run("whole.sqlite")
    parts = [fb.Sweep("s.yaml").run(f"part{i}.sqlite", shard=(i, 3)) for i in (1, 2, 3)]
    assert sum(part.run for part in parts) == 48
    assert sorted(row for i in (1, 2, 3) for row in points(f"part{i}.sqlite")) == points("whole.sqlite")
    assert fb.Sweep("s.yaml").run("some.sqlite", limit=7) == (7, 0, 41, 0)
    assert fb.Sweep("s.yaml").run("some.sqlite", resume=True) == (41, 7, 0, 0)
    assert dump("some.sqlite") == dump("whole.sqlite")


def test_errors_have_their_places(here):
    assert str(refused(lambda: fb.Sweep("none.yaml"))) == message("sweep", "none.yaml", "--dry-run", folder=here)
    (here / "w.yaml").write_text(TEXT.replace("grid:", "gird:"))
    error = refused(lambda: fb.Sweep("w.yaml"))
    assert (error.file, error.line, error.column) == ("w.yaml", 13, 3)
    assert str(error) == message("sweep", "w.yaml", "--dry-run", folder=here)
    error = refused(lambda: fb.Sweep({**SWEEP, "axes": {"grid": {"workload.arrivals.rho": [1, -1]}}}).plan())
    assert error.file == "sweep['axes']['grid']['workload.arrivals.rho'][1]" and error.line is None
    assert refused(lambda: fb.Sweep({**SWEEP, "base": 3})).file == "sweep['base']"
    assert refused(lambda: fb.Sweep("s.yaml", requests=-1)).file == "set['requests']"
    assert refused(lambda: fb.Sweep("s.yaml").run(".")).file == "out"
    sweep = fb.Sweep("s.yaml", requests=50)
    sweep.run("r.sqlite", limit=1)
    assert "resume=True goes on with it" in str(refused(lambda: sweep.run("r.sqlite")))
    assert "'base.requests' differs" in str(refused(lambda: fb.Sweep("s.yaml").run("r.sqlite", resume=True)))
    for wrong in ((0, 2), (3, 2)):
        assert refused(lambda: sweep.run("n.sqlite", shard=wrong)).file == "shard"
    assert refused(lambda: sweep.run("n.sqlite", driver="simgird")).file == "driver"
    assert refused(lambda: sweep.run("n.sqlite", jobs=0)).file == "jobs"
    assert refused(lambda: sweep.run("n.sqlite", limit=-1)).file == "limit"
    assert not (here / "n.sqlite").exists()


def test_what_is_unlikely_to_be_meant_is_a_warning(here):
    result = subprocess.run([sys.executable, "-W", "error", "-c", "import fluidbatch as fb; fb.Sweep('s.yaml')"],
                            cwd=here, env=environment(), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_points_that_fail_are_a_warning_and_have_their_reasons(here):
    class Fails(fb.Policy):
        def decide(self, view):
            raise ZeroDivisionError("on purpose")

    fb.register("fails", Fails)
    sweep = fb.Sweep(SWEEP, {"systems.ours.policy": {"name": "fails"}})
    with pytest.warns(UserWarning, match="24 points failed"):
        outcome = sweep.run("f.sqlite")
    assert (outcome.run, outcome.failed) == (48, 24)
    rows = fb.results("f.sqlite")
    failed = rows[rows["status"] == "failed"]
    assert set(failed["system"]) == {"ours"} and failed["message"].str.contains("ZeroDivisionError: on purpose").all()


def test_progress_is_told():
    seen = []
    fb.Sweep("s.yaml", requests=20000).run("p.sqlite", jobs=2, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (48, 48)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len(seen) > 3


def test_what_progress_raises_ends_it_in_order(here):
    def enough(done, total):
        if done >= 3:
            raise RuntimeError("enough")

    sweep = fb.Sweep("s.yaml", requests=20000)
    with pytest.raises(RuntimeError, match="^enough$"):
        sweep.run("e.sqlite", progress=enough)
    assert not list(here.glob("*-wal"))
    done = len(points("e.sqlite"))
    assert 3 <= done < 48
    assert sweep.run("e.sqlite", resume=True) == (48 - done, done, 0, 0)
    sweep.run("whole.sqlite")
    assert dump("e.sqlite") == dump("whole.sqlite")


def test_ctrl_c_ends_a_sweep_at_once():
    assert ends_at_once("fb.Sweep('s.yaml', requests=100000000).run(f'{os.getpid()}.sqlite')")


def test_ctrl_c_ends_planning_at_once():
    assert ends_at_once("fb.Sweep({**SWEEP, 'axes': {'grid': {'requests': list(range(1, 200000))}}}).plan()",
                        setup=f"SWEEP = {SWEEP!r}")


def test_what_was_finished_at_ctrl_c_is_kept(here):
    program = """
import fluidbatch as fb, os, signal
def interrupt(done, total):
    if done >= 5:
        os.kill(os.getpid(), signal.SIGINT)
try:
    fb.Sweep('s.yaml', requests=20000).run('k.sqlite', progress=interrupt)
except KeyboardInterrupt:
    print('interrupted')
"""
    result = subprocess.run([sys.executable, "-c", program], cwd=here, env=environment(), capture_output=True,
                            text=True, timeout=60, check=False)
    assert result.stdout == "interrupted\n", result.stderr
    assert not list(here.glob("*-wal"))
    done = len(points("k.sqlite"))
    assert 5 <= done < 48
    assert fb.Sweep("s.yaml", requests=20000).run("k.sqlite", resume=True) == (48 - done, done, 0, 0)


def test_sigterm_ends_a_sweep_in_order_and_then_the_process(here):
    process = subprocess.Popen(
        [sys.executable, "-c", "import fluidbatch as fb; print('begins', flush=True); "
         "fb.Sweep('s.yaml', requests=1000000).run('t.sqlite', jobs=1)"], cwd=here, env=environment(),
        stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begins\n"
    time.sleep(1.5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == -signal.SIGTERM
    process.stdout.close()
    assert not list(here.glob("*-wal"))
    assert len(points("t.sqlite")) >= 1


def test_sweeps_in_threads_leave_signals_to_the_main_one():
    before = signal.getsignal(signal.SIGINT)
    outcomes = []
    threads = [threading.Thread(target=lambda name=name: outcomes.append(fb.Sweep("s.yaml").run(f"{name}.sqlite")))
               for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [(48, 0, 0, 0)] * 2
    assert dump("a.sqlite") == dump("b.sqlite")
    assert signal.getsignal(signal.SIGINT) is before


def test_results_are_what_the_file_has():
    fb.Sweep("s.yaml").run("r.sqlite")
    frame = fb.results("r.sqlite")
    with sqlite3.connect("r.sqlite") as database:
        cursor = database.execute("SELECT * FROM results ORDER BY point")
        names = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
    assert list(frame.columns) == names and len(frame) == len(rows) == 48
    numbers = [name for name, *_ in fb._core.all_statistics()]
    for i, row in enumerate(rows):
        for name, value in zip(names, row):
            mine = frame[name][i]
            if name in numbers:
                assert (math.isnan(mine) if value is None else mine == value), name
            elif name in ("point", "system", "replication", "seed", "workload.arrivals.rho", "configuration"):
                assert mine == value, name
    assert all(frame[name].dtype == "float64" for name in numbers)
    assert frame["accuracy"].isna().all()
    assert frame["saturated"].dtype == "boolean" and frame["point"].dtype == "int64"
    assert set(frame["workload.arrivals.rho"]) == {0.5, 1, 1.5, 2}
    assert all(isinstance(shares, list) and abs(sum(shares) - 1) < 1e-9 for shares in frame["exit_shares"])
    means = frame.pivot_table("mean_latency_s", "workload.arrivals.rho", "system")
    assert (means["ours"] < means["dynamic"]).all()
    assert len(fb.results("r.sqlite", table="settings")) == 24
    assert (fb.results("r.sqlite", table="runs")["wall_s"] > 0).all()


def test_parts_of_sites_have_a_table_of_their_own(here):
    (here / "site.yaml").write_text(SITE)
    fb.Sweep({"base": "site.yaml", "axes": {"grid": {"seed": [1, 2]}}}).run("site.sqlite")
    frame = fb.results("site.sqlite", table="part_results")
    assert sorted(set(zip(frame["kind"], frame["number"], frame["name"]))) == [
        ("npu", 0, "zu7ev_large"), ("npu", 1, "zu7ev_large"), ("service", 0, "faces"), ("service", 1, "signs")]
    assert len(frame) == 8 and set(frame["seed"]) == {1, 2} and frame["saturated"].dtype == "boolean"
    table = fb.compare("site.sqlite", "mean_latency_s", by="service").table
    mine = frame[(frame["kind"] == "service") & (frame["name"] == "faces") & (frame["seed"] == 1)]
    row = table[(table["service"] == "faces") & (table["seed"] == 1)]
    assert row["mean"][0] == mine["mean_latency_s"].iloc[0]


def test_tails_are_columns():
    measured = {"base": BASE, "measure": {"kind": "tail", "precision": 0.3, "quantiles": [0.99]}}
    fb.Sweep(measured).run("tail.sqlite")
    frame = fb.results("tail.sqlite")
    assert frame["p99_latency_tail_s"].dtype == "float64" and (frame["p99_latency_tail_s"] > 0).all()
    tail = fb.tail(BASE, precision=0.3, quantiles=[0.99]).table
    assert frame["p99_latency_tail_s"].tolist() == tail["value"][tail["metric"] == "latency_p99"].tolist()


def test_what_is_no_results_file_is_refused(here):
    assert "no such file" in str(refused(lambda: fb.results("none.sqlite")))
    assert not (here / "none.sqlite").exists()
    (here / "text.sqlite").write_text("no database, " * 100)
    assert "can't be read as the results" in str(refused(lambda: fb.results("text.sqlite")))
    sqlite3.connect("other.sqlite").execute("CREATE TABLE points (a)").connection.commit()
    assert "can't be read as the results" in str(refused(lambda: fb.results("other.sqlite")))
    fb.Sweep("s.yaml").run("r.sqlite", limit=1)
    error = refused(lambda: fb.results("r.sqlite", table="point"))
    assert "'points'" in str(error) and (error.file, error.line) == ("table", None)


def test_without_pandas_it_is_named(monkeypatch):
    fb.Sweep("s.yaml").run("r.sqlite", limit=1)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="python3-pandas"):
        fb.results("r.sqlite")


def test_nothing_heavy_is_imported(here):
    program = "import sys, fluidbatch; print([m for m in ('numpy', 'pandas', 'sqlite3', 'tqdm') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], cwd=here, env=environment(), capture_output=True, text=True,
                          check=True).stdout == "[]\n"
