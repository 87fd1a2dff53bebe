"""Policies in Python: what they see and what they say, in a case worked by hand.

Layers a and b with an early exit, whose head h is a layer too, after a. Latencies are fractions that
doubles hold exactly, so that all dates are exact.

    layer   batch 1   batch 2          request   arrives   device   exit
    a       1         1.5              0         0         5        1 (the last one)
    h       0.5       0.5              1         1         6        0
    b       2         3                2         1.25      7        1
"""

import gc
import math
import pathlib

import fluidbatch as fb
import numpy as np
import pytest
from policy_cases import answers

NETWORK = """\
name: tiny
input: [1, 1, 1]
layers:
  - {name: a, kind: dense, out_channels: 1}
  - {name: b, kind: dense, out_channels: 1}
exits:
  - {name: early, after: a, head: [{name: h, kind: dense, out_channels: 1}]}
"""
LATENCIES = [[1, 1.5], [0.5, 0.5], [2, 3]]
TRACE = "arrival_s,device,exit\n0,5,1\n1,6,0\n1.25,7,1\n"
A, H, B = range(3)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """The configuration of the hand case; systems and traces are the tests' to add."""
    monkeypatch.chdir(tmp_path)
    pathlib.Path("network.yaml").write_text(NETWORK)
    pathlib.Path("table.csv").write_text("layer,batch,latency_s\n" + "".join(
        f"{name},{batch + 1},{seconds}\n"
        for name, row in zip("abh", [LATENCIES[A], LATENCIES[B], LATENCIES[H]])
        for batch, seconds in enumerate(row)))
    pathlib.Path("trace.csv").write_text(TRACE)
    return {"requests": 3, "warmup_requests": 0, "network": "./network.yaml", "slo": {"latency_ms": 4000},
            "reference": {"npu": {"table": "./table.csv"}},
            "workload": {"arrivals": {"kind": "trace", "path": "./trace.csv"}, "exits": {"kind": "trace"}}}


def of(config, name, **parameters):
    """`config` with one system of the policy `name`."""
    policy = {"name": name, "max_batch": 2, **parameters}
    return {**config, "systems": [{"label": "s", "policy": policy, "npu": {"table": "./table.csv"}}]}


def times(results, label=None):
    requests = results.requests(label)
    return list(zip(requests["start_s"], requests["completion_s"]))


# Decisions


def test_start(tiny):
    # Served alone, one after another; request 1 leaves by the early exit.
    name = answers("hand", lambda self, view: fb.start(1))
    assert times(fb.run(of(tiny, name))) == [(0, 3.5), (3.5, 5), (5, 8.5)]


def test_preempt_goes_on_and_merges(tiny):
    def decide(self, view):
        if view.idle:
            return fb.start(1)
        return fb.preempt(1) if view.in_flight == 1 and view.active.next_layer == H else fb.go_on()

    # At 1, before h, request 1 preempts: a until 2, where they merge for h until 2.5; 1 leaves, 0 runs b until 4.5.
    name = answers("hand", decide, boundary="layer")
    assert times(fb.run(of(tiny, name))) == [(0, 4.5), (1, 2.5), (4.5, 8)]


def test_wait_until(tiny):
    name = answers("hand", lambda self, view: fb.start(min(view.queued, 2)) if view.queued > 1 or view.now_s >= 7
                   else fb.wait_until(7.0))
    # At 1 there are two: both run a until 2.5 and h until 3; 1 leaves, and b ends at 5. Nobody comes until 7.
    assert times(fb.run(of(tiny, name))) == [(1, 5), (1, 3), (7, 10.5)]


def test_wait_for_arrival(tiny):
    name = answers("hand", lambda self, view: fb.start(2) if view.queued > 1 else fb.wait_for_arrival(1))
    assert times(fb.run(of(tiny, name))) == [(1, 5), (1, 3), (5, 8.5)]  # at 5 nobody comes any more


def test_drop(tiny):
    name = answers("hand", lambda self, view: fb.drop(1) if view.now_s > 0 and view.queued == 2 else fb.start(1))
    requests = fb.run(of(tiny, name)).requests()
    assert list(requests["dropped"]) == [False, True, False]
    assert np.array_equal(requests["completion_s"], [3.5, math.nan, 7], equal_nan=True)


def test_refusals_are_counted(tiny):
    for reason, other in (("slo", "no_gain"), ("no_gain", "slo")):
        name = answers("hand", lambda self, view: fb.start(1) if view.idle else fb.go_on(refusal=reason),
                       boundary="segment")
        statistics = fb.run(of(tiny, name)).summary()["statistics"]
        # Before b, of request 0: nobody waits when 2 gets there, and 1 has left.
        assert statistics[f"refused_{reason}"] == 1
        assert statistics[f"refused_{other}"] == 0


