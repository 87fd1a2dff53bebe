"""Computes the optimum at each load of each network and mode, simulates the policies there, and saves decisions."""

import tempfile
from pathlib import Path

import collect

FILE = Path(__file__).resolve().parent / "policies.yaml"
NETWORKS = ("ee_resnet18", "ee_resnet50", "ee_mobilenet_v2", "ee_vgg16")
MODES = ("r", "fluid_stacked")
LOADS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
RHOS = (0.8, 1.6, 2.4, 2.8)  # of EE-ResNet-50: one sample at a time in mode r without exits
SYSTEMS = ("serial", "greedy", "lazy", "ours", "outlook", "optimal")
SEEDS = (1, 2, 3, 4)
DECISIONS = {"network": "ee_resnet50", "mode": "fluid_stacked", "load": 0.8}
QUICK = ("--set", "requests=20000", "--set", "warmup_requests=1000")


def settings(quick):
    """(network, mode, unit of the load, load, overridden keys) of each setting."""
    for network in NETWORKS:
        for mode in MODES:
            for load in LOADS[2::5] if quick else LOADS:
                yield network, mode, "load", load, [f"workload.arrivals.load={load}", f"reference.npu_mode={mode}"]
    for rho in RHOS[::3] if quick else RHOS:
        arrivals = f"workload.arrivals={{kind: poisson, rho: {rho}}}"
        # rho is relative to the reference's time of a sample: the NPU in mode r, so the systems say their own mode.
        own = [f"systems.{system}.npu_mode=fluid_stacked" for system in SYSTEMS]
        yield "ee_resnet50", "fluid_stacked", "rho", rho, [arrivals, "reference.npu_mode=r", *own]


def changed(keys):
    return [part for key in keys for part in ("--set", key)]


def save_decisions(program, database, quick):
    """The decisions of the best engine and of both objectives of exit_aware, in the same states."""
    network, mode, load = DECISIONS.values()
    keys = (f"network={network}", f"reference.npu_mode={mode}", f"workload.arrivals.load={load}")
    with tempfile.TemporaryDirectory() as folder:
        for system in ("ours", "outlook", "optimal"):
            file = Path(folder) / f"{system}.csv"
            own = () if system == "optimal" else ("--own",)
            arguments = ("--system", system, "--save", file, *own, *(QUICK if quick else ()))
            collect.run(program, "optimum", FILE, *changed(keys), *arguments)
            collect.add_csv(database, "decisions", file.read_text(), policy=system)


def fill(program, database, quick):
    for network, mode, unit, load, keys in settings(quick):
        for seed in SEEDS[:2] if quick else SEEDS:
            text = collect.run(
                program,
                "optimum",
                FILE,
                "--csv",
                "--seed",
                seed,
                *changed([f"network={network}", *keys]),
                *(QUICK if quick else ()),
            )
            rows = "\n".join(line for line in text.splitlines() if not line.startswith("note: "))
            collect.add_csv(database, "means", rows, network=network, mode=mode, unit=unit, load=load, seed=seed)
    save_decisions(program, database, quick)


def main():
    collect.main("How far policies are from the optimum", fill)
