"""Arrivals and exits from Python: the same as those of files, and as what their iterators give."""

import threading

import fluidbatch as fb
import numpy as np
import pytest
from traffic_cases import EXITS, GREEDY, POISSON, SERIAL, Drawn, Poisson, configuration, dates_of, listed, register_all, same, write_csv


@pytest.fixture(autouse=True)
def registered():
    register_all()


# Arrays are what files are.

@pytest.mark.parametrize("uplink", [False, True])
def test_arrival_dates_are_a_trace(tmp_path, uplink):
    random = np.random.default_rng(1)
    dates = np.repeat(dates_of(random, 500), 2)  # two at a time, whose devices are in no order
    devices = random.integers(0, 7, 1000)
    exits = random.integers(0, EXITS, 1000)
    file = write_csv(tmp_path / "t.csv", arrival_s=dates, device=devices, exit=exits)
    others = {"workload": {"uplink": {"model": "analytic", "sample_bytes": 1000, "access_point_bandwidth_bytes_per_s": 1e6}}} if uplink else {}
    fb.register("morning", fb.ArrivalDates(dates, devices=devices, exits=exits))
    ours = fb.run(configuration({"kind": "morning"}, {"kind": "trace"}, **dict(others)))
    theirs = fb.run(configuration({"kind": "trace", "path": file, "origin": 0}, {"kind": "trace"}, **dict(others)))
    same(ours, theirs)
    sent = ours.requests("serial")
    assert len(sent) == 1000 and sent["sent_s"].tolist() == dates.tolist()
    assert sent["exit"].tolist() == exits[np.lexsort((devices, dates)) if uplink else slice(None)].tolist()


def test_the_first_date_need_not_be_0_and_a_list_will_do(tmp_path):
    file = write_csv(tmp_path / "t.csv", arrival_s=np.array([5, 5.5, 7.0]))
    fb.register("late", fb.ArrivalDates([5, 5.5, 7]))
    few = {"warmup_requests": 0}
    ours = fb.run(configuration({"kind": "late"}, **few))
    same(ours, fb.run(configuration({"kind": "trace", "path": file, "origin": 0}, **few)))
    assert ours.requests("serial")["arrival_s"].tolist() == [5, 5.5, 7]


@pytest.mark.parametrize("given", [{"threshold": 0.6}, {"thresholds": [0.9, 0.5, 0.7]}])
@pytest.mark.parametrize("control", [None, {"kind": "adaptive"}, {"kind": "adaptive", "accuracy_target": 0.7}])
def test_recorded_exits_are_a_file_of_confidences(tmp_path, given, control):
    random = np.random.default_rng(2)
    confidence = random.beta(2, 1, (300, EXITS))
    correct = random.uniform(size=confidence.shape) < confidence
    columns = {}
    for e in range(EXITS):
        columns |= {f"conf_{e}": confidence[:, e], f"correct_{e}": correct[:, e].astype(int)}
    file = write_csv(tmp_path / "c.csv", **columns)
    fb.register("mine", fb.RecordedExits(confidence, correct))
    systems = [SERIAL, GREEDY] if control is None else [{**SERIAL, "exit_control": control}, {**GREEDY, "exit_control": control}]
    ours = fb.run(configuration(POISSON, {"kind": "mine", **given}, systems=systems))
    same(ours, fb.run(configuration(POISSON, {"kind": "confidences", "path": file, **given}, systems=systems)))
    # By hand: where the first confidence that is enough is.
    rows = ours.requests("serial")
    thresholds = np.append(given.get("thresholds", [given.get("threshold")] * (EXITS - 1)), 0)
    by_hand = np.argmax(confidence[rows["sample"]] >= thresholds, axis=1)
    assert (rows["exit"] == by_hand).all() == (control is None)
    assert (rows["correct"] == correct[rows["sample"], rows["exit"]]).all()


@pytest.mark.parametrize("rates", [{}, {"rates": [0.1, 0.2, 0.3]}])
def test_an_exit_list_is_a_file_of_exits(tmp_path, rates):
    exits = np.random.default_rng(4).integers(0, EXITS, 1500)
    file = write_csv(tmp_path / "e.csv", exit=exits)
    fb.register("mine", fb.ExitList(exits))
    aware = {**GREEDY, "label": "aware", "policy": {"name": "exit_aware", "max_batch": 4}}  # which asks for rates
    ours = fb.run(configuration(POISSON, {"kind": "mine", **rates}, systems=[SERIAL, aware]))
    same(ours, fb.run(configuration(POISSON, {"kind": "trace", "path": file, **rates}, systems=[SERIAL, aware])))
    assert ours.requests("aware")["exit"].tolist() == exits.tolist()  # it ends the run


def test_arrays_are_copied():
    dates = np.arange(1.0, 200)
    fb.register("copied", fb.ArrivalDates(dates))
    dates[:] = -1
    assert fb.run(configuration({"kind": "copied"})).requests("serial")["sent_s"].tolist() == list(range(1, 200))


# Iterators.

