"""Routers, arbiters and exit controls in Python: what they see, and the same as the shipped ones of the same rule."""

import math
import pathlib

import fluidbatch as fb
import numpy as np
import pytest
from policy_cases import rows

ROOT = pathlib.Path(__file__).parents[2]
LETTERS = ROOT / "experiments/data/letters_multiexit.csv"


def site(*systems):
    """Two services on three NPUs (or as a system says), labelled s0, s1, .."""
    exits = {"kind": "rates", "rates": [0.3, 0.35, 0.4]}
    npus = {"npus": [{"npu": "zu7ev_large", "npu_mode": "r", "count": 2}, {"npu": "z7045_middle", "npu_mode": "r"}]}
    return {
        "requests": 2000, "warmup_requests": 0,
        "services": [{"name": "faces", "network": "ee_resnet18", "priority": 1, "slo": {"latency_ms": 80}, "exits": exits},
                     {"name": "objects", "network": "ee_mobilenet_v2", "slo": {"latency_ms": 150}, "exits": exits}],
        "reference": {"npu": "zu7ev_large", "npu_mode": "r"},
        "workload": {"devices": [{"service": "faces", "count": 3, "arrivals": {"kind": "poisson", "load": 0.25}},
                                 {"service": "objects", "count": 2, "arrivals": {"kind": "poisson", "load": 0.25}}]},
        "systems": [{"label": f"s{i}", "policy": {"name": "lazy_batching", "max_batch": 4},
                     **({} if "npu" in system else npus), **system} for i, system in enumerate(systems)]}


ALONE = {"npu": "zu7ev_large", "npu_mode": "r"}


def check_alike(*pairs):
    """Runs systems two by two, a shipped one and its like; those of a pair give the same, and the pairs differ."""
    results = fb.run(site(*(system for pair in pairs for system in pair)))
    for pair in range(len(pairs)):
        assert rows(results, f"s{2 * pair}") == rows(results, f"s{2 * pair + 1}"), pairs[pair]
    assert len({rows(results, label) for label in results.labels}) == len(pairs)


# Routers


class RoundRobin(fb.Router):
    def __init__(self, parameters):
        self.next = 0

    def route(self, view):
        server = self.next
        self.next = (self.next + 1) % view.servers
        return server


class ShortestQueue(fb.Router):
    def route(self, view):
        return int(np.argmin([view.in_system(server) for server in range(view.servers)]))


class TwoChoices(fb.Router):
    def route(self, view):
        drawn, other = view.draw(view.servers), view.draw(view.servers - 1)
        pair = sorted((drawn, other + (other >= drawn)))
        return min(pair, key=view.in_system)


def first_of_least(times_s):
    return next(i for i, time_s in enumerate(times_s) if time_s <= min(times_s) + 1e-9)


class LeastWork(fb.Router):
    def route(self, view):
        return np.int64(first_of_least([view.remaining_work_s(server) for server in range(view.servers)]))


class EarliestFinish(fb.Router):
    def route(self, view):
        return first_of_least([view.earliest_finish_s(server) for server in range(view.servers)])


def test_routers_like_the_shipped_ones():
    kinds = {"round_robin": RoundRobin, "join_shortest_queue": ShortestQueue, "power_of_two": TwoChoices,
             "least_work": LeastWork, "earliest_finish": EarliestFinish}
    for name, kind in kinds.items():
        fb.register(f"mine-{name}", kind)
    check_alike(*(({"router": {"name": name}}, {"router": {"name": f"mine-{name}"}}) for name in kinds))


def test_what_a_router_sees():
    seen = []

    class Curious(fb.Router):
        def route(self, view):
            if not seen:
                seen.append(view)
                assert (view.servers, view.now_s > 0, view.in_system(0), view.remaining_work_s(1)) == (3, True, 0, 0)
                assert view.deadline_s == view.now_s + (0.08, 0.15)[view.service]
                assert view.earliest_finish_s(0) > view.now_s
                for wrong in (lambda: view.in_system(3), lambda: view.draw(0)):
                    with pytest.raises(ValueError):
                        wrong()
            return self.parameters.server

    fb.register("curious", Curious, {"server": 1})
    results = fb.run(site({"router": {"name": "curious"}}, {"router": {"name": "curious", "server": 0}}))
    assert set(results.requests("s0")["npu"]) == {1} and set(results.requests("s1")["npu"]) == {0}
    with pytest.raises(RuntimeError, match="only while the question"):
        seen[0].servers


@pytest.mark.parametrize("answer, message", [
    (3, "the router sent a request to server 3, and there are 3, from 0 on"),
    (-1, "route needs a number from 0 up, found -1"),
    (None, "route has to return the number of a server; it returned None"),
    (0.0, "it returned 0.0")])
