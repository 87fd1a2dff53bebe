"""Policies written again from docs/policies.md give the requests and statistics of the shipped ones, bit for bit."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Iterable

import fluidbatch as fb
import numpy as np
import ports
import pytest

BRANCHED = ("ee_resnet50", "ee_resnet18", "ee_mobilenet_v2", "ee_inception_v3", "ee_vgg16")
PLAIN = ("resnet50", "mobilenet_v2", "resnet18")
NPUS = ("zu7ev_large", "zu7ev_small", "zu7ev_buffered", "z7045_middle", "edge_8tops", "edge_24tops")
MODES = ("r", "p", "fluid", "r_stacked", "fluid_stacked")


def random_arrivals(draw: random.Random) -> dict[str, Any]:
    """One device's arrivals, at 0.3 to 1.3 times what the NPU can carry."""
    load = draw.uniform(0.3, 1.3)
    kind = draw.choice(("poisson", "gamma", "mmpp", "periodic", "closed_loop"))
    if kind == "gamma":
        return {"kind": kind, "load": load, "cv": draw.choice((0.3, 1.5, 4.0))}
    if kind == "mmpp":
        return {"kind": kind, "states": [{"load": 0.3 * load, "mean_duration_s": draw.uniform(0.2, 3)},
                                         {"load": 1.7 * load, "mean_duration_s": draw.uniform(0.2, 3)}]}
    if kind == "periodic":
        return {"kind": kind, "load": load, "jitter_ms": draw.choice((0, 0.05))}
    if kind == "closed_loop":
        return {"kind": kind, "clients": draw.randint(1, 20), "think_time_ms": draw.choice((0.1, 5, 200)),
                "think": draw.choice(("exponential", "constant"))}
    return {"kind": kind, "load": load}


def random_exits(draw: random.Random, network: str) -> dict[str, Any]:
    kind = draw.choice(("rates", "rates", "correlated", "none")) if network in BRANCHED else "none"
    if kind == "none":
        return {"kind": kind}
    rates = [draw.choice((draw.random(), 0.3, 0.0, 1.0) if draw.random() < 0.3 else (draw.uniform(0.1, 0.6),))
             for _ in range(3)]
    return {"kind": kind, "rates": rates} | ({"correlation": draw.uniform(-1, 1)} if kind == "correlated" else {})


def random_workload(draw: random.Random, network: str) -> dict[str, Any]:
    workload: dict[str, Any] = {"exits": random_exits(draw, network)}
    count = draw.choice((1, 1, 1, 3, 7))
    arrivals = random_arrivals(draw)
    if count == 1:
        workload["arrivals"] = arrivals
    else:
        for piece in (arrivals, *arrivals.get("states", ())):
            if "load" in piece:
                piece["load"] /= count
        workload["devices"] = [{"count": count, "arrivals": arrivals}]
    if draw.random() < 0.3:
        workload["uplink"] = {"model": "analytic", "sample_bytes": draw.choice((0, 10000, 150000)),
                              "access_point_bandwidth_bytes_per_s": 10.0 ** draw.uniform(6.5, 8),
                              "latency_ms": draw.choice((0, 3)), "answer_latency_ms": draw.choice((0, 2))}
    return workload


def random_slo(draw: random.Random) -> dict[str, Any]:
    measured = draw.choice(("server", "end_to_end"))
    kind = draw.choice(("multiple", "multiple", "whole", "ms", "none"))
    if kind == "multiple":
        return {"unloaded_multiple": draw.uniform(0.5, 12), "measured": measured}
    if kind == "whole":
        return {"unloaded_multiple": draw.randint(1, 6), "measured": measured}
    return {"latency_ms": draw.choice((0, 20, 100, 500)) if kind == "ms" else float("inf"), "measured": measured}


def random_policies(draw: random.Random) -> list[dict[str, Any]]:
    """One of each, `exit_aware` twice; all parameters at random."""
    def max_batch() -> int:
        return draw.randint(1, 16)

    def exit_aware() -> dict[str, Any]:
        return {"name": "exit_aware", "max_batch": max_batch(),
                "trigger": draw.choice(("exit_boundary", "exit_event")),
                "slack_estimate": draw.choice(("expected", "worst_case")),
                "exit_knowledge": draw.choice(("rates", "oracle", "none")),
                "preemption_depth": draw.choice((1, 1, 2, 3, 64)), "decide_at": draw.choice(("segment", "layer")),
                "objective": draw.choice(("present", "outlook"))}

    return [{"name": "dynamic_batching", "max_batch": max_batch(),
             "max_queue_delay_ms": draw.choice((0, 1, 15, draw.uniform(0, 100)))},
            {"name": "lazy_batching", "max_batch": max_batch(),
             "slack_factor": draw.choice((1, 1, 2, 0.5, 10.0 ** draw.uniform(-2, 6)))},
            exit_aware(), exit_aware()]


