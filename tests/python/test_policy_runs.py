"""Policies in Python against those that are shipped; how they are copied and run; their errors."""

import copy
import gc
import math
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import threading
import time
import traceback
import weakref

import fluidbatch as fb
import pytest
from policy_cases import Counting, Newcomers, Patient, Serial, answers, quick, rows


def test_the_same_as_the_shipped_ones():
    fb.register("mine-serial", Serial)
    fb.register("mine-patient", Patient, {"patience_ms": 15.0})
    results = fb.run(quick({"name": "serial"}, {"name": "mine-serial"},
                           {"name": "dynamic_batching", "max_batch": 4, "max_queue_delay_ms": 12},
                           {"name": "mine-patient", "max_batch": 4, "patience_ms": 12},
                           {"name": "dynamic_batching", "max_queue_delay_ms": 0},
                           {"name": "mine-patient", "patience_ms": 0}))
    for shipped, mine in (("s0", "s1"), ("s2", "s3"), ("s4", "s5")):
        assert rows(results, shipped) == rows(results, mine)
    assert len({rows(results, label) for label in results.labels}) == 3  # which say different things


@pytest.mark.parametrize("kind", [Serial, Patient, Newcomers, Counting])
def test_drivers_and_audits_give_the_same(kind):
    fb.register("mine", kind, {"patience_ms": 15.0})
    config = quick({"name": "mine"})
    plain = rows(fb.run(config), "s0")
    assert rows(fb.run(config, driver="simgrid"), "s0") == plain
    assert rows(fb.run(config, driver="simgrid_window"), "s0") == plain
    assert rows(fb.run(config, audit=True), "s0") == plain
    assert rows(fb.run(config), "s0") == plain


def test_passed_over_layers_change_nothing():
    class EveryLayer(Newcomers):
        def decide(self, view):
            decision = super().decide(view)
            return fb.go_on() if decision.kind == "go_on" else decision

    fb.register("sparing", Newcomers)
    fb.register("every-layer", EveryLayer)
    results = fb.run(quick({"name": "sparing"}, {"name": "every-layer"}))
    assert rows(results, "s0") == rows(results, "s1")
    assert results.summary("s0")["statistics"]["preemptions"] > 50


def test_an_audit_finds_promises_that_are_broken():
    class Hasty(Newcomers):
        def decide(self, view):
            decision = super().decide(view)
            return fb.go_on(until_layer=view.table.layers) if decision.kind == "go_on" else decision

    fb.register("hasty", Hasty)
    with pytest.raises(fb.PolicyError, match="preempt with .* before layer 3, but had said .* until layer"):
        fb.run(quick({"name": "hasty"}), audit=True)


def test_an_audit_finds_copies_that_share_a_state():
    class Sharing(Counting):
        def clone(self):
            other = copy.copy(self)
            other.shared = self
            return other

        def decide(self, view):
            shared = getattr(self, "shared", self)
            shared.questions += 1
            return fb.start(1 if shared.questions % 2 else min(view.queued, 2))

    fb.register("sharing", Sharing)
    with pytest.raises(fb.PolicyError, match="a clone of it answered otherwise"):
        fb.run(quick({"name": "sharing"}), audit=True)


def test_a_copy_is_another_one():
    class Itself(Serial):
        def clone(self):
            return self

    fb.register("itself", Itself)
    fb.run(quick({"name": "itself"}))
    with pytest.raises(fb.PolicyError, match=r"clone\(\) has to return a copy"):
        fb.run(quick({"name": "itself"}), audit=True)


def test_systems_do_not_share_a_state():
    fb.register("counting", Counting)
    config = quick(*[{"name": "counting"}] * 3)
    for jobs, driver in ((1, "bare"), (3, "bare"), (3, "simgrid")):
        results = fb.run(config, jobs=jobs, driver=driver)
        assert rows(results, "s0") == rows(results, "s1") == rows(results, "s2")


# Errors in a run


