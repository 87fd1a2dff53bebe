"""The settings of the headline, and sweeps and configurations made of them. README.md declares what becomes of them."""

import re
from pathlib import Path
from typing import NamedTuple

LETTERS = Path(__file__).resolve().parents[1] / "data" / "letters_multiexit.csv"
# The delay of dynamic batching is an eighth of the SLO: by multiples of the single-sample latency on the reference.
DELAYS_MS = {
    "ee_resnet50": {2: 10.258, 3: 15.387, 4.5: 23.08},
    "ee_mobilenet_v2": {2: 3.587, 3: 5.38, 4.5: 8.07},
    "ee_inception_v3": {2: 11.058, 3: 16.588, 4.5: 24.881},
    "ee_vgg16": {2: 49.554, 3: 74.331, 4.5: 111.497},
}
KINDS = ("poisson", "gamma", "periodic", "mmpp")
RHOS = (0.4, 0.8, 1.2, 1.6, 2)
OTHERS = ("dynamic", "greedy", "lazy")
CLAIMED = (*OTHERS, "ours")  # what the claim is about: all but the optimal policy
REPLICATIONS = 5
# Requests of a run; a replication of cameras is several runs, each with phases of its own.
REQUESTS = {"poisson": 50_000, "gamma": 50_000, "periodic": 12_000, "mmpp": 200_000}
PHASES = 20
WARMUP = 1000
RATES = [0.30, 0.35, 0.40]
# A fixed threshold, and the accuracy that it has on the odd rows of the letters.
THRESHOLD, TARGET = 0.7, 0.9525


class Place(NamedTuple):
    """Where capacities are looked for; with a load it is a setting."""

    network: str
    multiple: float
    kind: str


class Setting(NamedTuple):
    network: str
    multiple: float
    kind: str
    rho: float


class Size(NamedTuple):
    """How much of the grid is run, and for how long."""

    networks: tuple = tuple(DELAYS_MS)
    multiples: tuple = (2, 3, 4.5)
    rhos: tuple = RHOS
    requests: dict = REQUESTS
    phases: int = PHASES
    replications: int = REPLICATIONS
    adaptive_requests: int = 20_000
    tail_events: float = 2e7
    capacity_requests: int = 20_000
    capacity_tolerance: float = 0.02
    capacity_runs: int = 64  # at one load, at most
    capacity_seeds: int = 3


FULL = Size()
QUICK = Size(
    networks=("ee_resnet50",),
    multiples=(3,),
    rhos=(0.8, 2),
    requests=dict.fromkeys(KINDS, 3000),
    phases=2,
    adaptive_requests=3000,
    tail_events=3e5,
    capacity_requests=3000,
    capacity_tolerance=0.1,
    capacity_runs=8,
    capacity_seeds=2,
)


def settings(size):
    return [Setting(*place, rho) for place in places(size) for rho in size.rhos]


def places(size):
    return [Place(n, m, k) for n in size.networks for m in size.multiples for k in KINDS]


def slo_s(setting):
    return 8 * DELAYS_MS[setting.network][setting.multiple] / 1000


def devices(kind, rho):
    """Who sends, at a mean load: bursts are of 3 rho for 1 s after 4 s of rho / 2."""
    if kind == "periodic":
        return [{"count": 10, "arrivals": {"kind": kind, "rho": round(rho / 10, 6), "jitter_ms": 3}}]
    if kind == "mmpp":
        states = [(round(rho / 2, 6), 4), (round(3 * rho, 6), 1)]
        states = [{"rho": part, "mean_duration_s": duration} for part, duration in states]
        return [{"arrivals": {"kind": kind, "states": states}}]
    return [{"arrivals": {"kind": kind, "rho": rho, **({"cv": 2} if kind == "gamma" else {})}}]


def described(text):
    """Kind of arrivals and mean load of `workload.devices` as a sweep's results have it."""
    kind = re.search(r"kind: (\w+)", text)[1]
    factor = {"periodic": 10, "mmpp": 2}.get(kind, 1)
    return kind, round(factor * float(re.search(r"rho: ([\d.]+)", text)[1]), 6)