def test_where_no_router_sends_to(answer, message):
    fb.register("lost", type("Lost", (fb.Router,), {"route": lambda self, view: answer}))
    with pytest.raises(fb.PolicyError, match=message):
        fb.run(site({"router": {"name": "lost"}}))


# Arbiters


class EarliestDeadline(fb.Arbiter):
    may_preempt = True

    def rank(self, view, contender):
        return contender.deadline_s


class FairShare(fb.Arbiter):
    def rank(self, view, contender):
        service = view.services[contender.service]
        return service.npu_time_s / service.weight


class Priority(fb.Arbiter):
    may_preempt = True

    def rank(self, view, contender):
        return -view.services[contender.service].priority


class OldestFirst(fb.Arbiter):
    """By what `consider` has seen."""

    def consider(self, view, heads):
        self.order = sorted(heads, key=lambda head: (head.arrival_s, head.service))
        self.order = [head.service for head in self.order]

    def rank(self, view, contender):
        return self.order.index(contender.service)


def test_arbiters_like_the_shipped_ones():
    kinds = {"earliest_deadline": EarliestDeadline, "fair_share": FairShare, "priority": Priority,
             "oldest_first": OldestFirst}
    for name, kind in kinds.items():
        fb.register(f"mine-{name}", kind)
    check_alike(*(({**ALONE, "arbiter": {"name": name}}, {**ALONE, "arbiter": {"name": f"mine-{name}"}})
                  for name in kinds),
                *(({**ALONE, "arbiter": {"name": name, "preemptive": True}},
                   {**ALONE, "arbiter": {"name": f"mine-{name}", "preemptive": True}})
                  for name in ("earliest_deadline", "priority")))
    with pytest.raises(fb.InputError, match="the order of arbiter mine-fair_share does not say who may push"):
        fb.Scenario(site({**ALONE, "arbiter": {"name": "mine-fair_share", "preemptive": True}}))


def test_what_an_arbiter_sees():
    views = []

    class Curious(fb.Arbiter):
        def consider(self, view, heads):
            assert all(view.services[head.service].queued > 0 for head in heads)
            assert all((head.served_s, head.done_s) == (0, 0) for head in heads)
            for head in heads:
                service = view.services[head.service]
                assert service.ages_s[0] == service.elapsed_s[0] == view.now_s - head.arrival_s
            if not views:
                assert view.last_served == 2  # nobody yet
                faces, objects = view.services
                assert (faces.priority, objects.priority, faces.weight) == (1, 0, 1)
                assert (faces.slo_s, objects.slo_s, faces.npu_time_s) == (0.08, 0.15, 0)
                assert len(faces.queue) == faces.queued
                assert faces.table.max_batch == objects.table.max_batch == 4
                assert faces.table.layers != objects.table.layers
                views.append((view, faces))

        def rank(self, view, contender):
            assert math.isclose(contender.deadline_s - contender.arrival_s, (0.08, 0.15)[contender.service])
            return contender.arrival_s

    fb.register("curious", Curious)
    fb.run(site({**ALONE, "arbiter": {"name": "curious"}}))
    view, service = views[0]
    for ask in (lambda: view.now_s, lambda: service.queue):
        with pytest.raises(RuntimeError, match="only while the question"):
            ask()


@pytest.mark.parametrize("answer, message", [("first", "rank has to return a number; it returned 'first'"),
                                             (math.nan, "is not a number")])
def test_ranks_that_are_none(answer, message):
    fb.register("lost", type("Lost", (fb.Arbiter,), {"rank": lambda self, view, contender: answer}))
    with pytest.raises(fb.PolicyError, match=message):
        fb.run(site({**ALONE, "arbiter": {"name": "lost"}}))


@pytest.mark.parametrize("driver", ["simgrid", "simgrid_window"])
def test_a_site_under_other_drivers(driver):
    fb.register("mine-router", TwoChoices)
    fb.register("mine-arbiter", OldestFirst)
    config = site({"router": {"name": "mine-router"}, "arbiter": {"name": "mine-arbiter"}})
    assert rows(fb.run(config, driver=driver), "s0") == rows(fb.run(config, audit=True), "s0")


# Exit controls


def letters(*controls, kind="confidences"):
    exits = ({"kind": "confidences", "path": str(LETTERS), "threshold": 0.71} if kind == "confidences"
             else {"kind": "rates", "rates": [0.3, 0.35, 0.4]})
    return {"requests": 2000, "warmup_requests": 0, "network": "ee_resnet50", "slo": {"latency_ms": 120},
            "reference": {"npu": "zu7ev_large", "npu_mode": "r"},
            "workload": {"arrivals": {"kind": "poisson", "rho": 2.0}, "exits": exits},
            "systems": [{"label": f"s{i}", "policy": {"name": "dynamic_batching"}, "npu": "zu7ev_large",
                         "npu_mode": "r", "exit_control": control} for i, control in enumerate(controls)]}


