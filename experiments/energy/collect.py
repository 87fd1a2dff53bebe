"""Energy of each policy in each mode against load, of five networks on all shipped NPUs; the words that each mode
moves; and latency and energy over tile sizes."""

import collect
from experiments.energy import operation_energies
from python_module import fb

NPUS = tuple(fb.npus())
QUICK_NPUS = ("zu7ev_buffered", "edge_8tops")
NETWORKS = ("ee_resnet50", "ee_mobilenet_v2", "ee_inception_v3", "ee_vgg16", "ee_resnet18")
MODES = ("r", "p", "fluid", "r_stacked", "fluid_stacked")
BATCHES = (1, 2, 4, 8)
LOADS = (0.2, 0.4, 0.8, 1.2, 1.6, 2.0)
SLO_MULTIPLE = 3  # of the single-sample latency of the network on the reference, mode r
POLICIES = {
    "serial": {"name": "serial"},
    "dynamic": {"name": "dynamic_batching", "max_batch": 8},  # with a delay of an eighth of the SLO
    "greedy": {"name": "dynamic_batching", "max_batch": 8},
    "lazy": {"name": "lazy_batching", "max_batch": 8},
    "ours": {"name": "exit_aware", "max_batch": 8},
}
PARTS = ("mac", "buffer", "dram", "static")
STATISTICS = (
    *("energy_per_request_j", "average_power_w", "energy_delay_product_js"),
    *(f"{part}_energy_per_request_j" for part in PARTS),
    *("mean_latency_s", "slo_violation_rate", "busy_fraction", "mean_batch"),
)
COLUMNS = ("npu", "network", "policy", "mode", "rho", "replication", "saturated", *STATISTICS)
TILE_NPUS = ("zu7ev_buffered", "edge_8tops")  # whose tiles vary, with as many multipliers, or half of them
ROW_TILES = (28, 56, 96, 196, 392)
DEPTH_TILES = (8, 16, 27, 32, 48, 64, 96)
TILE_MODES = ("r", "fluid_stacked")


def single_sample_s(npu, network):
    return float(fb.latency_table(network, npu, "r", 1).sum())


def systems(npu, network):
    """A system for each policy and mode, named `policy-mode`."""
    delay_ms = 1000 * SLO_MULTIPLE * single_sample_s(npu, network) / 8
    for policy, keys in POLICIES.items():
        delay = {"max_queue_delay_ms": delay_ms} if policy == "dynamic" else {}
        for mode in MODES:
            yield {"label": f"{policy}-{mode}", "policy": {**keys, **delay}, "npu": npu, "npu_mode": mode}


def sweep(database, npu, network, quick):
    """Adds the points of one network on one NPU to the table `loads`."""
    base = {
        "seed": 1,
        "requests": 3000 if quick else 20000,
        "warmup_requests": 300 if quick else 1000,
        "network": network,
        "reference": {"npu": npu, "npu_mode": "r"},
        "slo": {"unloaded_multiple": SLO_MULTIPLE},
        "workload": {
            "arrivals": {"kind": "poisson", "rho": 1},
            "exits": {"kind": "rates", "rates": [0.30, 0.35, 0.40]},
        },
        "systems": list(systems(npu, network)),
    }
    grid = {"workload.arrivals.rho": list(LOADS[1::2] if quick else LOADS)}
    plan = {"base": base, "axes": {"grid": grid}, "replications": 1 if quick else 3}
    columns = f'system, "workload.arrivals.rho", replication, saturated, {", ".join(STATISTICS)}'
    rows = collect.swept(fb.Sweep(plan), columns)
    database.execute(f"CREATE TABLE IF NOT EXISTS loads ({', '.join(COLUMNS)})")
    found = [(npu, network, *system.split("-"), *rest) for system, *rest in rows]
    collect.insert(database, "loads", COLUMNS, found)


def words(database, npu, network):
    """What a batch moves and takes in each mode, all layers together."""
    database.execute(
        "CREATE TABLE IF NOT EXISTS words (npu, network, mode, batch, input_words, weight_words, output_words, "
        "latency_s, energy_j)"
    )
    for mode in MODES:
        table = fb.Npu(npu).table(network, mode, max_batch=max(BATCHES))
        for batch in BATCHES:
            rows = table[table["batch"] == batch]
            sums = [
                rows[column].sum().item()
                for column in ("input_words", "weight_words", "output_words", "latency_s", "energy_j")
            ]
            database.execute(
                f"INSERT INTO words VALUES ({', '.join('?' * 9)})", (npu, network, mode, batch, *sums)
            )


def tile_sizes(base):
    """<T_R, T_P, T_C> with as many multipliers as the base has, and with half of them."""
    for t_p in DEPTH_TILES:
        for multipliers in (base.t_p * base.t_c, base.t_p * base.t_c // 2):
            t_c = multipliers // t_p // base.k_max * base.k_max
            if t_c >= base.k_max:
                for t_r in ROW_TILES:
                    yield t_r, t_p, t_c


def tiles(database, quick):
    """Latency and energy of a sample of EE-ResNet-50 over tile sizes, each with the energies of its own buffers."""
    database.execute(
        "CREATE TABLE tiles (npu, mode, batch, t_r, t_p, t_c, latency_per_sample_s, energy_per_sample_j)"
    )
    for npu in TILE_NPUS:
        base = fb.Npu(npu)
        for t_r, t_p, t_c in list(tile_sizes(base))[:: 5 if quick else 1]:
            try:
                design = fb.Npu(base, t_r=t_r, t_p=t_p, t_c=t_c, energy=None)
                design = fb.Npu(design, energy=operation_energies.of(design, base.keys["energy"]["static_w"]))
            except fb.InputError:  # its buffers are larger than the board's
                continue
            for mode in TILE_MODES:
                table = design.table("ee_resnet50", mode, max_batch=8)
                for batch in (1, 8):
                    rows = table[table["batch"] == batch]
                    per_sample = [rows[column].sum().item() / batch for column in ("latency_s", "energy_j")]
                    database.execute(
                        f"INSERT INTO tiles VALUES ({', '.join('?' * 8)})",
                        (npu, mode, batch, t_r, t_p, t_c, *per_sample),
                    )


def fill(_program, database, quick):
    for npu in QUICK_NPUS if quick else NPUS:
        for network in NETWORKS[:2] if quick else NETWORKS:
            sweep(database, npu, network, quick)
    for npu in NPUS:
        for network in NETWORKS:
            words(database, npu, network)
    tiles(database, quick)


def main():
    collect.main("Energy", fill)
