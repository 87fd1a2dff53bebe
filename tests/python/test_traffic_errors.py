"""Arrivals and exits from Python: names, parameters and errors."""

import gc
import os
import sys
import traceback
import weakref

import fluidbatch as fb
import numpy as np
import pytest
from traffic_cases import POISSON, RATES, SERIAL, Drawn, Poisson, configuration, listed, register_all, same


@pytest.fixture(autouse=True)
def registered():
    register_all()


# Names and parameters.

def test_what_is_registered_again_replaces_the_earlier_one():
    fb.register("mine", fb.ArrivalDates(np.arange(1.0, 300)))
    scenario = fb.Scenario(configuration({"kind": "mine"}, {"kind": "none"}))
    fb.register("mine", fb.ArrivalDates(np.arange(2.0, 400)))
    assert len(fb.run(scenario).requests("serial")) == 299  # it keeps what it has been read with
    assert len(fb.run(configuration({"kind": "mine"}, {"kind": "none"})).requests("serial")) == 398


def test_a_class_lives_as_long_as_it_is_in_use():
    class Cell(Poisson):
        pass

    watch = weakref.ref(Cell)
    fb.register("cell", Cell, parameters={"rate_hz": 20.0})
    scenario = fb.Scenario(configuration({"kind": "cell"}))
    fb.register("cell", Poisson, parameters={"rate_hz": 20.0})
    del Cell
    gc.collect()
    assert watch() is not None
    same(fb.run(scenario), fb.run(configuration({"kind": "cell"})))
    del scenario
    gc.collect()
    assert watch() is None


def test_names_of_shipped_kinds_are_refused():
    with pytest.raises(fb.InputError, match="there is a kind called 'poisson' already") as refused:
        fb.register("poisson", Poisson, parameters={"rate_hz": 1.0})
    assert (refused.value.file, refused.value.line) == ("name", None)
    for source in (fb.ExitList([0]), fb.RecordedExits([[1.0]], [[1]]), Drawn):
        with pytest.raises(fb.InputError, match="'trace' already"):
            fb.register("trace", source)
    with pytest.raises(fb.InputError, match="'trace' already"):
        fb.register("trace", fb.ArrivalDates([1]))
    fb.register("rates", fb.ArrivalDates([1]))  # of exits only
    assert fb.run(configuration(POISSON, RATES)).summary("serial")


def test_parameters_have_types_and_defaults():
    seen = []

    class Any(fb.Arrivals):
        def __init__(self, parameters):
            seen.append(dict(parameters))

        def dates(self, seed, stream):
            seen.append((self.parameters.depth, seed, stream))
            return np.arange(1.0, 400)

    fb.register("any", Any, parameters={"jitter_ms": 1.5, "count_of": 7, "eager": False, "order": ["up", "down"], "depth": fb.Parameter(3, 1, 10, "how deep")})
    scenario = fb.Scenario(configuration({"kind": "any", "jitter_ms": 2, "eager": True, "order": "down"}, systems=[SERIAL]))
    assert seen == [{"jitter_ms": 2.0, "count_of": 7, "eager": True, "order": "down", "depth": 3}]
    assert [type(value) for value in seen[0].values()] == [float, int, bool, str, int]
    assert scenario.resolved["workload"]["arrivals"] == {"kind": "any", **seen[0]}
    fb.run(scenario)
    assert seen[1] == (3, 3, 0)  # depth, seed, stream
    for wrong, text in (({"depth": 11}, r"from 1 to 10; found '11'"), ({"order": "sideways"}, "'up', 'down'"), ({"eager": 1}, "true or false"),
                        ({"count_of": 1.5}, "whole number"), ({"jitter": 1}, "did you mean 'jitter_ms'")):
        with pytest.raises(fb.InputError, match=text):
            fb.Scenario(configuration({"kind": "any", **wrong}))
    for wrong in ({"kind": 1}, {"a b": 1}, {"x": []}, {"x": {}}):
        with pytest.raises(fb.InputError, match="parameter"):
            fb.register("any", Any, parameters=wrong)


def test_rates_of_exits_are_an_attribute_or_a_parameter():
    def resolved(parameters=None, **exits):
        fb.register("mine", Drawn if parameters is None else type("Bare", (Drawn,), {"rates": None}), parameters=parameters)
        return fb.Scenario(configuration(POISSON, {"kind": "mine", **exits})).resolved["workload"]["exits"]["rates"]

    assert resolved() == [0.5, 0.5, 0.5]
    assert resolved(rates=[0, 0.25, 1]) == [0, 0.25, 1]
    assert resolved({"rates": [0.1, 0.2, 0.3]}) == [0.1, 0.2, 0.3]
    assert resolved({"rates": [0.1, 0.2, 0.3]}, rates=[1, 1, 1]) == [1, 1, 1]
    with pytest.raises(fb.InputError, match="need rates, which policies know"):
        resolved({})
    with pytest.raises(fb.InputError, match="the network has 3, found 1"):
        resolved({"rates": [0.5]})
    with pytest.raises(fb.InputError, match="from 0 to 1; found 1.5"):
        resolved({"rates": [0.5, 1.5, 0]})


