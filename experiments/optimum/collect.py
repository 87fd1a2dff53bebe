"""Computes the optimum at each load of each network and mode, simulates the policies there, and saves decisions."""

import csv
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
PICTURE = ("ee_resnet50", "fluid_stacked")  # whose decisions are kept
DECISIONS_LOAD = 0.8
# Tables made of two: whose decisions an idle NPU takes, and whose are taken behind exits.
MIXED = {
    "best_start_ours": ("optimal", "ours"),
    "best_start_outlook": ("optimal", "outlook"),
    "own_start_best": ("ours", "optimal"),
}
QUICK = ("--set", "requests=20000", "--set", "warmup_requests=1000")


def settings(quick):
    """(network, mode, unit of the load, load, overridden keys) of each setting."""
    for network in NETWORKS:
        for mode in MODES:
            for load in LOADS[2::4] if quick else LOADS:
                yield network, mode, "load", load, [f"workload.arrivals.load={load}", f"reference.npu_mode={mode}"]
    for rho in RHOS[::3] if quick else RHOS:
        arrivals = f"workload.arrivals={{kind: poisson, rho: {rho}}}"
        # rho is relative to the reference's time of a sample: the NPU in mode r, so the systems say their own mode.
        own = [f"systems.{system}.npu_mode=fluid_stacked" for system in SYSTEMS]
        yield "ee_resnet50", "fluid_stacked", "rho", rho, [arrivals, "reference.npu_mode=r", *own]


def changed(keys):
    return [part for key in keys for part in ("--set", key)]


def save_decisions(program, folder, keys):
    """Writes SYSTEM.csv of the best engine and of both objectives of exit_aware, in the same states."""
    for system in ("ours", "outlook", "optimal"):
        own = () if system == "optimal" else ("--own",)
        arguments = ("--system", system, "--save", folder / f"{system}.csv", *own, *changed(keys), *QUICK)
        collect.run(program, "optimum", FILE, *arguments)


def mix(folder, name, start, behind):
    """Writes NAME.csv: of an idle NPU the decisions of START.csv, behind exits those of BEHIND.csv."""
    with open(folder / f"{start}.csv", newline="", encoding="ascii") as a:
        with open(folder / f"{behind}.csv", newline="", encoding="ascii") as b:
            rows = zip(csv.DictReader(a), csv.DictReader(b), strict=True)
            chosen = [idle if idle["active"] == "0" else other for idle, other in rows]
    with open(folder / f"{name}.csv", "w", newline="", encoding="ascii") as file:
        writer = csv.DictWriter(file, list(chosen[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(chosen)


def mixed_decisions(program, database, network, mode, quick):
    """Simulates the tables made of two, beside `optimal` on the same requests."""
    keys = [f"network={network}", f"reference.npu_mode={mode}", f"workload.arrivals.load={DECISIONS_LOAD}"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_decisions(program, folder, keys)
        if (network, mode) == PICTURE:
            for system in ("ours", "outlook", "optimal"):
                collect.add_csv(database, "decisions", (folder / f"{system}.csv").read_text(), policy=system)
        systems = ["  - {label: optimal, policy: {name: optimal, max_batch: 8}}"]
        for mixed, (start, behind) in MIXED.items():
            mix(folder, mixed, start, behind)
            systems.append(f"  - {{label: {mixed}, policy: {{name: table, path: {mixed}.csv}}}}")
        file = folder / "mixed.yaml"
        file.write_text("\n".join([FILE.read_text().split("systems:")[0] + "systems:", *systems]) + "\n")
        measure(program, database, "mixed", file, keys, quick, network=network, mode=mode, load=DECISIONS_LOAD)


def measure(program, database, table, file, keys, quick, **constants):
    """Adds the optima and the simulated means of a configuration's systems, with each seed."""
    for seed in SEEDS[:2] if quick else SEEDS:
        more = QUICK if quick else ()
        text = collect.run(program, "optimum", file, "--csv", "--seed", seed, *changed(keys), *more)
        rows = "\n".join(line for line in text.splitlines() if not line.startswith("note: "))
        collect.add_csv(database, table, rows, **constants, seed=seed)


def fill(program, database, quick):
    for network, mode, unit, load, keys in settings(quick):
        keys = [f"network={network}", *keys]
        measure(program, database, "means", FILE, keys, quick, network=network, mode=mode, unit=unit, load=load)
    for network in NETWORKS:
        for mode in MODES:
            if not quick or (network, mode) == PICTURE:
                mixed_decisions(program, database, network, mode, quick)


def main():
    collect.main("How far policies are from the optimum", fill)
