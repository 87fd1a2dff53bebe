#!/usr/bin/python3
"""What a run leaves behind: files that others can read, none that is half-written, none that is lost."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import CONFIG, CommandLineTest  # noqa: E402

try:
    import yaml
except ImportError:
    yaml = None


class OutputTest(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.write("c.yaml", CONFIG)

    def contents(self, folder):
        root = self.folder / folder
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@unittest.skipUnless(yaml, "needs python3-yaml")
class OtherReaders(OutputTest):
    def test_a_resolved_configuration_goes_through_a_reader_of_yaml_1_1(self):
        config = CONFIG.replace("latency_ms: 120", "latency_ms: 120, measured: end_to_end")
        self.write("c.yaml", config.replace("label: serial", "label: 'on'").replace("label: dynamic", "label: '1_000'"))
        self.succeed("run", "c.yaml", "--out", "out")
        document = yaml.safe_load((self.folder / "out/resolved.yaml").read_text())
        self.assertEqual(document["slo"]["measured"], "end_to_end")
        self.write("again.yaml", yaml.safe_dump(document))
        self.succeed("run", "again.yaml", "--out", "again")
        first, again = self.contents("out"), self.contents("again")
        self.assertEqual(set(first), set(again))
        for name in first:
            if not name.endswith("resolved.yaml"):  # whose keys are now in alphabetical order
                self.assertEqual(first[name], again[name], name)


if __name__ == "__main__":
    unittest.main()