def system(label, delay_ms=None, **more):
    policy = {"ours": "exit_aware", "lazy": "lazy_batching", "optimal": "optimal"}.get(label, "dynamic_batching")
    parameters = {"name": policy, "max_batch": 8}
    if delay_ms is not None:
        parameters["max_queue_delay_ms"] = delay_ms
    mode = "fluid_stacked" if label in ("ours", "optimal") else "r"
    return {"label": label, "policy": parameters, "npu": "zu7ev_large", "npu_mode": mode, **more}


def systems(network, multiple, labels):
    return [system(label, DELAYS_MS[network][multiple] if label == "dynamic" else None) for label in labels]


def configuration(setting, requests, labels=CLAIMED):
    """One setting, as a run has it."""
    return {
        "seed": 1,
        "requests": requests,
        "warmup_requests": min(WARMUP, requests // 10),
        "network": setting.network,
        "slo": {"unloaded_multiple": setting.multiple},
        "workload": {
            "devices": devices(setting.kind, setting.rho),
            "exits": {"kind": "rates", "rates": RATES},
        },
        "systems": systems(setting.network, setting.multiple, labels),
    }


def by_network_and_slo(size, label):
    """The axes that go in step: the network, its SLOs, and, of a system, the delay of dynamic batching that follows."""
    pairs = [(n, m) for n in size.networks for m in size.multiples]
    delay = {f"systems.{label}.policy.max_queue_delay_ms": [DELAYS_MS[n][m] for n, m in pairs]} if label else {}
    return {"network": [n for n, _ in pairs], "slo.unloaded_multiple": [m for _, m in pairs], **delay}


def sweep(size, kind, labels=CLAIMED):
    """All settings of a kind of arrivals. The optimal policy has sweeps of its own, on the same requests: its table is
    computed whenever a configuration with it is read, for whichever system, and takes longer than a short run."""
    first = Setting(size.networks[0], size.multiples[0], kind, size.rhos[0])
    return {
        "base": configuration(first, size.requests[kind], labels),
        "axes": {
            "zip": by_network_and_slo(size, "dynamic" if "dynamic" in labels else None),
            "list": [{"workload.devices": devices(kind, rho)} for rho in size.rhos],
        },
        "replications": size.replications * (size.phases if kind == "periodic" else 1),
    }


def adaptive_sweep(size):
    """Fixed thresholds for all, and for ours those that are steered to the same accuracy."""
    fixed = {"kind": "adaptive", "queue_gain": 0, "deadline": False, "accuracy_target": TARGET, "step": 0}
    steered = {"kind": "adaptive", "accuracy_target": TARGET}
    first = Setting(size.networks[0], size.multiples[0], "poisson", size.rhos[0])
    base = configuration(first, size.adaptive_requests, ())
    base["workload"]["exits"] = {"kind": "confidences", "path": str(LETTERS), "threshold": THRESHOLD}
    base["outputs"] = {"bounds": False}
    dynamic = system("dynamic", DELAYS_MS[first.network][first.multiple], exit_control=fixed)
    rest = (system(label, exit_control=fixed) for label in ("greedy", "lazy", "ours"))
    base["systems"] = [dynamic, *rest, {**system("ours", exit_control=steered), "label": "adaptive"}]
    kinds = ("poisson", "mmpp")
    return {
        "base": base,
        "axes": {
            "zip": by_network_and_slo(size, "dynamic"),
            "list": [{"workload.devices": devices(kind, rho)} for kind in kinds for rho in size.rhos],
        },
        "replications": size.replications,
    }


def capacity_configuration(place, requests):
    """(configuration at rho 1, key that is raised). The states of bursts go together as the rates of a site do."""
    config = configuration(Setting(*place, 1), requests)
    config["outputs"] = {"bounds": False}
    if place.kind != "mmpp":
        return config, "workload.devices.0.arrivals.rho"
    service = {"name": "all", "network": config.pop("network"), "slo": config.pop("slo")}
    config["services"] = [{**service, "exits": config["workload"].pop("exits")}]
    config["workload"]["devices"][0]["service"] = "all"
    return config, "services"


def to_mean_rho(kind, value):
    """The mean load of a capacity, from the key that was raised."""
    return 10 * value if kind == "periodic" else value
