"""Latency and utilisation of five networks on three NPUs, each mode and batch size."""

import collect
from python_module import fb

NETWORKS = ("ee_resnet50", "ee_resnet18", "ee_mobilenet_v2", "ee_inception_v3", "ee_vgg16")
NPUS = ("zu7ev_small", "zu7ev_middle", "zu7ev_large")
MODES = ("r", "p", "fluid", "r_stacked", "fluid_stacked")


def fill(_program, database, _quick):
    for npu in NPUS:
        for network in NETWORKS:
            for mode in MODES:
                table = fb.Npu(npu).table(network, mode, max_batch=16)
                table = table[[name for name in table.columns if name != "mode"]]
                collect.add_rows(database, "layers", table, npu=npu, network=network, mode=mode)
    database.execute(
        """CREATE VIEW networks AS SELECT npu, network, mode, batch, sum(latency_s) AS latency_s, sum(latency_s *
                        mac_utilisation) / sum(latency_s) AS mac_utilisation FROM layers GROUP BY 1, 2, 3, 4"""
    )


def main():
    collect.main("Latencies by mode and batch size", fill)
