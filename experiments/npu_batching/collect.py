"""Latency and utilisation of five networks on three NPUs, each mode and batch size."""

import collect

NETWORKS = ("ee_resnet50", "ee_resnet18", "ee_mobilenet_v2", "ee_inception_v3", "ee_vgg16")
NPUS = ("zu7ev_small", "zu7ev_middle", "zu7ev_large")
MODES = ("r", "p", "fluid", "r_stacked", "fluid_stacked")


def fill(program, database, _quick):
    for npu in NPUS:
        for network in NETWORKS:
            for mode in MODES:
                text = collect.npu_table(program, network, npu, mode, 16)
                collect.add_csv(
                    database,
                    "layers",
                    "\n".join(
                        ",".join(c for i, c in enumerate(line.split(",")) if i != 2) for line in text.splitlines()
                    ),
                    npu=npu,
                    network=network,
                    mode=mode,
                )
    database.execute(
        """CREATE VIEW networks AS SELECT npu, network, mode, batch, sum(latency_s) AS latency_s, sum(latency_s *
                        mac_utilisation) / sum(latency_s) AS mac_utilisation FROM layers GROUP BY 1, 2, 3, 4"""
    )


def main():
    collect.main("Latencies by mode and batch size", fill)
