"""How policies are registered, and the parameters that they take."""

import copy
import inspect
import sys
import textwrap
import types

import fluidbatch as fb
import pytest
from policy_cases import Newcomers, Patient, Serial, answers, quick, rows


def test_the_example_of_the_documentation():
    lines = inspect.getmodule(fb.Policy).__doc__.split("\n")
    example = textwrap.dedent("\n".join(line for line in lines if line.startswith("    ") or not line))
    names = {"fb": fb, "config": quick({"name": "serial"})}
    exec(example.replace("fb.run(", "results = fb.run("), names)
    assert names["results"].labels == ["patient"]


def test_parameters():
    seen = []

    class Curious(Serial):
        def __init__(self, parameters, context):
            seen.append((dict(parameters), self.max_batch, context))
            assert self.parameters is parameters and self.context is context

    fb.register("curious", Curious, {
        "patience_ms": 5.0, "eager": False, "order": ["fifo", "lifo"], "limit": None, "least": 4,
        "depth": fb.Parameter(3, min=1, max=10, meaning="of the stack")})
    config = quick({"name": "curious"}, {"name": "curious", "max_batch": 4, "patience_ms": 3, "eager": True,
                                         "order": "lifo", "limit": 0.5, "depth": 10})
    resolved = fb.Scenario(config).resolved["systems"]
    fb.run(config, jobs=1)
    by_default = {"max_batch": 1, "patience_ms": 5.0, "eager": False, "order": "fifo", "limit": None, "least": 4,
                  "depth": 3}
    given = {"max_batch": 4, "patience_ms": 3.0, "eager": True, "order": "lifo", "limit": 0.5, "least": 4, "depth": 10}
    assert [values for values, _, _ in seen] == [by_default, given]
    assert [[type(value) for value in values.values()] for values, _, _ in seen] == [
        [type(value) for value in values.values()] for values in (by_default, given)]
    assert [max_batch for _, max_batch, _ in seen] == [1, 4]
    assert resolved[1]["policy"] == {"name": "curious", **given}
    context = seen[0][2]
    assert context.exit_rates == [0.3, 0.35, 0.4]
    assert context.rate_hz == pytest.approx(1.5 / context.table.single_sample_latency_s)
    assert context.table.segments == 4
    assert seen[0][2].table.max_batch == 1 and seen[1][2].table.max_batch == 4
    for wrong, message in (({"depth": 11}, "depth must be a whole number from 1 to 10"),
                           ({"order": "filo"}, "did you mean 'fifo'"), ({"eager": 1}, "eager"),
                           ({"patience": 3}, "did you mean 'patience_ms'"), ({"least": 1.5}, "least")):
        with pytest.raises(fb.InputError, match=message) as caught:
            fb.Scenario(quick({"name": "curious", **wrong}))
        assert caught.value.file.startswith("config['systems'][0]['policy']")


def test_values_are_attributes_too():
    values = fb.Parameters({"depth": 3})
    assert values.depth == values["depth"] == 3 and dict(values) == {"depth": 3} and copy.deepcopy(values) is values
    with pytest.raises(AttributeError):
        values.depth = 4
    with pytest.raises(AttributeError):
        values.width


def test_traits_may_depend_on_parameters():
    class Chosen(Newcomers):
        boundary = property(lambda self: "layer" if self.parameters.fine else "batch")

    fb.register("chosen", Chosen, {"fine": True})
    fb.register("named", Newcomers, {"boundary": ["batch", "layer"]})
    results = fb.run(quick({"name": "chosen"}, {"name": "chosen", "fine": False}, {"name": "named", "boundary": "layer"},
                           {"name": "named"}))
    preemptions = [results.summary(label)["statistics"]["preemptions"] for label in results.labels]
    assert preemptions[0] == preemptions[2] > 0 == preemptions[1] == preemptions[3]


def test_registered_again():
    fb.register("again", Serial)
    config = quick({"name": "again"})
    first = fb.Scenario(config)
    before = rows(fb.run(first), "s0")
    fb.register("again", Patient, {"patience_ms": 15.0})
    after = rows(fb.run(config), "s0")
    assert after != before
    assert rows(fb.run(first), "s0") == before  # what was read before goes on with the earlier one
    fb.register("again", Serial)
    assert rows(fb.run(config), "s0") == before


@pytest.mark.parametrize("register, error, message", [
    (lambda: fb.register("serial", Serial), fb.InputError, "the name 'serial' is that of one that is not Python's"),
    (lambda: fb.register("nothing", type("Nothing", (fb.Policy,), {})), TypeError,
     "Nothing needs the method decide, which a Policy is asked by"),
    (lambda: fb.register("nothing", type("Nothing", (fb.Router,), {})), TypeError, "route"),
    (lambda: fb.register("nothing", type("Nothing", (fb.Arbiter,), {})), TypeError, "rank"),
    (lambda: fb.register("nothing", type("Nothing", (fb.ExitControl,), {})), TypeError, "rule"),
    (lambda: fb.register("two words", Serial), fb.InputError, "letters, digits, '_' and '-', found 'two words'"),
    (lambda: answers("x", Serial.decide, boundary="here"), fb.InputError, "'batch', 'segment' or 'layer', found 'here'"),
    (lambda: answers("x", Serial.decide, max_batch=2000), fb.InputError, "from 1 to 1024, found 2000"),
    (lambda: fb.register("x", Serial, {"max_batch": 0.5}), fb.InputError, "max_batch is a whole number"),
    (lambda: fb.register("x", Serial, {"a": fb.Parameter(3, min=4)}), fb.InputError, "the default, 3, is not from 4"),
    (lambda: fb.register("x", Serial, {"a": fb.Parameter(3, min=4, max=2)}), fb.InputError, "nothing that is allowed"),
    (lambda: fb.register("x", Serial, {"a": "fifo"}), fb.InputError, "or a list of words, found 'fifo'"),
    (lambda: fb.register("x", Serial, {"a": ["fifo", "fifo"]}), fb.InputError, "words that differ"),
    (lambda: fb.register("x", Serial, {"keys": 1}), fb.InputError, "'keys', which means something already"),
    (lambda: fb.register("x", Serial, {"Depth": 1}), fb.InputError, "lower-case letters"),
])
def test_what_is_not_registered(register, error, message):
    with pytest.raises(error, match=message):
        register()


def test_what_else_is_registered_is_for_the_traffic(monkeypatch):
    calls = []
    fake = types.ModuleType("fluidbatch._traffic")
    fake.register = lambda *arguments: calls.append(arguments)
    monkeypatch.setitem(sys.modules, "fluidbatch._traffic", fake)
    monkeypatch.setattr(fb, "_traffic", fake, raising=False)
    fb.register("bursts", len, {"rate_hz": 2.0})
    assert calls == [("bursts", len, {"rate_hz": 2.0})]