@pytest.mark.parametrize("form", [lambda hz: hz, lambda hz: property(lambda self: hz), lambda hz: lambda self: hz])
def test_a_rate_is_an_attribute_a_property_or_a_method(form):
    def scenario(hz):
        fb.register("rated", type("Rated", (Poisson,), {"rate_hz": form(hz)}), parameters={"of": 1.0})
        return fb.Scenario(configuration({"kind": "rated"}))

    with pytest.raises(fb.InputError, match="rate_hz of 'rated': the arrival rate must be"):
        scenario(-1)
    # It is what the length of a run is foreseen with: doubles would be too coarse for dates that are so late.
    with pytest.raises(fb.InputError, match="dates of up to 1073741824000 s"):
        fb.run(scenario(2**-29))


# Errors.

@pytest.mark.parametrize("make, text", [
    (lambda: fb.ArrivalDates([]), "dates: must not be empty"),
    (lambda: fb.ArrivalDates([[1.0]]), "dates: must be an array of 1 dimension, found 2"),
    (lambda: fb.ArrivalDates(["a"]), "dates: must be an array of seconds"),
    (lambda: fb.ArrivalDates([1, 2, np.nan, -1]), r"dates\[2\]: must be a finite number of seconds, from 0 to 16777216; found nan"),
    (lambda: fb.ArrivalDates([1, -2, 3]), r"dates\[1\]: must be a finite .*; found -2.0"),
    (lambda: fb.ArrivalDates([1, np.inf]), r"dates\[1\]: .*; found inf"),
    (lambda: fb.ArrivalDates([1, 2e7]), r"dates\[1\]: .*; found 20000000.0"),
    (lambda: fb.ArrivalDates([1, 3, 2, 1]), r"dates\[2\]: must not be before the date in front of it; found 2.0"),
    (lambda: fb.ArrivalDates([1, 2], devices=[0, -1]), r"devices\[1\]: must be a whole number from 0 to 1048575; found -1"),
    (lambda: fb.ArrivalDates([1, 2], devices=[0.5, 1]), "devices: must be an array of whole numbers, found one of float64"),
    (lambda: fb.ArrivalDates([1, 2], exits=[0]), "exits: needs one value for each of the 2 dates, found 1"),
    (lambda: fb.ExitList([0, 1, -1]), r"exits\[2\]: must be a whole number from 0"),
    (lambda: fb.RecordedExits([[0.5, 1.1]], [[0, 1]]), r"confidence\[0, 1\]: must be a number from 0 to 1; found 1.1"),
    (lambda: fb.RecordedExits([[0.5, 1]], [[0, 2]]), r"correct\[0, 1\]: must be 0 or 1; found 2"),
    (lambda: fb.RecordedExits([[0.5, 1]], [0, 1]), "correct: must be an array of 2 dimensions, found 1"),
    (lambda: fb.RecordedExits([[0.5, 1]], [[0], [1]]), r"correct: must have the shape of confidence, \(1, 2\); found \(2, 1\)"),
])
def test_arrays_are_checked(make, text):
    with pytest.raises(fb.InputError, match=text) as refused:
        make()
    assert refused.value.file == str(refused.value).split(":")[0]


def test_exits_that_the_network_does_not_have_are_refused():
    fb.register("mine", fb.ExitList([0, 3, 4]))
    with pytest.raises(fb.InputError, match=r"config\['workload'\]\['exits'\]\['kind'\]: 'mine' has exit 4 at index 2; the network has exits 0 to 3"):
        fb.Scenario(configuration(POISSON, {"kind": "mine"}))
    fb.register("mine", fb.RecordedExits([[0.5, 1]], [[0, 1]]))
    with pytest.raises(fb.InputError, match="'mine' has confidences of 2 exits, but the network has 4"):
        fb.Scenario(configuration(POISSON, {"kind": "mine", "threshold": 0.5}))
    fb.register("mine", fb.ArrivalDates([1, 2], exits=[0, 4]))
    with pytest.raises(fb.InputError, match=r"config\['workload'\]\['exits'\]: an exit must be a number, from 0 to 3; found 4"):
        fb.Scenario(configuration({"kind": "mine"}, {"kind": "trace"}))