def test_decisions_are_values():
    assert fb.start(2) == fb.start(np.int64(2)) != fb.start(3)
    assert fb.start(2) != fb.preempt(2)
    assert len({fb.start(2), fb.start(2), fb.drop(2)}) == 2
    shown = ["start(2)", "preempt(1)", "drop(3)", "go_on()", "go_on(until_layer=4, refusal='slo')",
             "wait_until(0.5)", "wait_for_arrival(2)"]
    decisions = [fb.start(2), fb.preempt(1), fb.drop(3), fb.go_on(), fb.go_on(4, "slo"), fb.wait_until(0.5),
                 fb.wait_for_arrival(2)]
    assert [repr(decision) for decision in decisions] == shown
    assert [eval("fb." + text) for text in shown] == decisions
    waiting = fb.wait_for_arrival(otherwise=2)
    assert (waiting.kind, waiting.samples, waiting.date_s) == ("wait_for_arrival", 2, math.inf)
    assert (fb.go_on(4, "slo").until_layer, fb.go_on(4, "slo").refusal, fb.go_on().refusal) == (4, "slo", None)
    with pytest.raises(AttributeError):
        fb.start(2).samples = 3


def test_what_decisions_refuse():
    for wrong in (1.5, "2", None):
        with pytest.raises(TypeError, match="start needs a whole number"):
            fb.start(wrong)
    with pytest.raises(fb.PolicyError, match="drop needs a number from 0 up, found -1"):
        fb.drop(-1)
    with pytest.raises(ValueError, match="did you mean 'slo'"):
        fb.go_on(refusal="slow")


# What a policy sees


def seen_by(tiny, look, boundary="layer", **attributes):
    """What `look` returns at each question that a policy is asked which preempts once, as above."""
    seen = []

    def decide(self, view):
        seen.append(look(view))
        if view.idle:
            return fb.start(1)
        return fb.preempt(1) if view.in_flight == 1 and view.active.next_layer == H else fb.go_on()

    fb.run(of(tiny, answers("hand", decide, boundary=boundary, **attributes)))
    return seen


def test_the_queue(tiny):
    seen = seen_by(tiny, lambda view: (view.now_s, view.queued, view.queue.tolist(), view.ages_s.tolist(),
                                       view.elapsed_s.tolist(), view.oldest_age_s))
    # Nobody waits at 4.5 before 2 comes; it came at 1.25, waits at 2, 2.5 and 4.5, and 1 had just come at 1.
    assert seen == [(0, 1, [0], [0], [0], 0), (1, 1, [1], [0], [0], 0), (2, 1, [2], [0.75], [0.75], 0.75),
                    (2.5, 1, [2], [1.25], [1.25], 1.25), (4.5, 1, [2], [3.25], [3.25], 3.25)]
    arrays = seen_by(tiny, lambda view: (view.queue, view.ages_s, view.in_flight_by_layer))
    assert [array.dtype for array in arrays[0]] == [np.int64, np.float64, np.int64]


def test_the_batches(tiny):
    def batches(view):
        return [(batch.size, batch.next_layer, batch.requests.tolist(), batch.suspended_since_s)
                for batch in view.stack]

    seen = seen_by(tiny, lambda view: (view.idle, view.in_flight, str(batches(view))))
    assert seen == [(True, 0, "[]"), (False, 1, "[(1, 1, [0], nan)]"), (False, 2, "[(2, 1, [0, 1], nan)]"),
                    (False, 1, "[(1, 2, [0], nan)]"), (True, 0, "[]")]
    assert seen_by(tiny, lambda view: view.in_flight_by_layer.tolist()) == [
        [0, 0, 0], [0, 1, 0], [0, 2, 0], [0, 0, 1], [0, 0, 0]]
    active = seen_by(tiny, lambda view: None if view.idle else (view.active.size, view.active.next_layer))
    assert active == [None, (1, 1), (2, 1), (1, 2), None]


def test_a_suspended_batch(tiny):
    seen = []

    def decide(self, view):
        seen.append([(batch.size, batch.next_layer, batch.suspended_since_s) for batch in view.stack[:-1]])
        return fb.start(1) if view.idle else fb.preempt(1) if view.in_flight == 1 else fb.go_on()

    pathlib.Path("trace.csv").write_text("arrival_s,device,exit\n0,0,1\n2,0,1\n2.5,0,1\n")
    fb.run(of(tiny, answers("hand", decide, boundary="layer")))
    # At 1.5, before b, nobody waits; b ends at 3.5, 1 starts, and 2 catches up with it at 5.5.
    assert seen == [[], [], []]

    pathlib.Path("trace.csv").write_text("arrival_s,device,exit\n0,0,1\n1.25,0,1\n2,0,1\n")
    seen.clear()
    fb.run(of(tiny, answers("hand", decide, boundary="layer")))
    # Request 1 preempts at 1.5, before b. At 2.5, before h, and at 3, merged, 2 waits; then at 6 the NPU is idle.
    assert seen == [[], [], [(1, B, 1.5)], [], []]


