#!/usr/bin/python3
"""Shipped NPUs are what the search finds; what stays on the chip, from the command line."""

import csv
import io
import shlex
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import RELEASE, ROOT, CommandLineTest  # noqa: E402

NPUS = sorted((ROOT / "npu_model/npus").glob("*.yaml"))
CHIP = """\
t_r: 128
t_p: 16
t_c: 32
clock_hz: 2.0e+8
bandwidth_bytes_per_s: 1.0e+9
input_path: line_buffer
"""


def keys(text):
    """The lines of an NPU's YAML that are not words for people."""
    return sorted(line for line in text.splitlines() if not line.startswith(("#", "description:")))


class Npus(CommandLineTest):
    def rows(self, *arguments):
        return list(csv.DictReader(io.StringIO(self.succeed("npu", *arguments, "--csv").stdout)))

    def refuse(self, text, pattern):
        self.write("npu.yaml", text)
        result = self.call("npu", "table", "--network", "resnet18", "--npu", "npu.yaml", "--max-batch", 2)
        self.assertEqual((result.returncode, result.stdout), (2, ""), result.stderr)
        self.assertRegex(result.stderr, pattern)

    @unittest.skipUnless(RELEASE, "takes long with sanitizers")
    def test_shipped_npus_are_what_the_search_finds(self):
        found = 0
        for path in NPUS:
            first = path.read_text().splitlines()[0]
            if not first.startswith("# found by: fluidbatch "):
                continue
            words = shlex.split(first.removeprefix("# found by: fluidbatch "))
            words[words.index("--save") + 1] = path.name
            with self.subTest(npu=path.name):
                self.succeed(*words)
                self.assertEqual(keys((self.folder / path.name).read_text()), keys(path.read_text()))
                found += 1
        self.assertGreaterEqual(found, 7)

    def test_the_search_shows_what_layers_keep_and_the_board_has_it(self):
        arguments = ("search", "--network", "ee_resnet18", "--board", "edge_8tops", "--t_p", "64", "--t_c", "64,32", "--t_r", "56,112",
                     "--word_bytes", "1", "--input_path", "line_buffer")
        streams, keeps = self.rows(*arguments), self.rows(*arguments, "--residency", "auto")
        self.assertEqual({(r["t_p"], r["t_c"]) for r in keeps}, {("64", "64"), ("64", "32")})
        for row in keeps:
            self.assertLessEqual(int(row["on_chip_bytes"]), 4 << 20)
        self.assertGreater(int(keeps[0]["on_chip_bytes"]), 10 * int(streams[0]["on_chip_bytes"]))
        self.assertLess(float(keeps[0]["latency_per_sample_s"]), float(streams[0]["latency_per_sample_s"]))

    def test_words_of_each_residency(self):
        """A row block that stays brings each word of the input once; what stays fits the chip."""
        for residency in ("stream", "row", "column", "weights"):
            self.write("npu.yaml", f"{CHIP}residency: {residency}\n")
            for row in self.rows("table", "--network", "resnet18", "--npu", "npu.yaml", "--max-batch", 2):
                self.assertEqual(row["residency"], residency)
                if residency in ("row", "weights"):
                    self.assertEqual(row["input_words"], row["unique_input_words"])
                else:
                    self.assertEqual(int(row["input_words"]) % int(row["unique_input_words"]), 0)

    def test_explain_names_what_bounds(self):
        self.write("npu.yaml", CHIP + "residency: auto\non_chip_bytes: 200000\n")
        rows = self.rows("explain", "--network", "resnet18", "--npu", "npu.yaml", "--layer", "conv4_1_a", "--batch", 2)
        self.assertEqual({r["residency"] for r in rows}, {"stream", "row", "column", "weights"})
        self.assertLessEqual({r["bound"] for r in rows}, {"compute", "input", "weights", "output"})
        for row in (r for r in rows if r["b_p"] == "1"):
            self.assertEqual(row["feasible"] == "1", int(row["on_chip_bytes"]) <= 200000)
        fastest = min((r for r in rows if r["feasible"] == "1"), key=lambda r: float(r["latency_cycles"]))
        self.assertEqual(fastest["chosen"], "1")

    def test_wrong_memory(self):
        self.refuse(CHIP + "residency: auto\n", r"npu.yaml:7:\d+: residency: auto needs.*on_chip_bytes.*board")
        self.refuse(CHIP + "residency: rows\n", r"npu.yaml:7:\d+: .*'rows'.*row")
        self.refuse(CHIP + "input_pth: im2col\n", r"npu.yaml:7:\d+: .*'input_pth'.*input_path")
        self.refuse(CHIP + "weight_reuse: column\n", r"npu.yaml:7:\d+: weight_reuse: column is now residency: column")
        self.refuse(CHIP + "on_chip_bytes: 1000\n", r"npu.yaml:7:\d+: on_chip_bytes must hold the buffers for tiles, which take \d+ bytes")
        self.refuse(CHIP + "on_chip_bytes: 0\n", r"npu.yaml:7:\d+: on_chip_bytes must be")
        self.refuse(CHIP + "on_chip_bytes: 60000\nresidency: weights\n", r"NPU 'npu': layer 'conv\w*', batch 1: .*needs \d+ of 60000 bytes")
        self.refuse(CHIP + "board: zu7ev\non_chip_bytes: 5000000\n", r"npu.yaml:7:\d+: on_chip_bytes is above the 4980736 of board 'zu7ev'")
        self.refuse(CHIP + "layer_overhead_cycles: -1\n", r"npu.yaml:7:\d+: layer_overhead_cycles must be")


if __name__ == "__main__":
    unittest.main()