@pytest.mark.parametrize("driver", ["bare", "simgrid"])
@pytest.mark.parametrize("values, text", [
    ([1, 2, 1.5], r"arrivals of kind 'listed_dates': date 2 of stream 0 must not be before the last one, 2; found 1.5"),
    ([1, np.nan], "date 1 of stream 0 must be a finite number of seconds, at least 0; found nan"),
    ([-1], "date 0 of stream 0 must be a finite number of seconds, at least 0; found -1"),
    ([1, np.inf], "date 1 .*; found inf"),
    ([1, "x"], r"date 1 of stream 0 must be a number of seconds, found 'x'"),
    ([None], "date 0 of stream 0 must be a number of seconds, found None"),
])
def test_dates_are_checked(values, text, driver):
    listed("listed_dates", values)
    with pytest.raises(fb.InputError, match=text):
        fb.run(configuration({"kind": "listed_dates"}, warmup_requests=0), driver=driver)


@pytest.mark.parametrize("values, text", [
    ([0, 4], "exits of kind 'listed': exit 1 of device 0 must be a whole number from 0 to 3, found 4"),
    ([-1], "exit 0 .* found -1"),
    ([0.0], "exit 0 .* found 0.0"),
    ([1 << 80], "exit 0 of device 0 must be a whole number from 0 to 3"),
    ([0, 1, 2], "ended after 3, but the device sends more requests"),
])
def test_exits_are_checked(values, text):
    listed("listed", values, rates=[0, 0, 0])
    with pytest.raises(fb.InputError, match=text):
        fb.run(configuration(POISSON, {"kind": "listed"}, warmup_requests=0))


def test_a_wrong_date_that_is_not_needed_does_no_harm():
    listed("listed_dates", [*range(1, 60), -1])
    assert len(fb.run(configuration({"kind": "listed_dates"}, requests=50, warmup_requests=0)).requests("serial")) == 50


def test_what_an_iterator_raises_reaches_the_caller_with_its_traceback():
    class Broken(fb.Arrivals):
        def dates(self, seed, stream):
            yield 1.0
            raise KeyError("no more film")

    fb.register("broken", Broken)
    with pytest.raises(KeyError, match="no more film") as raised:
        fb.run(configuration({"kind": "broken"}))
    assert "in dates" in "".join(traceback.format_tb(raised.value.__traceback__))
    with pytest.raises(fb.PolicyError, match=r"(?s)test_traffic_errors.py\", line \d+, in dates.*KeyError: 'no more film'"):
        fb.run(configuration({"kind": "broken"}), driver="simgrid")


def test_an_interrupt_is_not_put_off():
    """What else is raised waits for the date that it is in place of."""
    def dates(self, seed, stream):
        yield 1.0
        raise KeyboardInterrupt

    fb.register("mine", type("Interrupted", (fb.Arrivals,), {"dates": dates}))
    with pytest.raises(KeyboardInterrupt):
        fb.run(configuration({"kind": "mine"}, requests=1, warmup_requests=0))


def test_what_is_not_an_iterator_is_named():
    fb.register("mine", type("Empty", (fb.Arrivals,), {"dates": lambda self, seed, stream: None}))
    with pytest.raises(fb.InputError, match=r"dates\(\) must return an iterator of dates, found None"):
        fb.run(configuration({"kind": "mine"}))
    fb.register("mine", type("Empty", (fb.Exits,), {"exits": lambda self, seed, device: 3, "rates": [0, 0, 0]}))
    with pytest.raises(fb.InputError, match=r"exits\(\) must return an iterator of exits, found 3"):
        fb.run(configuration(POISSON, {"kind": "mine"}))


def test_what_can_not_be_registered_is_refused():
    for source in (3, "poisson", object, fb.Arrivals([]), None):
        with pytest.raises(TypeError, match="can't register"):
            fb.register("mine", source)
    with pytest.raises(TypeError, match="without a method 'dates'"):
        fb.register("mine", type("Empty", (fb.Arrivals,), {}))
    with pytest.raises(TypeError, match="without a method 'exits'"):
        fb.register("mine", type("Empty", (fb.Exits,), {}))
    with pytest.raises(TypeError, match="takes no parameters"):
        fb.register("mine", fb.ExitList([0]), parameters={"x": 1})
    with pytest.raises(TypeError, match="a name must be a str"):
        fb.register("", fb.ExitList([0]))


def test_importing_takes_no_numpy():
    assert os.system(f"{sys.executable} -c 'import sys, fluidbatch; sys.exit(\"numpy\" in sys.modules)'") == 0
