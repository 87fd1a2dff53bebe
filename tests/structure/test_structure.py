#!/usr/bin/python3
"""The layers of docs/design.md, held by a look at every #include."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("npu_model", "scheduler", "workloads", "sim")

# What a layer may include, besides itself and the standard library.
ALLOWED = {
    "npu_model": {"Eigen"},
    "scheduler": {"npu_model"},
    "workloads": {"npu_model", "yaml-cpp", "onnx"},
    "sim": {"npu_model", "scheduler", "workloads", "simgrid", "xbt", "CLI", "fmt", "rapidjson", "boost"},
}


def sources(*folders):
    return [p for folder in folders for p in sorted((ROOT / folder).rglob("*")) if p.suffix in (".h", ".cpp")]


def includes(path):
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(), re.M)


class Structure(unittest.TestCase):
    def users_of(self, prefix):
        return {str(p.relative_to(ROOT)) for p in sources(*LAYERS, "tests")
                if any(i.startswith(prefix) for i in includes(p))}

    def test_layers_include_downwards_only(self):
        for layer in LAYERS:
            for path in sources(layer):
                for include in includes(path):
                    top = include.split("/")[0]
                    if "/" not in include or top == layer or top == "sys":
                        continue
                    self.assertIn(top, ALLOWED[layer], f"{path.relative_to(ROOT)} includes {include}")

    def test_one_place_for_each_library(self):
        self.assertEqual(self.users_of("simgrid/"), {"sim/engine.cpp", "sim/simgrid_compat.h"})
        self.assertEqual(self.users_of("CLI/"), {"sim/cli/main.cpp"})
        self.assertEqual(self.users_of("sqlite3"), {"sim/sweep/sqlite.cpp"})
        self.assertEqual(self.users_of("xxhash"), {"workloads/io/files_read.cpp"})
        self.assertEqual(self.users_of("boost/"), {"sim/sweep/confidence.cpp"})
        self.assertTrue(all(p.startswith(("workloads/onnx/", "tests/workloads/test_onnx")) for p in self.users_of("onnx/")))
        self.assertEqual({p for p in self.users_of("workloads/onnx/") if p.startswith("sim/")},
                         {"sim/cli/network_import_main.cpp"})
        self.assertEqual(self.users_of("nlopt"), {"sim/fit/npu_fit.cpp"})
        mains = [p for p in sources("tests") if "CATCH_CONFIG_MAIN" in p.read_text()]
        self.assertEqual(len(mains), 1)

    def test_oracles_share_no_code_with_the_model(self):
        oracle = (ROOT / "tests/support/tile_loop.cpp").read_text()
        self.assertNotIn("layer_cost", oracle)

    def test_libraries_neither_print_nor_exit_nor_draw_from_the_library(self):
        for path in sources("npu_model", "scheduler", "workloads"):
            text = path.read_text()
            self.assertIsNone(re.search(r"std::cout|printf\(|\b_?exit\(|\babort\(|std::terminate", text), path)
            self.assertIsNone(re.search(r"std::\w+_distribution|std::random_device|\bstd::(log|exp|pow)\(", text), path)

    def test_each_header_guards_itself_and_says_what_it_is(self):
        for path in sources(*LAYERS):
            if path.suffix == ".h":
                text = path.read_text()
                self.assertTrue(text.startswith("// "), f"{path}: no sentence at its head")
                self.assertIn("#pragma once", text, path)

    def test_a_policy_or_process_is_one_file(self):
        for folder in ("scheduler/policies", "workloads/arrivals", "workloads/exits"):
            for path in sources(folder):
                self.assertEqual(path.suffix, ".cpp", path)
                self.assertRegex(path.read_text(), r"const \w+Registration kRegistration\(", path)


if __name__ == "__main__":
    unittest.main()