def failing(self, view):
    return fb.start(view.queued // 0)


def test_an_exception_reaches_the_caller_as_it_is():
    answers("failing", failing)
    with pytest.raises(ZeroDivisionError) as caught:
        fb.run(quick({"name": "failing"}, {"name": "serial"}))
    frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert frames[-1] == "failing"


def test_out_of_a_child_its_text_does():
    answers("failing", failing)
    for driver in ("simgrid", "simgrid_window"):
        with pytest.raises(fb.PolicyError) as caught:
            fb.run(quick({"name": "failing"}), driver=driver)
        text = str(caught.value)
        assert text.startswith("system 's0': policy 'failing' at t = ")
        assert "Traceback" in text and "in failing" in text and text.endswith("ZeroDivisionError: integer division or "
                                                                              "modulo by zero")


@pytest.mark.parametrize("decision, message", [
    (None, "decide has to return a decision, such as fluidbatch.start.1.; it returned None"),
    (3, "it returned 3"),
    (fb.start(0), "asked to start 0 of 1 queued, max_batch 8"),
    (fb.start(2), "asked to start 2 of 1 queued, max_batch 8"),
    (fb.preempt(1), "only an active batch is preempted"),
    (fb.go_on(), "an idle NPU has nothing to go on with"),
    (fb.drop(2), "asked to drop 2 of 1 queued"),
    (fb.wait_until(0), "wait until t = 0: that is not in the future"),
    (fb.wait_until(math.nan), "that is not in the future"),
])
def test_decisions_that_are_not_allowed(decision, message):
    answers("wrong", lambda self, view: decision)
    with pytest.raises(fb.PolicyError, match="^policy 'wrong' at t = .*" + message):
        fb.run(quick({"name": "wrong"}))


def test_an_exception_while_it_is_made_or_copied():
    class Unmade(Serial):
        def __init__(self, parameters, context):
            raise LookupError("not today")

    class Uncopied(Serial):
        def decide(self, view):
            self.view = view
            return fb.start(1)

    fb.register("unmade", Unmade)
    with pytest.raises(LookupError, match="not today"):
        fb.run(quick({"name": "unmade"}))
    fb.register("uncopied", Uncopied)
    fb.run(quick({"name": "uncopied"}))
    with pytest.raises(TypeError, match="a view can't be copied"):
        fb.run(quick({"name": "uncopied"}), audit=True)


# Threads and processes


def test_runs_in_two_threads():
    fb.register("counting", Counting)
    fb.register("mine-serial", Serial)
    results = {}

    def run(name):
        results[name] = rows(fb.run(quick({"name": name}, requests=20000)), "s0")

    threads = [threading.Thread(target=run, args=(name,)) for name in ("counting", "mine-serial")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in ("counting", "mine-serial"):
        assert results[name] == rows(fb.run(quick({"name": name}, requests=20000)), "s0")


@pytest.mark.parametrize("audit", [False, True])
def test_what_a_run_has_made_goes_with_it(audit):
    made = weakref.WeakSet()

    class Mortal(Serial):
        def decide(self, view):
            made.add(self)
            return super().decide(view)

    fb.register("mortal", Mortal)
    fb.run(quick({"name": "mortal"}, {"name": "mortal"}), audit=audit)
    gc.collect()
    assert not made


def in_python(code):
    """A Python process that runs this after the helpers."""
    start = f"import sys; sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r})\n"
    return subprocess.Popen([sys.executable, "-c", start + textwrap.dedent(code)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def test_a_process_ends_well_with_policies_registered():
    process = in_python("""
        import fluidbatch as fb
        from policy_cases import answers, quick
        answers("one", lambda self, view: fb.start(1))
        scenario = fb.Scenario(quick({"name": "one"}))
        answers("one", lambda self, view: fb.start(1))
        results = fb.run(scenario, driver="simgrid")
        print(len(results.requests("s0")))
    """)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, "2000\n", "")


@pytest.mark.parametrize("driver", ["bare", "simgrid"])
def test_ctrl_c_ends_a_policy_that_never_answers(driver):
    process = in_python(f"""
        import fluidbatch as fb
        from policy_cases import answers, quick

        def decide(self, view):
            print("asked", flush=True)
            while True:
                pass

        answers("endless", decide)
        try:
            fb.run(quick({{"name": "endless"}}), driver={driver!r})
        except KeyboardInterrupt:
            print("ended", flush=True)
    """)
    assert process.stdout.readline() == "asked\n"
    begin = time.monotonic()
    os.kill(process.pid, signal.SIGINT)
    assert process.stdout.readline() == "ended\n"
    assert time.monotonic() - begin < 1
    process.communicate(timeout=60)
    assert process.returncode == 0
