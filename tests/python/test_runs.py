"""Runs from Python: the program's bytes, and a good citizen of the interpreter."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import fluidbatch as fb
import numpy as np
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

REQUESTS = 3000


def is_run(path):
    return "systems" in (yaml.safe_load(path.read_text()) or {})


CONFIGURATIONS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "experiments").rglob("*.yaml") if is_run(path))


def files_in(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in Path(folder).rglob("*") if file.is_file()}


@pytest.mark.parametrize("path", CONFIGURATIONS)
def test_files_are_those_of_the_program(path, tmp_path, program):
    is_longer = yaml.safe_load(Path(path).read_text()).get("requests", 0) > REQUESTS
    overrides = {"requests": REQUESTS, "warmup_requests": 300} if is_longer else {}
    arguments = [word for key, value in overrides.items() for word in ("--set", f"{key}={value}")]
    program("run", path, "--out", tmp_path / "program", "--timeline", "--timeline-requests", "0..9", "--series", "0.5",
            *arguments)
    results = fb.run(path, set=overrides, timeline=range(10), series=0.5, out=tmp_path / "module")
    assert files_in(tmp_path / "module") == files_in(tmp_path / "program")
    for label in results.labels:
        assert results.summary(label) == json.loads((tmp_path / "program" / label / "summary.json").read_text())


def test_runs_to_a_precision_are_those_of_the_program(tmp_path, program, config):
    del config["requests"]
    config |= {"until": {"mean_latency_s": 0.05}, "warmup_requests": "auto", "max_requests": 100000}
    fb.run(config, out=tmp_path / "module")
    program("run", tmp_path / "module/resolved.yaml", "--out", tmp_path / "program")
    assert files_in(tmp_path / "module") == files_in(tmp_path / "program")


@pytest.mark.parametrize("driver", ["simgrid", "simgrid_window"])
def test_drivers_give_the_same(driver, config):
    loop = fb.run(config)
    other = fb.run(config, driver=driver)
    for label in loop.labels:
        assert other.requests(label).tobytes() == loop.requests(label).tobytes()
        assert other.summary(label) == loop.summary(label)


def test_simgrids_links_run_in_a_child(config):
    config["workload"]["uplink"] = {"model": "simgrid", "sample_bytes": 1000, "device_bandwidth_bytes_per_s": 1e6,
                                    "access_point_bandwidth_bytes_per_s": 1e7}
    results = fb.run(config, driver="simgrid")
    assert (results.requests("serial")["sent_s"] < results.requests("serial")["arrival_s"]).all()


def test_a_folder_is_loaded_as_it_was(config, tmp_path):
    results = fb.run(config, series=1.0, timeline=True, out=tmp_path / "run")
    loaded = fb.load(tmp_path / "run")
    assert loaded.labels == results.labels
    for label in results.labels:
        assert loaded.requests(label).dtype == results.requests(label).dtype
        for column in results.requests(label).columns:
            np.testing.assert_array_equal(loaded.requests(label)[column], results.requests(label)[column])
        assert loaded.summary(label) == results.summary(label)
        assert loaded.series(label).tobytes() == results.series(label).tobytes()
        assert loaded.timeline(label) == results.timeline(label)
        assert [event["args"]["name"] for event in loaded.timeline(label) if event["name"] == "process_name"] == [label]
    assert loaded.table.tobytes() == results.table.tobytes()


def test_a_part_of_a_timeline_is_that_of_the_program(config, tmp_path, program):
    results = fb.run(config, timeline_from_s=0.5, timeline_to_s=1.5, out=tmp_path / "module")
    program("run", tmp_path / "module/resolved.yaml", "--out", tmp_path / "program", "--timeline-from", "0.5",
            "--timeline-to", "1.5")
    assert files_in(tmp_path / "module") == files_in(tmp_path / "program")
    for label in results.labels:
        slices = [event for event in results.timeline(label) if event["ph"] == "X"]
        assert slices
        assert all(event["ts"] <= 1.5e6 and event["ts"] + event["dur"] >= 0.5e6 for event in slices)


def test_sites_are_loaded_with_their_services(tmp_path):
    results = fb.run("experiments/site/home.yaml", requests=2000, warmup_requests=0, outputs__requests_csv=True,
                     out=tmp_path / "run")
    loaded = fb.load(tmp_path / "run")
    label = results.labels[0]
    assert len(results.services) > 1 and loaded.services == results.services
    np.testing.assert_array_equal(loaded.requests(label)["service"], results.requests(label)["service"])
    frame = results.requests(label).to_pandas()
    assert set(frame["service"]) == set(results.services)


def test_the_array_is_the_simulations_own_and_is_not_written_to(config):
    results = fb.run(config)
    first, second = results.requests("serial"), results.requests("serial")
    assert first.__array_interface__["data"][0] == second.__array_interface__["data"][0]
    with pytest.raises(ValueError, match="read-only"):
        first["exit"][0] = 3
    latencies = first["latency_s"]
    del results, second
    assert latencies.sum() == first["latency_s"].sum()  # the rows live as long as any view of them


def test_statistics_follow_from_the_array(config):
    results = fb.run(config, warmup_requests=500)
    measured = results.requests("fluid")[500:]
    row = results.table[results.table["system"] == "fluid"][0]
    assert row["mean_latency_s"] == pytest.approx(measured["latency_s"].mean(), rel=1e-12)
    assert row["slo_violation_rate"] == pytest.approx(1 - measured["slo_met"].mean(), rel=1e-12)
    np.testing.assert_allclose(measured["completion_s"] - measured["arrival_s"], measured["latency_s"], rtol=1e-12)
    window_s = results.requests("fluid")["completion_s"].max() - measured["arrival_s"][0]
    assert row["energy_per_request_j"] == results.summary("fluid")["statistics"]["energy_per_request_j"]
    assert row["average_power_w"] * window_s == pytest.approx(row["energy_per_request_j"] * 1500, rel=1e-12)
    assert row["energy_delay_product_js"] == row["energy_per_request_j"] * row["mean_latency_s"]


def test_dropped_requests_have_no_latency(config):
    config["systems"] = [{"label": "s", "policy": {"name": "serial"}, "drop": "hopeless"}]
    config["workload"]["arrivals"]["rho"] = 2.5
    rows = fb.run(config).requests()
    dropped = rows[rows["dropped"]]
    assert 0 < len(dropped) < len(rows)
    assert np.isnan(dropped["latency_s"]).all() and not dropped["slo_met"].any()
    assert not np.isnan(rows[~rows["dropped"]]["latency_s"]).any()


def test_overrides_are_those_of_set(config):
    by_keyword = fb.run(config, workload__arrivals__rho=0.4, seed=9)
    by_dict = fb.run(config, {"workload.arrivals.rho": 0.4, "seed": 9})
    config["workload"]["arrivals"]["rho"] = 0.4
    config["seed"] = 9
    by_hand = fb.run(config)
    assert by_keyword.requests("fluid").tobytes() == by_dict.requests("fluid").tobytes()
    assert by_keyword.requests("fluid").tobytes() == by_hand.requests("fluid").tobytes()


def test_values_of_numpy_and_paths_are_values(config, tmp_path):
    config["seed"] = np.int64(5)
    config["workload"]["exits"]["rates"] = np.array([0.3, 0.4, 0.2])
    by_numpy = fb.run(config, warmup_requests=np.int32(10))
    assert fb.Scenario(config).resolved["seed"] == 5
    file = tmp_path / "network.yaml"
    file.write_text((ROOT / "workloads/networks/ee_resnet50.yaml").read_text())
    config["network"] = file
    by_path = fb.run(config, warmup_requests=10)
    assert by_path.requests("fluid").tobytes() == by_numpy.requests("fluid").tobytes()


@pytest.mark.parametrize("change, file, words", [
    ({"requets": 5}, "set['requets']", "did you mean 'requests'"),
    ({"workload.arrivals.rho": "fast"}, "set['workload.arrivals.rho']", "fast"),
    ({"systems.serial.policy.name": "serail"}, "set['systems.serial.policy.name']", "did you mean 'serial'"),
])
def test_errors_say_where_in_the_arguments(config, change, file, words):
    with pytest.raises(fb.InputError, match=words) as caught:
        fb.run(config, change)
    assert caught.value.file == file and caught.value.line is None and caught.value.column is None
    assert isinstance(caught.value, ValueError)


def test_errors_say_where_in_a_dict(config):
    config["workload"]["arrivals"]["rho"] = -1
    with pytest.raises(fb.InputError) as caught:
        fb.Scenario(config)
    assert caught.value.file == "config['workload']['arrivals']['rho']"
    config["workload"]["arrivals"]["rho"] = object()
    with pytest.raises(fb.InputError, match="found object"):
        fb.Scenario(config)


def test_errors_say_where_in_a_file(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("seed: 1\nrequests: 10\nnetwrok: x\n")
    with pytest.raises(fb.InputError, match="did you mean 'network'") as caught:
        fb.run(file)
    assert (caught.value.file, caught.value.line, caught.value.column) == (str(file), 3, 1)


@pytest.mark.parametrize("arguments, error, words", [
    ({"driver": "simgird"}, fb.InputError, "did you mean 'simgrid'"),
    ({"series": -1.0}, fb.InputError, "series"),
    ({"timeline": [-1]}, fb.InputError, "timeline"),
    ({"timeline_from_s": -1.0}, fb.InputError, "timeline_from_s"),
    ({"timeline_from_s": 2.0, "timeline_to_s": 2.0}, fb.InputError, "timeline_to_s: must be later than timeline_from_s"),
    ({"jobs": -2}, fb.InputError, "jobs"),
])
def test_wrong_options_are_refused(config, arguments, error, words):
    with pytest.raises(error, match=words):
        fb.run(config, **arguments)


def test_what_was_not_kept_is_said(config):
    results = fb.run(config, outputs__requests_csv=False)
    with pytest.raises(ValueError, match="outputs.requests_csv"):
        results.requests("serial")
    with pytest.raises(ValueError, match="series="):
        results.series("serial")
    with pytest.raises(ValueError, match="timeline=True"):
        results.timeline("serial")
    with pytest.raises(KeyError, match="'serial', 'fluid'"):
        results.requests("sreial")
    with pytest.raises(KeyError, match="which system"):
        results.summary()


def test_a_folder_with_something_else_in_it_stays_as_it_was(config, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(fb.InputError):
        fb.run(config, out=tmp_path)
    assert files_in(tmp_path) == {"mine.txt": b"mine"}
    with pytest.raises(fb.InputError, match="no such file"):
        fb.load(tmp_path)


def test_warnings_are_warnings(config):
    config["systems"][0]["drop"] = "none"
    config["slo"] = {"unloaded_multiple": 1e-9}
    with pytest.warns(UserWarning) if fb.Scenario(config)._core.warnings else pytest.raises(AssertionError):
        assert fb.Scenario(config)._core.warnings


def test_progress_is_told(config):
    told = []
    fb.run(config, requests=3_000_000, outputs__requests_csv=False, progress=lambda done, total: told.append((done, total)))
    assert told and told == sorted(told) and {total for _, total in told} == {6_000_000}


def test_what_progress_raises_ends_the_run(config):
    class Enough(Exception):
        pass

    def stop(done, total):
        raise Enough

    begin = time.monotonic()
    with pytest.raises(Enough):
        fb.run(config, requests=200_000_000, outputs__requests_csv=False, progress=stop)
    assert time.monotonic() - begin < 5


LONG = """
import fluidbatch as fb, sys, time
config = {config!r}
config["requests"] = 300_000_000
config["outputs"] = {{"requests_csv": False, "bounds": False}}
print("ready", flush=True)
try:
    fb.run(config, driver={driver!r})
