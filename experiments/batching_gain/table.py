"""The batching gain of our classes of NPUs, 8 L(1) / L(8), beside that of published boards, as a table in Markdown.

    experiments/run.py batching_gain table [--program FLUIDBATCH]

The boards' numbers are those that their makers publish; the classes are not models of these boards. The overhead is
what each layer would have to take besides for the class to have the board's gain.
"""

import argparse

from python_module import fb

# Board, network, milliseconds of a batch of 1 and of 8.
PUBLISHED = (
    ("Jetson Orin", "resnet50", 0.636, 2.164),
    ("M5Stack LLM-8850", "resnet50", 1e3 / 576, 8e3 / 1045),
    ("M5Stack LLM-8850", "resnet18", 1e3 / 1066, 8e3 / 2254),
    ("M5Stack LLM-8850", "mobilenet_v2", 1e3 / 1366, 8e3 / 5073),
)
CLASSES = ("edge_8tops", "edge_24tops")


def overhead_cycles(one_s, eight_s, gain, layers, clock):
    """Cycles h of each layer with 8 (L(1) + n h) = gain (L(8) + n h)."""
    return (gain * eight_s - 8 * one_s) / (8 - gain) / layers * clock


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", help="whose Python module is taken")
    parser.parse_args()
    print(
        "| network | board: batch 1, batch 8 (ms) | its gain | class | batch 1, batch 8 (ms) | its gain | overhead "
        "for the board's gain, "
        "cycles a layer |"
    )
    print("|---|---|---|---|---|---|---|")
    for board, network, one_ms, eight_ms in PUBLISHED:
        gain = 8 * one_ms / eight_ms
        for npu in map(fb.Npu, CLASSES):
            latencies_s = fb.latency_table(network, npu, "fluid_stacked", max_batch=8)
            one, eight = latencies_s[:, 0].sum(), latencies_s[:, 7].sum()
            layers = len(latencies_s)
            overhead = overhead_cycles(one, eight, gain, layers, npu.clock_hz)
            needed = f"{overhead:,.0f} of {layers} layers" if overhead >= 0 else "none: the class gains more"
            print(
                f"| {network} | {board}: {one_ms:.3f}, {eight_ms:.3f} | {gain:.2f} | {npu.name} | {1000 * one:.3f}, "
                f"{1000 * eight:.3f} | "
                f"{8 * one / eight:.2f} | {needed} |"
            )