def random_scenario(seed: int) -> dict[str, Any]:
    """A configuration of four systems, all on one NPU, with the shipped policies."""
    draw = random.Random(seed)
    network = draw.choice(BRANCHED if draw.random() < 0.85 else PLAIN)
    npu = {"npu": draw.choice(NPUS), "npu_mode": draw.choice(MODES)}
    systems = [{"label": f"{i}_{policy['name']}", "policy": policy, "drop": draw.choice(("none", "none", "hopeless")),
                "preemption_cost_s": draw.choice((0, 0, 0.0005)), **npu}
               for i, policy in enumerate(random_policies(draw))]
    return {"seed": seed, "requests": draw.randint(100, 500), "warmup_requests": draw.choice((0, 20)),
            "network": network, "reference": npu, "slo": random_slo(draw),
            "workload": random_workload(draw, network), "systems": systems}


#: Six layers in three segments: a, b, x | c, y | d, e.
SMALL_NETWORK = """\
name: small
input: [2, 4, 4]
layers:
  - {name: a, kind: conv, out_channels: 2}
  - {name: b, kind: conv, out_channels: 2}
  - {name: c, kind: conv, out_channels: 2}
  - {name: d, kind: conv, out_channels: 2}
  - {name: e, kind: dense, out_channels: 2}
exits:
  - {name: x, after: b, head: [{name: x, kind: dense, out_channels: 2}]}
  - {name: y, after: c, head: [{name: y, kind: dense, out_channels: 2}]}
"""


def tied_scenario(seed: int, folder: Path) -> dict[str, Any]:
    """All dates are multiples of one tick, so that deadlines, arrivals and the ends of layers fall together.

    The tick is 2^-10 or 2^-20 s, with which sums are exact, or 1 ms, with which they are not.
    """
    draw = random.Random(seed)
    tick_s = draw.choice((2.0 ** -10, 2.0 ** -20, 0.001))
    small = folder / "small.yaml"
    small.write_text(SMALL_NETWORK)
    rows = ["layer,batch,latency_s"]
    for layer in "abxcyde":
        ticks = draw.randint(1, 6)
        for batch in range(1, 17):
            rows.append(f"{layer},{batch},{ticks * tick_s!r}")
            ticks += draw.choice((0, 0, 1, 2))
    table = folder / f"table_{seed}.csv"
    table.write_text("\n".join(rows) + "\n")
    dates, at = ["arrival_s,sent_s"], 0
    for _ in range(draw.randint(50, 300)):
        at += draw.choice((0, 0, 1, 5, draw.randint(0, 30)))
        dates.append(f"{at * tick_s!r},{max(0, at - draw.choice((0, 3, 25))) * tick_s!r}")
    trace = folder / f"trace_{seed}.csv"
    trace.write_text("\n".join(dates) + "\n")
    exits: dict[str, Any] = {"kind": "none"}
    if draw.random() < 0.8:
        exits = {"kind": "rates", "rates": [draw.choice((0, 0.25, 0.5, 0.3, 1)) for _ in range(2)]}
    systems = []
    for i, policy in enumerate(random_policies(draw)):
        if policy["name"] == "dynamic_batching":
            policy["max_queue_delay_ms"] = draw.randint(0, 30) * tick_s * 1000
        if policy["name"] == "lazy_batching":
            policy["slack_factor"] = draw.choice((0.5, 1, 2, 4, 1e6))
        systems.append({"label": f"{i}_{policy['name']}", "policy": policy, "npu": {"table": str(table)},
                        "drop": draw.choice(("none", "none", "hopeless"))})
    return {"seed": seed, "requests": 1000, "network": str(small), "reference": {"npu": {"table": str(table)}},
            "slo": {"latency_ms": draw.choice((draw.randint(5, 100) * tick_s * 1000, float("inf"))),
                    "measured": draw.choice(("server", "end_to_end"))},
            "workload": {"arrivals": {"kind": "trace", "path": str(trace), "origin": 0}, "exits": exits},
            "systems": systems}


def with_ports(config: dict[str, Any]) -> dict[str, Any]:
    """The same with the port of each system's policy beside it, as a system "LABEL_port"."""
    systems = [{**system, "label": system["label"] + "_port",
                "policy": {**system["policy"], "name": ports.NAMES[system["policy"]["name"]]}}
               for system in config["systems"]]
    return {**config, "systems": config["systems"] + systems}