except KeyboardInterrupt:
    print(time.monotonic(), flush=True)
"""


@pytest.mark.parametrize("driver", ["bare", "simgrid_window"])
def test_ctrl_c_ends_a_long_run_within_a_fifth_of_a_second(config, driver):
    with subprocess.Popen([sys.executable, "-c", LONG.format(config=config, driver=driver)], stdout=subprocess.PIPE,
                          text=True) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(1.0)
        delays = []
        process.send_signal(signal.SIGINT)
        begin = time.monotonic()
        delays.append(float(process.stdout.readline()) - begin)
        assert process.wait(timeout=20) == 0
    # A machine with other work may hold it up; ten times that is no cooperation at all.
    assert delays[0] < 2


def test_threads_run_at_once(config):
    alone = fb.run(config, requests=200_000, jobs=1)
    results = {}

    def run(number):
        results[number] = fb.run(config, requests=200_000, jobs=1)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(3):
        for label in alone.labels:
            assert results[number].requests(label).tobytes() == alone.requests(label).tobytes()


def test_the_interpreter_goes_on_beside_a_run(config):
    """The GIL is free: this thread counts while another one simulates."""
    thread = threading.Thread(target=fb.run, args=(config,),
                              kwargs={"requests": 2_000_000, "outputs__requests_csv": False, "jobs": 1})
    thread.start()
    count = 0
    while thread.is_alive():
        count += 1
    assert count > 1_000


def test_fork_beside_numpy(config):
    """A child that Python forks after a run, with NumPy's threads about, runs one of its own."""
    expected = fb.run(config).requests("fluid").tobytes()
    np.linalg.solve(np.eye(300) + 1, np.ones(300))
    import multiprocessing

    with multiprocessing.get_context("fork").Pool(2) as pool:
        for result in pool.map(_requests_of, [config, config, config]):
            assert result == expected


def _requests_of(config):
    return fb.run(config, driver="simgrid").requests("fluid").tobytes()


def test_a_thousand_runs_leave_no_memory_behind(config):
    def megabytes():
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20

    def many(times):
        for _ in range(times):
            results = fb.run(config, requests=300, series=0.5)
            results.requests("fluid"), results.table, results.summary("serial")

    many(100)
    before = megabytes()
    many(1000)
    assert megabytes() - before < 8


def test_importing_brings_no_numpy():
    code = "import sys, fluidbatch; sys.exit(any(name in sys.modules for name in ('numpy', 'pandas', 'matplotlib')))"
    assert subprocess.run([sys.executable, "-c", code], check=False, env=os.environ).returncode == 0


def test_results_show_themselves(config):
    results = fb.run(config)
    assert "<table>" in results._repr_html_() and "fluid" in results._repr_html_()
    assert "fluid: mean" in repr(results)
    assert "rows</p>" in results.requests("serial")._repr_html_()