def test_dates_and_requests(tiny):
    def look(view):
        if view.idle:
            return None
        first = int(view.active.requests[0])
        queued = int(view.queue[0])
        return (view.run_begin_s, view.run_first_layer, view.date_before(3), view.someone_left,
                (view.arrival_s(first), view.start_s(first), view.device(first)),
                (view.sent_s(queued), view.slo_start_s(queued), view.device(queued), math.isnan(view.start_s(queued))))

    assert seen_by(tiny, look) == [
        None,
        (0, 0, 3.5, False, (0, 0, 5), (1, 1, 6, True)),
        (2, 1, 5.5, False, (0, 0, 5), (1.25, 1.25, 7, True)),  # merged at 2: h and b for two
        (2.5, 2, 4.5, True, (0, 0, 5), (1.25, 1.25, 7, True)),  # 1 left
        None]


def test_slo(tiny):
    assert set(seen_by(tiny, lambda view: view.slo_s)) == {4}
    without = {**tiny, "slo": {"latency_ms": math.inf}}
    assert set(seen_by(without, lambda view: view.slo_s)) == {math.inf}


def test_the_table(tiny):
    tables = seen_by(tiny, lambda view: view.table)
    table = tables[0]
    assert all(other is table for other in tables)  # and it is good after the run:
    gc.collect()
    assert (table.layers, table.segments, table.max_batch) == (3, 2, 2)
    assert [table.segment_begin(segment) for segment in range(3)] == [0, 2, 3]
    assert [table.segment_of(layer) for layer in range(3)] == [0, 0, 1]
    assert table.latencies_s.tolist() == LATENCIES
    assert table.latencies_s is table.latencies_s
    assert (table.latency_s(0, 2, 1), table.latency_s(1, 3, 2), table.single_sample_latency_s) == (1.5, 3.5, 3.5)
    assert table.macs(0, 3) == 3  # 1 x 1 x 1 each
    with pytest.raises(ValueError, match="batches from 1 to 2, found 3"):
        table.latency_s(0, 1, 3)
    with pytest.raises(ValueError, match="layers are counted from 0 to 3, found 0 and 4"):
        table.latency_s(0, 4, 1)
    with pytest.raises(ValueError):
        table.latencies_s[0, 0] = 1


def test_what_a_view_refuses(tiny):
    def refused(view):
        texts = []
        for ask in (lambda: view.active, lambda: view.date_before(1), lambda: view.arrival_s(99),
                    lambda: view.exit_of(int(view.queue[0]))):
            try:
                ask()
            except Exception as error:  # whichever it is
                texts.append(f"{type(error).__name__}: {error}")
        return texts

    idle = seen_by(tiny, refused)[0]
    assert [text.split(":")[0] for text in idle] == ["RuntimeError", "RuntimeError", "ValueError", "PolicyError"]
    assert "request 99 is neither queued nor in flight" in idle[2]
    assert "has not declared itself an oracle" in idle[3]


def test_an_oracle_knows_the_exits(tiny):
    exits = seen_by(tiny, lambda view: view.exit_of(int(view.queue[0])), oracle=True)
    assert exits == [1, 0, 1, 1, 1]


def test_a_view_ends_with_its_question(tiny):
    views = seen_by(tiny, lambda view: (view, None if view.idle else view.active))
    for view, batch in views:
        with pytest.raises(RuntimeError, match="only while the question"):
            view.now_s
        with pytest.raises(RuntimeError, match="only while the question"):
            view.queue
        with pytest.raises(RuntimeError, match="only while the question"):
            view.date_before(1)
        if batch is not None:
            assert batch.size >= 1  # a value
            with pytest.raises(RuntimeError, match="only while the question"):
                batch.requests


def test_a_batch_ends_with_its_question_too(tiny):
    kept = []

    def decide(self, view):
        if kept:
            with pytest.raises(RuntimeError):
                kept[-1].requests
        if not view.idle:
            kept.append(view.active)
        return fb.start(1) if view.idle else fb.go_on()

    fb.run(of(tiny, answers("hand", decide, boundary="layer")))
    assert kept
