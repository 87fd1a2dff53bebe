"""The headline's grid on each NPU that ships and on engines whose tiles are searched for each mode, with loads relative
to what each carries."""

import concurrent.futures
import tempfile
from pathlib import Path

import collect
from python_module import fb

from headline import grid

SHIPPED = (
    *("zu7ev_small", "zu7ev_middle", "zu7ev_large", "zu7ev_buffered"),
    *("z7045_middle", "z7045_buffered", "edge_8tops", "edge_24tops"),
)
SEARCHED = ("zu7ev_large", "zu7ev_buffered", "z7045_middle", "z7045_buffered", "edge_8tops", "edge_24tops")
KEPT = ("clock_hz", "bandwidth_bytes_per_s", "word_bytes", "input_path", "residency", "row_weights", "k_max")
NETWORKS, MULTIPLES = grid.FULL.networks, grid.FULL.multiples
MODES = ("r", "fluid_stacked")
LOADS = (0.15, 0.3, 0.45, 0.6, 0.75)
KINDS = ("Poisson", "gamma, CV 2", "10 cameras", "bursts")
DELAY_SHARE = 1 / 8  # of the SLO
YARDSTICK = "zu7ev_large"  # whose bursts and jitters are those of the headline
BURST_S, CALM_S, JITTER_S = 1, 4, 0.003
COLUMNS = (
    *("npu", "network", "kind", "load", "multiple", "system", "replication"),
    *("requests", "mean_s", "late", "saturated"),
)
# Of a quick run: less of the grid, and a few tiles to search among.
QUICK = {"networks": NETWORKS[:2], "multiples": MULTIPLES[1:2], "kinds": KINDS[::3], "loads": LOADS[1::3]}
FULL = {"networks": NETWORKS, "multiples": MULTIPLES, "kinds": KINDS, "loads": LOADS}
QUICK_SEARCHED = SEARCHED[::2]
QUICK_TILES = {"t_r": (28, 104, 196), "t_p": (7, 13, 27), "t_c": (64, 128)}
QUICK_EDGE_TILES = {"t_r": (56, 112, 196), "t_p": (32, 64), "t_c": (64, 128)}


def single_sample_s(network, npu):
    return float(fb.latency_table(network, npu, "r", 1).sum())


def searched_engine(name, network, mode, tiles):
    """The best engine for a network in a mode, on the board and with the memories of an NPU that ships."""
    keys = fb.Npu(name).keys
    return fb.search(network, keys["board"], mode=mode, **{key: keys[key] for key in KEPT if key in keys}, **tiles).best


def engines(quick):
    """{(row's name, network): {mode: NPU}} of all rows."""
    networks = (QUICK if quick else FULL)["networks"]
    found = {(name, network): dict.fromkeys(MODES, fb.Npu(name)) for name in SHIPPED for network in networks}
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        wanted = {}
        for name in QUICK_SEARCHED if quick else SEARCHED:
            tiles = (QUICK_EDGE_TILES if name.startswith("edge") else QUICK_TILES) if quick else {}
            for network in networks:
                for mode in MODES:
                    key = (f"{name}, tiles searched", network)
                    wanted[key, mode] = pool.submit(searched_engine, name, network, mode, tiles)
        for (key, mode), search in wanted.items():
            found.setdefault(key, {})[mode] = search.result()
    return found


def devices(kind, load, scale):
    """`workload.devices` of a kind of arrivals; `scale`: how much longer its times are than the headline's."""
    if kind == "10 cameras":
        arrivals = {"kind": "periodic", "load": load / 10, "jitter_ms": 1000 * JITTER_S * scale}
        return [{"count": 10, "arrivals": arrivals}]
    if kind == "bursts":  # (4 x 0.5 + 1 x 3) / 5 = 1
        calm = {"load": 0.5 * load, "mean_duration_s": CALM_S * scale}
        burst = {"load": 3 * load, "mean_duration_s": BURST_S * scale}
        return [{"arrivals": {"kind": "mmpp", "states": [calm, burst]}}]
    if kind == "Poisson":
        return [{"arrivals": {"kind": "poisson", "load": load}}]
    return [{"arrivals": {"kind": "gamma", "load": load, "cv": 2}}]


