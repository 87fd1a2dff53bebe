#!/usr/bin/python3
"""`network import`: networks of torchvision against their published work, and files that are meant to do harm."""

import importlib.util
import shutil
import subprocess
import sys
import unittest

from harness import PROGRAM, RELEASE, CommandLineTest
from onnx_file import block, node, number, two_convolutions

EXPORT = """
import sys, torch, torchvision
model = getattr(torchvision.models, sys.argv[1])(weights=None).eval()
torch.onnx.export(model, torch.zeros(1, 3, 224, 224), sys.argv[2], opset_version=13)
"""

# GMAC as torchvision publishes them ("GFLOPS" on its pages), and millions of parameters. In vit_b_16 and swin_t the
# products of attention, which have no weights, are counted there as here.
PUBLISHED = {"vit_b_16": (17.56, 86.6), "convnext_tiny": (4.456, 28.6), "swin_t": (4.49, 28.3),
             "shufflenet_v2_x1_0": (0.145, 2.3), "efficientnet_b0": (0.386, 5.3)}


class Torchvision(CommandLineTest):
    @unittest.skipUnless(importlib.util.find_spec("torchvision"), "needs Debian's python3-torchvision")
    def test_published_work(self):
        for name, (gmac, parameters) in PUBLISHED.items():
            with self.subTest(name):
                subprocess.run([sys.executable, "-c", EXPORT, name, str(self.folder / "m.onnx")], check=True,
                               capture_output=True, timeout=600)
                self.succeed("network", "import", "m.onnx", "--out", f"{name}.yaml")
                text = self.succeed("network", "show", f"./{name}.yaml").stdout
                found = text[text.index(" more fused), "):].split()
                self.assertAlmostEqual(float(found[2]) / 1000, gmac, delta=0.0011 * gmac + 0.0005)
                # Biases, normalisations and embeddings are not counted here.
                self.assertLess(float(found[4]), parameters)
                self.assertGreater(float(found[4]), 0.98 * parameters)


class Refused(CommandLineTest):
    def refuse(self, *arguments, program=PROGRAM):
        before = self.files()
        result = self.call("network", "import", "m.onnx", "--out", "n.yaml", *arguments, program=program)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(self.files(), before)
        return result.stderr

    def test_exits_and_input_size(self):
        (self.folder / "m.onnx").write_bytes(two_convolutions())
        self.assertIn("--exits: 'a' appears twice", self.refuse("--exits", "after=a,a"))
        self.assertIn("nothing is computed after 'c'", self.refuse("--exits", "after=c"))
        self.assertIn("fixes the size of its input 'x' at 16 x 16", self.refuse("--input", "32,32"))

    @unittest.skipUnless(RELEASE, "sanitizers take more memory")
    def test_out_of_memory_is_the_models_fault(self):
        (self.folder / "m.onnx").write_bytes(number(1, 8) + block(7, b"\x0a\x00" * 20_000_000))  # empty nodes
        self.assertEqual(self.refuse(), "m.onnx: not imported: it takes more than 1 GiB of memory\n")

    def test_too_many_nodes(self):
        graph = block(1, node("Relu", ["x"], "y")) * 300_000
        (self.folder / "m.onnx").write_bytes(number(1, 8) + block(7, graph))
        self.assertIn("the model has 300000 nodes; at most 250000 are supported", self.refuse())

    def test_cut_anywhere(self):
        whole = two_convolutions()
        for length in range(0, len(whole), 7):
            (self.folder / "m.onnx").write_bytes(whole[:length])
            self.assertTrue(self.refuse().startswith("m.onnx: "), length)

    def test_nodes_deep_in_each_other(self):
        deep = b""
        for _ in range(3000):
            deep = block(1, block(5, block(6, deep)))  # a graph's node's attribute's graph
        (self.folder / "m.onnx").write_bytes(number(1, 8) + block(7, deep))
        self.assertIn("not an ONNX model", self.refuse())

    def test_an_importer_that_dies(self):
        program = self.folder / "bin" / "fluidbatch"
        importer = self.folder / "libexec" / "fluidbatch" / "network-import"
        for path in (program, importer):
            path.parent.mkdir(parents=True)
        shutil.copy(PROGRAM, program)
        importer.write_text("#!/bin/sh\nkill -SEGV $$\n")
        importer.chmod(0o755)
        (self.folder / "m.onnx").write_bytes(two_convolutions())
        self.assertIn("m.onnx: not imported: the importer stopped with signal 11", self.refuse(program=str(program)))
        importer.write_text("#!/bin/sh\nkill -XCPU $$\n")
        self.assertIn("m.onnx: not imported: it takes more than a minute", self.refuse(program=str(program)))
        importer.unlink()
        self.assertIn("the importer of ONNX models can't be run", self.refuse(program=str(program)))


if __name__ == "__main__":
    unittest.main()