class AsDrawn(fb.ExitControl):
    """The workload's own thresholds; 0.5 tells who would leave where the exits are drawn."""

    def rule(self, view):
        return self.context.thresholds[view.exit] if self.context.thresholds else 0.5


@pytest.mark.parametrize("kind", ["confidences", "rates"])
def test_the_exits_that_are_drawn(kind):
    fb.register("as-drawn", AsDrawn)
    results = fb.run(letters({"kind": "fixed"}, {"kind": "as-drawn"}, kind=kind), audit=True)
    fixed, mine = (results.requests(label) for label in results.labels)
    for column in ("exit", "completion_s", "correct"):
        assert np.array_equal(fixed[column], mine[column])
    driven = fb.run(letters({"kind": "as-drawn"}, kind=kind), driver="simgrid")
    assert rows(driven, "s0") == rows(results, "s1")


def test_what_an_exit_control_is_told():
    told = []
    views = []

    class Curious(fb.ExitControl):
        needs_confidences = True

        def rule(self, view):
            views.append((view, view.now_s, view.exit, view.batch, view.queued, view.slo_s, view.table.segments))
            return fb.leave(self.parameters.threshold)

        def taken(self, exit, confidence):
            told.append((exit, confidence))

    fb.register("curious", Curious, {"threshold": fb.Parameter(0.9, min=0, max=1)})
    with pytest.raises(fb.InputError, match="exit_control curious needs the confidence"):
        fb.Scenario(letters({"kind": "curious"}, kind="rates"))
    requests = fb.run(letters({"kind": "curious", "threshold": 0.8})).requests()
    assert len(told) == 2000
    assert np.array_equal(np.bincount([exit for exit, _ in told], minlength=4), np.bincount(requests["exit"], minlength=4))
    assert all(confidence >= 0.8 for exit, confidence in told if exit < 3)
    assert min(confidence for exit, confidence in told if exit == 3) < 0.8
    assert {(slo_s, segments) for *_, slo_s, segments in views} == {(0.12, 4)}
    assert {exit for _, _, exit, *_ in views} == {0, 1, 2}
    assert {batch for _, _, _, batch, *_ in views} <= set(range(1, 9))
    with pytest.raises(RuntimeError, match="only while the question"):
        views[0][0].now_s


def test_leaving_by_deadline_and_together():
    class Late(fb.ExitControl):
        def rule(self, view):
            return fb.leave(1.0, by_deadline=True, together=self.parameters.together)

    fb.register("late", Late, {"together": False})
    config = letters({"kind": "late"}, {"kind": "late", "together": True})
    config["workload"]["arrivals"]["rho"] = 4
    results = fb.run(config)
    forced = [results.summary(label)["statistics"]["forced_exit_rate"] for label in results.labels]
    assert 0 < forced[0] < forced[1]
    assert repr(fb.leave(0.5, True)) == "leave(0.5, by_deadline=True, together=False)"
    assert fb.leave(0.5) == fb.leave(0.5, False, False) != fb.leave(0.5, True)


def test_an_accuracy_target_calibrates():
    contexts = []

    class Steered(AsDrawn):
        def __init__(self, parameters, context):
            contexts.append(context)

    fb.register("steered", Steered, {"accuracy_target": fb.Parameter(None, 0, 1)})
    results = fb.run(letters({"kind": "steered"}, {"kind": "steered", "accuracy_target": 0.9}), jobs=1)
    assert set(results.requests("s1")["sample"] % 2) == {1}  # the odd rows are served
    assert contexts[0].calibration == [] and len(contexts[1].calibration) == 4
    table = np.genfromtxt(LETTERS, delimiter=",", names=True)
    for exit, (confidences, correct) in enumerate(contexts[1].calibration):
        assert np.array_equal(confidences, table[f"conf_{exit}"][::2])
        assert np.array_equal(correct, table[f"correct_{exit}"][::2] == 1)
    assert contexts[0].thresholds == [0.71] * 3


@pytest.mark.parametrize("answer, message", [(1.5, "a threshold that is not from 0 to 1"),
                                             (None, "rule has to return a threshold, a number, or fluidbatch.leave")])
def test_rules_that_are_none(answer, message):
    fb.register("lost", type("Lost", (fb.ExitControl,), {"rule": lambda self, view: answer}))
    with pytest.raises(fb.PolicyError, match=message):
        fb.run(letters({"kind": "lost"}))