def files_of(by_mode, folder):
    """The engine of each mode as a configuration names it."""
    named = {}
    for mode, engine in by_mode.items():
        if engine.name in SHIPPED:
            named[mode] = engine.name
        else:
            named[mode] = str(Path(folder) / f"{mode}.yaml")
            engine.save(named[mode])
    return named


def plan_of(network, by_mode, files, quick):
    """The sweep of a network on the engines of a row, and (kind, load, multiple) of its settings in their order."""
    part = QUICK if quick else FULL
    unloaded_s = single_sample_s(network, by_mode["r"])
    scale = unloaded_s / single_sample_s(network, YARDSTICK)
    systems = [
        *(grid.system("dynamic", 1), grid.system("greedy"), grid.system("lazy")),
        *({**grid.system("ours"), "label": "ours_r", "npu_mode": "r"}, grid.system("ours")),
    ]
    base = {
        "seed": 1,
        "requests": 3000 if quick else 20000,
        "warmup_requests": 300 if quick else grid.WARMUP,
        "network": network,
        "reference": {"npu": files["r"], "npu_mode": "r"},
        "slo": {"unloaded_multiple": 3},
        "workload": {"devices": devices("Poisson", 0.5, 1), "exits": {"kind": "rates", "rates": grid.RATES}},
        "outputs": {"requests_csv": False, "bounds": False},
        "systems": [{**system, "npu": files[system["npu_mode"]]} for system in systems],
    }
    arrivals = [(kind, load) for kind in part["kinds"] for load in part["loads"]]
    axes = {
        "zip": {
            "slo.unloaded_multiple": list(part["multiples"]),
            "systems.dynamic.policy.max_queue_delay_ms": [
                1000 * DELAY_SHARE * multiple * unloaded_s for multiple in part["multiples"]
            ],
        },
        "list": [{"workload.devices": devices(kind, load, scale)} for kind, load in arrivals],
    }
    settings = [(*arrival, multiple) for multiple in part["multiples"] for arrival in arrivals]
    return {"base": base, "axes": axes, "replications": 2 if quick else grid.REPLICATIONS}, settings


def sweep(database, npu, network, by_mode, quick):
    """Adds the points of one network on the engines of a row."""
    with tempfile.TemporaryDirectory() as folder:
        plan, settings = plan_of(network, by_mode, files_of(by_mode, folder), quick)
        rows = collect.swept(
            fb.Sweep(plan),
            "setting, system, replication, requests, mean_latency_s, slo_violation_rate, saturated, "
            '"slo.unloaded_multiple"',
        )
    if len(rows) != 5 * len(settings) * plan["replications"] or any(settings[r[0]][2] != r[7] for r in rows):
        raise RuntimeError(f"{npu}, {network}: the sweep has other points than were asked for")
    found = [(npu, network, *settings[setting], *rest) for setting, *rest, _ in rows]
    collect.insert(database, "points", COLUMNS, found)


def describe(database, npu, network, by_mode):
    """Adds tiles, latencies at batch 1 and 8 and utilisation at batch 1 of the engine of each mode."""
    for mode, engine in by_mode.items():
        latencies_s = fb.latency_table(network, engine, mode, 8).sum(axis=0)
        database.execute(
            "INSERT INTO engines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(npu, network, mode, engine.t_r, engine.t_p, engine.t_c),
                *(float(latencies_s[0]), float(latencies_s[7]), float(engine.utilisation(network, mode, 1)[0])),
            ),
        )


def fill(_program, database, quick):
    database.execute(
        "CREATE TABLE engines (npu, network, mode, t_r, t_p, t_c, latency_b1_s, latency_b8_s, utilisation_b1)"
    )
    database.execute(f"CREATE TABLE points ({', '.join(COLUMNS)})")
    for (npu, network), by_mode in engines(quick).items():
        describe(database, npu, network, by_mode)
        sweep(database, npu, network, by_mode, quick)
        database.commit()


def main():
    collect.main("The headline on every NPU", fill)
