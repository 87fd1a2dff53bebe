"""Cells of small engines, as Yosys counted them, and what stacking brings at batch 1 on shipped NPUs."""

import collect
from area import synthesise
from python_module import fb

NETWORKS = ("ee_resnet50", "ee_resnet18", "ee_mobilenet_v2", "ee_inception_v3", "ee_vgg16")
NPUS = ("zu7ev_large", "zu7ev_middle", "zu7ev_small", "z7045_middle")


def utilisation(npu, network, k_max):
    """Of the multipliers at batch 1, with R-batching where PEs cannot stack."""
    mode = "r" if k_max == 1 else "fluid_stacked"
    table = fb.Npu(npu, k_max=k_max).table(network, mode, max_batch=1)
    return float((table["latency_s"] * table["mac_utilisation"]).sum() / table["latency_s"].sum())


def fill(_program, database, _quick):
    _, engines = synthesise.read()
    database.execute(f"CREATE TABLE engines ({', '.join(synthesise.HEAD)})")
    rows = [[engine[name] for name in synthesise.HEAD] for engine in engines]
    database.executemany(f"INSERT INTO engines VALUES ({', '.join('?' * len(synthesise.HEAD))})", rows)
    database.execute("CREATE TABLE gains (npu, t_p, t_c, network, k_max, mac_utilisation)")
    for npu in NPUS:
        shape = fb.Npu(npu)
        for network in NETWORKS:
            for k_max in synthesise.K_MAX:
                row = (npu, shape.t_p, shape.t_c, network, k_max, utilisation(npu, network, k_max))
                database.execute("INSERT INTO gains VALUES (?, ?, ?, ?, ?, ?)", row)


def main():
    collect.main("Area, and what stacking brings", fill)