#: Integrals over time, summed step by step. The shipped `lazy_batching` says up to which layer its answer holds, and its
#: port is asked at each: sums of the same time in other pieces, whose last bits differ.
#: Of energy that is so of the layer in which the warm-up ends.
SUMS_OVER_STEPS = ("busy_fraction", "mac_utilisation", "mean_batch", "mean_in_system", "segment_batches",
                   "energy_per_request_j", "mac_energy_per_request_j", "buffer_energy_per_request_j",
                   "dram_energy_per_request_j", "static_energy_per_request_j", "average_power_w",
                   "energy_delay_product_js")


def statistics_of(results: fb.Results, label: str) -> dict[str, Any]:
    """All of the summary but for the names of the system and its policy."""
    summary = results.summary(label)
    statistics = {**summary.pop("statistics"), **summary}
    del statistics["label"], statistics["policy"]
    return statistics


def difference(results: fb.Results, label: str, policy: str, warmup: int) -> str:
    """Where the port of a system and the system itself differ in a bit; nothing where they don't."""
    theirs, mine = results.requests(label), results.requests(label + "_port")
    for name in theirs.columns:
        if theirs[name].tobytes() != mine[name].tobytes():
            row = next(i for i in range(len(theirs)) if theirs[name][i].tobytes() != mine[name][i].tobytes())
            return f"{name} of request {row}: {theirs[name][row]!r}, by the port {mine[name][row]!r}"
    shipped, port = statistics_of(results, label), statistics_of(results, label + "_port")
    assert list(shipped) == list(port)
    for name, value in shipped.items():
        if policy == "lazy_batching" and name in SUMS_OVER_STEPS:
            same = port[name] == pytest.approx(value, rel=1e-12)
        elif policy == "lazy_batching" and name == "refused_slo" and warmup:
            same = True  # refusals at boundaries that were passed over count at the date of the answer
        else:
            same = json.dumps(port[name]) == json.dumps(value)
        if not same:
            return f"{name}: {value!r}, by the port {port[name]!r}"
    return ""


def rounding_decides(config: dict[str, Any], system: dict[str, Any]) -> bool:
    """Whether a system and its port part where two choices are equally good, so that the last bit of a sum decides."""
    ports.ExitAware.ties.clear()
    results = fb.run(with_ports({**config, "systems": [system]}), outputs__bounds=False, jobs=1)
    theirs, mine = (np.asarray(results.requests(label)["start_s"]) for label in results.labels)  # NaN: dropped
    earlier = np.fmin(theirs, mine)[(theirs != mine) & ~(np.isnan(theirs) & np.isnan(mine))]
    return earlier.size > 0 and earlier.min() in ports.ExitAware.ties


def hold_against_ports(scenario: Callable[[int], dict[str, Any]], seeds: Iterable[int]) -> Counter[tuple[str, str]]:
    """Runs scenarios, and counts the systems in which something has happened, by policy and statistic.

    Asserts that no port differs from the policy that it stands for."""
    ports.register()
    counts: Counter[tuple[str, str]] = Counter()
    differences = []
    for seed in seeds:
        config = scenario(seed)
        results = fb.run(with_ports(config), outputs__bounds=False, jobs=1)
        for system in config["systems"]:
            name = system["policy"]["name"]
            found = difference(results, system["label"], name, config.get("warmup_requests", 0))
            if found and name == "exit_aware" and rounding_decides(config, system):
                counts[name, "parted by rounding"] += 1
            elif found:
                differences.append(f"seed {seed}, {system['policy']}: {found}")
            statistics = results.summary(system["label"])["statistics"]
            counts[name, "systems"] += 1
            for statistic in ("drop_rate", "slo_violation_rate", "preemptions", "merges", "refused_no_gain",
                              "refused_slo"):
                counts[name, statistic] += bool(statistics[statistic])
    print(*(f"{name}: {statistic} {count}" for (name, statistic), count in counts.items()), sep="\n")
    assert not differences, "\n".join([f"{len(differences)} systems differ", *differences[:20]])
    return counts


def assert_all_has_happened(counts: Counter[tuple[str, str]]) -> None:
    """So that scenarios which ask nothing of the policies don't pass for agreement."""
    assert counts["exit_aware", "parted by rounding"] <= counts["exit_aware", "systems"] / 1000
    for name in ports.NAMES:
        assert counts[name, "drop_rate"] and counts[name, "slo_violation_rate"]
    for name in ("lazy_batching", "exit_aware"):
        assert min(counts[name, statistic] for statistic in ("preemptions", "merges", "refused_slo")) > 2
    assert counts["exit_aware", "refused_no_gain"] > 2


LONG = os.environ.get("FLUIDBATCH_LONG") == "1"


def test_random_scenarios() -> None:
    assert_all_has_happened(hold_against_ports(random_scenario, range(2500 if LONG else 64)))


def test_scenarios_whose_dates_tie(tmp_path: Path) -> None:
    assert_all_has_happened(hold_against_ports(lambda seed: tied_scenario(seed, tmp_path), range(2500 if LONG else 64)))
