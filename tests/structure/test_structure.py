#!/usr/bin/python3
"""The layers of docs/design.md, held by a look at every #include."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("npu_model", "scheduler", "workloads", "sim")

# The folders of the project that a folder may include, besides its own.
ARROWS = {
    "npu_model": (),
    "scheduler": ("npu_model",),
    "scheduler/optimum": ("scheduler", "npu_model"),
    "scheduler/policies": ("scheduler", "scheduler/optimum", "npu_model"),
    "scheduler/exit_controls": ("scheduler", "npu_model"),
    "scheduler/arbiters": ("scheduler", "npu_model"),
    "scheduler/routers": ("scheduler",),
    "workloads": ("workloads/io",),
    "workloads/io": (),
    "workloads/models": ("npu_model", "workloads/io"),
    "workloads/models/onnx": ("workloads/models", "workloads/io"),
    "workloads/traffic": ("workloads", "workloads/io"),
    "workloads/traffic/arrivals": ("workloads/traffic", "workloads", "workloads/io"),
    "workloads/exits": ("workloads/traffic", "workloads", "workloads/io"),
    "workloads/uplink": ("workloads/traffic", "workloads", "workloads/io"),
    "sim/core": ("npu_model", "scheduler", "workloads", "workloads/traffic"),
    "sim/drive": ("scheduler", "sim/core", "workloads/io", "workloads/traffic", "workloads/uplink"),
    "sim/measure": ("sim/core", "npu_model", "scheduler", "workloads/traffic"),
    "sim/scenario": ("sim/measure", "npu_model", "scheduler", "workloads", "workloads/io", "workloads/models", "workloads/traffic", "workloads/exits",
                     "workloads/uplink"),
    "sim/config": ("sim/scenario", "sim/measure", "npu_model", "scheduler", "scheduler/optimum", "workloads/io", "workloads/models", "workloads/traffic", "workloads/exits",
                   "workloads/uplink"),
    "sim/output": ("sim/measure", "sim/core", "sim/scenario", "npu_model", "scheduler", "workloads/io"),
    "sim/fit": ("npu_model", "workloads", "workloads/io", "workloads/models"),
    "sim/models": ("npu_model", "workloads/io", "workloads/models"),
    "sim/run": ("sim/scenario", "sim/core", "sim/drive", "sim/measure", "sim/output", "npu_model", "scheduler", "scheduler/optimum", "workloads/io", "workloads/traffic",
                "workloads/uplink"),
    "sim/tail": ("sim/run", "sim/scenario", "sim/core", "sim/drive", "sim/measure", "npu_model", "scheduler", "workloads", "workloads/io", "workloads/traffic"),
    "sim/sweep": ("sim/tail", "scheduler", "scheduler/optimum", "sim/core", "sim/run", "sim/config", "sim/scenario", "sim/drive", "sim/measure", "sim/output", "workloads", "workloads/io"),
    "sim/explorer": ("sim/sweep", "sim/output", "sim/measure", "workloads/io"),
    "sim/schema": ("sim/sweep", "sim/config", "sim/measure", "scheduler", "workloads/io", "workloads/models"),
    "sim/cli": ("sim/explorer", "sim/schema", "sim/tail", "sim/core", "sim/sweep", "sim/run", "sim/config", "sim/scenario", "sim/drive", "sim/measure", "sim/output", "sim/fit", "sim/models", "scheduler",
                "scheduler/optimum", "npu_model", "workloads/io", "workloads/models", "workloads/models/onnx"),
    "sim/python": ("sim/tail", "sim/core", "sim/sweep", "sim/run", "sim/config", "sim/scenario", "sim/drive", "sim/measure", "sim/output", "sim/fit", "sim/models", "scheduler",
                   "scheduler/optimum", "npu_model", "workloads", "workloads/io", "workloads/models", "workloads/traffic", "workloads/exits"),
}

# Libraries that a layer may use, besides the standard one.
LIBRARIES = {
    "npu_model": {"Eigen"},
    "scheduler": set(),
    "workloads": {"yaml-cpp", "onnx"},
    "sim": {"simgrid", "xbt", "CLI", "fmt", "rapidjson", "boost", "pybind11"},
}


def sources(*folders):
    return [p for folder in folders for p in sorted((ROOT / folder).rglob("*")) if p.suffix in (".h", ".cpp")]


def includes(path):
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(), re.M)


class Structure(unittest.TestCase):
    def users_of(self, prefix):
        return {str(p.relative_to(ROOT)) for p in sources(*LAYERS, "tests")
                if any(i.startswith(prefix) for i in includes(p))}

    def test_arrows_between_folders(self):
        for path in sources(*LAYERS):
            folder = str(path.parent.relative_to(ROOT))
            self.assertIn(folder, ARROWS, "a folder without arrows")
            for include in includes(path):
                if include.split("/")[0] in LAYERS and include != "sim/version.h":
                    other = include.rpartition("/")[0]
                    self.assertIn(other, (folder, *ARROWS[folder]), f"{path.relative_to(ROOT)} includes {include}")

    def test_no_circle_of_folders_or_files(self):
        def no_circle(arrows, name):
            seen, on_the_way = set(), []

            def visit(node):
                self.assertNotIn(node, on_the_way, f"a circle of {name}: {on_the_way}")
                if node in seen:
                    return
                on_the_way.append(node)
                for other in arrows.get(node, ()):
                    visit(other)
                seen.add(on_the_way.pop())

            for node in arrows:
                visit(node)

        no_circle(ARROWS, "folders")
        # A header and its .cpp are one node.
        files = {}
        for path in sources(*LAYERS):
            unit = str(path.relative_to(ROOT).with_suffix(""))
            others = {i.removesuffix(".h") for i in includes(path) if i.split("/")[0] in LAYERS}
            files.setdefault(unit, set()).update(others - {unit})
        no_circle(files, "files")

    def test_libraries_of_each_layer(self):
        for layer in LAYERS:
            for path in sources(layer):
                for include in includes(path):
                    top = include.split("/")[0]
                    if "/" in include and top not in LAYERS and top != "sys":
                        self.assertIn(top, LIBRARIES[layer], f"{path.relative_to(ROOT)} includes {include}")

    def test_one_place_for_each_library(self):
        self.assertEqual(self.users_of("simgrid/"), {"sim/drive/engine.cpp", "sim/drive/simgrid_compat.h", "tests/bench/empty_simgrid.cpp"})
        self.assertEqual(self.users_of("CLI/"), {"sim/cli/options.h"})
        self.assertEqual(self.users_of("sqlite3"), {"sim/sweep/sqlite.cpp"})
        self.assertEqual(self.users_of("xxhash"), {"workloads/io/files_read.cpp"})
        self.assertEqual(self.users_of("boost/"), {"sim/measure/confidence.cpp"})
        self.assertTrue(all(p.startswith(("workloads/models/onnx/", "tests/workloads/test_onnx")) for p in self.users_of("onnx/")))
        self.assertEqual({p for p in self.users_of("workloads/models/onnx/") if p.startswith("sim/")},
                         {"sim/cli/network_import_main.cpp"})
        self.assertEqual(self.users_of("nlopt"), {"sim/fit/npu_fit.cpp"})
        self.assertTrue(all(p.startswith("sim/python/") for p in self.users_of("pybind11/")))
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
        for folder in ("scheduler/policies", "scheduler/arbiters", "scheduler/routers", "workloads/traffic/arrivals", "workloads/exits"):
            for path in sources(folder):
                if path.stem in ("exits", "by_service"):  # what all share, and what is made of several
                    continue
                self.assertEqual(path.suffix, ".cpp", path)
                self.assertRegex(path.read_text(), r"const \w+Registration kRegistration\(", path)


if __name__ == "__main__":
    unittest.main()
