"""What the model's assumptions about traffic are worth: each network on each NPU, with im2col or line buffers, and with
tiles alone on the chip or what pays, as tables in Markdown.

    experiments/run.py memory_traffic table --summary | --pairs [--program FLUIDBATCH]
"""

import argparse
import statistics

from python_module import fb

NPUS = ("zu7ev_large", "zu7ev_middle", "zu7ev_small", "z7045_middle", "edge_8tops", "edge_24tops")
NETWORKS = ("ee_inception_v3", "ee_mobilenet_v2", "ee_resnet18", "ee_resnet50", "ee_vgg16")
ASSUMPTIONS = (("im2col", "stream"), ("line_buffer", "stream"), ("im2col", "auto"), ("line_buffer", "auto"))
MODES = ("r", "r_stacked", "fluid_stacked")
BATCHES = (1, 8)


def latencies_ms(npu, network, mode):
    """{batch: milliseconds of the whole network}."""
    total_s = fb.latency_table(network, npu, mode, max(BATCHES)).sum(axis=0)
    return {batch: 1000 * total_s[batch - 1] for batch in BATCHES}


def measure():
    """{(npu, network, assumption, mode): {batch: ms}}, of shipped NPUs with other assumptions."""
    found = {}
    for npu in NPUS:
        for input_path, residency in ASSUMPTIONS:
            changed = fb.Npu(npu, input_path=input_path, residency=residency, row_weights="each_block")
            for network in NETWORKS:
                for mode in MODES:
                    found[npu, network, (input_path, residency), mode] = latencies_ms(changed, network, mode)
    return found


def summary(found):
    pairs = [(npu, network) for npu in NPUS for network in NETWORKS]
    print(
        "| batch | input path | residency | latency against im2col and stream, mode r: mean (least to most) | the "
        "same, fluid_stacked | "
        "fluid_stacked against r: mean (most) | blocks pay: pairs |"
    )
    print("|---|---|---|---|---|---|---|")
    for batch in BATCHES:
        for assumption in ASSUMPTIONS:
            cells = []
            for mode in ("r", "fluid_stacked"):
                ratios = [
                    found[*pair, assumption, mode][batch] / found[*pair, ASSUMPTIONS[0], mode][batch] for pair in pairs
                ]
                cells.append(f"{statistics.geometric_mean(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
            gains = [
                found[*pair, assumption, "r"][batch] / found[*pair, assumption, "fluid_stacked"][batch]
                for pair in pairs
            ]
            cells.append(f"{statistics.geometric_mean(gains):.2f} ({max(gains):.2f})")
            blocks = sum(
                found[*pair, assumption, "r_stacked"][batch] > 1.01 * found[*pair, assumption, "fluid_stacked"][batch]
                for pair in pairs
            )
            print(f"| {batch} | {assumption[0]} | {assumption[1]} | {' | '.join(cells)} | {blocks} of {len(pairs)} |")


def all_pairs(found):
    print("| NPU | network | batch | " + " | ".join(f"{path}, {residency}" for path, residency in ASSUMPTIONS) + " |")
    print("|---|---|---|" + "---|" * len(ASSUMPTIONS))
    for npu in NPUS:
        for network in NETWORKS:
            for batch in BATCHES:
                cells = [
                    f"{found[npu, network, a, 'r'][batch]:.4g} / "
                    f"{found[npu, network, a, 'fluid_stacked'][batch]:.4g}"
                    for a in ASSUMPTIONS
                ]
                print(f"| {npu} | {network} | {batch} | {' | '.join(cells)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", help="whose Python module is taken")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--summary", dest="show", action="store_const", const=summary, help="means over all pairs")
    which.add_argument("--pairs", dest="show", action="store_const", const=all_pairs, help="milliseconds of each pair")
    arguments = parser.parse_args()
    arguments.show(measure())