def test_poisson_draws_of_numpy_are_an_md1_queue():
    one = fb.run(configuration({"kind": "mine", "rate_hz": 1e-3}, {"kind": "none"}, requests=1, warmup_requests=0, systems=[SERIAL]))
    service_s = one.requests()["latency_s"][0]
    rho = 0.7
    results = fb.run(configuration({"kind": "mine", "rate_hz": rho / service_s}, {"kind": "none"}, requests=200_000, warmup_requests=2000, systems=[SERIAL]))
    row = results.table[0]
    mean_s = service_s + rho * service_s / (2 * (1 - rho))  # Pollaczek-Khinchine
    assert 0 < row["mean_latency_ci95_s"] < 0.03 * mean_s
    assert abs(row["mean_latency_s"] - mean_s) <= row["mean_latency_ci95_s"]


def test_each_device_has_iterators_of_its_own():
    groups = [{"count": 3, "arrivals": {"kind": "mine", "rate_hz": 4}}, {"count": 2, "arrivals": {"kind": "mine", "rate_hz": 2}}]
    rows = fb.run(configuration(groups, {"kind": "drawn"})).requests("greedy")
    first = [(group, i) for group, count in ((0, 3), (1, 2)) for i in range(count)]
    for device, (group, i) in enumerate(first):
        key = group << 32 | i
        its = rows[rows["device"] == device]
        assert len(its) > 100
        dates = Poisson(fb._traffic.Parameters({"rate_hz": (4, 2)[group]})).dates(3, key)
        exits = Drawn(fb._traffic.Parameters({})).exits(3, key)
        assert its["sent_s"].tolist() == [next(dates) for _ in its]
        assert its["exit"].tolist() == [next(exits) for _ in its]


def test_what_iterators_give_is_what_arrays_of_it_give():
    """Bounds among it, whose computation reads all requests again."""
    ours = fb.run(configuration({"kind": "mine"}, {"kind": "drawn", "rates": [0.4, 0.4, 0.4]}))
    rows = ours.requests("serial")
    fb.register("morning", fb.ArrivalDates(rows["sent_s"]))
    fb.register("those", fb.ExitList(rows["exit"]))
    same(ours, fb.run(configuration({"kind": "morning"}, {"kind": "those", "rates": [0.4, 0.4, 0.4]})))
    assert ours.table["distance_to_bound"].min() > 1


def test_all_drivers_agree_and_audits_change_nothing():
    config = configuration({"kind": "mine"}, {"kind": "drawn"}, systems=[SERIAL, {**GREEDY, "policy": {"name": "lazy_batching", "max_batch": 4}}])
    bare = fb.run(config)
    for driver in ("simgrid", "simgrid_window"):
        same(bare, fb.run(config, driver=driver))
    same(bare, fb.run(config, audit=True))
    delayed = {"uplink": {"model": "analytic", "sample_bytes": 1000, "access_point_bandwidth_bytes_per_s": 1e6}}
    analytic = fb.run(configuration({"kind": "mine"}, {"kind": "drawn"}, workload=delayed))
    links = fb.run(configuration({"kind": "mine"}, {"kind": "drawn"}, workload={"uplink": {**delayed["uplink"], "model": "simgrid"}}), driver="simgrid")
    assert np.allclose(analytic.requests("serial")["completion_s"], links.requests("serial")["completion_s"], rtol=0, atol=1e-6)


def test_services_have_exits_of_their_own():
    class Last(fb.Exits):
        rates = [0, 0, 0]

        def exits(self, seed, device):
            while True:
                yield EXITS - 1

    fb.register("last", Last)
    services = [{"name": name, "network": "ee_resnet50", "exits": {"kind": kind}} for name, kind in (("a", "drawn"), ("b", "last"))]
    groups = [{"arrivals": {"kind": "mine", "rate_hz": 5}, "service": name} for name in ("a", "b")]
    config = {"requests": 500, "warmup_requests": 10, "services": services, "workload": {"devices": groups}, "systems": [SERIAL]}
    rows = fb.run(config).requests()
    exits = Drawn(fb._traffic.Parameters({})).exits(1, 0)
    drawn = rows[rows["service"] == 0]
    assert drawn["exit"].tolist() == [next(exits) for _ in drawn] and len(drawn) > 100
    assert (rows[rows["service"] == 1]["exit"] == EXITS - 1).all()


def test_an_iterator_that_ends_ends_its_stream():
    listed("listed_dates", [0.5, 1, 1, np.float64(2.5)])
    results = fb.run(configuration({"kind": "listed_dates"}, warmup_requests=0))
    assert results.requests("serial")["sent_s"].tolist() == [0.5, 1, 1, 2.5]
    groups = [{"count": 2, "arrivals": {"kind": "listed_dates"}}, {"arrivals": POISSON}]
    rows = fb.run(configuration(groups)).requests("serial")
    assert [np.count_nonzero(rows["device"] == d) for d in (0, 1)] == [4, 4] and len(rows) == 2000
    listed("listed_dates", [])
    rows = fb.run(configuration([{"arrivals": {"kind": "listed_dates"}}, {"arrivals": POISSON}])).requests("serial")
    assert (rows["device"] == 1).all()


def test_runs_in_two_threads():
    configs = [configuration({"kind": "mine", "rate_hz": rate}, {"kind": "drawn"}) for rate in (15, 25)]
    alone = [fb.run(config) for config in configs]
    together = [None, None]

    def work(i):
        together[i] = [fb.run(configs[i]) for _ in range(5)]

    threads = [threading.Thread(target=work, args=(i,)) for i in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for results, expected in zip(together, alone):
        for result in results:
            same(result, expected)
