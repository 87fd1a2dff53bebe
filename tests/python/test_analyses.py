"""Comparisons, capacities, tails and optima from Python: the numbers of the program's commands."""

import math
import re

import pytest

import fluidbatch as fb
from interrupts import ends_at_once
from program import call, message, rows, same_cells, succeed

SWEEP = """\
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
  grid: {workload.arrivals.rho: [0.5, 1.5, 6], workload.exits.rates: [[0.3, 0.35, 0.4], [0.1, 0.2, 0.3]]}
replications: 3
"""
LOAD = """\
seed: 1
requests: 2000
network: ee_resnet18
slo: {latency_ms: 60}
workload:
  arrivals: {kind: poisson, rho: 1}
  exits: {kind: rates, rates: [0.30, 0.35, 0.40]}
systems:
  - {label: dynamic, policy: {name: dynamic_batching, max_queue_delay_ms: 5}, npu: zu7ev_large, npu_mode: r}
  - {label: ours, policy: {name: exit_aware}, npu: zu7ev_large, npu_mode: fluid_stacked}
"""
SITE = """\
requests: 2000
reference: {npu: zu7ev_large, npu_mode: r}
services:
  - {name: faces, network: ee_resnet18, slo: {latency_ms: 60}, exits: {kind: rates, rates: [0.3, 0.35, 0.4]}}
  - {name: signs, network: ee_resnet18, slo: {latency_ms: 90}, exits: {kind: rates, rates: [0.3, 0.35, 0.4]}}
workload:
  devices:
    - {label: doors, service: faces, arrivals: {kind: poisson, rho: 0.4}}
    - {label: cars, service: signs, arrivals: {kind: poisson, rho: 0.4}}
systems:
  - {label: one, policy: {name: dynamic_batching}, npu: zu7ev_large, npu_mode: r}
"""
RARE = """\
seed: 3
requests: 400000
warmup_requests: 100
network: ee_resnet18
slo: {latency_ms: 40}
workload:
  arrivals: {kind: poisson, rho: 1.2}
  exits: {kind: rates, rates: [0.30, 0.35, 0.40]}
outputs: {requests_csv: false, bounds: false}
systems:
  - {label: ours, policy: {name: exit_aware, max_batch: 8}, npu: zu7ev_large, npu_mode: r}
  - {label: serial, policy: {name: serial}, npu: zu7ev_large, npu_mode: r}
"""
BEST = """\
seed: 1
requests: 3000
warmup_requests: 100
network: ee_resnet50
slo: {latency_ms: .inf}
reference: {npu: zu7ev_large, npu_mode: r}
workload:
  arrivals: {kind: poisson, rho: 1.6}
  exits: {kind: rates, rates: [0.30, 0.35, 0.40]}
systems:
  - {label: greedy, policy: {name: dynamic_batching, max_batch: 8}, npu: zu7ev_large, npu_mode: fluid_stacked}
  - {label: ours, policy: {name: exit_aware, max_batch: 8}, npu: zu7ev_large, npu_mode: fluid_stacked}
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Each test has a folder of its own, with the configurations as files."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("s.yaml", SWEEP), ("load.yaml", LOAD), ("site.yaml", SITE), ("rare.yaml", RARE), ("best.yaml", BEST)):
        (tmp_path / name).write_text(text)
    return tmp_path


def refused(act):
    with pytest.raises(fb.InputError) as caught:
        act()
    return caught.value


# Comparisons


@pytest.fixture(name="swept")
def swept_(here):
    fb.Sweep("s.yaml").run("r.sqlite")
    return here


def test_a_comparison_is_that_of_the_command(swept):
    metrics = ["mean_latency_s", "slo_violation_rate", "accuracy"]
    for by, base in (("system", None), ("system", "ours"), ("workload.arrivals.rho", None), ("workload.arrivals.rho", 1.5)):
        compared = fb.compare("r.sqlite", metrics, by=by, base=base)
        options = [] if base is None else ["--base", base]
        assert same_cells(compared.table, rows("compare", "r.sqlite", "--by", by, *options, "--metric", *metrics, folder=swept))
    assert compared.columns == ["1.5", "0.5", "6"]
    assert compared.axes == ["system", "workload.exits.rates"]
    assert compared.notes == ["accuracy: not defined at any point: it needs `confidences`, or a trace that says which "
                              "answers are right"]


def test_intervals_have_ends(swept):
    table = fb.compare("r.sqlite", "mean_latency_s").table
    assert ((table["low"] + table["high"]) / 2 == pytest.approx(table["mean"]))
    assert (table["high"] - table["mean"] == pytest.approx(table["ci95"]))
    frame = fb.results("r.sqlite")
    chosen = frame[(frame["system"] == "ours") & (frame["setting"] == 0)]["mean_latency_s"]
    row = table[table["system"] == "ours"][0]
    assert row["mean"] == pytest.approx(chosen.mean(), rel=1e-14)
    t = 4.302652729911275  # Student's, 2 degrees of freedom, 97.5 %
    assert row["ci95"] == pytest.approx(t * chosen.std() / math.sqrt(3), rel=1e-12)


def test_axes_of_numbers_are_numbers(swept):
    frame = fb.compare("r.sqlite", "mean_latency_s").table.to_pandas()
    assert frame["workload.arrivals.rho"].dtype == "float64" and frame["best"].dtype == "bool"
    assert frame["workload.exits.rates"].dtype == "object" and frame["replications"].dtype == "int64"


def test_a_comparison_shows_what_it_marks(swept):
    compared = fb.compare("r.sqlite", ["mean_latency_s", "slo_violation_rate"])
    page = compared._repr_html_()
    assert page.count("<table>") == page.count("<caption>") == 2
    assert "<caption>mean_latency_s (s)</caption>" in page
    assert "<th>workload.arrivals.rho</th>" in page and "<th>dynamic</th><th>ours</th>" in page
    assert page.count("<b>") == int(compared.table["best"].sum()) > 0
    assert page.count(" *<") == int(compared.table["saturated"].sum()) > 0
    assert "* saturated" in page and "≤" in page
    best = compared.table[compared.table["best"]][0]
    assert f"<b>{best['mean']:.4g} ±{best['ci95']:.2g}" in page
    assert "<th>1.5</th><th>0.5</th><th>6.0</th>" in fb.compare("r.sqlite", "mean_latency_s", "workload.arrivals.rho",
                                                                1.5)._repr_html_()
    assert "best" in repr(compared) and "saturated" in repr(compared)


def test_an_unfinished_sweep_says_so(here):
    fb.Sweep("s.yaml").run("u.sqlite", limit=20)
    compared = fb.compare("u.sqlite", "mean_latency_s")
    assert compared.notes[0] == "20 of 36 points done"
    assert "20 of 36 points done" in compared._repr_html_()
    assert same_cells(compared.table, rows("compare", "u.sqlite", "--metric", "mean_latency_s", folder=here))


def test_wrong_arguments_of_a_comparison_are_named(swept):
    error = refused(lambda: fb.compare("r.sqlite", "mean_latency"))
    assert error.file == "metrics" and "did you mean 'mean_latency_s'?" in str(error)
    assert refused(lambda: fb.compare("r.sqlite", [])).file == "metrics"
    assert refused(lambda: fb.compare("r.sqlite", "mean_latency_s", by="npus")).file == "by"
    assert refused(lambda: fb.compare("r.sqlite", "mean_latency_s", base="our")).file == "base"
    assert str(refused(lambda: fb.compare("n.sqlite", "mean_latency_s"))) == message(
        "compare", "n.sqlite", "--metric", "mean_latency_s", folder=swept)


# Capacities


def test_capacities_are_those_of_the_command(here):
    found = fb.capacity("load.yaml", tolerance=0.1)
    assert same_cells(found.probes, rows("capacity", "load.yaml", "--tolerance", 0.1, folder=here))
    assert found.key == "workload.arrivals.rho" and found.labels == ["dynamic", "ours"]
    for row in found.table:
        mine = found.probes[found.probes["system"] == row["system"]]
        held = mine[mine["holds"]]
        assert row["value"] == held[found.key].max() == found.value(row["system"])
        assert row["loads"] == len(mine) and row["runs"] == mine["runs"].sum()
        best = held[held[found.key] == row["value"]][0]
        assert row["throughput_hz"] == best["throughput_hz"] and row["late_share"] == best["late"] / best["requests"]
        failed = mine[mine["verdict"] == "fails"][found.key]
        assert row["fails_from"] == failed.min()
    assert "<td>ours</td>" in found._repr_html_() and "ours: " in repr(found)


def test_capacities_over_seeds_have_a_mean(here):
    found = fb.capacity("load.yaml", seeds=2, tolerance=0.2, jobs=1, driver="bare")
    assert same_cells(found.probes, rows("capacity", "load.yaml", "--seeds", 2, "--tolerance", 0.2, folder=here))
    values = found.table["value"][found.table["system"] == "ours"]
    assert len(values) == 2 and found.value("ours") == values.mean()


def test_capacities_of_sites_and_of_other_keys(here):
    found = fb.capacity("site.yaml", tolerance=0.3)
    assert same_cells(found.probes, rows("capacity", "site.yaml", "--tolerance", 0.3, folder=here))
    assert found.key == "services" and set(found.probes["service"]) == {"faces", "signs"}
    assert found.table["service"][0] in ("faces", "signs") and found.value() == found.table["value"][0]
    found = fb.capacity("load.yaml", over="workload.arrivals.rho", violation_rate=0.05, confidence=0.9, most_runs=4,
                        tolerance=0.1)
    assert same_cells(found.probes, rows("capacity", "load.yaml", "--over", "workload.arrivals.rho", "--violation-rate",
                                         0.05, "--confidence", 0.9, "--most-runs", 4, "--tolerance", 0.1, folder=here))


def test_wrong_arguments_of_a_capacity_are_named(here):
    assert str(refused(lambda: fb.capacity("load.yaml", over="nothing"))).startswith("--over nothing: ")
    for name, value in (("violation_rate", 0.6), ("confidence", 2), ("tolerance", 0), ("most_runs", 0), ("seeds", 0),
                        ("jobs", 0), ("driver", "none")):
        assert refused(lambda: fb.capacity("load.yaml", **{name: value})).file == name
    assert str(refused(lambda: fb.capacity("load.yaml", requests=100, most_runs=1))) == message(
        "capacity", "load.yaml", "--set", "requests=100", "--most-runs", 1, folder=here)
    with pytest.raises(KeyError, match="which system"):
        fb.capacity("load.yaml", tolerance=1).value()


# Tails


def test_tails_are_those_of_the_command(here):
    options = ("--precision", 0.2, "--quantiles", 0.99, "--quantiles", 0.999)
    found = fb.tail("rare.yaml", precision=0.2, quantiles=[0.99, 0.999], jobs=2)
    assert same_cells(found.table, rows("tail", "rare.yaml", *options, folder=here))
    assert found.table["reached"].all()
    alone = fb.tail(fb.Scenario("rare.yaml"), system="ours", precision=0.2, quantiles=[0.99, 0.999], jobs=1)
    assert alone.table.tolist() == found.table[found.table["system"] == "ours"].tolist()
    assert "<td>latency_p99.9</td>" in found._repr_html_() and "latency_p99.9" in repr(found)


def test_tails_say_what_they_do_not_know(here):
    options = {"set": {"workload.arrivals.rho": 2.4}, "precision": 0.01, "quantiles": [0.99], "max_events": 3e5}
    result = call("tail", "rare.yaml", "--csv", "--set", "workload.arrivals.rho=2.4", "--precision", 0.01, "--quantiles",
                  0.99, "--max-events", "3e5", folder=here)
    found = fb.tail("rare.yaml", **options)
    notes = [line.removeprefix("note: ").replace("--max-events", "max_events") for line in result.stderr.splitlines()]
    assert found.notes == notes and any("wider than" in note for note in notes)
    assert any("serial: no tail: it is saturated" in note for note in notes)
    assert set(found.table["system"]) == {"ours"} and not found.table["reached"].all()
    assert "wider than" in found._repr_html_() and "wider than" in repr(found)
    unbounded = fb.tail("rare.yaml", system="ours", set={"slo.latency_ms": math.inf}, quantiles=[0.99], precision=0.2)
    assert unbounded.table["metric"].tolist() == ["latency_p99"]
    assert unbounded.notes[0].startswith("no rate of late requests")


def test_a_tail_that_is_refused_has_its_place(here):
    error = refused(lambda: fb.tail("rare.yaml", workload__arrivals__rho=9))
    assert str(error) == message("tail", "rare.yaml", "--set", "workload.arrivals.rho=9", folder=here)
    assert (error.file, error.line) == ("rare.yaml", 7)
    error = refused(lambda: fb.tail("rare.yaml", set={"workload.arrivals": {"kind": "periodic", "rate_hz": 10}}))
    assert error.file == "set['workload.arrivals']" and "no tail: cameras" in str(error)
    assert refused(lambda: fb.tail("rare.yaml", system="other")).file == "system"
    assert refused(lambda: fb.tail("rare.yaml", precision=0.9)).file == "precision"
    assert refused(lambda: fb.tail("rare.yaml", quantiles=[0.99, 2])).file == "quantiles[1]"
    assert refused(lambda: fb.tail("rare.yaml", max_events=0)).file == "max_events"


def test_the_progress_of_a_tail_is_told():
    seen = []
    found = fb.tail("rare.yaml", precision=0.02, quantiles=[0.99], jobs=1,
                    progress=lambda done, total: seen.append((done, total)))
    done = [done for done, _ in seen]
    assert done == sorted(done) and 0 < done[-1] <= sum({row["system"]: row["events"] for row in found.table}.values())
    assert {total for _, total in seen} == {None}

    def fail(done, total):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="^enough$"):
        fb.tail("rare.yaml", progress=fail)


# Optima


def test_optima_are_those_of_the_command(here):
    found = fb.optimum("best.yaml")
    assert same_cells(found.table, rows("optimum", "best.yaml", folder=here))
    assert found.missing == {} and found.labels == ["greedy", "ours"] and not found.table["saturated"].any()
    solutions = found.solutions
    assert solutions["system"].tolist() == ["greedy"] * 2 and solutions["form"].tolist() == ["free", "fbe"]
    text = succeed("optimum", "best.yaml", folder=here)
    for row in solutions:
        assert re.search(rf"{row['form']} .* {row['queue']} +{row['states']} +{row['iterations']}\n", text)
        assert row["at_least_s"] <= row["at_most_s"]
    assert "<td>ours</td>" in found._repr_html_() and "ours: free" in repr(found)


def test_a_decision_table_is_that_of_the_command(here):
    found = fb.optimum("best.yaml", system="ours")
    for own in (False, True):
        name = f"own{own}.csv"
        succeed("optimum", "best.yaml", "--system", "ours", "--save", "p" + name, *(["--own"] if own else []), folder=here)
        found.save("ours" if own else None, name, own=own)
        assert (here / name).read_bytes() == (here / ("p" + name)).read_bytes()
    assert "already exists" in str(refused(lambda: found.save("ours", "ownTrue.csv")))
    with pytest.raises(KeyError, match="no system 'theirs'; there are 'ours'"):
        found.save("theirs", "t.csv")
    acts = fb.Scenario("best.yaml", {"systems.ours.policy": {"name": "table", "path": "ownFalse.csv"}})
    assert acts.resolved["systems"][1]["policy"]["name"] == "table"


def test_optima_that_are_missing_have_reasons(here):
    overrides = {"systems.ours.drop": "hopeless", "slo.latency_ms": 200}
    found = fb.optimum("best.yaml", set=overrides)
    assert found.missing == {"ours": ["an optimum is known only where all are answered"]}
    assert math.isnan(found.table["free_s"][1]) and not math.isnan(found.table["free_s"][0])
    assert "ours: - since an optimum is known only where all are answered" in found.notes
    assert "since" in found._repr_html_() and "since" in repr(found)
    error = refused(lambda: found.save("ours", "t.csv"))
    assert error.file == "save" and not (here / "t.csv").exists()
    layers = fb.optimum("best.yaml", set={"systems.ours.policy.name": "lazy_batching"})
    assert any("decides at layers" in note for note in layers.notes)
    assert refused(lambda: layers.save("ours", "t.csv", own=True)).file == "own"


def test_an_optimum_that_is_refused_has_its_place(here):
    error = refused(lambda: fb.optimum("best.yaml", "ours", {"systems.ours.drop": "hopeless"}))
    assert error.file == "set['systems.ours.drop']"
    gamma = "{kind: gamma, rho: 1, cv: 2}"
    (here / "gamma.yaml").write_text(BEST.replace("{kind: poisson, rho: 1.6}", gamma))
    error = refused(lambda: fb.optimum("gamma.yaml"))
    assert (error.file, error.line, error.column) == ("gamma.yaml", 8, 13)
    assert str(error) == message("optimum", "gamma.yaml", folder=here)
    assert str(refused(lambda: fb.optimum("best.yaml", workload__arrivals__rho=30))) == message(
        "optimum", "best.yaml", "--set", "workload.arrivals.rho=30", folder=here)
    assert refused(lambda: fb.optimum("best.yaml", system="other")).file == "system"


# Ctrl-C


@pytest.mark.parametrize("statement, after_s", [
    ("fb.capacity('load.yaml', requests=100000000)", 0.5),
    ("fb.tail('rare.yaml', jobs=2, workload__arrivals__rho=1)", 0.05),  # its first run
    ("fb.tail('rare.yaml', jobs=2, quantiles=[0.999999999999], workload__arrivals__rho=1)", 0.5),  # where to split
    ("fb.tail('rare.yaml', jobs=1, precision=0.001, workload__arrivals__rho=1)", 0.8),
    ("fb.tail('rare.yaml', jobs=2, precision=0.001, workload__arrivals__rho=1)", 0.8),
    ("fb.optimum('best.yaml', 'ours', {'systems.ours.policy.max_batch': 24, 'workload.arrivals.rho': 3.4})", 0.8),
    ("fb.optimum('best.yaml', requests=100000000)", 1),
])
def test_ctrl_c_ends_all_at_once(statement, after_s):
    assert ends_at_once(statement, after_s=after_s)


def test_a_file_of_another_kind_is_named(here):
    for analysis in (fb.capacity, fb.tail, fb.optimum):
        assert "s.yaml" in str(refused(lambda: analysis("s.yaml")))
