"""Runs the home under each arbiter, whole NPUs against halves, and the routers; keeps what is said of each service."""

import csv
import io
import json
import re
import tempfile
from pathlib import Path

import collect

FOLDER = Path(__file__).resolve().parent
QUICK = ("--set", "requests=3000", "--set", "warmup_requests=300")
# Times the rates of home.yaml; of the others the load, where 1 is what the NPUs can carry.
RATES = (0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6)
LOADS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
SEEDS = range(1, 6)
# In which service the spike is: as home.yaml has it, or visitors at the door instead, 14 times as many faces.
SPIKES = {
    "scenes": (),
    "faces": (
        "workload.devices.doors.arrivals={kind: spike, profile: [{rate_hz: 1.4, duration_s: 10}, "
        "{rate_hz: 20, duration_s: 4}, {rate_hz: 1.4, duration_s: 16}]}",
        "workload.devices.garden.arrivals={kind: poisson, rate_hz: 1.2}",
    ),
}
STATISTICS = (
    "requests",
    "mean_latency_s",
    "p99_latency_s",
    "slo_violation_rate",
    "mean_batch",
    "busy_fraction",
    "antt",
    "stp",
)
COLUMNS = ("service", "saturated", *STATISTICS, "fairness")
MODE = "fluid_stacked"
SIZES = {
    "zu7ev": ("zu7ev_large", "zu7ev_half_width.yaml", "zu7ev_half_columns.yaml"),
    "edge": ("edge_16tops.yaml", "edge_8tops"),
}
FLEETS = {"equal": ("zu7ev_large",) * 4, "mixed": ("zu7ev_large",) * 2 + ("z7045_middle",) * 2}


def rows_of(summary):
    """What a summary.json says: of all requests, and of each service."""
    parts = [("all", summary), *((service["name"], service) for service in summary["services"])]
    for name, part in parts:
        found = part["statistics"]
        yield (name, part["saturated"], *(found[s] for s in STATISTICS), found.get("fairness"))


def add_runs(program, database, table, constants, text, quick, changes=()):
    """Runs a configuration once for each seed, and adds a row for each system and each of its services. The label of a
    system is its policy and what else it is: `ours-priority-preemptive`."""
    names = ("seed", *constants, "policy", "variant", *COLUMNS)
    database.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(names)})")
    sets = [word for change in changes for word in ("--set", change)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "site.yaml"
        file.write_text(re.sub(r"npu: (\w+\.yaml)", rf"npu: {FOLDER}/\1", text))
        for seed in SEEDS[:2] if quick else SEEDS:
            out = Path(folder) / str(seed)
            more = (*sets, *(QUICK if quick else ()))
            collect.run(program, "run", file, "--seed", seed, "--driver", "bare", "--out", out, *more)
            for system in sorted(path.parent for path in out.glob("*/summary.json")):
                policy, variant = system.name.split("-", 1)
                for row in rows_of(json.loads((system / "summary.json").read_text())):
                    values = (seed, *constants.values(), policy, variant, *row)
                    database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)


def scaled(text, key, factor):
    """A configuration with all rates in `key` multiplied."""
    return re.sub(rf"\b{key}: ([\d.]+)", lambda found: f"{key}: {float(found[1]) * factor:.10g}", text)


def capacity_hz(program, text, npu, network):
    """The rate at which the load of an NPU is 1 with one network, and the exits of `text`."""
    exits = re.search(r"exits: (\{.*?\})", text)[1]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "one.yaml"
        npu = FOLDER / npu if npu.endswith(".yaml") else npu
        file.write_text(
            f"network: {network}\nreference: {{npu: {npu}, npu_mode: {MODE}}}\nrequests: 1000\n"
            f"workload: {{arrivals: {{kind: poisson, load: 1}}, exits: {exits}}}\n"
            f"systems: [{{policy: {{name: serial}}}}]\n"
        )
        described = collect.run(program, "workload", "describe", file, "--csv")
    rows = {row["name"]: row["value"] for row in csv.DictReader(io.StringIO(described))}
    return float(rows["capacity_hz"])


def capacities(program, database, npus, text):
    """{(NPU, network): requests a second}, kept in a table too."""
    database.execute("CREATE TABLE IF NOT EXISTS capacities (npu, network, capacity_hz, UNIQUE (npu, network))")
    found = {}
    for npu in dict.fromkeys(npus):
        for network in dict.fromkeys(re.findall(r"network: (\w+)", text)):
            found[npu, network] = capacity_hz(program, text, npu, network)
            row = (npu, network, found[npu, network])
            database.execute("INSERT OR IGNORE INTO capacities VALUES (?, ?, ?)", row)
    return found


def fleet_capacity(capacity, npus):
    """How much of the mix of half `npus[0]`'s time for each network the NPUs carry together, `npus[0]` being 1."""
    networks = sorted({network for _, network in capacity})
    times = [sum(capacity[npus[0], n] / capacity[npu, n] for n in networks) / len(networks) for npu in npus]
    return sum(1 / time for time in times)


def fill(program, database, quick):
    home = (FOLDER / "home.yaml").read_text()
    for spike, changes in SPIKES.items():
        for rate in RATES[1::2] if quick else RATES:
            constants = {"spike": spike, "rate": rate}
            changed = [scaled(change, "rate_hz", rate) for change in changes]
            add_runs(program, database, "home", constants, scaled(home, "rate_hz", rate), quick, changed)
    loads = LOADS[1::3] if quick else LOADS
    for family, npus in SIZES.items():
        text = (FOLDER / f"sizes_{family}.yaml").read_text()
        capacities(program, database, npus, text)
        for load in loads:
            add_runs(program, database, "sizes", {"family": family, "load": load}, scaled(text, "load", load), quick)
    for fleet, npus in FLEETS.items():
        text = (FOLDER / f"routers_{fleet}.yaml").read_text()
        size = fleet_capacity(capacities(program, database, npus, text), npus)
        for load in loads:
            constants = {"fleet": fleet, "load": load}
            add_runs(program, database, "routers", constants, scaled(text, "load", load * size), quick)


def main():
    collect.main("A site: several services, and several NPUs", fill)
